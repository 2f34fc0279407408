"""A database that is there is adopted at the version that it is proven to be at, and at no other."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from acceptance.test_cli import Result, healthd
from conftest import BINARIES, Sql
from story import write_sql

from healthd.expected.files import read_migrations
from healthd.expected.lockfile_text import dump
from healthd.replay.replay import replay

FILES = {
    "1_people": "CREATE TABLE people (id int PRIMARY KEY, name varchar(20));",
    "2_index": "CREATE INDEX people_name ON people (name);",
    "3_backfill": "UPDATE people SET name = 'nobody' WHERE name IS NULL;",
    "4_orders": "CREATE TABLE orders (id bigserial PRIMARY KEY, person int REFERENCES people);",
    "5_seen": "CREATE VIEW seen AS SELECT id FROM people;",
}
MARKS = "SELECT string_agg(migration_id, ' ' ORDER BY migration_id) FROM _yoyo_migration"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of these files and their lock file."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "sql").mkdir()
    write_sql(folder / "sql", FILES)
    lock = asyncio.run(replay(read_migrations([folder / "sql"]), postgres_bin=BINARIES))
    (folder / "sql" / "schema.lock").write_text(dump(lock))
    (folder / "yoyo.ini").write_text("[DEFAULT]\nsources = sql\n")
    return folder


@pytest.fixture
def theirs(made: Path, database: str, sql: Sql, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database that somebody made by hand as the first four files would, in the project's folder."""
    monkeypatch.chdir(made)
    monkeypatch.setenv("HEALTHD_DATABASE", database)
    sql(database, "; ".join(list(FILES.values())[:4]))
    return database


def baseline(*words: str) -> tuple[Result, dict[str, Any]]:
    result = healthd("baseline", "--format", "json", *words)
    return result, json.loads(result.out) if result.out else {}


def messages(document: dict[str, Any]) -> list[str]:
    return [one["message"] for one in document["differences"]]


def test_the_version_that_fits_is_found_proven_and_marked(theirs: str, sql: Sql) -> None:
    result, document = baseline()

    assert (0, "4_orders", ["1_people", "2_index", "3_backfill", "4_orders"]) == (
        result.code,
        document["at"],
        document["adopted"],
    )
    assert [("1_people 2_index 3_backfill 4_orders",)] == sql(theirs, MARKS)
    assert [(4, 4)] == sql(theirs, "SELECT count(*), count(digest) FROM _healthd_migration")
    assert [("mark",)] == sql(theirs, "SELECT DISTINCT operation FROM _yoyo_log")
    assert 0 == healthd("migrate").code
    assert 0 == healthd("check").code


def test_what_leaves_no_trace_in_the_schema_is_said(theirs: str) -> None:
    result, document = baseline("--dry-run")

    assert ["3_backfill"] == document["unseen"]
    assert "3_backfill: changes no object, so it cannot be verified that it was run" in result.err


def test_a_dry_run_writes_nothing(theirs: str, sql: Sql) -> None:
    result = healthd("baseline", "--dry-run")

    assert 0 == result.code
    assert result.out.endswith("matches 4_orders exactly; 4 migrations would be marked as applied\n")
    assert [(None,)] == sql(theirs, "SELECT to_regclass('_yoyo_migration')")


def test_a_version_that_does_not_fit_is_refused_with_what_differs(theirs: str, sql: Sql) -> None:
    result, document = baseline("--to", "5_seen")

    assert (2, ["view:public.seen is missing"], []) == (result.code, messages(document), document["adopted"])
    assert [(None,)] == sql(theirs, "SELECT to_regclass('_yoyo_migration')")


def test_an_older_version_is_not_taken_for_the_one_that_is_there(theirs: str) -> None:
    result, document = baseline("--to", "2_index")

    assert 2 == result.code
    assert ["table:public.orders is not in sql/"] == messages(document)


