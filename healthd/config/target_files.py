"""A folder of target files: read again when they change, and each file stays as it was while it is wrong."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from healthd.config.settings import Settings, Signature, Target, TargetFile, TargetFolder
from healthd.config.target_names import alike
from healthd.errors import ConfigError, HealthdError
from healthd.text import natural

MOST_BYTES = 1 << 20  # of one file
HINT = "see targets_dir: healthd docs configuration"

Check = Callable[[Target], None]
Files = Mapping[Path, TargetFile]


def with_files(
    settings: Settings, last: TargetFolder | None = None, *, check: Check | None = None, again: bool = True
) -> Settings:
    """Return the settings with the targets of their folder as it is now; without a folder, unchanged.

    A file that is wrong keeps the targets that it had in `last`, and so do all if the folder cannot be read. `check`
    raises HealthdError for a target that cannot be watched: then its file is wrong. Not `again`: a file that has not
    changed and was not wrong is not read.
    """
    folder = settings.folder
    if folder is None:
        return settings
    before = {} if last is None or last.path != folder.path else {one.path: one for one in last.files}
    try:
        listing = _listing(folder.path)
    except OSError as error:
        trouble = ConfigError(f"cannot read {folder.path}: {error.strerror}", hint=HINT)
        return _with(settings, replace(folder, files=tuple(before.values()), error=trouble))
    read = []
    for path, found in listing.items():
        known = before.get(path)
        kept = known is not None and not again and known.signature == found and known.error is None
        read.append(known if known and kept else _read(folder, path, found, check))
    files = sorted(_apart(folder, read, before), key=lambda one: natural(one.path.name))
    return _with(settings, replace(folder, files=tuple(files), error=None))


def has_changed(folder: TargetFolder) -> bool:
    """Return whether a file has come, gone or changed since the folder was read."""
    try:
        return folder.error is not None or _listing(folder.path) != {one.path: one.signature for one in folder.files}
    except OSError:
        return folder.error is None


def _with(settings: Settings, folder: TargetFolder) -> Settings:
    found = (target for one in folder.files for target in one.targets)
    return replace(settings.declaring((*folder.own.values(), *found)), folder=folder)


def _listing(folder: Path) -> dict[Path, Signature]:
    """Return the target files of a folder, each with what is different when its content is."""
    paths = [path for path in folder.iterdir() if path.suffix == ".ini" and not path.name.startswith(".")]
    return {path: signature(path) for path in paths}


def signature(path: Path) -> Signature:
    """Return what is different when the content of a file is."""
    try:
        status = path.stat()
    except OSError:
        return (0, 0, 0, 0)  # a link to nowhere, or it has gone meanwhile
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino


def _read(folder: TargetFolder, path: Path, signature: Signature, check: Check | None) -> TargetFile:
    """Return a file with its targets, or with the error in it."""
    try:
        _refuse_unreadable(path)
        found = folder.parse(path)
        for place, target in found.items():
            if check is not None:
                _check(check, place, target)
    except OSError as error:
        wrong = ConfigError(f"cannot read {path}: {error.strerror}", hint="check its owner and mode")
        return TargetFile(path, signature, error=wrong)
    except HealthdError as error:
        return TargetFile(path, signature, error=error)
    return TargetFile(path, signature, tuple(found.values()), tuple(found))


def _refuse_unreadable(path: Path) -> None:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ConfigError(f"{path} is not a regular file", hint="remove it from the folder")
    if status.st_size > MOST_BYTES:
        raise ConfigError(f"{path} is larger than {MOST_BYTES >> 20} MiB", hint="divide it into several files")


def _check(check: Check, place: str, target: Target) -> None:
    try:
        check(target)
    except HealthdError as error:
        raise ConfigError(f"{place}: {error}", hint=error.hint) from error


def _apart(folder: TargetFolder, read: Sequence[TargetFile], before: Files) -> Iterator[TargetFile]:
    """Yield the files with targets of different names; a name belongs to yoyo.ini, or to the file that had it before.

    A file in which another one's name occurs is wrong. Of what a wrong file had before, names that belong to another
    file by now are left out.
    """
    owners = {alike(target.name): place for place, target in folder.own.items()}
    for file in sorted(read, key=lambda one: (not _is_unchanged(one, before), natural(one.path.name))):
        taken = next((pair for pair in file.placed() if alike(pair[1].name) in owners), None)
        settled = file
        if taken is not None:
            place, target = taken
            words = f"{place}: the name is taken by {owners[alike(target.name)]}"
            settled = TargetFile(file.path, file.signature, error=ConfigError(words, hint="choose another name"))
        if settled.error is not None and (known := before.get(file.path)) is not None:
            left = [pair for pair in known.placed() if alike(pair[1].name) not in owners]
            places, targets = tuple(place for place, _ in left), tuple(target for _, target in left)
            settled = replace(settled, places=places, targets=targets)
        owners |= {alike(target.name): place for place, target in settled.placed()}
        yield settled


def _is_unchanged(file: TargetFile, before: Files) -> bool:
    known = before.get(file.path)
    return file.error is None and known is not None and known.error is None and known.signature == file.signature
