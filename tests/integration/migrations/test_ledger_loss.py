"""A file that removes the ledger is refused before it runs, or rolled back if its text does not show it."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Sql

from healthd.errors import MigrationFailed
from healthd.expected.files import read_migrations
from healthd.migrations.engine.yoyo_backend import opened, yoyo_migration

ALONE = "-- transactional: false\n"
HIDDEN = "DO $$ BEGIN EXECUTE 'DROP SCHEMA public CASCADE'; CREATE SCHEMA public; END $$;"


def apply(url: str, folder: Path, text: str, rollback: str | None = None) -> None:
    (folder / "1.sql").write_text(text)
    if rollback:
        (folder / "1.rollback.sql").write_text(rollback)
    with opened(url, wait_s=1.0) as backend:
        migration = yoyo_migration(read_migrations([folder])[0])
        backend.apply_one(migration)
        if rollback:
            backend.rollback_one(migration)


@pytest.mark.parametrize("header", ["", ALONE])
@pytest.mark.parametrize(
    "statement",
    [
        "DROP SCHEMA public CASCADE;\nCREATE SCHEMA public;",
        "DROP TABLE IF EXISTS t, _yoyo_log;",
        "DROP OWNED BY postgres CASCADE;",
        "ALTER SCHEMA public RENAME TO old;",
        "DROP /* all */ SCHEMA -- of it\n public CASCADE;",
        "DELETE FROM _yoyo_migration WHERE migration_id = '0';",
        "UPDATE ONLY public . _healthd_migration SET digest = '';",
        "WITH x AS (DELETE FROM _healthd_progress RETURNING 1) SELECT * FROM x;",
        "INSERT INTO _yoyo_migration VALUES ('a', 'b', now());",
    ],
)
def test_a_file_that_takes_the_ledger_away_is_refused_before_its_first_statement(
    header: str, statement: str, database: str, tmp_path: Path, sql: Sql
) -> None:
    how = "drops|renames|deletes|changes|writes"
    with pytest.raises(MigrationFailed, match=rf"1\.sql, line \d: ({how}) .*; nothing was changed") as caught:
        apply(database, tmp_path, f"{header}CREATE TABLE t ();\n{statement}")

    assert caught.value.hint.startswith("drop each object by name")
    assert [(True,)] == sql(database, "SELECT to_regclass('t') IS NULL")


def test_a_rollback_that_takes_the_ledger_away_is_refused_too(database: str, tmp_path: Path, sql: Sql) -> None:
    with pytest.raises(MigrationFailed, match=r"1\.rollback\.sql, line 1: drops schema public"):
        apply(database, tmp_path, "CREATE TABLE t ();", "DROP SCHEMA public CASCADE; CREATE SCHEMA public;")

    assert [(True,)] == sql(database, "SELECT to_regclass('t') IS NOT NULL")


@pytest.mark.parametrize("header", ["", ALONE])
def test_what_a_function_does_to_the_ledger_is_rolled_back_and_said(
    header: str, database: str, tmp_path: Path, sql: Sql
) -> None:
    sql(database, "CREATE TABLE t ()")
    with pytest.raises(MigrationFailed, match=r"1\.sql removes the ledger.*; nothing was changed") as caught:
        apply(database, tmp_path, header + HIDDEN)

    assert caught.value.hint.startswith("drop each object by name")
    assert [(True,)] == sql(database, "SELECT to_regclass('public.t') IS NOT NULL")


def test_another_schema_than_the_ledger_s_may_go(database: str, tmp_path: Path, sql: Sql) -> None:
    name = sql(database, "SELECT current_database()")[0][0]
    sql(database, f'CREATE SCHEMA books; ALTER DATABASE "{name}" SET search_path = books')  # type: ignore[arg-type]
    apply(database, tmp_path, "DROP SCHEMA public CASCADE;\nDROP TABLE IF EXISTS public._yoyo_log;")

    assert [("1",)] == sql(database, "SELECT migration_id FROM books._yoyo_migration")


def test_rows_of_the_log_may_go_and_so_may_those_of_tables_that_are_called_alike(
    database: str, tmp_path: Path, sql: Sql
) -> None:
    apply(
        database,
        tmp_path,
        "CREATE SCHEMA old; CREATE TABLE old._yoyo_version (i int); INSERT INTO old._yoyo_version VALUES (1);"
        "CREATE TABLE t (i int); INSERT INTO t VALUES (1); -- DELETE FROM _yoyo_migration\n",
    )
    (tmp_path / "2.sql").write_text("DELETE FROM old._yoyo_version; DELETE FROM public._yoyo_log;")
    with opened(database, wait_s=1.0) as backend:
        backend.apply_one(yoyo_migration(read_migrations([tmp_path])[1]))

    assert [("1",), ("2",)] == sql(database, "SELECT migration_id FROM _yoyo_migration ORDER BY 1")