def test_where_none_fits_the_closest_is_told_to_the_attribute(theirs: str, sql: Sql) -> None:
    sql(theirs, "ALTER TABLE people ALTER COLUMN name TYPE varchar(30)")
    result, document = baseline()

    assert (2, None, "4_orders") == (result.code, document["at"], document["closest"])
    one = document["differences"][0]
    assert ("column:public.people.name", "type") == (one["key"], one["attribute"])
    assert ("character varying(20)", "character varying(30)") == (one["expected"], one["actual"])
    assert "does not match 4_orders, the closest version" in result.err


def test_what_no_migration_knows_must_be_allowed(theirs: str, sql: Sql) -> None:
    sql(theirs, "CREATE TABLE theirs ()")

    assert 2 == baseline()[0].code
    result, document = baseline("--allow-unexpected")
    assert (0, "4_orders") == (result.code, document["at"])
    assert "note: table:public.theirs is not in sql/" in result.err


def test_a_half_of_a_later_migration_cannot_be_allowed(theirs: str, sql: Sql) -> None:
    sql(theirs, "DROP TABLE orders; CREATE TABLE orders (id int)")

    assert 2 == baseline("--to", "2_index", "--allow-unexpected")[0].code


def test_the_books_of_another_tool_are_left_out_and_told(theirs: str, sql: Sql) -> None:
    sql(theirs, "CREATE TABLE goose_db_version (id serial PRIMARY KEY, version_id bigint NOT NULL)")
    result, document = baseline()

    assert (0, "4_orders") == (result.code, document["at"])
    assert "note: public.goose_db_version is the ledger of goose" in result.err
    assert 1 == healthd("check").code  # 5_seen waits, and nothing else
    assert 0 == healthd("migrate").code
    assert 0 == healthd("check").code


def test_a_database_that_yoyo_marked_gets_what_the_ledger_lacks(theirs: str, sql: Sql) -> None:
    assert 0 == baseline()[0].code
    sql(theirs, "DROP TABLE _healthd_migration; DELETE FROM _yoyo_migration WHERE migration_id = '4_orders'")
    result, document = baseline()

    assert (0, ["4_orders"]) == (result.code, document["adopted"])
    assert [(4,)] == sql(theirs, "SELECT count(*) FROM _healthd_migration")


def test_a_second_time_there_is_nothing_to_adopt(theirs: str) -> None:
    assert 0 == baseline()[0].code
    again = healthd("baseline")

    assert 0 == again.code
    assert again.out.endswith("matches 4_orders exactly; 0 migrations were marked as applied\n")


def test_a_change_that_was_made_by_hand_is_adopted_with_its_migration(theirs: str, sql: Sql) -> None:
    assert 0 == baseline()[0].code
    sql(theirs, "CREATE VIEW seen AS SELECT id FROM people")

    assert (0, ["5_seen"]) == (lambda found: (found[0].code, found[1]["adopted"]))(baseline("--to", "5_seen"))
    assert 0 == healthd("check").code


def test_the_ledger_never_goes_back(theirs: str) -> None:
    assert 0 == baseline()[0].code
    result = healthd("baseline", "--to", "2_index")

    assert 2 == result.code
    assert "4_orders is applied, and comes after 2_index" in result.err


def test_an_empty_database_is_at_no_version(
    made: Path, database: str, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(made)
    result = healthd("baseline", "--database", database)

    assert 0 == result.code
    words = "contains none of the objects that the migrations create; apply them with: healthd migrate"
    assert words in result.out
    assert [(None,)] == sql(database, "SELECT to_regclass('_yoyo_migration')")


def test_a_version_that_is_not_there_is_an_error(theirs: str) -> None:
    result = healthd("baseline", "--to", "9_z")

    assert 3 == result.code
    assert "no such migration: '9_z'" in result.err


def test_a_kind_that_cannot_be_read_is_no_proof(theirs: str, sql: Sql) -> None:
    import psycopg

    with psycopg.connect(theirs) as other:
        sql(theirs, "CREATE VIEW seen AS SELECT id FROM people")
        other.execute("LOCK TABLE seen IN ACCESS EXCLUSIVE MODE")
        result, document = baseline("--to", "5_seen")

    assert 3 == result.code
    assert ["unknown"] == sorted({one["severity"] for one in document["differences"]})
