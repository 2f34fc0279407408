"""yoyo, made safe: together or not at all, one runner at a time, and the files and tables stay yoyo's own."""

import asyncio
import gc
import io
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import chdir, redirect_stdout
from pathlib import Path
from typing import Any

import psycopg
import pytest
from commands import run_yoyo
from runs import migrate
from story import write_sql
from yoyo.scripts.main import main as yoyo_main

from healthd.errors import DatabaseFailed, DatabaseUnreachable, HealthdError, MigrationFailed, PermissionDenied
from healthd.expected.files import read_migrations
from healthd.migrations.engine.yoyo_backend import Backend, opened, yoyo_migration
from healthd.migrations.standing import standing
from healthd.model.ledger import MIGRATION_LOCK, State
from healthd.postgres import embedded

Sql = Callable[..., list[tuple[Any, ...]]]
MakeDatabase = Callable[..., str]

LOG = "SELECT migration_id, operation FROM _yoyo_log ORDER BY created_at_utc"
MARKS = "SELECT migration_id FROM _yoyo_migration ORDER BY 1"
DIGESTS = "SELECT migration_id, digest, rollback_digest FROM _healthd_migration ORDER BY 1"
TABLES = """SELECT relname FROM pg_class
             WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
               AND relname !~ 'yoyo|_healthd' ORDER BY 1"""
IN_PUBLIC = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sql").mkdir()
    return tmp_path / "sql"


def write(folder: Path, **files: str) -> Path:
    return write_sql(folder, files)


def apply(url: str, folder: Path, *, wait_s: float = 5.0) -> None:
    with opened(url, wait_s=wait_s) as backend:
        for migration in read_migrations([folder]):
            backend.apply_one(yoyo_migration(migration))


def roll_back(url: str, folder: Path) -> None:
    with opened(url, wait_s=5.0) as backend:
        for migration in reversed(read_migrations([folder])):
            backend.rollback_one(yoyo_migration(migration))


def failing(url: str, folder: Path) -> MigrationFailed:
    with pytest.raises(MigrationFailed) as caught:
        apply(url, folder)
    return caught.value


def until(question: Callable[[], Any], what: str) -> Any:
    """Ask until the answer is one; the minute is for a machine that hangs."""
    end = time.monotonic() + 60
    while not (answer := question()):
        assert time.monotonic() < end, what
        time.sleep(0.02)
    return answer


# ── together or not at all ──────────────────────────────────────────────────────────────────────────────


def test_a_migration_its_mark_its_log_row_and_its_digest_come_together(database: str, folder: Path, sql: Sql) -> None:
    write(folder, **{"1": "CREATE TABLE a (); CREATE TABLE b ();", "1.rollback": "DROP TABLE a, b"})
    (migration,) = read_migrations([folder])
    apply(database, folder)

    assert [("a",), ("b",)] == sql(database, TABLES)
    assert [("1",)] == sql(database, MARKS)
    assert [("1", "apply")] == sql(database, LOG)
    assert [("1", migration.digest, migration.rollback_digest)] == sql(database, DIGESTS)
    (written,) = sql(
        database,
        """SELECT count(DISTINCT xmin::text) FROM (
               SELECT xmin FROM _yoyo_migration UNION ALL SELECT xmin FROM _yoyo_log
               UNION ALL SELECT xmin FROM _healthd_migration
               UNION ALL SELECT xmin FROM pg_class WHERE relname IN ('a', 'b')) AS x""",
    )
    assert written == (1,)


def test_a_rollback_its_log_row_and_the_lost_mark_come_together(database: str, folder: Path, sql: Sql) -> None:
    write(folder, **{"1": "CREATE TABLE a ();", "1.rollback": "DROP TABLE a;"})
    apply(database, folder)
    roll_back(database, folder)

    assert [] == sql(database, TABLES) == sql(database, MARKS) == sql(database, DIGESTS)
    assert [("1", "apply"), ("1", "rollback")] == sql(database, LOG)


def test_a_failure_in_the_last_statement_leaves_nothing(database: str, folder: Path, sql: Sql) -> None:
    write(folder, **{"1": "CREATE TABLE a ();\nINSERT INTO a DEFAULT VALUES;\nSELECT 1/0;\n"})
    error = failing(database, folder)

    assert str(error) == "1.sql, line 3: division by zero (22012), statement 3: SELECT 1/0; nothing was changed"
    assert [(0,)] == sql(database, IN_PUBLIC)


