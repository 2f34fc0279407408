"""A ledger that somebody has edited: status tells what it says, in clear words, and nobody builds on what is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any, LiteralString

import pytest
from acceptance.test_cli import Result, healthd, make_project
from conftest import MakeDatabase, MakeTemplate, Sql

NOW = "now() AT TIME ZONE 'UTC'"
HASH = "encode(sha256('{}'), 'hex')"
THREE = "SELECT count(*)::int FROM _yoyo_migration WHERE migration_id = '0003_notes'"


@pytest.fixture(scope="module")
def template(make_template: MakeTemplate, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database with two of the three migrations."""
    name, url = make_template()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(make_project(tmp_path_factory.mktemp("two") / "project"))
        assert healthd("migrate", "--to", "0002_machines", "--database", url).code == 0
    return name


@pytest.fixture
def two(tmp_path: Path, template: str, make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a database with two of the three migrations."""
    monkeypatch.chdir(make_project(tmp_path / "project"))
    monkeypatch.setenv("HEALTHD_DATABASE", database := make_database(template))
    return database


def printed(*words: str, code: int) -> Result:
    """Run a command that prints no traceback, and return what it printed."""
    result = healthd(*words)

    assert code == result.code, result
    assert "healthd itself" not in result.err
    assert "Traceback" not in result.err
    assert len(result.err.splitlines()) <= 3
    return result


# ── what a run can live with ────────────────────────────────────────────────────────────────────────────

HARMLESS = {
    "an instant that is NULL": "UPDATE _yoyo_migration SET applied_at_utc = NULL",
    "an instant without end": "UPDATE _yoyo_migration SET applied_at_utc = 'infinity'",
    "an instant before our time": "UPDATE _yoyo_migration SET applied_at_utc = '0044-03-15 BC'",
    "a digest that is gone": "DELETE FROM _healthd_migration",
    "our tables are gone": "DROP TABLE _healthd_migration, _healthd_progress, _healthd_file",
    "yoyo's log is gone": "DROP TABLE _yoyo_log",
    "yoyo's version is gone": "DROP TABLE _yoyo_version",
    "yoyo's version is empty": "DELETE FROM _yoyo_version",
    "yoyo's lock is gone": "DROP TABLE yoyo_lock",
}


@pytest.mark.parametrize("what", list(HARMLESS))
def test_what_nobody_needs_to_know_what_is_applied_is_done_without(what: str, two: str, sql: Sql) -> None:
    sql(two, HARMLESS[what])

    assert "0002_machines  applied\n0003_notes  pending\n" in printed("status", code=1).out
    printed("migrate", code=0)
    printed("status", code=0)
    assert [(2,)] == sql(two, "SELECT version FROM _yoyo_version ORDER BY 1")
    assert ("0003_notes", "apply") in sql(two, "SELECT migration_id, operation FROM _yoyo_log")


def test_a_table_of_yoyo_s_that_was_made_again_is_said(two: str, sql: Sql) -> None:
    sql(two, "DROP TABLE _yoyo_log")

    assert "the ledger's table _yoyo_log was missing, and was created again" in printed("migrate", code=0).err


# ── what says something else than before ────────────────────────────────────────────────────────────────


def test_a_row_that_was_deleted_is_pending_again_and_loses_nothing(two: str, sql: Sql) -> None:
    sql(two, "INSERT INTO public.machines (id) VALUES (1)")
    sql(two, "DELETE FROM _yoyo_migration WHERE migration_id = '0002_machines'")

    assert "0002_machines  pending" in printed("status", code=1).out
    assert 'relation "machines" already exists' in printed("migrate", code=2).err
    assert "1 migration would be marked" in printed("baseline", "--dry-run", code=0).out
    printed("baseline", code=0)
    printed("migrate", code=0)
    printed("status", code=0)
    assert [(1,)] == sql(two, "SELECT id FROM public.machines")


def test_a_row_that_was_added_for_a_file_that_never_ran_is_drift(two: str, sql: Sql) -> None:
    sql(two, f"INSERT INTO _yoyo_migration VALUES ({HASH.format('0003_notes')}, '0003_notes', {NOW})")

    assert "drift: column:public.machines.notes is missing" in printed("status", code=2).out


def test_a_row_without_a_file_is_unknown(two: str, sql: Sql) -> None:
    sql(two, f"INSERT INTO _yoyo_migration VALUES ({HASH.format('0009_ghost')}, '0009_ghost', {NOW})")

    assert "0009_ghost  unknown" in printed("status", code=2).out
    assert "the files and the lock file do not contain it: 0009_ghost" in printed("rollback", code=2).err


OF_NO_FILE: dict[str, tuple[LiteralString, str]] = {
    "another hash": ("'x', '0003_notes'", "0003_notes (hash x)  unknown"),
    "a duplicate": ("'y', '0001_status'", "0001_status (hash y)  unknown"),
    "no id": ("'z', NULL", "no id (hash z)  unknown"),
    "an empty id": ("'w', ''", "no id (hash w)  unknown"),
    "a hostile id": (
        "'h', E'a\\n0003_notes  applied\\x1b[2J ''\"{}%'",
        "a\\n0003_notes  applied\\x1b[2J '\"{}% (hash h)",
    ),
    "an emoji": ("'e', '🚜'", "🚜 (hash e)  unknown"),
}


def test_a_row_that_is_no_file_s_by_its_hash_is_unknown_and_stands_in_for_none(two: str, sql: Sql) -> None:
    rows = [f"INSERT INTO _yoyo_migration VALUES ({row}, {NOW})" for row, _ in OF_NO_FILE.values()]
    for row, (_, words) in zip(rows, OF_NO_FILE.values(), strict=True):
        sql(two, row)
        status = printed("status", code=2).out

        assert words in status
        assert "0001_status  applied\n0002_machines  applied\n0003_notes  pending\n" in status
        assert 4 == len(status.splitlines())
        printed("rollback", code=2)
        assert "the files and the lock file do not contain it" in printed("migrate", code=2).err
        sql(two, "DELETE FROM _yoyo_migration WHERE length(migration_hash) = 1")
    sql(two, "; ".join(rows))
    printed("migrate", "--allow-drift", code=0)
    assert [(1,)] == sql(two, "SELECT 1 FROM pg_attribute WHERE attrelid = 'machines'::regclass AND attname = 'notes'")


def test_another_digest_is_an_edit(two: str, sql: Sql) -> None:
    sql(two, "UPDATE _healthd_migration SET digest = 'no' WHERE migration_id = '0001_status'")

    assert "0001_status  edited" in printed("status", code=2).out
    assert "edited after it was applied: 0001_status; nothing was changed" in printed("migrate", code=2).err


# ── what nobody can read ────────────────────────────────────────────────────────────────────────────────

DAMAGED = {
    "DROP TABLE _yoyo_migration CASCADE": "_yoyo_migration is missing, but not public._yoyo_version",
    "ALTER TABLE _yoyo_migration DROP COLUMN applied_at_utc": "public._yoyo_migration has no column applied_at_utc",
    "ALTER TABLE _yoyo_migration DROP COLUMN migration_id": "public._yoyo_migration has no column migration_id",
    "ALTER TABLE _healthd_migration DROP COLUMN digest": "public._healthd_migration has no column digest",
    "ALTER TABLE _healthd_progress DROP COLUMN statement": "public._healthd_progress has no column statement",
    "ALTER TABLE _healthd_file DROP COLUMN seal": "public._healthd_file has no column seal",
    "ALTER TABLE _yoyo_migration ALTER applied_at_utc TYPE text": "applied_at_utc has type text, not timestamp",
    "ALTER TABLE _yoyo_migration RENAME TO k; CREATE VIEW _yoyo_migration AS SELECT * FROM k": "is not a table",
    "DROP TABLE _yoyo_migration CASCADE; CREATE TABLE _yoyo_migration (id text, ctime timestamp)": "before version 5",
}
VERBS = (["status"], ["migrate"], ["rollback"], ["resume"], ["baseline"], ["plan"], ["check"])


@pytest.mark.parametrize("change", list(DAMAGED))
def test_tables_that_are_no_ledger_are_an_answer_to_nobody(change: Any, two: str, sql: Sql) -> None:
    sql(two, change)
    for verb in VERBS:
        result = printed(*verb, code=3)

        assert f"{DAMAGED[change]}" in result.out + result.err, verb
    assert [] == sql(two, "SELECT 1 FROM pg_attribute WHERE attrelid = 'machines'::regclass AND attname = 'notes'")


def test_what_is_left_of_a_ledger_is_dropped_and_baseline_finds_the_version(two: str, sql: Sql) -> None:
    sql(two, "DROP TABLE _yoyo_migration CASCADE")
    assert "healthd baseline" in printed("status", code=3).err
    sql(two, "DROP TABLE _yoyo_log, _yoyo_version, _healthd_migration, _healthd_progress, _healthd_file")

    printed("baseline", code=0)
    printed("migrate", code=0)
    printed("status", code=0)


def test_the_tables_of_a_newer_yoyo_are_left_alone(two: str, sql: Sql) -> None:
    sql(two, "UPDATE _yoyo_version SET version = 99 WHERE version = 2")

    printed("status", code=1)
    assert "was written by a newer yoyo: _yoyo_version has 99" in printed("migrate", code=2).err
    assert [(0,)] == sql(two, THREE)


def test_books_that_cannot_be_kept_leave_nothing_and_say_so(two: str, sql: Sql) -> None:
    sql(two, "ALTER TABLE _yoyo_log DROP COLUMN hostname")

    error = printed("migrate", code=2).err
    assert 'column "hostname" of relation "_yoyo_log" does not exist' in error
    assert "nothing was changed" in error
    assert "ends its own transaction" not in error
    assert "0003_notes  pending" in printed("status", code=1).out
