"""One database is changed in order, by whoever may, and looking at it changes nothing."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from runs import migrate, rollback
from story import write_sql

from healthd.errors import ConfigError, HealthdError, MigrationFailed, PermissionDenied
from healthd.expected.files import Migration, read_migrations
from healthd.expected.lockfile import Locked, LockFile
from healthd.migrations.engine.yoyo_backend import opened, yoyo_migration
from healthd.migrations.standing import Standing, standing
from healthd.model.ledger import MIGRATION_LOCK, State

Sql = Callable[..., list[tuple[Any, ...]]]
MakeDatabase = Callable[..., str]

FILES = {
    "1_a": "CREATE TABLE a ();",
    "1_a.rollback": "DROP TABLE a;",
    "2_b": "CREATE TABLE b ();",
    "2_b.rollback": "DROP TABLE b;",
    "3_c": "CREATE TABLE c ();",
    "3_c.rollback": "DROP TABLE c;",
}
TABLES = """SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class
             WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname !~ 'yoyo|_healthd'"""
READER = """DO $$ BEGIN CREATE ROLE runner_reader LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
            GRANT USAGE ON SCHEMA public TO runner_reader;
            REVOKE CREATE ON SCHEMA public FROM PUBLIC;"""
MAY_READ = "GRANT SELECT ON _yoyo_migration, _healthd_migration, _healthd_progress, yoyo_lock TO runner_reader"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path, **FILES)


@pytest.fixture
def said() -> list[str]:
    return []


def write(folder: Path, **files: str) -> Path:
    return write_sql(folder, files)


def read(folder: Path) -> tuple[Migration, ...]:
    return read_migrations([folder])


def silent(_: str) -> None:
    pass


def tables(sql: Sql, url: str) -> str:
    return sql(url, TABLES)[0][0] or ""


def states(stand: Standing) -> list[str]:
    return [f"{one.id} {one.state}" for one in stand.migrations]


# ── migrate ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_what_is_pending_is_applied_in_order(database: str, folder: Path, sql: Sql, said: list[str]) -> None:
    assert ("1_a", "2_b", "3_c") == await migrate(database, read(folder), None, say=said.append)
    assert ["applied 1_a", "applied 2_b", "applied 3_c"] == said
    assert "a b c" == tables(sql, database)
    assert [("1_a",), ("2_b",), ("3_c",)] == sql(
        database, "SELECT migration_id FROM _yoyo_migration ORDER BY applied_at_utc"
    )


async def test_up_to_one_stops_after_it(database: str, folder: Path, sql: Sql) -> None:
    assert ("1_a", "2_b") == await migrate(database, read(folder), None, say=silent, to="2_b")
    assert "a b" == tables(sql, database)
    assert ("3_c",) == await migrate(database, read(folder), None, say=silent)


async def test_up_to_one_that_is_not_there_is_an_error(database: str, folder: Path, sql: Sql) -> None:
    with pytest.raises(ConfigError, match="no such migration: '9_z'") as caught:
        await migrate(database, read(folder), None, say=silent, to="9_z")

    assert caught.value.hint == "the last migration is 3_c"
    assert "" == tables(sql, database)


async def test_nothing_pending_needs_no_lock_and_no_privilege_to_write(
    database: str, folder: Path, sql: Sql, said: list[str]
) -> None:
    await migrate(database, read(folder), None, say=silent)
    sql(database, READER)
    sql(database, MAY_READ)
    with psycopg.connect(database, autocommit=True) as busy:
        busy.execute("SELECT pg_advisory_lock(%s, %s)", MIGRATION_LOCK)
        done = await migrate(
            database.replace("postgres@", "runner_reader@"), read(folder), None, say=said.append, wait_s=0.0
        )

    assert () == done
    assert [] == said


async def test_an_edited_file_stops_everything(database: str, folder: Path, sql: Sql) -> None:
    await migrate(database, read(folder), None, say=silent, to="2_b")
    write(folder, **{"1_a": "CREATE TABLE other ();"})
    with pytest.raises(MigrationFailed) as caught:
        await migrate(database, read(folder), None, say=silent)

    assert str(caught.value) == "edited after it was applied: 1_a; nothing was changed"
    assert "--allow-edited" in caught.value.hint
    assert "a b" == tables(sql, database)
    assert ("3_c",) == await migrate(database, read(folder), None, say=silent, allow_edited=True)


async def test_other_line_ends_are_no_edit(database: str, folder: Path) -> None:
    write(folder, **{"1_a": "CREATE TABLE a (\n);\n"})
    await migrate(database, read(folder), None, say=silent)
    (folder / "1_a.sql").write_bytes(b"CREATE TABLE a (\r\n);\r\n")

    assert () == await migrate(database, read(folder), None, say=silent)


async def test_an_older_file_that_came_late_stops_everything(database: str, folder: Path, sql: Sql) -> None:
    await migrate(database, read(folder), None, say=silent, to="2_b")
    write(folder, **{"1_b": "CREATE TABLE late ();"})
    with pytest.raises(MigrationFailed) as caught:
        await migrate(database, read(folder), None, say=silent)

    assert str(caught.value) == "older than an applied migration: 1_b; nothing was changed"
    assert "--allow-out-of-order" in caught.value.hint
    assert "a b" == tables(sql, database)
    done = await migrate(database, read(folder), None, say=silent, allow_out_of_order=True)
    assert ("1_b", "3_c") == done


async def test_a_failure_says_what_was_applied_before_it(database: str, folder: Path, sql: Sql) -> None:
    write(folder, **{"2_b": "CREATE TABLE b ();\nSELECT nothing;"})
    with pytest.raises(MigrationFailed) as caught:
        await migrate(database, read(folder), None, say=silent)

    wanted = (
        '2_b.sql, line 2, column 8: column "nothing" does not exist (42703), statement 2: SELECT nothing; '
        "nothing was changed (applied before it: 1_a)"
    )
    assert str(caught.value) == wanted
    assert caught.value.exit_code == 2
    assert "a" == tables(sql, database)


async def test_the_first_failure_says_that_none_was_applied(database: str, folder: Path) -> None:
    write(folder, **{"1_a": "SELECT nothing;"})
    with pytest.raises(MigrationFailed, match=r"nothing was changed \(none was applied before it\)$"):
        await migrate(database, read(folder), None, say=silent)


async def test_a_file_that_can_only_run_in_part_stops_those_before_it_too(
    database: str, folder: Path, sql: Sql
) -> None:
    write(folder, **{"3_c": "CREATE TABLE c ();\nCOMMIT;"})
    with pytest.raises(MigrationFailed, match=r"^3_c\.sql, line 2: COMMIT in a file that runs in a transaction"):
        await migrate(database, read(folder), None, say=silent)

    assert "" == tables(sql, database)


async def test_a_database_that_is_ahead_is_left_alone(database: str, folder: Path) -> None:
    await migrate(database, read(folder), None, say=silent)
    (folder / "3_c.sql").unlink()
    with pytest.raises(
        MigrationFailed, match="the files and the lock file do not contain it: 3_c; nothing was changed"
    ):
        await migrate(database, read(folder), None, say=silent)

    assert () == await migrate(database, read(folder), None, say=silent, allow_ahead=True)
    assert ["1_a applied", "2_b applied", "3_c unknown"] == states(await standing(database, read(folder), None))


async def test_a_lock_file_tells_a_lost_file_from_an_unknown_one(database: str, folder: Path) -> None:
    lock = LockFile(180000, {}, tuple(Locked(n, "", None, True, (), "exact") for n in ("1_a", "2_b", "3_c")))
    await migrate(database, read(folder), lock, say=silent)
    (folder / "3_c.sql").unlink()

    assert "3_c missing" == states(await standing(database, read(folder), lock))[-1]


# ── post-apply ──────────────────────────────────────────────────────────────────────────────────────────


async def test_post_apply_files_run_after_each_run_that_applied_something(
    database: str, folder: Path, sql: Sql, said: list[str]
) -> None:
    sql(database, "CREATE TABLE runs (name text)")
    write(
        folder,
        **{"post-apply": "INSERT INTO runs VALUES ('one');", "post-apply-2": "INSERT INTO runs VALUES ('two');"},
    )
    count = "SELECT name, count(*)::int FROM runs GROUP BY 1 ORDER BY 1"

    assert ("1_a", "2_b") == await migrate(database, read(folder), None, say=said.append, to="2_b")
    assert ["applied 1_a", "applied 2_b", "ran post-apply-2", "ran post-apply"] == said
    assert [("one", 1), ("two", 1)] == sql(database, count)
    assert ("3_c",) == await migrate(database, read(folder), None, say=silent)
    assert [("one", 2), ("two", 2)] == sql(database, count)
    assert () == await migrate(database, read(folder), None, say=silent)
    assert [("one", 2), ("two", 2)] == sql(database, count)
    assert ["1_a applied", "2_b applied", "3_c applied"] == states(await standing(database, read(folder), None))


async def test_a_failing_post_apply_file_says_what_is_in(database: str, folder: Path, sql: Sql) -> None:
    write(folder, **{"post-apply": "CREATE TABLE d ();\nSELECT nothing;"})
    with pytest.raises(MigrationFailed) as caught:
        await migrate(database, read(folder), None, say=silent)

    assert str(caught.value).startswith('post-apply.sql, line 2, column 8: column "nothing" does not exist')
    assert str(caught.value).endswith("(applied before it: 1_a, 2_b, 3_c)")
    assert "a b c" == tables(sql, database)


async def test_a_post_apply_file_in_steps_that_fails_runs_again_from_its_beginning(
    database: str, folder: Path, sql: Sql
) -> None:
    start = "-- transactional: false\nCREATE TABLE IF NOT EXISTS runs (name text);\nINSERT INTO runs VALUES ('here');\n"
    write(folder, **{"post-apply": f"{start}SELECT nothing;\n"})
    with pytest.raises(MigrationFailed) as caught:
        await migrate(database, read(folder), None, say=silent, to="2_b")

    assert "the 2 statements before it were applied" in str(caught.value)
    assert "resume" not in caught.value.hint
    assert "it runs again from its beginning after the next migration; to run it now: psql -f " in caught.value.hint
    assert () == (await standing(database, read(folder), None)).ledger.interrupted
    write(folder, **{"post-apply": f"{start}CREATE INDEX CONCURRENTLY IF NOT EXISTS runs_name ON runs (name);"})
    assert ("3_c",) == await migrate(database, read(folder), None, say=silent)
    assert [("here",), ("here",)] == sql(database, "SELECT name FROM runs")
    assert [(True,)] == sql(database, "SELECT indisvalid FROM pg_index WHERE indrelid = 'runs'::regclass")


# ── looking ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_looking_at_an_empty_database_leaves_it_empty(database: str, folder: Path, sql: Sql) -> None:
    found = await standing(database, read(folder), None)

    assert ["1_a pending", "2_b pending", "3_c pending"] == states(found)
    assert ("1_a", "2_b", "3_c") == found.ids(State.PENDING)
    assert [(0,)] == sql(database, "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace")


async def test_looking_writes_nothing(database: str, folder: Path, sql: Sql) -> None:
    await migrate(database, read(folder), None, say=silent)
    next_number = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text"  # whoever writes takes one
    before = sql(database, next_number)
    await standing(database, read(folder), None)
    await migrate(database, read(folder), None, say=silent)

    assert before == sql(database, next_number)


async def test_looking_needs_no_privilege_to_write_and_takes_no_lock(database: str, folder: Path, sql: Sql) -> None:
    await migrate(database, read(folder), None, say=silent, to="1_a")
    sql(database, READER)
    sql(database, MAY_READ)
    with psycopg.connect(database) as busy:
        busy.execute("LOCK TABLE a, _yoyo_log IN ACCESS EXCLUSIVE MODE")
        busy.execute("SELECT pg_advisory_lock(%s, %s)", MIGRATION_LOCK)
        found = await standing(database.replace("postgres@", "runner_reader@"), read(folder), None)

    assert ["1_a applied", "2_b pending", "3_c pending"] == states(found)
    assert found.maintenance is not None


async def test_a_role_that_may_not_read_the_ledger_is_told_what_to_ask_for(
    database: str, folder: Path, sql: Sql
) -> None:
    await migrate(database, read(folder), None, say=silent)
    sql(database, READER)
    with pytest.raises(PermissionDenied) as caught:
        await standing(database.replace("postgres@", "runner_reader@"), read(folder), None)

    assert "GRANT SELECT ON public._yoyo_migration" in caught.value.hint
    assert "TO runner_reader" in caught.value.hint


async def test_two_ledgers_are_refused_by_everybody(database: str, folder: Path, sql: Sql) -> None:
    await migrate(database, read(folder), None, say=silent)
    sql(database, "CREATE SCHEMA app; CREATE TABLE app._yoyo_migration AS TABLE _yoyo_migration WITH NO DATA")
    for look in (
        standing(database, read(folder), None),
        migrate(database, read(folder), None, say=silent),
        rollback(database, read(folder), None, say=silent, to=None),
    ):
        with pytest.raises(ConfigError) as caught:
            await look

        assert str(caught.value) == "there are several ledgers: yoyo's tables are in the schemas app, public"
        assert caught.value.hint == "keep one, and drop the others"


async def test_no_error_shows_a_password(database: str, folder: Path) -> None:
    secret = database.replace("postgres@", "postgres:hunter2@").replace("port=5432", "port=1")
    with pytest.raises(HealthdError) as caught:
        await standing(secret, read(folder), None)

    assert "hunter2" not in f"{caught.value!r} {caught.value} {caught.value.hint}"


# ── rollback ────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_last_one_is_rolled_back(database: str, folder: Path, sql: Sql, said: list[str]) -> None:
    await migrate(database, read(folder), None, say=silent)

    assert ("3_c",) == await rollback(database, read(folder), None, say=said.append, to=None)
    assert ["rolled back 3_c"] == said
    assert "a b" == tables(sql, database)
    assert ["1_a applied", "2_b applied", "3_c pending"] == states(await standing(database, read(folder), None))


async def test_all_after_one_are_rolled_back_the_last_first(
    database: str, folder: Path, sql: Sql, said: list[str]
) -> None:
    write(folder, **{"3_c": "CREATE TABLE c (); CREATE VIEW v AS SELECT 1 FROM b;"})
    write(folder, **{"3_c.rollback": "DROP VIEW v; DROP TABLE c;"})
    await migrate(database, read(folder), None, say=silent)

    assert ("3_c", "2_b") == await rollback(database, read(folder), None, say=said.append, to="1_a")
    assert ["rolled back 3_c", "rolled back 2_b"] == said
    assert "a" == tables(sql, database)


async def test_back_to_one_that_is_not_there_is_an_error(database: str, folder: Path, sql: Sql) -> None:
    await migrate(database, read(folder), None, say=silent)
    with pytest.raises(ConfigError, match="no such migration: '0'"):
        await rollback(database, read(folder), None, say=silent, to="0")

    assert "a b c" == tables(sql, database)


async def test_nothing_to_roll_back_is_nothing(database: str, folder: Path, sql: Sql) -> None:
    assert () == await rollback(database, read(folder), None, say=silent, to=None)
    await migrate(database, read(folder), None, say=silent)
    assert () == await rollback(database, read(folder), None, say=silent, to="3_c")


async def test_one_without_a_rollback_stops_all_before_anything_is_changed(
    database: str, folder: Path, sql: Sql
) -> None:
    (folder / "2_b.rollback.sql").unlink()
    await migrate(database, read(folder), None, say=silent)
    with pytest.raises(MigrationFailed) as caught:
        await rollback(database, read(folder), None, say=silent, to="1_a")

    assert str(caught.value) == "2_b has no rollback; nothing was changed"
    assert caught.value.hint == "write 2_b.rollback.sql; or roll back only to it: healthd rollback --to 2_b"
    assert "a b c" == tables(sql, database)


async def test_a_rollback_that_fails_leaves_everything(database: str, folder: Path, sql: Sql) -> None:
    write(folder, **{"3_c.rollback": "DROP TABLE c;\nDROP TABLE never_there;"})
    await migrate(database, read(folder), None, say=silent)
    with pytest.raises(MigrationFailed) as caught:
        await rollback(database, read(folder), None, say=silent, to=None)

    assert str(caught.value).startswith('3_c.rollback.sql, line 2: table "never_there" does not exist')
    assert str(caught.value).endswith("nothing was changed (none was rolled back before it)")
    assert "a b c" == tables(sql, database)
    assert ["1_a applied", "2_b applied", "3_c applied"] == states(await standing(database, read(folder), None))


async def test_the_second_of_two_that_fails_says_what_is_gone(database: str, folder: Path, sql: Sql) -> None:
    write(folder, **{"2_b.rollback": "SELECT nothing;"})
    await migrate(database, read(folder), None, say=silent)
    with pytest.raises(MigrationFailed, match=r"\(rolled back before it: 3_c\)$"):
        await rollback(database, read(folder), None, say=silent, to="1_a")

    assert "a b" == tables(sql, database)


async def test_a_rollback_that_commits_on_its_own_is_refused(database: str, folder: Path, sql: Sql) -> None:
    write(folder, **{"3_c.rollback": "BEGIN;\nDROP TABLE c;\nCOMMIT;"})
    await migrate(database, read(folder), None, say=silent)
    with pytest.raises(MigrationFailed, match=r"^3_c\.rollback\.sql, line 1: BEGIN in a file"):
        await rollback(database, read(folder), None, say=silent, to=None)

    assert "a b c" == tables(sql, database)


async def test_an_applied_one_whose_file_is_gone_stops_a_rollback(database: str, folder: Path, sql: Sql) -> None:
    await migrate(database, read(folder), None, say=silent)
    (folder / "3_c.sql").unlink()
    with pytest.raises(MigrationFailed) as caught:
        await rollback(database, read(folder), None, say=silent, to=None)

    assert str(caught.value) == "applied, but the files and the lock file do not contain it: 3_c; nothing was changed"
    assert "a b c" == tables(sql, database)


async def test_a_second_runner_does_not_roll_back_twice(database: str, folder: Path, sql: Sql) -> None:
    await migrate(database, read(folder), None, say=silent)
    last = read(folder)[-1]
    with opened(database, wait_s=5.0) as first:
        second = asyncio.create_task(rollback(database, read(folder), None, say=silent, to=None))
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_try_advisory_lock%%' AND pid <> %s"
        while sql(database, waiting, first.connection.info.backend_pid) == [(0,)]:
            await asyncio.to_thread(time.sleep, 0.02)
        first.rollback_one(yoyo_migration(last))

    assert () == await second
    assert "a b" == tables(sql, database)


async def test_a_rolled_back_migration_can_be_applied_again(database: str, folder: Path, sql: Sql) -> None:
    await migrate(database, read(folder), None, say=silent)
    await rollback(database, read(folder), None, say=silent, to=None)
    write(folder, **{"3_c": "CREATE TABLE c2 ();"})

    assert ("3_c",) == await migrate(database, read(folder), None, say=silent)
    assert "a b c2" == tables(sql, database)
    assert ["1_a applied", "2_b applied", "3_c applied"] == states(await standing(database, read(folder), None))
