"""What the daemon remembers when it is started again: read once, and written when it has changed.

Nothing that is wrong with the state file or its disk stops the daemon: it is logged once, and rounds go on.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import structlog

from healthd.daemon import state_file
from healthd.daemon.state_file import StateRejected
from healthd.report.board import Board, Change, Entry
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
    waiting: dict[str, Entry] = field(default_factory=dict)  # of databases whose server has not listed them yet

    def restore(self, now: datetime, groups: Mapping[str, float] = MappingProxyType({})) -> None:
        """Give the board what was remembered, and begin to keep it.

        `groups` are those whose databases are not known yet, with their intervals in seconds; see `follow`.
        """
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
        if self._read(self.folder, now, groups):
            self.writer = _Writer(self.folder, held)
            self.writer.start()
        else:
            os.close(held)

    def _read(self, folder: Path, now: datetime, groups: Mapping[str, float]) -> bool:
        """Read the file, and return whether a new one may be written: not if it would replace one that stays there."""
        try:
            document = state_file.read(folder)
            if document is not None:
                found = _recalled(document, self.board, groups, now)
                self.waiting = {name: entry for name, entry in found.items() if name not in self.board.entries}
                self.board.entries |= {name: found[name] for name in self.board.entries.keys() & found.keys()}
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

    def follow(self, unknown: Collection[str]) -> None:
        """Give the board what waits for its new targets; keep only what waits for the list of an `unknown` group."""
        for name in self.waiting.keys() & self.board.entries.keys():
            entry, new = self.waiting.pop(name), self.board.entries[name]
            if not new.runs:
                entry.interval_s = new.interval_s
                self.board.entries[name] = entry
        self.waiting = {name: entry for name, entry in self.waiting.items() if _group_of(name, unknown)}

    def _document(self) -> Any:
        return remembered({**self.waiting, **self.board.entries})

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
                self.writer.put(self._document())
            await asyncio.sleep(max(PAUSE_S, (clock() - begin_s) / SHARE))

    def finish(self, timeout_s: float) -> None:
        """Write the state a last time; a disk that does not answer holds the end up for so long at most."""
        if self.writer is not None:
            self.writer.put(self._document())
            self.writer.finish(timeout_s)


def _recalled(document: Any, board: Board, groups: Mapping[str, float], now: datetime) -> dict[str, Entry]:
    try:
        later = {name: Entry(groups[group]) for name in document if (group := _group_of(name, groups))}
        return recalled(document, {**later, **board.entries}, now)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StateRejected(
            f"the state file has no form that healthd knows: {type(error).__name__}", "corrupt"
        ) from error


def _group_of(name: str, groups: Collection[str]) -> str:
    """Return the group of which a target is a database; empty if there is none."""
    return next((group for group in groups if name.startswith(f"{group}/")), "")


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
