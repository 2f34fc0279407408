"""The migrations, lock files and waivers of the projects while the daemon runs: the last valid ones are in use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from healthd.config.settings import Settings
from healthd.errors import HealthdError
from healthd.expected.store import Files, Kept, keep
from healthd.report.board import Board

log = structlog.get_logger()


@dataclass(slots=True)
class ProjectFiles:
    """The files of each project, by its lock file."""

    board: Board
    kept: dict[Path, Kept] = field(default_factory=dict)
    refused: dict[Path, str] = field(default_factory=dict)  # the errors in them since they were last valid

    def follow(self, projects: Mapping[Path, Settings], *, read: bool) -> None:
        """Use the files of these projects; unless `read`, those that are in use are not read.

        An error in the files is raised before anything is changed.
        """
        known = {} if read else self.kept
        self.kept = {path: known.get(path) or keep(own) for path, own in projects.items()}
        self.refused = {path: self.refused[path] for path in known.keys() & self.refused}

    def current(self, project: Settings) -> Files:
        """Return the files as they are, or the last valid ones; log each change to valid or wrong once."""
        path = project.lock
        before, refused = self.refused.get(path, ""), ""
        try:
            self.kept[path] = keep(project, self.kept.get(path))
        except HealthdError as error:
            refused = str(error)
            if refused != before:
                log.error("files.rejected", error=refused, hint=error.hint)
        if before and not refused:
            log.info("files.accepted")
        self.refused[path] = refused
        self.board.files_ok = not any(self.refused.values())
        return self.kept[path].files
