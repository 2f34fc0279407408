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
from healthd.migrations.engine.ledger_tables import refuse_read_only
from healthd.migrations.engine.lock_waits import AGAIN, pause_s, timeout
from healthd.migrations.engine.yoyo_backend import opened
from healthd.migrations.run_options import RunOptions
from healthd.model.findings import Verdict
from healthd.model.scripts import Script, Statement, running
from healthd.repair.text import LOCK_TIMEOUT, SESSION, batches
from healthd.rounds.follow_up import conclude_closely
from healthd.rounds.observation import Observation
from healthd.sqltext.nontransactional import blocks_nobody
from healthd.sqltext.steps import excerpt
from healthd.text import some


async def run_repair(target: Target, files: Files, script: Script, options: RunOptions) -> int:
    """Run the statements of a script that are not held back, and return how many ran.

    The migration lock is held meanwhile. Raises MigrationFailed before anything runs if the database no longer needs
    exactly this script, cannot be written, or the role may not run it; and for a statement that fails: the message
    states what ran before it.
    """
    async with _migration_lock(target, options), connect(target.dsn) as connection:
        verdict = await _verdict(connection, target, files)
        if running(verdict.script) != running(script):
            raise MigrationFailed(
                f"{target.name} has changed since the script was rehearsed; nothing was changed",
                hint="try again: healthd repair --apply",
            )
        if verdict.script_notes:  # a part of the script could run alone, and be left
            raise MigrationFailed(
                f"{target.name} cannot be repaired here: {some(verdict.script_notes)}; nothing was changed",
                hint="connect to the primary, as a role that may: healthd repair prints the script for psql",
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
    """Hold the migration lock for a block, on a server that can be written: no migration runs at the same time."""
    held = opened(target.dsn, wait_s=options.wait_s, say=options.say)
    backend = await asyncio.to_thread(held.__enter__)
    try:
        await asyncio.to_thread(refuse_read_only, backend)
        yield
    finally:
        await asyncio.to_thread(held.__exit__, None, None, None)


async def _verdict(connection: Any, target: Target, files: Files) -> Verdict:
    """Return the verdict on the database, with the script that it needs now; its migration lock is our own."""
    texts = of_another_major(Later.made(files), connection.info.server_version)
    reading = await read(connection, texts=texts)
    observation = Observation(replace(reading, runner=None))
    _, verdict = await conclude_closely(connection, target, files, observation)
    return verdict


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
