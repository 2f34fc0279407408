"""What was interrupted is told as it is, and goes on where it was: decided by the database, not by hope."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
import wire as wires
from runs import migrate, resume, rollback

from healthd.errors import ConfigError, MigrationFailed
from healthd.expected.files import Migration, read_migrations
from healthd.migrations.standing import standing
from healthd.model.ledger import State

Sql = Callable[..., list[tuple[Any, ...]]]

HEADER = "-- transactional: false\n"
PROGRESS = "SELECT statement, finished_at IS NOT NULL FROM _healthd_progress ORDER BY 1"
INDEXES = "SELECT indexrelid::regclass::text, indisvalid FROM pg_index WHERE indrelid = 't'::regclass"
INVALID = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'i'::regclass"


def write(folder: Path, **files: str) -> tuple[Migration, ...]:
    for name, text in files.items():
        (folder / f"{name.replace('__', '.')}.sql").write_text(text)
    return read_migrations([folder])


def silent(_: str) -> None:
    pass


async def fails(url: str, migrations: tuple[Migration, ...]) -> MigrationFailed:
    with pytest.raises(MigrationFailed) as caught:
        await migrate(url, migrations, None, say=silent)
    return caught.value


async def state(url: str, migrations: tuple[Migration, ...]) -> tuple[State, str]:
    one = (await standing(url, migrations, None)).migrations[0]
    return one.state, one.note


async def test_a_failed_statement_is_corrected_and_what_took_effect_is_not_run_again(
    database: str, tmp_path: Path, sql: Sql
) -> None:
    start = f"{HEADER}CREATE TABLE t (a int);\nINSERT INTO t VALUES (1);\n"
    migrations = write(tmp_path, m=f"{start}INSERT INTO t SELECT nothing;\nVACUUM t;")
    await fails(database, migrations)

    assert (State.INTERRUPTED, "after statement 2 of 4") == await state(database, migrations)
    said: list[str] = []
    corrected = write(tmp_path, m=f"{start}INSERT INTO t VALUES (2);\nVACUUM t;")
    assert ("m",) == await resume(database, corrected, None, say=said.append)
    assert ["m.sql was interrupted; it continues at statement 3 of 4", "applied m"] == said
    assert [(1,), (2,)] == sql(database, "SELECT a FROM t ORDER BY 1")
    assert [] == sql(database, PROGRESS)
    assert (State.APPLIED, "") == await state(database, corrected)


async def test_migrate_goes_on_by_itself_and_then_with_the_next(database: str, tmp_path: Path, sql: Sql) -> None:
    await fails(database, write(tmp_path, m=f"{HEADER}CREATE TABLE t (a int);\nSELECT 1/0;"))
    corrected = write(tmp_path, m=f"{HEADER}CREATE TABLE t (a int);\nSELECT 1;", n="CREATE TABLE u ();")

    assert ("m", "n") == await migrate(database, corrected, None, say=silent)


async def test_what_is_in_must_still_read_as_it_was_sent(database: str, tmp_path: Path, sql: Sql) -> None:
    await fails(database, write(tmp_path, m=f"{HEADER}CREATE TABLE t (a int);\nSELECT 1/0;"))
    error = await fails(database, write(tmp_path, m=f"{HEADER}CREATE TABLE t (a bigint);\nSELECT 1;"))

    assert "m.sql, line 2: statement 1 (CREATE TABLE t (a bigint)) differs from what was sent" in str(error)
    assert "--from-statement 1" in error.hint


async def test_a_run_that_dies_in_an_index_build_leaves_it_invalid_and_resume_builds_it_again(
    database: str, tmp_path: Path, sql: Sql
) -> None:
    sql(database, "CREATE TABLE t (a int); CREATE INDEX other ON t (a)")
    migrations = write(tmp_path, m=f"{HEADER}SELECT 1;\nCREATE INDEX CONCURRENTLY i ON t (a);\nVACUUM t;")
    building = "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX%%' AND wait_event_type = 'Lock'"
    with psycopg.connect(database) as reader:  # an old transaction, for which CONCURRENTLY waits
        reader.execute("INSERT INTO t VALUES (1)")
        pid = wires.start("apply_one", database, tmp_path)
        end = time.monotonic() + 30
        while not sql(database, building):
            assert time.monotonic() < end
            await asyncio.sleep(0.02)
        wires.kill(pid)
        wires.end(pid)
        while sql(database, building):
            assert time.monotonic() < end
            await asyncio.sleep(0.05)

    assert [("i", False), ("other", True)] == sorted(sql(database, INDEXES))
    assert (State.INTERRUPTED, "at statement 2 of 3") == await state(database, migrations)
    would: list[str] = []
    found = "index i exists, but is INVALID; it would be run again"
    assert () == await resume(database, migrations, None, say=would.append, dry_run=True)
    assert [
        "m.sql: statement 1 of 3 was applied: SELECT 1",
        f"m.sql: statement 2 of 3 was started, and {found}: CREATE INDEX CONCURRENTLY i ON t (a)",
        "m.sql: would be run first: DROP INDEX CONCURRENTLY IF EXISTS i",
        "m.sql: statement 2 of 3 would be run: CREATE INDEX CONCURRENTLY i ON t (a)",
        "m.sql: statement 3 of 3 would be run: VACUUM t",
        "m.sql: then it would be marked as applied",
    ] == would
    assert [("i", False), ("other", True)] == sorted(sql(database, INDEXES))
    assert ("m",) == await resume(database, migrations, None, say=silent)
    assert [("i", True), ("other", True)] == sorted(sql(database, INDEXES))


BATCHES = "CREATE PROCEDURE batches() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO t VALUES (1); COMMIT; {} END $$"


async def test_what_nobody_can_know_is_asked_for(database: str, tmp_path: Path, sql: Sql) -> None:
    sql(database, "CREATE TABLE t (a int)")
    sql(database, BATCHES.format("PERFORM 1/0;"))
    migrations = write(tmp_path, m=f"{HEADER}SELECT 1;\nCALL batches();\nINSERT INTO t VALUES (2);")
    await fails(database, migrations)

    assert (State.INTERRUPTED, "at statement 2 of 3") == await state(database, migrations)
    error = await fails(database, migrations)
    assert "m.sql, line 3: statement 2 (CALL batches()) was started at " in str(error)
    assert "it cannot be determined whether it was applied; nothing was changed" in str(error)
    assert "--from-statement 3 if it was applied, --from-statement 2 if it was not" in error.hint
    with pytest.raises(ConfigError, match="no statement 5"):
        await resume(database, migrations, None, say=silent, from_statement=5)
    assert ("m",) == await resume(database, migrations, None, say=silent, from_statement=3)
    assert [(1,), (2,)] == sql(database, "SELECT a FROM t ORDER BY 1")


async def test_a_procedure_with_commits_of_its_own_runs(database: str, tmp_path: Path, sql: Sql) -> None:
    sql(database, "CREATE TABLE t (a int)")
    sql(database, BATCHES.format("INSERT INTO t VALUES (2);"))
    await migrate(database, write(tmp_path, m=f"{HEADER}CALL batches();"), None, say=silent)

    assert [(1,), (2,)] == sql(database, "SELECT a FROM t ORDER BY 1")


async def test_an_interrupted_rollback_goes_on(database: str, tmp_path: Path, sql: Sql) -> None:
    files = {"m": "CREATE TABLE t (); CREATE TABLE u ();", "m__rollback": f"{HEADER}DROP TABLE t;\nDROP TABLE x;"}
    files["m"] = HEADER + files["m"]
    migrations = write(tmp_path, **files)
    await migrate(database, migrations, None, say=silent)
    with pytest.raises(MigrationFailed, match='table "x" does not exist'):
        await rollback(database, migrations, None, say=silent, to=None)

    assert (State.INTERRUPTED, "rollback, after statement 1 of 2") == await state(database, migrations)
    assert "the rollback of m was interrupted" in str(await fails(database, migrations))
    corrected = write(tmp_path, m__rollback=f"{HEADER}DROP TABLE t;\nDROP TABLE u;")
    assert ("m",) == await resume(database, corrected, None, say=silent)
    assert (State.PENDING, "") == await state(database, corrected)


async def test_an_invalid_index_that_was_there_before_is_no_success(database: str, tmp_path: Path, sql: Sql) -> None:
    sql(database, "CREATE TABLE t (a int); CREATE INDEX i ON t (a)")
    sql(database, INVALID)
    error = await fails(database, write(tmp_path, m=f"{HEADER}CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a);"))

    assert "index i existed before, and is INVALID" in str(error)
    assert [("i", False)] == sql(database, INDEXES)


async def test_what_a_file_has_set_is_set_again(database: str, tmp_path: Path, sql: Sql) -> None:
    sql(database, "CREATE SCHEMA app")
    start = f"{HEADER}SET search_path TO app;\nCREATE TABLE t (a int);\n"
    await fails(database, write(tmp_path, m=f"{start}SELECT 1/0;"))
    await resume(database, write(tmp_path, m=f"{start}CREATE INDEX CONCURRENTLY i ON t (a);"), None, say=silent)

    assert [("app.i",)] == sql(database, "SELECT oid::regclass::text FROM pg_class WHERE relname = 'i'")


async def test_nothing_to_resume_is_nothing(database: str, tmp_path: Path) -> None:
    migrations = write(tmp_path, m="SELECT 1")

    assert () == await resume(database, migrations, None, say=silent)
    with pytest.raises(ConfigError, match="no migration was interrupted"):
        await resume(database, migrations, None, say=silent, from_statement=1)


async def test_one_that_was_marked_by_hand_while_it_was_half_way_is_asked_about(
    database: str, tmp_path: Path, sql: Sql
) -> None:
    migrations = write(tmp_path, m=f"{HEADER}CREATE TABLE t (a int);\nSELECT 1/0;\nCREATE TABLE u ();")
    await fails(database, migrations)
    sql(database, "INSERT INTO _yoyo_migration VALUES (encode(sha256('m'), 'hex'), 'm', now() AT TIME ZONE 'UTC')")
    with pytest.raises(MigrationFailed) as caught:
        await resume(database, migrations, None, say=silent)

    assert "m.sql was interrupted, but is marked as applied (by hand, or with yoyo mark)" in str(caught.value)
    assert "--from-statement 4 if all statements were applied" in caught.value.hint
    assert ("m",) == await resume(database, migrations, None, say=silent, from_statement=3)
    assert (State.APPLIED, "") == await state(database, migrations)
    assert [("u",)] == sql(database, "SELECT relname FROM pg_class WHERE relname = 'u'")


async def test_a_rollback_whose_mark_was_taken_away_by_hand_is_asked_about(
    database: str, tmp_path: Path, sql: Sql
) -> None:
    migrations = write(tmp_path, m=f"{HEADER}CREATE TABLE t (a int);", m__rollback=f"{HEADER}SELECT 1;\nDROP TABLE u;")
    await migrate(database, migrations, None, say=silent)
    with pytest.raises(MigrationFailed):
        await rollback(database, migrations, None, say=silent, to=None)
    sql(database, "DELETE FROM _yoyo_migration")
    with pytest.raises(MigrationFailed) as caught:
        await resume(database, migrations, None, say=silent)

    assert "is no longer marked as applied" in str(caught.value)
    assert ("m",) == await resume(database, migrations, None, say=silent, from_statement=3)
    assert (State.PENDING, "") == await state(database, migrations)
