"""Each file starts in a session like new, whatever the one before it has left there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from runs import migrate, rollback

from healthd.expected.files import Migration, read_migrations
from healthd.migrations.engine.lock_waits import Patience

Sql = Callable[..., list[tuple[Any, ...]]]

HEADER = "-- transactional: false\n"
LEAVES = """CREATE SEQUENCE IF NOT EXISTS public.drawn;
SELECT nextval('public.drawn');
PREPARE asked AS SELECT 1;
DECLARE held CURSOR WITH HOLD FOR SELECT 1;
LISTEN told;
CREATE TEMPORARY TABLE kept (i int);
CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1';
SELECT pg_advisory_lock(7);
SELECT pg_advisory_lock(7);
SET search_path TO pg_catalog;
SET work_mem = '5MB';
SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE;
SET ROLE pg_monitor;
"""
FINDS = """DO $$ DECLARE found text := '';
BEGIN
    found := found || coalesce((SELECT string_agg(name, ' ') FROM pg_prepared_statements), '');
    found := found || coalesce((SELECT string_agg(name, ' ') FROM pg_cursors WHERE is_holdable), '');
    found := found || coalesce((SELECT string_agg(t, ' ') FROM pg_listening_channels() AS t), '');
    found := found || coalesce((SELECT string_agg(relname, ' ') FROM pg_class
                                 WHERE relnamespace = pg_my_temp_schema() AND relkind = 'r'), '');
    found := found || coalesce((SELECT string_agg(objid::text, ' ') FROM pg_locks
                                 WHERE pid = pg_backend_pid() AND locktype = 'advisory' AND objsubid = 1), '');
    IF current_setting('search_path') <> '"$user", public' THEN found := found || ' search_path'; END IF;
    IF current_setting('work_mem') = '5MB' THEN found := found || ' work_mem'; END IF;
    IF current_setting('default_transaction_isolation') <> 'read committed' THEN found := found || ' isolation'; END IF;
    IF current_user <> session_user THEN found := found || ' role'; END IF;
    BEGIN
        found := found || lastval()::text;
    EXCEPTION WHEN object_not_in_prerequisite_state THEN NULL;
    END;
    IF found <> '' THEN RAISE 'left: %', found; END IF;
END $$;
"""


def write(folder: Path, **files: str) -> tuple[Migration, ...]:
    for name, text in files.items():
        (folder / f"{name.replace('__', '.').replace('post_apply', 'post-apply')}.sql").write_text(text)
    return read_migrations([folder])


@pytest.mark.parametrize("before", ["", HEADER], ids=["whole", "steps"])
@pytest.mark.parametrize("after", ["", HEADER], ids=["whole", "steps"])
async def test_a_file_meets_nothing_of_the_one_before_it(
    database: str, tmp_path: Path, before: str, after: str
) -> None:
    migrations = write(
        tmp_path,
        a=f"{before}{LEAVES}",
        a__rollback=f"{before}{FINDS}",
        b=f"{after}{FINDS}{LEAVES}",
        b__rollback=f"{after}{FINDS}{LEAVES}",
        c=f"{before}{FINDS}{LEAVES}",
        c__rollback=f"{before}{LEAVES}",
        post_apply=f"{after}{FINDS}",
    )

    assert ("a", "b", "c") == await migrate(database, migrations, None, say=lambda _: None)
    (tmp_path / "0.sql").write_text("SELECT 1;")
    migrations = read_migrations([tmp_path])
    await migrate(database, migrations, None, say=lambda _: None, allow_out_of_order=True)
    assert ("c", "b", "a") == await rollback(database, migrations, None, say=lambda _: None, to="0")


async def test_a_second_try_meets_nothing_of_the_first(database: str, tmp_path: Path, sql: Sql) -> None:
    sql(database, "CREATE TABLE t (i int)")
    migrations = write(tmp_path, a="PREPARE asked AS SELECT 1;\nALTER TABLE t ADD j int;")
    said: list[str] = []
    with psycopg.connect(database) as other:
        other.execute("SELECT * FROM t")
        patience = Patience(lock_timeout_s=0.1)
        run = asyncio.create_task(migrate(database, migrations, None, say=said.append, patience=patience))
        end = time.monotonic() + 120
        while not any("attempt 2" in line for line in said):
            assert time.monotonic() < end
            await asyncio.sleep(0.02)

    assert ("a",) == await run
