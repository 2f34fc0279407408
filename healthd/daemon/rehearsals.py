"""The rehearsals of the scripts that rounds make: in the background, one at a time, and once for each script."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from time import monotonic

import structlog

from healthd.config.settings import Settings
from healthd.errors import HealthdError
from healthd.model.scripts import FAILED, FINISHED, NONE, RUNNING, Rehearsed, Steps, steps_of
from healthd.postgres.programs import find_binaries
from healthd.replay.rehearsal import Rehearsal
from healthd.replay.rehearsal_process import Job, rehearsed_apart
from healthd.report.board import Board
from healthd.rounds.round import Round

log = structlog.get_logger()

WAITING = "Not rehearsed yet: the rehearsal is running"


@dataclass(slots=True)
class Rehearsals:
    """The running rehearsals, by target; their results are on the board."""

    board: Board
    turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    running: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    refused: str = ""  # why there is no scratch server, as logged

    def follow(self, settings: Settings) -> None:
        """End the rehearsals that these settings do not want."""
        wanted = {one.name for one in settings.targets} if settings.rehearse else set()
        for target in self.running.keys() - wanted:
            self._end(target)

    def consider(self, found: Round, settings: Settings) -> Round:
        """Begin the rehearsal of a round's script if it is a new one; return the round without what it has read."""
        report, entry = found.report, self.board.entries.get(found.report.target)
        if entry is None or report.failure is not None:
            return found
        steps = steps_of(report.script)
        if not steps or not settings.rehearse:
            self._end(report.target)
            entry.rehearsal = Rehearsed()
        elif found.reading is not None and entry.rehearsal.steps != steps:
            self._end(report.target)
            if why := self._unavailable(settings):
                entry.rehearsal = Rehearsed(NONE, f"Not rehearsed: {why}", steps)
            else:
                entry.rehearsal = Rehearsed(RUNNING, WAITING, steps)
                self.running[report.target] = asyncio.create_task(self._rehearse(found, steps, settings))
        return replace(found, reading=None)

    def stop(self) -> list[asyncio.Task[None]]:
        """End all rehearsals, and return their tasks."""
        tasks = list(self.running.values())
        for target in list(self.running):
            self._end(target)
        return tasks

    def _end(self, target: str) -> None:
        if (task := self.running.pop(target, None)) is not None:
            task.cancel()

    def _unavailable(self, settings: Settings) -> str:
        """Return why no scratch server can be started; each new reason is logged once."""
        try:
            find_binaries(settings.postgres_bin)
            why = ""
        except HealthdError as error:
            why = str(error)
            if why != self.refused:
                log.info("rehearsals.unavailable", reason=why, hint=error.hint)
        self.refused = why
        return why

    async def _rehearse(self, found: Round, steps: Steps, settings: Settings) -> None:
        """Rehearse a script when it is its turn, and post the result if it is still the script of the target."""
        target = found.report.target
        async with self.turn:
            begin_s = monotonic()
            try:
                packed = await asyncio.to_thread(_packed, found, settings)
                result = await rehearsed_apart(packed, limit_s=settings.rehearse_limit_s)
            except Exception as error:
                log.exception("rehearsal.failed", target=target)
                result = Rehearsal(problem=f"internal error in healthd: {type(error).__name__}")
        state = FAILED if result.problem else FINISHED
        if self.running.get(target) is asyncio.current_task():
            del self.running[target]
        if (entry := self.board.entries.get(target)) is not None and entry.rehearsal.steps == steps:
            entry.rehearsal = Rehearsed(state, result.words, steps)
            duration_s = round(monotonic() - begin_s, 3)
            log.info("rehearsal.finished", target=target, state=state, result=result.words, duration_s=duration_s)


def _packed(found: Round, settings: Settings) -> bytes:
    """Return the job for the process; this takes a while for a large database."""
    assert found.reading is not None
    expected, actual = found.sides()
    owner = found.reading.ledger.owner
    job = Job(found.report.script, expected, actual, owner, settings.postgres_bin, settings.rehearse_limit_s)
    return job.packed()
