"""`resume` ends as `migrate` does: with a proof that the database is what the lock file says, or with what differs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from acceptance.test_cli import healthd
from conftest import MakeDatabase, MakeTemplate, Sql
from story import replayed, write_sql

HEADER = "-- transactional: false\n"
UNLUCKY = "DO $$ BEGIN IF EXISTS (SELECT FROM public.base WHERE a = 13) THEN RAISE 'unlucky'; END IF; END $$;\n"
FILES = {
    "1_base": "CREATE TABLE public.base (a int);",
    "1_base.rollback": "DROP TABLE public.base;",
    "2_half": f"{HEADER}CREATE TABLE public.t (a int);\n{UNLUCKY}ALTER TABLE public.t ADD COLUMN b text;\n",
    "2_half.rollback": f"{HEADER}ALTER TABLE public.t DROP COLUMN b;\n{UNLUCKY}ALTER TABLE public.t RENAME TO kept;\n",
}
LUCKY = "DELETE FROM public.base"


@pytest.fixture(scope="module")
def lock(tmp_path_factory: pytest.TempPathFactory) -> str:
    return replayed(tmp_path_factory.mktemp("sql"), FILES)


def make_project(folder: Path, lock: str) -> Path:
    (folder / "sql").mkdir()
    write_sql(folder / "sql", FILES)
    (folder / "sql" / "schema.lock").write_text(lock)
    (folder / "yoyo.ini").write_text("[DEFAULT]\nsources = sql\n")
    return folder


@pytest.fixture(scope="module")
def template(lock: str, make_template: MakeTemplate, tmp_path_factory: pytest.TempPathFactory, sql: Sql) -> str:
    """The name of a database on which the second file has stopped after its first statement."""
    name, url = make_template()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(make_project(tmp_path_factory.mktemp("half"), lock))
        patch.setenv("HEALTHD_DATABASE", url)
        assert healthd("migrate", "--to", "1_base").code == 0
        sql(url, "INSERT INTO public.base VALUES (13)")
        assert healthd("migrate").code == 2
        assert healthd("status").code == 2
    return name


@pytest.fixture
def half(tmp_path: Path, lock: str, template: str, make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a database on which the second file has stopped after its first statement."""
    monkeypatch.chdir(make_project(tmp_path, lock))
    monkeypatch.setenv("HEALTHD_DATABASE", database := make_database(template))
    return database


def resumed(code: int) -> tuple[dict[str, Any], str]:
    result = healthd("resume", "--format", "json")

    assert code == result.code, result.err
    return json.loads(result.out or "{}"), result.err


def test_what_was_brought_to_its_end_is_proven(half: str, sql: Sql) -> None:
    sql(half, LUCKY)

    document, said = resumed(0)
    assert ["2_half"] == document["resumed"]
    assert [] == document["unproven"]
    assert "not proven" not in said
    assert 0 == healthd("status").code


def test_a_half_that_was_changed_by_hand_in_the_meantime_is_told_by_its_name(half: str, sql: Sql) -> None:
    sql(half, f"{LUCKY}; ALTER TABLE public.t ALTER COLUMN a TYPE bigint")

    _, said = resumed(2)
    assert "2_half resumed, but" in said
    assert "public.t.a" in said
    assert 2 == healthd("status").code


def test_drift_of_before_is_not_counted_against_it(half: str, sql: Sql) -> None:
    sql(half, f"{LUCKY}; ALTER TABLE public.base ALTER COLUMN a TYPE bigint")

    document, _ = resumed(0)
    assert ["2_half"] == document["resumed"]
    assert 2 == healthd("status").code


def test_a_file_that_was_corrected_is_not_proven_until_it_is_measured(half: str) -> None:
    path = Path("sql/2_half.sql")
    path.write_text(path.read_text().replace(UNLUCKY, "SELECT 1;\n"))

    document, said = resumed(0)
    assert ["schema.lock does not contain 2_half as applied"] == document["unproven"]
    assert "not proven: schema.lock does not contain 2_half as applied" in said


def test_a_rollback_may_leave_what_it_was_measured_to_leave(half: str, sql: Sql) -> None:
    sql(half, LUCKY)
    resumed(0)
    sql(half, "INSERT INTO public.base VALUES (13)")
    assert 2 == healthd("rollback", "--allow-inexact", "--allow-data-loss").code
    assert 2 == healthd("status").code
    sql(half, LUCKY)

    document, _ = resumed(0)
    assert ["2_half"] == document["resumed"]


def test_a_dry_run_proves_nothing_and_changes_nothing(half: str) -> None:
    result = healthd("resume", "--dry-run")

    assert 0 == result.code
    assert "statement 2 of 3 would be run" in result.out
    assert 2 == healthd("status").code
