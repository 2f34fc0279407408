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
    sql(database, f'CREATE SCHEMA books; ALTER DATABASE "{name}" SET search_path = books')
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


MARKS = """SELECT migration_id, digest IS NOT NULL
             FROM _yoyo_migration LEFT JOIN _healthd_migration USING (migration_hash, migration_id)"""
FORGETS = "DELETE FROM public._yoyo_migration WHERE migration_id = '1'"
HIDDEN_WRITES = {
    "a DO": f"DO $$ BEGIN {FORGETS}; END $$;",
    "a subtransaction": f"DO $$ BEGIN BEGIN {FORGETS}; EXCEPTION WHEN OTHERS THEN NULL; END; END $$;",
    "a TRUNCATE": "DO $$ BEGIN TRUNCATE public._yoyo_migration CASCADE; END $$;",
    "a new table": """DO $$ BEGIN CREATE TABLE other AS TABLE public._healthd_migration WITH NO DATA;
                               DROP TABLE public._healthd_migration;
                               ALTER TABLE other RENAME TO _healthd_migration; END $$;""",
    "a table in its place": """DO $$ BEGIN CREATE TABLE other (LIKE public._healthd_migration INCLUDING ALL);
                                           ALTER TABLE public._healthd_migration RENAME TO gone;
                                           ALTER TABLE other RENAME TO _healthd_migration; END $$;""",
    "digests": "DO $$ BEGIN UPDATE public._healthd_migration SET digest = 'none'; END $$;",
    "an insertion": "DO $$ BEGIN INSERT INTO public._yoyo_migration VALUES ('a', 'b', now()); END $$;",
    "a trigger": f"""CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN {FORGETS.replace("'", "''")};
                       RETURN NULL; END'; CREATE TABLE t (i int);
                     CREATE TRIGGER t AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f(); INSERT INTO t VALUES (1);""",
}


def apply_next(url: str, folder: Path, text: str) -> list[str]:
    """Apply a first file, and then one with this text; return what was reported."""
    said: list[str] = []
    (folder / "1.sql").write_text("CREATE SCHEMA one;")
    (folder / "2.sql").write_text(text)
    with opened(url, wait_s=1.0, say=said.append) as backend:
        for migration in read_migrations([folder]):
            backend.apply_one(yoyo_migration(migration))
    return said


@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize("how", HIDDEN_WRITES)
def test_a_file_whose_code_writes_the_ledger_is_rolled_back(
    how: str, counted: bool, database: str, tmp_path: Path, sql: Sql
) -> None:
    if not counted:
        name = sql(database, "SELECT current_database()")[0][0]
        sql(database, f'ALTER DATABASE "{name}" SET track_counts = off')
    words = r"2\.sql (removes|writes) what the ledger holds about (1|b), in a DO, .*; nothing was changed"
    with pytest.raises(MigrationFailed, match=words) as caught:
        apply_next(database, tmp_path, f"CREATE SCHEMA two; {HIDDEN_WRITES[how]}")

    assert caught.value.hint.startswith("leave the tables of the ledger")
    assert [("1", True)] == sql(database, MARKS)
    assert [(True,)] == sql(database, "SELECT to_regnamespace('two') IS NULL")


def test_the_ledger_may_be_in_a_schema_of_any_name(database: str, tmp_path: Path, sql: Sql) -> None:
    name = sql(database, "SELECT current_database()")[0][0]
    sql(database, f"""CREATE SCHEMA "a;'{{}}"; ALTER DATABASE "{name}" SET search_path = "a;'{{}}" """)
    apply_next(database, tmp_path, "CREATE SCHEMA two;")

    assert [("1",), ("2",)] == sql(database, "SELECT migration_id FROM _yoyo_migration ORDER BY 1")


def test_the_first_file_may_not_write_the_ledger_either(database: str, tmp_path: Path, sql: Sql) -> None:
    with pytest.raises(MigrationFailed, match=r"1\.sql writes what the ledger holds about b"):
        apply(database, tmp_path, HIDDEN_WRITES["an insertion"])

    assert [(True,)] == sql(database, "SELECT to_regclass('_yoyo_migration') IS NULL")


def test_code_that_leaves_the_ledger_as_it_was_is_applied(database: str, tmp_path: Path, sql: Sql) -> None:
    undone = f"DO $$ BEGIN BEGIN {FORGETS}; RAISE 'no'; EXCEPTION WHEN OTHERS THEN NULL; END; END $$;"
    apply_next(database, tmp_path, f"CREATE SCHEMA two; GRANT SELECT ON _yoyo_migration TO PUBLIC; {undone}")

    assert [("1", True), ("2", True)] == sorted(sql(database, MARKS))
    assert [(True,)] == sql(database, "SELECT to_regnamespace('two') IS NOT NULL")


@pytest.mark.parametrize("end", ["", "SELECT 1 / 0;"])
@pytest.mark.parametrize("how", ["a DO", "a TRUNCATE", "digests", "an insertion", "a trigger"])
def test_the_ledger_is_restored_after_a_file_that_is_not_one_transaction(
    how: str, end: str, database: str, tmp_path: Path, sql: Sql
) -> None:
    said = list[str]()
    (tmp_path / "1.sql").write_text("CREATE SCHEMA one;")
    (tmp_path / "2.sql").write_text(f"{ALONE}{HIDDEN_WRITES[how]} {end}")
    with opened(database, wait_s=1.0, say=said.append) as backend:
        first, second = map(yoyo_migration, read_migrations([tmp_path]))
        backend.apply_one(first)
        before = sql(database, "SELECT * FROM _yoyo_migration NATURAL JOIN _healthd_migration")
        if end:
            with pytest.raises(MigrationFailed, match="division by zero"):
                backend.apply_one(second)
        else:
            backend.apply_one(second)

    words = "writes" if how in ("digests", "an insertion") else "removes"
    assert [True] == [f"2.sql {words} what the ledger holds about" in line for line in said if "the ledger was" in line]
    after = "SELECT * FROM _yoyo_migration NATURAL JOIN _healthd_migration WHERE migration_id <> '2'"
    assert before == sql(database, after)


def test_rows_that_cannot_be_restored_are_named(database: str, tmp_path: Path, sql: Sql) -> None:
    taken = f"DO $$ BEGIN {FORGETS}; END $$; ALTER TABLE t RENAME TO t2;"
    closed = "CREATE TABLE t (); CREATE RULE closed AS ON DELETE TO t DO INSTEAD NOTHING;"
    never = "DO $$ BEGIN EXECUTE 'ALTER TABLE public._yoyo_migration ADD CHECK (migration_id <> ''1'')'; END $$;"
    with pytest.raises(
        MigrationFailed, match=r"2\.sql removes .* about 1, and the rows could not be restored \(23514\)"
    ):
        apply_next(database, tmp_path, f"{ALONE}{closed} {taken} {never}")
