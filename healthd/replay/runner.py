"""The runner of a replay: one session for file after file, as in a run, until the database is copied or dropped."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from typing import TypeVar

from healthd.expected.files import Migration
from healthd.migrations.engine.lock_waits import Say
from healthd.migrations.engine.unrecorded_run import apply_unrecorded
from healthd.migrations.engine.watched_run import NotWatched, Rows, run_measured, run_watched
from healthd.migrations.engine.yoyo_backend import Backend, opened, yoyo_migration

T = TypeVar("T")


class Runner:
    """Applies and rolls back in one session, which is opened when it is first needed, and again after an error."""

    def __init__(self, url: str, say: Say) -> None:
        self._url, self._say = url, say
        self._open = ExitStack()
        self._backend: Backend | None = None

    async def apply(self, migration: Migration) -> None:
        """Apply a migration, and record it in the ledger."""
        await self._run(lambda backend: backend.apply_one(yoyo_migration(migration)))

    async def roll_back(self, migration: Migration) -> None:
        """Roll a migration back."""
        await self._run(lambda backend: backend.rollback_one(yoyo_migration(migration)))

    async def apply_unrecorded(self, migrations: Sequence[Migration], each: Callable[[Migration], object]) -> None:
        """Apply migrations without a ledger; `each` is called with every one before it is run."""
        await self._run(lambda backend: apply_unrecorded(backend, migrations, each))

    async def watched(self, name: str, text: str) -> Mapping[str, int]:
        """Run the text of a file without recording it, and return what it has written; see `run_watched`."""
        return await self._if_possible(lambda backend: run_watched(backend, name, text))

    async def measured(
        self, name: str, texts: Sequence[str], first: str, each: str
    ) -> tuple[list[Rows], Mapping[str, int]]:
        """Run statements with a query before them and one after each; see `run_measured`."""
        return await self._if_possible(lambda backend: run_measured(backend, name, texts, first, each))

    async def _if_possible(self, work: Callable[[Backend], T]) -> T:
        """Return what a function returns for the session, which remains open if it raises NotWatched."""
        found: list[T] = []

        def tried(backend: Backend) -> None:
            backend.ensure_internal_schema_updated()
            with suppress(NotWatched):
                found.append(work(backend))

        await self._run(tried)
        if not found:
            raise NotWatched
        return found[0]

    async def close(self) -> None:
        """End the session."""
        await asyncio.to_thread(self._close)

    async def _run(self, work: Callable[[Backend], None]) -> None:
        await asyncio.sleep(0)  # an interruption ends the replay here
        self._work(work)  # nothing else is to be done meanwhile, and a thread would take as long as a small file

    def _work(self, work: Callable[[Backend], None]) -> None:
        try:
            if self._backend is None:
                self._backend = self._open.enter_context(opened(self._url, wait_s=10.0, say=self._say, keeps=False))
            work(self._backend)
        except BaseException:
            self._backend = None
            if not self._open.__exit__(*sys.exc_info()):  # which translates the driver's errors
                raise

    def _close(self) -> None:
        self._backend = None
        self._open.close()
