"""The folder of target files while the daemon runs: looked at regularly, followed, and reported when it is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from healthd.config.settings import Settings, Target, TargetFolder
from healthd.config.target_files import has_changed, with_files
from healthd.expected.store import Kept, keep
from healthd.report.board import Board

log = structlog.get_logger()

LOOK_S = 5.0  # between two looks at most
MOST_LINES = 10  # of the log, about files that are wrong at the same time


def look_again_s(settings: Settings) -> float:
    """Return the pause until the folder is looked at again."""
    return min(LOOK_S, settings.interval_s)


def usable(settings: Settings, last: TargetFolder | None, kept: Mapping[Path, Kept]) -> Settings:
    """Return the settings with the files of their folder, read again; see `with_files`."""
    return with_files(settings, last, check=_checking(settings, kept))


def changed(settings: Settings, kept: Mapping[Path, Kept]) -> Settings | None:
    """Return the settings with the targets of the folder as it is now, None if nothing has changed.

    What is wrong is tried again each time: it may be wrong because of a file that is not in the folder.
    """
    folder = settings.folder
    if folder is None or not (folder.errors or has_changed(folder)):
        return None
    found = with_files(settings, folder, check=_checking(settings, kept), again=False)
    same = found.folder is not None and _essence(found.folder) == _essence(folder)
    return None if same and found.targets == settings.targets else found


def _essence(folder: TargetFolder) -> object:
    return [(one.path, one.signature) for one in folder.files], {path: str(why) for path, why in folder.errors.items()}


def _checking(settings: Settings, kept: Mapping[Path, Kept]) -> Callable[[Target], None]:
    """Return a function that raises if the migrations or the lock file of a target cannot be read."""
    known = set(kept)

    def check(target: Target) -> None:
        own = settings.of(target)
        if own.lock not in known:
            keep(own)
            known.add(own.lock)

    return check


@dataclass(slots=True)
class WrongFiles:
    """The target files that are wrong, each logged once."""

    board: Board
    reported: dict[Path, str] = field(default_factory=dict)

    def report(self, folder: TargetFolder | None) -> None:
        """Log which files have become wrong, or right, and show them on the board."""
        errors = folder.errors if folder is not None else {}
        new = [path for path, error in errors.items() if self.reported.get(path) != str(error)]
        for path in new[:MOST_LINES]:
            log.error("target_file.rejected", file=str(path), error=str(errors[path]), hint=errors[path].hint)
        if (further := len(new) - MOST_LINES) > 0:
            log.error("target_files.rejected", further=further, hint="the start page lists the files")
        for path in self.reported.keys() - errors.keys():
            log.info("target_file.accepted", file=str(path))
        self.reported = {path: str(error) for path, error in errors.items()}
        self.board.wrong_files = tuple(path.name for path in errors)
