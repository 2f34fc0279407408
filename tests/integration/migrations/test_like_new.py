"""Each file starts in a session like new, whatever the one before it has left there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import BINARIES
from runs import migrate, rollback

from healthd.expected.files import Migration, read_migrations
from healthd.migrations.engine.lock_waits import Patience
from healthd.model.ledger import MIGRATION_LOCK
from healthd.replay.replay import replay

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


HELD = "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted)"
STAYS = """SET app.tenant = 'a';
SELECT set_config('app.other', 'b', true);
LOAD 'plpgsql';
"""
MEETS = """CREATE TABLE public.{name} AS
    SELECT name FROM unnest(ARRAY['app.tenant', 'app.other', 'plpgsql.extra_warnings']) AS name
     WHERE current_setting(name, true) IS NOT NULL;
"""


@pytest.mark.parametrize("before", ["", HEADER], ids=["whole", "steps"])
async def test_settings_and_libraries_that_nothing_removes_do_not_reach_the_next_file(
    database: str, tmp_path: Path, sql: Sql, before: str
) -> None:
    files = {"a": f"{before}{STAYS}", "b": MEETS.format(name="b") + STAYS, "c": MEETS.format(name="c")}
    migrations = write(tmp_path, **files)
    lock_file = await replay(migrations, postgres_bin=BINARIES)

    assert ("a", "b", "c") == await migrate(database, migrations, lock_file, say=lambda _: None)
    assert [] == sql(database, "SELECT name FROM public.b UNION ALL SELECT name FROM public.c")


async def test_no_other_runner_comes_between_two_sessions_of_a_run(database: str, tmp_path: Path) -> None:
    migrations = write(tmp_path, **{f"f{number}": f"SELECT pg_sleep(0.02);{STAYS}" for number in range(10)})
    run = asyncio.create_task(migrate(database, migrations, None, say=lambda _: None))
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as other:
        while not await first(other, HELD):  # noqa: ASYNC110 # the server tells nobody
            await asyncio.sleep(0.001)
        while not await first(other, f"SELECT pg_try_advisory_lock{MIGRATION_LOCK}"):  # noqa: ASYNC110
            await asyncio.sleep(0)
        applied = await first(other, "SELECT count(*) FROM public._yoyo_migration")

    assert 10 == applied
    assert 10 == len(await run)


async def test_a_role_with_one_connection_begins_each_file_like_new(database: str, tmp_path: Path, sql: Sql) -> None:
    stays = STAYS.replace("LOAD 'plpgsql';", "")  # only a superuser may
    migrations = write(tmp_path, a=stays, b=MEETS.format(name="b") + stays, c=MEETS.format(name="c"))
    sql(database, "CREATE ROLE only_one LOGIN CONNECTION LIMIT 1")
    sql(database, "GRANT CREATE ON SCHEMA public TO only_one")
    url = database.replace("postgres@", "only_one@")
    try:
        assert ("a", "b", "c") == await migrate(url, migrations, None, say=lambda _: None)
        assert [] == sql(database, "SELECT name FROM public.b UNION ALL SELECT name FROM public.c")
    finally:
        sql(database, "DROP OWNED BY only_one")
        sql(database, "DROP ROLE only_one")


async def first(connection: psycopg.AsyncConnection[Any], query: str) -> Any:
    """Return the first value of the first row."""
    row = await (await connection.execute(query.encode())).fetchone()
    return row[0] if row else None
