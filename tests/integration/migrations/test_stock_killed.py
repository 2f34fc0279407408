"""Stock yoyo that dies, or waits, on its own driver: our run clears what it has left, says so, and ends well."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from commands import YOYO, run_yoyo
from runs import migrate
from story import write_sql

from healthd.expected.files import read_migrations
from healthd.migrations.standing import standing
from healthd.model.ledger import State

Sql = Callable[..., list[tuple[Any, ...]]]

FILES = {
    "1_a": "CREATE TABLE public.a (n int);",
    "2_slow": "CREATE TABLE public.b (n int);\nLOCK TABLE public.gate;\nINSERT INTO public.b VALUES (1);",
    "3_c": "CREATE TABLE public.c (n int);",
}


def project(folder: Path, url: str) -> Path:
    (folder / "sql").mkdir()
    write_sql(folder / "sql", FILES)
    uri = url.replace("postgresql:", "postgresql+psycopg:").replace("%", "%%")
    (folder / "yoyo.ini").write_text(f"[DEFAULT]\nsources = sql\ndatabase = {uri}\nbatch_mode = on\n")
    return folder


def start(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([YOYO, "apply"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def kill(process: subprocess.Popen[bytes]) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.wait(60)


def until(question: Callable[[], Any]) -> None:
    end = time.monotonic() + 60
    while not question():
        assert time.monotonic() < end
        time.sleep(0.05)


def at_the_gate(url: str, sql: Sql) -> Callable[[], Any]:
    waiting = (
        "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%%LOCK TABLE public.gate%%' AND wait_event_type = 'Lock'"
    )
    mine = f"{waiting} AND pid <> pg_backend_pid()"
    return lambda: sql(url, mine)


async def test_a_yoyo_that_was_killed_while_it_applied_is_followed_by_a_run_that_ends(
    database: str, tmp_path: Path, sql: Sql
) -> None:
    folder = project(tmp_path, database)
    migrations = read_migrations([folder / "sql"])
    sql(database, "CREATE TABLE public.gate ()")
    said: list[str] = []
    with psycopg.connect(database) as gate:
        gate.execute("LOCK TABLE public.gate")
        process = start(folder)
        try:
            until(at_the_gate(database, sql))
        finally:
            kill(process)
        gate.commit()
    until(
        lambda: (
            not sql(
                database,
                "SELECT 1 FROM pg_stat_activity WHERE application_name = '' AND query ~ 'gate'"
                " AND datname = current_database() AND pid <> pg_backend_pid()",
            )
        )
    )
    assert [(process.pid,)] == sql(database, "SELECT pid FROM yoyo_lock")  # its row outlives it
    before = [one.state for one in (await standing(database, migrations, None)).migrations]

    assert [State.APPLIED, State.PENDING, State.PENDING] == before
    assert ("2_slow", "3_c") == await migrate(database, migrations, None, say=said.append)
    assert any(f"deleted the lock row that yoyo (process {process.pid}) left" in one for one in said)
    assert [(1,)] == sql(database, "SELECT n FROM public.b")
    listed = await asyncio.to_thread(run_yoyo, folder, "list")
    assert 0 == listed.returncode, listed.stderr
    assert ["A", "A", "A"] == [line.split()[0] for line in listed.stdout.splitlines()[2:]]


async def test_a_yoyo_that_is_waiting_for_its_turn_is_waited_for_and_both_end(
    database: str, tmp_path: Path, sql: Sql
) -> None:
    folder = project(tmp_path, database)
    migrations = read_migrations([folder / "sql"])
    sql(database, "CREATE TABLE public.gate ()")
    with psycopg.connect(database) as gate:
        gate.execute("LOCK TABLE public.gate")
        first = start(folder)
        until(at_the_gate(database, sql))
        second = start(folder)  # it waits for the first one's row
        ours = asyncio.create_task(migrate(database, migrations, None, say=lambda _: None, wait_s=60.0))
        held = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted"
        for _ in range(3000):
            if sql(database, held):
                break
            await asyncio.sleep(0.02)
        kill(second)
        gate.commit()
    code = await asyncio.to_thread(first.wait, 60)
    await ours

    assert 0 == code
    assert [State.APPLIED] * 3 == [one.state for one in (await standing(database, migrations, None)).migrations]
    assert [(1,)] == sql(database, "SELECT n FROM public.b")
