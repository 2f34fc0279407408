"""Where in the files of a target the object of a finding was made; the files are read when a page asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from healthd.config.settings import Settings
from healthd.daemon.project_files import ProjectFiles
from healthd.errors import HealthdError
from healthd.expected.files import read_migrations
from healthd.expected.lockfile import LockFile
from healthd.expected.origins import Origin, origins
from healthd.model.findings import Finding, Report
from healthd.report.board import Board


@dataclass(slots=True)
class FindingOrigins:
    """Finds origins in the files that the rounds use, in a thread, one at a time."""

    board: Board
    settings: Callable[[], Settings]
    files: ProjectFiles
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def of(self, name: str, finding: Finding) -> Origin | None:
        """Return the statement that made the object of a finding, or changed it last; None if it is not known."""
        settings, entry = self.settings(), self.board.entries.get(name)
        target = next((one for one in settings.targets if one.name == name), None)
        if target is None or entry is None or entry.report is None:
            return None
        own = settings.of(target)
        if (kept := self.files.kept.get(own.lock)) is None:
            return None
        async with self.turn:
            return await asyncio.to_thread(_found, own, kept.files.lock, entry.report, finding)


def _found(own: Settings, lock: LockFile, report: Report, finding: Finding) -> Origin | None:
    place = (finding.key, finding.attribute)
    applied = {one.id for one in report.migrations if one.applied_at}
    try:
        migrations = read_migrations(own.sources)
        found = origins([place], lock.on(report.server_version or 0), migrations, applied or None).get(place)
    except HealthdError:  # the log has it: the rounds read the same files
        return None
    return None if found is None else replace(found, file=Path(found.file).name)
