"""What the daemon remembers when it is started again: read once, and written when it has changed.

Nothing that is wrong with the state file or its disk stops the daemon: it is logged once, and rounds go on.
"""

from __future__ import annotations

import asyncio
import os
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from healthd.daemon import state_file
from healthd.daemon.state_file import StateRejected
from healthd.report.board import Board, Change
from healthd.report.memory import recalled, remembered

log = structlog.get_logger()

QUIET_S = 15.0  # between two writes if nothing happens but rounds
PAUSE_S = 0.25  # between two writes at least
SHARE = 0.05  # of the time that the loop may spend on them
HINT = "what healthd remembers is not kept: see state_dir in `healthd docs configuration`"


@dataclass(slots=True)
class Memory:
    """The memory of a board in a folder; without a folder it keeps nothing."""

    board: Board
    folder: Path | None = None
    writer: _Writer | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def restore(self, now: datetime) -> None:
        """Give the board what was remembered, and begin to keep it."""
        if self.folder is None:
            return
        try:
            held = state_file.hold(self.folder)
        except BlockingIOError:
            hint = "give each daemon a state_dir of its own"
            log.error("state.failed", error=f"{self.folder} is in use by another process", hint=hint)
            return
        except OSError as error:
            log.error("state.failed", error=f"cannot use {self.folder}: {error.strerror}", hint=HINT)
            return
        if self._read(self.folder, now):
            self.writer = _Writer(self.folder, held)
            self.writer.start()
        else:
            os.close(held)

    def _read(self, folder: Path, now: datetime) -> bool:
        """Read the file, and return whether a new one may be written: not if it would replace one that stays there."""
        try:
            document = state_file.read(folder)
            if document is not None:
                self.board.entries |= _recalled(document, self.board, now)
        except StateRejected as error:
            try:
                place = state_file.set_aside(folder, error.word)
            except OSError as failed:
                log.error("state.failed", error=f"{error}, and cannot be renamed: {failed.strerror}", hint=HINT)
                return False
            log.error("state.rejected", error=str(error), hint=error.hint, kept_as=str(place))
        except OSError as error:
            name = folder / state_file.NAME
            log.error("state.failed", error=f"cannot read {name}: {error.strerror}", hint=HINT)
            return False
        return True

    def posted(self, change: Change) -> None:
        """Keep what a round changed at once; what every round changes is kept from time to time."""
        if change:
            self.changed.set()

    async def keep(self) -> None:
        """Write the state whenever it has changed, until cancelled."""
        runs, clock = 0, asyncio.get_running_loop().time
        while self.writer is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(QUIET_S):
                    await self.changed.wait()
            self.changed.clear()
            begin_s = clock()
            if runs != (runs := sum(entry.runs for entry in self.board.entries.values())):
                self.writer.put(remembered(self.board.entries))
            await asyncio.sleep(max(PAUSE_S, (clock() - begin_s) / SHARE))

    def finish(self, timeout_s: float) -> None:
        """Write the state a last time; a disk that does not answer holds the end up for so long at most."""
        if self.writer is not None:
            self.writer.put(remembered(self.board.entries))
            self.writer.finish(timeout_s)


def _recalled(document: Any, board: Board, now: datetime) -> dict[str, Any]:
    try:
        return recalled(document, board.entries, now)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StateRejected(
            f"the state file has no form that healthd knows: {type(error).__name__}", "corrupt"
        ) from error


class _Writer(threading.Thread):
    """Writes the newest document that it was given, in a thread of its own: a slow disk delays no round."""

    def __init__(self, folder: Path, held: int) -> None:
        super().__init__(name="state", daemon=True)
        self.folder, self.held = folder, held  # the descriptor of the lock is open as long as this is
        self.news = threading.Condition()
        self.newest: Any = None
        self.ended = False

    def put(self, document: Any) -> None:
        """Let a document be written; one that still waits is left out."""
        with self.news:
            self.newest = document
            self.news.notify()

    def finish(self, timeout_s: float) -> None:
        """End when everything is written, and wait for that."""
        with self.news:
            self.ended = True
            self.news.notify()
        self.join(timeout_s)

    def run(self) -> None:
        """Write until the end; a failure is logged when it begins and when it ends."""
        failure = ""
        while True:
            with self.news:
                self.news.wait_for(lambda: self.newest is not None or self.ended)
                document, self.newest = self.newest, None
            if document is None:
                os.close(self.held)
                return
            failure = self._written(document, failure)

    def _written(self, document: Any, failure: str) -> str:
        """Write a document, and return why that failed; what is as before is not logged again."""
        try:
            state_file.write(self.folder, document)
        except OSError as error:
            why = f"cannot write {self.folder / state_file.NAME}: {error.strerror}"
            if not failure:
                log.error("state.failed", error=why, hint=HINT)
            return why
        if failure:
            log.info("state.kept", folder=str(self.folder))
        return ""
