"""Run a repair that was rehearsed: exactly its statements, under the migration lock, if nothing has changed since."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from itertools import count
from typing import Any

from healthd.background import Later
from healthd.config.settings import Target
from healthd.database.connection import connect
from healthd.database.driver_errors import translated
from healthd.database.snapshot.reading import read
from healthd.errors import DatabaseFailed, HealthdError, MigrationFailed
from healthd.expected.store import Files, of_another_major
from healthd.migrations.engine.lock_waits import AGAIN, pause_s, timeout
from healthd.migrations.engine.yoyo_backend import opened
from healthd.migrations.run_options import RunOptions
from healthd.model.scripts import Script, Statement, running
from healthd.repair.text import LOCK_TIMEOUT, SESSION, batches
from healthd.rounds.follow_up import conclude_closely
from healthd.rounds.observation import Observation
from healthd.sqltext.nontransactional import blocks_nobody
from healthd.sqltext.steps import excerpt


async def run_repair(target: Target, files: Files, script: Script, options: RunOptions) -> int:
    """Run the statements of a script that are not held back, and return how many ran.

    The migration lock is held meanwhile. Raises MigrationFailed before anything runs if the database no longer needs
    exactly this script, and for a statement that fails: the message states what ran before it.
    """
    async with _migration_lock(target, options), connect(target.dsn) as connection:
        if running(await _script(connection, target, files)) != running(script):
            raise MigrationFailed(
                f"{target.name} has changed since the script was rehearsed; nothing was changed",
                hint="try again: healthd repair --apply",
            )
        with translated():
            await connection.execute("; ".join(one.rstrip(";") for one in SESSION).encode())
        ran = 0
        for batch in batches(script):
            await _run(connection, batch, ran, options)
            ran += len(batch)
        return ran


@asynccontextmanager
async def _migration_lock(target: Target, options: RunOptions) -> AsyncIterator[None]:
    """Hold the migration lock for a block: no migration runs at the same time."""
    held = opened(target.dsn, wait_s=options.wait_s, say=options.say)
    await asyncio.to_thread(held.__enter__)
    try:
        yield
    finally:
        await asyncio.to_thread(held.__exit__, None, None, None)


async def _script(connection: Any, target: Target, files: Files) -> Script:
    """Return the script that the database needs now; its migration lock is our own."""
    texts = of_another_major(Later.made(files), connection.info.server_version)
    reading = await read(connection, texts=texts)
    observation = Observation(replace(reading, runner=None))
    _, verdict = await conclude_closely(connection, target, files, observation)
    return verdict.script


async def _run(connection: Any, batch: Sequence[Statement], ran: int, options: RunOptions) -> None:
    """Run a batch; if another session holds a lock, the whole of it is tried again, unless a part of it could stay."""
    texts, whole = [one.sql for one in batch], not batch[0].alone
    if blocks_nobody(texts[0]):  # nobody waits behind it, and a build that gives up leaves an INVALID index
        wait = f"SET lock_timeout = '{timeout(options.patience.max_wait_s)}'"
        texts = [wait, *texts, f"SET lock_timeout = '{LOCK_TIMEOUT}'"]
    deadline = asyncio.get_running_loop().time() + options.patience.max_wait_s
    for attempt in count(1):
        try:
            await _attempt(connection, [*["BEGIN"] * whole, *texts, *["COMMIT"] * whole])
        except HealthdError as error:
            with suppress(HealthdError), translated():  # the connection may be lost
                await connection.execute(b"ROLLBACK")
            why = AGAIN.get(getattr(error, "sqlstate", None) or "")
            pause = pause_s(attempt)
            if whole and why and asyncio.get_running_loop().time() + pause < deadline:
                options.say(f"{error}; trying again in {pause:.0f} s")
                await asyncio.sleep(pause)
                continue
            raise _failed(error, ran) from error
        return


async def _attempt(connection: Any, texts: Sequence[str]) -> None:
    for text in texts:
        try:
            with translated():
                await connection.execute(text.encode())
        except DatabaseFailed as error:
            raise DatabaseFailed(f"{error}: {excerpt(text)}", hint=error.hint, sqlstate=error.sqlstate) from error


def _failed(error: HealthdError, ran: int) -> MigrationFailed:
    what = "nothing was changed" if not ran else f"the {ran} statement{'s' * (ran > 1)} before it were run"
    return MigrationFailed(
        f"the repair failed: {error}; {what}",
        hint=error.hint or "see what is left: healthd repair",
        sqlstate=getattr(error, "sqlstate", None),
    )