def test_a_failure_at_the_commit_leaves_nothing(database: str, folder: Path, sql: Sql) -> None:
    sql(database, "CREATE TABLE t (a int PRIMARY KEY, b int REFERENCES t DEFERRABLE INITIALLY DEFERRED)")
    write(folder, **{"1": "INSERT INTO t VALUES (1, 2);"})
    error = failing(database, folder)

    assert "1.sql: insert or update on table" in str(error)
    assert "(23503); nothing was changed" in str(error)
    assert [("t",)] == sql(database, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    assert [] == sql(database, "SELECT * FROM t")


def test_a_failure_in_the_books_leaves_nothing(database: str, folder: Path, sql: Sql) -> None:
    apply(database, write(folder, **{"1": "SELECT 1"}))
    sql(
        database,
        """CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'the books are full'; END $$;
           CREATE TRIGGER refuse BEFORE INSERT ON _healthd_migration EXECUTE FUNCTION refuse();""",
    )
    (folder / "1.sql").unlink()
    error = failing(database, write(folder, **{"2": "CREATE TABLE a ();"}))

    assert "2.sql: the books are full" in str(error)
    assert [] == sql(database, TABLES)
    assert [("1",)] == sql(database, MARKS)
    assert [("1", "apply")] == sql(database, LOG)


async def test_a_connection_that_is_cut_leaves_nothing(database: str, folder: Path, sql: Sql) -> None:
    write(folder, **{"1": "CREATE TABLE a ();\nSELECT pg_sleep(60);"})
    run = asyncio.create_task(asyncio.to_thread(failing, database, folder))
    find = "SELECT pid FROM pg_stat_activity WHERE query LIKE '%%pg_sleep(60)%%' AND pid <> pg_backend_pid()"
    ((pid,),) = await asyncio.to_thread(until, lambda: sql(database, find), "it never slept")
    sql(database, "SELECT pg_terminate_backend(%s)", pid)
    error = await run

    assert str(error).startswith("1.sql, line 2: terminating connection due to administrator command (57P01)")
    assert str(error).endswith("nothing was changed")
    assert [(0,)] == sql(database, IN_PUBLIC)


def test_a_connection_that_cuts_itself_is_told_in_one_line(database: str, folder: Path, sql: Sql) -> None:
    write(folder, **{"1": "CREATE TABLE a ();", "2": "SELECT pg_terminate_backend(pg_backend_pid());"})
    error = failing(database, folder)

    assert str(error).startswith("2.sql")
    assert "\n" not in str(error)
    assert [("1",)] == sql(database, MARKS)


def test_the_next_runner_goes_on_where_one_was_cut(database: str, folder: Path, sql: Sql) -> None:
    write(folder, **{"1": "CREATE TABLE a (); SELECT pg_terminate_backend(pg_backend_pid());"})
    failing(database, folder)
    apply(database, write(folder, **{"1": "CREATE TABLE a ();"}))

    assert [("1",)] == sql(database, MARKS)


def test_an_empty_file_is_marked(database: str, folder: Path, sql: Sql) -> None:
    apply(database, write(folder, **{"1": "", "2": "-- nothing to do\n"}))

    assert [("1",), ("2",)] == sql(database, MARKS)


def test_a_million_characters_in_one_statement_are_sent_as_they_are(database: str, folder: Path, sql: Sql) -> None:
    text = "x'%s:name" * 100_000
    quoted = text.replace("'", "''")
    apply(database, write(folder, **{"1": f"CREATE TABLE a AS SELECT '{quoted}' AS b;"}))

    assert [(len(text),)] == sql(database, "SELECT length(b) FROM a")


# ── what a file must not do ─────────────────────────────────────────────────────────────────────────────


def test_a_file_that_ends_its_transaction_is_refused_before_it_runs(database: str, folder: Path, sql: Sql) -> None:
    for end in ("COMMIT;", "ROLLBACK;", "END;", "COMMIT AND CHAIN;", "BEGIN;"):
        error = failing(database, write(folder, **{"1": f"CREATE TABLE a ();\n{end}\nCREATE TABLE b ();"}))

        assert str(error).startswith("1.sql, line 2: ")
        assert str(error).endswith("in a file that runs in a transaction; nothing was changed")
        assert error.hint == "remove BEGIN and COMMIT from it"
    assert [] == sql(database, TABLES)


def test_a_commit_that_hides_is_found_afterwards(
    database: str, folder: Path, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Should the reading of statements ever be fooled, the server is not.
    monkeypatch.setattr("healthd.migrations.engine.file_run.check", lambda *_, **__: None)
    monkeypatch.setattr("healthd.migrations.execution.check", lambda *_, **__: None, raising=False)
    error = failing(database, write(folder, **{"1": "CREATE TABLE a (); COMMIT; SELECT 1;"}))

    assert "ends its own transaction: part of it was applied, and it is not marked as applied" in str(error)
    assert [("a",)] == sql(database, TABLES)
    assert [] == sql(database, MARKS)


def test_copy_from_standard_input_is_refused_before_it_runs(database: str, folder: Path, sql: Sql) -> None:
    error = failing(database, write(folder, **{"1": "CREATE TABLE a (b int);\nCOPY a FROM stdin;\n1\n\\.\n"}))

    assert str(error) == "1.sql, line 2: COPY from or to the client, which works only in psql; nothing was changed"
    assert [] == sql(database, TABLES)


def test_a_python_migration_is_not_sent_as_sql(database: str, folder: Path) -> None:
    path = folder / "1.py"
    path.write_text("step('SELECT 1')")
    migration = yoyo_migration(read_migrations([write(folder.parent, **{"2": ""})])[0])
    migration.path = str(path)
    with opened(database, wait_s=1.0) as backend, pytest.raises(MigrationFailed, match=r"1\.py is Python"):
        backend.apply_one(migration)


def test_force_is_refused(database: str, folder: Path) -> None:
    (migration,) = read_migrations([write(folder, **{"1": "SELECT 1/0"})])
    with opened(database, wait_s=1.0) as backend, pytest.raises(MigrationFailed, match="partly applied"):
        backend.apply_one(yoyo_migration(migration), force=True)


def test_select_prints_nothing(database: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    apply(database, write(folder, **{"1": "SELECT 'secret';", "2": "-- transactional: false\nSELECT 'secret';"}))

    assert ("", "") == tuple(capfd.readouterr())


SET = (
    "SELECT pg_catalog.set_config('search_path', '', false);",  # pg_dump begins so
    "SET search_path TO elsewhere;",
    "SET LOCAL search_path TO elsewhere;",
    "SET ROLE nobody_in_particular;",
    "SET SESSION AUTHORIZATION nobody_in_particular;",
    "SET default_transaction_read_only = on;",
    "SET client_encoding = 'LATIN1';",
)


@pytest.mark.parametrize("header", ["", "-- transactional: false\n"], ids=["together", "one by one"])
def test_what_a_file_sets_ends_with_it(database: str, folder: Path, sql: Sql, header: str) -> None:
    sql(
        database,
        """DO $$ BEGIN CREATE ROLE nobody_in_particular; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
           CREATE SCHEMA elsewhere""",
    )
    for number, setting in enumerate(SET):
        next_one = f"CREATE TABLE t{number} AS SELECT 'é→' AS a, session_user AS b, current_user AS c;"
        write(folder, **{f"{number}_set": f"{header}{setting}", f"{number}_used": next_one})
    apply(database, folder)

    assert [(2 * len(SET),)] == sql(database, "SELECT count(*) FROM _yoyo_migration")
    assert [(f"t{number}",) for number in range(len(SET))] == sql(database, TABLES)
    assert {("é→", "postgres", "postgres")} == {
        row for number in range(len(SET)) for row in sql(database, f"SELECT a, b, c FROM t{number}")
    }


def test_a_temporary_table_ends_with_its_file(database: str, folder: Path, sql: Sql) -> None:
    apply(database, write(folder, **{"1": "CREATE TEMP TABLE t ();", "2": "CREATE TABLE t ();"}))

    assert [("t",)] == sql(database, TABLES)


def test_a_file_is_utf8_whatever_the_database_is(server: embedded.Server, folder: Path, sql: Sql) -> None:
    sql(server.url(), "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    try:
        apply(server.url("latin"), write(folder, **{"1": "-- ü\nCREATE TABLE a AS SELECT 'ü' AS b;"}))

        assert [("ü", 1)] == sql(server.url("latin"), "SELECT b, octet_length(b) FROM a")
        error = failing(server.url("latin"), write(folder, **{"1": "-- →\nSELECT 1;"}))
        assert str(error).startswith("1.sql: character with byte sequence 0xe2 0x86 0x92")
    finally:
        sql(server.url(), "DROP DATABASE latin WITH (FORCE)")


# ── not transactional ───────────────────────────────────────────────────────────────────────────────────

ONE_BY_ONE = "-- transactional: false\n"


def test_an_index_is_made_concurrently(database: str, folder: Path, sql: Sql) -> None:
    sql(database, "CREATE TABLE t (a int)")
    apply(database, write(folder, **{"1": f"{ONE_BY_ONE}CREATE INDEX CONCURRENTLY i ON t (a);\nSELECT 1;"}))

    assert [(True,)] == sql(database, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass")
    assert [("1",)] == sql(database, MARKS)


def test_concurrently_in_a_transaction_says_how_to_leave_it(database: str, folder: Path, sql: Sql) -> None:
    sql(database, "CREATE TABLE t (a int)")
    error = failing(database, write(folder, **{"1": "\nCREATE INDEX CONCURRENTLY i ON t (a);"}))

    assert str(error).startswith("1.sql, line 2: CREATE INDEX CONCURRENTLY cannot run inside a transaction block")
    assert error.hint == "add `-- transactional: false` at the top of the file"


def test_a_failure_on_the_way_undoes_nothing_and_says_what_is_in(database: str, folder: Path, sql: Sql) -> None:
    write(
        folder,
        **{
            "1": f"{ONE_BY_ONE}CREATE TABLE a ();\nINSERT INTO a DEFAULT VALUES;\n-- now\nSELECT 1/0;\nVACUUM;",
            "1.rollback": "DROP TABLE a;\nDROP TABLE a;\nDROP TABLE a;\nDROP TABLE a;",
        },
    )
    error = failing(database, folder)

    assert str(error) == (
        "1.sql, line 5: division by zero (22012), statement 3: SELECT 1/0; "
        "the 2 statements before it were applied, and the file is not recorded as complete"
    )
    assert error.hint == "fix the cause, then: healthd resume"
    assert [(1,)] == sql(database, "SELECT count(*) FROM a")
    assert [("a",)] == sql(database, TABLES)
    assert [] == sql(database, MARKS) == sql(database, DIGESTS)


def test_a_failure_in_the_first_statement_changed_nothing(database: str, folder: Path) -> None:
    error = failing(database, write(folder, **{"1": f"{ONE_BY_ONE}\nSELECT\n  nothing;"}))

    assert str(error) == (
        '1.sql, line 4, column 3: column "nothing" does not exist (42703), statement 1: SELECT nothing; '
        "nothing was changed"
    )


def test_an_index_that_could_not_be_finished_is_dropped_and_spoken_of(database: str, folder: Path, sql: Sql) -> None:
    sql(database, "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1)")
    error = failing(database, write(folder, **{"1": f"{ONE_BY_ONE}CREATE UNIQUE INDEX CONCURRENTLY i ON t (a);"}))

    assert "could not create unique index" in str(error)
    assert str(error).endswith("nothing was changed; the INVALID index i that it left behind was dropped")
    assert [] == sql(database, "SELECT 1 FROM pg_class WHERE relname = 'i'")


def test_a_file_that_leaves_a_transaction_open_is_told(database: str, folder: Path, sql: Sql) -> None:
    error = failing(database, write(folder, **{"1": f"{ONE_BY_ONE}CREATE TABLE a ();\nBEGIN;\nCREATE TABLE b ();"}))

    assert "leaves a transaction open" in str(error)
    assert [("a",)] == sql(database, TABLES)
    assert [] == sql(database, MARKS)


def test_a_file_one_by_one_may_have_transactions_of_its_own(database: str, folder: Path, sql: Sql) -> None:
    apply(database, write(folder, **{"1": f"{ONE_BY_ONE}BEGIN;\nCREATE TABLE a ();\nCOMMIT;\nVACUUM a;"}))

    assert [("a",)] == sql(database, TABLES)
    assert [("1",)] == sql(database, MARKS)


# ── the words of an error ───────────────────────────────────────────────────────────────────────────────


def test_a_syntax_error_names_its_line(database: str, folder: Path) -> None:
    error = failing(database, write(folder, **{"1": "-- ä\nSELECT 1;\n\nSELEKT 2;"}))

    assert str(error) == (
        '1.sql, line 4, column 1: syntax error at or near "SELEKT" (42601), statement 2: SELEKT 2; nothing was changed'
    )


def test_the_server_s_detail_and_hint_are_passed_on(database: str, folder: Path) -> None:
    text = "DO $$ BEGIN RAISE 'no' USING DETAIL = 'because', HINT = 'do this', ERRCODE = '55000'; END $$"
    error = failing(database, write(folder, **{"1": f"SELECT 1;\n{text};"}))

    assert "1.sql, line 2: no. because, in PL/pgSQL function inline_code_block line 1 at RAISE (55000)" in str(error)
    assert error.hint == "do this"
    assert error.exit_code == 2


def test_an_error_while_it_runs_names_the_line_of_its_statement(database: str, folder: Path, sql: Sql) -> None:
    sql(database, "CREATE TABLE t (a int); INSERT INTO t VALUES (NULL)")
    text = "SELECT ';'; -- a; b\nDO $$ BEGIN; END $$;\n\nALTER TABLE t\n  ALTER a SET NOT NULL;"
    error = failing(database, write(folder, **{"1": text.replace("BEGIN;", "BEGIN")}))

    assert str(error).startswith('1.sql, line 4: column "a" of relation "t" contains null values')


def test_no_error_shows_a_password(database: str, folder: Path) -> None:
    secret = database.replace("postgres@", "postgres:hunter2@")
    write(folder, **{"1": "SELECT 1/0;"})
    errors: list[HealthdError] = [failing(secret, folder)]
    for broken in (
        secret.replace("port=5432", "port=1"),
        secret.replace("/test", "/lost"),
        "host=127.0.0.1 port=1 password=hunter2",
    ):
        with pytest.raises(HealthdError) as caught, opened(broken, wait_s=1.0):
            pass
        errors.append(caught.value)

    assert not any("hunter2" in f"{error!r} {error} {error.hint}" for error in errors)


def test_a_database_that_is_not_there_is_told_with_its_place(server: embedded.Server) -> None:
    with (
        pytest.raises(DatabaseUnreachable, match="cannot reach database gone at /"),
        opened(server.url("gone"), wait_s=1.0),
    ):
        pass


# ── who was it, in a container ──────────────────────────────────────────────────────────────────────────

NAMELESS = """
import os, sys
os.setreuid(54321, 0)
from healthd.migrations.engine.yoyo_backend import opened, yoyo_migration
from healthd.expected.files import read_migrations
from pathlib import Path
with opened(sys.argv[1], wait_s=5.0) as backend:
    for migration in read_migrations([Path(sys.argv[2])]):
        backend.apply_one(yoyo_migration(migration))
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become a user without a name")
def test_a_uid_without_a_name_keeps_the_books_too(database: str, folder: Path, sql: Sql) -> None:
    write(folder, **{"1": "CREATE TABLE a ();"})
    names = ("USER", "LOGNAME", "LNAME", "USERNAME")
    environment = {name: value for name, value in os.environ.items() if name not in names}
    subprocess.run([sys.executable, "-c", NAMELESS, database, folder], env=environment, check=True)

    assert [("1", "uid 54321")] == sql(database, "SELECT migration_id, username FROM _yoyo_log")
    assert [("1",)] == sql(database, MARKS)


# ── one runner at a time ────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def busy(database: str) -> Iterator[str]:
    """A database in which somebody else holds the migration lock."""
    with psycopg.connect(database, autocommit=True, application_name="deploy-7") as connection:
        connection.execute("SELECT pg_advisory_lock(%s, %s)", MIGRATION_LOCK)
        yield database


def test_the_one_who_holds_the_lock_is_named(busy: str, folder: Path, sql: Sql) -> None:
    with pytest.raises(MigrationFailed) as caught, opened(busy, wait_s=0.0):
        pass

    assert "the migration lock is held by deploy-7 (server process " in str(caught.value)
    assert str(caught.value).endswith("nothing was changed")
    assert "--wait" in caught.value.hint
    assert [(0,)] == sql(busy, IN_PUBLIC)


def test_a_lock_in_another_database_is_none_of_ours(busy: str, make_database: MakeDatabase) -> None:
    other = make_database()
    with opened(other, wait_s=0.0), pytest.raises(MigrationFailed) as caught, opened(other, wait_s=0.0):
        pass

    assert "held by healthd/" in str(caught.value)


async def test_the_second_runner_waits_and_finds_nothing_to_do(database: str, folder: Path, sql: Sql) -> None:
    migrations = read_migrations([write(folder, **{"1": "CREATE TABLE a ();"})])
    said: list[str] = []
    waiting = """SELECT count(*) FROM pg_stat_activity
                  WHERE datname = current_database() AND query LIKE 'SELECT pg_try_advisory_lock%%'
                    AND pid <> %s"""
    with opened(database, wait_s=5.0) as first:
        second = asyncio.create_task(migrate(database, migrations, None, say=said.append, wait_s=60.0))
        own = first.connection.info.backend_pid
        await asyncio.to_thread(until, lambda: sql(database, waiting, own) == [(1,)], "nobody waits")
        first.apply_one(yoyo_migration(migrations[0]))

    assert () == await second
    assert [] == said
    assert [("1", "apply")] == sql(database, LOG)


async def test_of_runners_that_start_together_each_ends_well(database: str, folder: Path, sql: Sql) -> None:
    migrations = read_migrations([write(folder, **{str(i): f"CREATE TABLE t{i} ();" for i in range(4)})])
    runs = [migrate(database, migrations, None, say=lambda _: None) for _ in range(3)]
    done = await asyncio.gather(*runs)

    assert ["0", "1", "2", "3"] == sorted(name for names in done for name in names)
    assert [("0",), ("1",), ("2",), ("3",)] == sql(database, MARKS)


KILLED = """
import sys
from healthd.migrations.engine.yoyo_backend import opened, yoyo_migration
from healthd.expected.files import read_migrations
from pathlib import Path
with opened(sys.argv[1], wait_s=5.0) as backend:
    for migration in read_migrations([Path(sys.argv[2])]):
        backend.apply_one(yoyo_migration(migration))
"""


def test_a_killed_runner_leaves_no_lock_and_no_running_statement(database: str, folder: Path, sql: Sql) -> None:
    write(folder, **{"1": "CREATE TABLE a ();\nSELECT pg_sleep(600);"})
    find = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%%pg_sleep(600)%%' AND pid <> pg_backend_pid()"
    with subprocess.Popen([sys.executable, "-c", KILLED, database, folder]) as process:
        until(lambda: sql(database, find) == [(1,)], "it never slept")
        process.send_signal(signal.SIGKILL)
    apply(database, write(folder, **{"1": "CREATE TABLE a ();"}), wait_s=60.0)

    assert [("1",)] == sql(database, MARKS)
    assert [(0,)] == sql(database, find)


def test_the_row_in_stock_yoyo_s_lock_table_is_respected(database: str, folder: Path, sql: Sql) -> None:
    apply(database, write(folder, **{"1": "SELECT 1"}))
    with psycopg.connect(database, application_name="theirs") as theirs:
        theirs.execute("INSERT INTO yoyo_lock (locked, ctime, pid) VALUES (1, now() AT TIME ZONE 'UTC', 4711)")
        theirs.commit()
        with pytest.raises(MigrationFailed) as caught, opened(database, wait_s=0.0):
            pass

        own = theirs.info.backend_pid

    held = "yoyo (process 4711) holds the row in public.yoyo_lock, and may be server process "
    assert f"{held}{own} (postgres, theirs)" in str(caught.value)
    assert "yoyo break-lock" in str(caught.value)


def test_a_lock_row_whose_session_is_gone_is_taken_away_and_said(database: str, folder: Path, sql: Sql) -> None:
    apply(database, write(folder, **{"1": "SELECT 1"}))
    sql(database, "INSERT INTO yoyo_lock (locked, ctime, pid) VALUES (1, '2026-01-02 03:04:05', 4711)")
    said: list[str] = []
    with psycopg.connect(database), opened(database, wait_s=0.0, say=said.append):  # it began long after the row
        pass

    assert [
        "deleted the lock row that yoyo (process 4711) left at 2026-01-02 03:04:05 UTC: its session no longer exists"
    ] == said
    assert [] == sql(database, "SELECT 1 FROM yoyo_lock")


def test_the_lock_is_free_after_a_failure(database: str, folder: Path, sql: Sql) -> None:
    write(folder, **{"1": "SELECT 1/0"})
    with opened(database, wait_s=1.0) as backend:
        with pytest.raises(MigrationFailed):
            backend.apply_one(yoyo_migration(read_migrations([folder])[0]))
        write(folder, **{"1": "SELECT 1"})
        backend.apply_one(yoyo_migration(read_migrations([folder])[0]))
    with opened(database, wait_s=0.0):
        pass

    assert [("1",)] == sql(database, MARKS)


# ── stock yoyo ──────────────────────────────────────────────────────────────────────────────────────────

ours_and_theirs = pytest.mark.parametrize("driver", ["healthd", "psycopg"])


def settings(folder: Path, url: str, driver: str) -> None:
    uri = url.replace("postgresql:", f"postgresql+{driver}:").replace("%", "%%")
    (folder.parent / "yoyo.ini").write_text(f"[DEFAULT]\nsources = {folder}\ndatabase = {uri}\nbatch_mode = on\n")


def yoyo(folder: Path, url: str, driver: str, *arguments: str) -> str:
    """Run yoyo's command line in this process."""
    settings(folder, url, driver)
    out = io.StringIO()
    with chdir(folder.parent), redirect_stdout(out), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns users, and leaves its connections to the end of the process
        assert not yoyo_main(arguments)
        gc.collect()
    return out.getvalue()


def yoyo_alone(folder: Path, url: str, driver: str, *arguments: str) -> str:
    """Run yoyo in a process of its own, as users do."""
    settings(folder, url, driver)
    run = run_yoyo(folder.parent, *arguments)
    assert run.returncode == 0, run.stderr
    return run.stdout


def listed(folder: Path, url: str, driver: str) -> list[str]:
    lines = yoyo(folder, url, driver, "list").splitlines()[2:]
    return [" ".join(line.split()[:2]) for line in lines]


PAIR = {
    "1_a": "CREATE TABLE a (b text DEFAULT 'x;y');",
    "1_a.rollback": "DROP TABLE a;",
    "2_b": "-- depends: 1_a\n-- transactional: false\nCREATE INDEX CONCURRENTLY i ON a (b);",
    "2_b.rollback": "DROP INDEX CONCURRENTLY i;",
}


@ours_and_theirs
async def test_yoyo_works_on_a_database_that_healthd_migrated(
    database: str, folder: Path, sql: Sql, driver: str
) -> None:
    migrations = read_migrations([write(folder, **PAIR)])
    await migrate(database, migrations, None, say=lambda _: None)

    assert ["A 1_a", "A 2_b"] == listed(folder, database, driver)
    yoyo(folder, database, driver, "rollback")
    assert ["A 1_a", "U 2_b"] == listed(folder, database, driver)
    states = (await standing(database, migrations, None)).migrations
    assert [State.APPLIED, State.PENDING] == [one.state for one in states]
    write(folder, **{"2_b": "CREATE INDEX other ON a (b);"})
    yoyo(folder, database, driver, "apply")
    states = (await standing(database, read_migrations([folder]), None)).migrations
    assert [State.APPLIED, State.APPLIED] == [one.state for one in states]


@ours_and_theirs
async def test_a_database_that_yoyo_migrated_is_taken_over_as_it_is(
    database: str, folder: Path, sql: Sql, driver: str
) -> None:
    write(folder, **PAIR)
    yoyo_alone(folder, database, driver, "apply")
    write(folder, **{"3_c": "CREATE TABLE c ();"})
    migrations = read_migrations([folder])
    before = await standing(database, migrations, None)

    assert [State.APPLIED, State.APPLIED, State.PENDING] == [one.state for one in before.migrations]
    known = [one.digest is not None for one in before.ledger.applied]
    assert [driver == "healthd"] * 2 == known
    assert ("3_c",) == await migrate(database, migrations, None, say=lambda _: None)
    assert ["A 1_a", "A 2_b", "A 3_c"] == listed(folder, database, driver)


WINDOWS = {
    "1_together": "CREATE TABLE said (words text);\nINSERT INTO said VALUES ('to\ngether');",
    "1_together.rollback": "INSERT INTO said VALUES ('un\ndone');",
    "2_stepwise": "-- transactional: false\nINSERT INTO said VALUES ('step\nwise');\nINSERT INTO said SELECT $$a\nb$$;",
    "2_stepwise.rollback": "INSERT INTO said VALUES (E'back\nwards\\r\\n');",
    "post-apply": "INSERT INTO said VALUES ('after\nwards\u2028\r.');",
}
SAID = ["a\nb", "after\nwards\u2028\r.", "back\nwards\r\n", "step\nwise", "to\ngether", "un\ndone"]


@pytest.mark.parametrize("through", ["healthd", "yoyo"])
async def test_what_is_sent_is_what_was_digested_whatever_the_line_ends(
    database: str, folder: Path, sql: Sql, through: str
) -> None:
    unix = folder.parent / "unix"
    unix.mkdir()
    for name, text in WINDOWS.items():
        (folder / f"{name}.sql").write_bytes(text.replace("\n", "\r\n").encode())
        (unix / f"{name}.sql").write_bytes(text.encode())
    migrations = read_migrations([folder])
    if through == "yoyo":
        yoyo(folder, database, "healthd", "apply")
        yoyo(folder, database, "healthd", "rollback", "-a")
    else:
        await migrate(database, migrations, None, say=lambda _: None)
        roll_back(database, folder)

    assert [(one,) for one in SAID] == sql(database, 'SELECT words FROM said ORDER BY words COLLATE "C"')
    assert [(one.id, one.digest) for one in read_migrations([unix])] == [(one.id, one.digest) for one in migrations]


COMPOSED, DECOMPOSED = "1_caf\u00e9", "1_cafe\u0301"


def check_out_again(folder: Path, there: str, here: str) -> None:
    """Give files the names that they have on a system that keeps the other form."""
    for path in list(folder.iterdir()):
        path.rename(folder / path.name.replace(there, here))


@pytest.mark.parametrize("applied_by", ["healthd", "yoyo", "stock yoyo"])
@pytest.mark.parametrize(("there", "here"), [(COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED)])
async def test_a_migration_is_known_in_both_unicode_forms_of_its_name(
    database: str, folder: Path, sql: Sql, applied_by: str, there: str, here: str
) -> None:
    write(folder, **{there: "CREATE TABLE a ();", f"{there}.rollback": "DROP TABLE a;"})
    if applied_by == "healthd":
        await migrate(database, read_migrations([folder]), None, say=lambda _: None)
    else:
        yoyo(folder, database, "psycopg" if applied_by == "stock yoyo" else "healthd", "apply")
    assert [(there,)] == sql(database, MARKS)
    check_out_again(folder, there, here)
    migrations = read_migrations([folder])

    known = await standing(database, migrations, None)
    assert [(COMPOSED, State.APPLIED)] == [(one.id, one.state) for one in known.migrations]
    assert () == await migrate(database, migrations, None, say=lambda _: None)
    yoyo(folder, database, "healthd", "apply")
    assert [(there,)] == sql(database, MARKS)
    yoyo(folder, database, "healthd", "rollback") if applied_by == "yoyo" else roll_back(database, folder)
    assert [] == sql(database, MARKS) == sql(database, TABLES)
    assert (COMPOSED,) == await migrate(database, migrations, None, say=lambda _: None)
    assert [(here,)] == sql(database, MARKS)


@pytest.mark.parametrize("verb", ["mark", "unmark"])
def test_yoyo_s_marks_are_known_in_both_forms(database: str, folder: Path, sql: Sql, verb: str) -> None:
    write(folder, **{COMPOSED: "CREATE TABLE a ();"})
    yoyo(folder, database, "healthd", "apply")
    (folder / f"{COMPOSED}.sql").rename(folder / f"{DECOMPOSED}.sql")
    yoyo(folder, database, "healthd", verb, "-a")

    assert ([(COMPOSED,)] if verb == "mark" else []) == sql(database, MARKS)


async def test_what_was_interrupted_under_one_form_is_resumed_under_the_other(
    database: str, folder: Path, sql: Sql
) -> None:
    text = "-- transactional: false\nCREATE TABLE a ();\nCREATE TABLE {};"
    write(folder, **{DECOMPOSED: text.format("a ()")})
    with pytest.raises(MigrationFailed):
        await migrate(database, read_migrations([folder]), None, say=lambda _: None)
    (folder / f"{DECOMPOSED}.sql").unlink()
    write(folder, **{COMPOSED: text.format("b ()")})
    migrations = read_migrations([folder])

    assert [State.INTERRUPTED] == [one.state for one in (await standing(database, migrations, None)).migrations]
    assert (COMPOSED,) == await migrate(database, migrations, None, say=lambda _: None)
    assert [State.APPLIED] == [one.state for one in (await standing(database, migrations, None)).migrations]
    assert [("a",), ("b",)] == sql(database, TABLES)


def test_yoyo_runs_no_file_that_begins_with_a_dot(database: str, folder: Path, sql: Sql) -> None:
    write(folder, **{"1": "CREATE TABLE a ();", ".1": "CREATE TABLE dot ();", "._post-apply": "CREATE TABLE dot ();"})
    yoyo(folder, database, "healthd", "apply")

    assert [("a",)] == sql(database, TABLES)
    assert [("1",)] == sql(database, MARKS)


def test_yoyo_s_list_works_on_an_empty_database(database: str, folder: Path) -> None:
    assert ["U 1_a", "U 2_b"] == listed(write(folder, **PAIR), database, "healthd")


def test_yoyo_s_mark_and_unmark_keep_the_books_in_step(database: str, folder: Path, sql: Sql) -> None:
    write(folder, **PAIR)
    yoyo(folder, database, "healthd", "mark")
    assert [("1_a",), ("2_b",)] == sql(database, MARKS)
    yoyo(folder, database, "healthd", "unmark", "-a")

    assert [] == sql(database, MARKS) == sql(database, DIGESTS) == sql(database, TABLES)


def test_yoyo_runs_post_apply_files_through_us(database: str, folder: Path, sql: Sql) -> None:
    write(folder, **{"1": "CREATE TABLE a (b int);", "post-apply": "INSERT INTO a VALUES (1); SELECT 'shown?';"})

    assert "" == yoyo_alone(folder, database, "healthd", "apply")
    assert [(1,)] == sql(database, "SELECT b FROM a")
    assert [("1",)] == sql(database, MARKS)
    assert [("1", "apply"), ("post-apply", "apply")] == sql(database, LOG)


def test_the_schema_of_a_yoyo_uri_holds_the_books(database: str, folder: Path, sql: Sql) -> None:
    sql(database, "CREATE SCHEMA app")
    url = f"{database}&schema=app"
    write(folder, **PAIR)
    yoyo(folder, url, "healthd", "apply")

    assert ["A 1_a", "A 2_b"] == listed(folder, url, "healthd")
    assert [] == sql(database, TABLES)
    assert [(2,)] == sql(database, "SELECT count(*) FROM app._healthd_migration")


# ── the ledger ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_yoyo_uri_that_leads_past_the_ledger_is_refused(database: str, folder: Path, sql: Sql) -> None:
    apply(database, write(folder, **{"1": "SELECT 1"}))
    sql(database, "CREATE SCHEMA app")
    write(folder, **{"2": "CREATE TABLE a ();"})
    held = "_yoyo_migration is in schema public, but is expected in app; nothing was"
    with pytest.raises(AssertionError, match=held):
        yoyo_alone(folder, f"{database}&schema=app", "healthd", "apply")

    assert [(0,)] == sql(database, "SELECT count(*) FROM pg_class WHERE relnamespace = 'app'::regnamespace")


def test_a_role_that_may_not_make_the_ledger_is_told_so(database: str, folder: Path, sql: Sql) -> None:
    sql(
        database,
        """DO $$ BEGIN CREATE ROLE onlooker LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
           REVOKE CREATE ON SCHEMA public FROM PUBLIC;""",
    )
    write(folder, **{"1": "SELECT 1"})
    with pytest.raises(PermissionDenied, match="permission denied for schema public"):
        apply(database.replace("postgres@", "onlooker@"), folder)


def test_nothing_is_probed_and_no_error_goes_to_the_server_s_log(
    database: str, folder: Path, server: embedded.Server, sql: Sql
) -> None:
    apply(database, write(folder, **{"1": "SELECT 1"}))
    before = sql(database, "SELECT xact_rollback FROM pg_stat_database WHERE datname = current_database()")
    with opened(database, wait_s=1.0) as backend:
        backend.ensure_internal_schema_updated()
        made = backend.connection.execute("SELECT pg_current_xact_id_if_assigned()").fetchone()

    assert isinstance(backend, Backend)
    assert (None,) == made
    assert before == sql(database, "SELECT xact_rollback FROM pg_stat_database WHERE datname = current_database()")


def test_a_ledger_that_cannot_be_written_is_no_success(database: str, folder: Path, sql: Sql) -> None:
    apply(database, write(folder, **{"1": "SELECT 1"}))
    sql(database, "DROP TABLE _healthd_migration; CREATE VIEW _healthd_migration AS SELECT 1 AS a")
    (folder / "1.sql").unlink()
    write(folder, **{"2": "CREATE TABLE a ();"})
    with pytest.raises((MigrationFailed, DatabaseFailed)):
        apply(database, folder)

    assert [] == sql(database, TABLES)


async def test_a_database_that_is_read_only_is_refused_before_anything(database: str, folder: Path, sql: Sql) -> None:
    alter = "ALTER DATABASE %I SET default_transaction_read_only = on"
    sql(database, f"DO $$ BEGIN EXECUTE format('{alter}', current_database()); END $$")
    error = failing(database, write(folder, **{"1": "CREATE TABLE a ();"}))

    assert "is read-only (default_transaction_read_only is on); nothing was changed" in str(error)


def test_yoyo_s_list_makes_no_tables(database: str, folder: Path, sql: Sql) -> None:
    listed(write(folder, **PAIR), database, "healthd")

    assert [(0,)] == sql(database, IN_PUBLIC)
