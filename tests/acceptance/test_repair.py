"""From a finding to a clean check: by repair, by adopt, and what is refused on the way."""

import json
from pathlib import Path
from threading import Thread
from typing import Any

import psycopg
import pytest
from conftest import Sql

from acceptance.test_bad_input import refused
from acceptance.test_cli import healthd, migrated, project  # noqa: F401 # fixtures
from healthd.model.ledger import MIGRATION_LOCK
from healthd.repair.text import LOCK_TIMEOUT, SESSION
from healthd.replay.rehearsal import rehearse

DRIFT = """
    ALTER TABLE machines DROP COLUMN notes;
    ALTER TYPE machinestatus RENAME VALUE 'active' TO 'ACTIVE';
    CREATE INDEX machines_name ON machines (name)
"""


def test_what_was_rehearsed_is_run_and_proven(migrated: str, sql: Sql) -> None:  # noqa: F811
    sql(migrated, "INSERT INTO machines (id, name) VALUES (1, 'lathe')")
    sql(migrated, DRIFT)

    code, out, err = healthd("repair", "--apply")

    assert (0, 0) == (code, healthd("check").code)
    assert "-- Rehearsed on PostgreSQL " in out
    assert err.splitlines()[-1].endswith(" run; nothing differs")
    assert [(1, "lathe", "active")] == sql(migrated, "SELECT id, name, status::text FROM machines")


def test_what_would_lose_something_is_left_and_listed(migrated: str, sql: Sql) -> None:  # noqa: F811
    sql(migrated, "CREATE TABLE extra AS SELECT 1 AS one; DROP INDEX IF EXISTS nothing")
    sql(migrated, "ALTER TABLE machines DROP COLUMN notes")

    code, _, err = healthd("repair", "--apply")

    assert 1 == code
    assert "table:public.extra is not in sql/" in err
    assert [(1,)] == sql(migrated, "TABLE extra")


def test_a_clean_database_is_left_as_it_is(migrated: str) -> None:  # noqa: F811
    code, _, err = healthd("repair", "--apply")

    assert (0, True) == (code, err.endswith("0 statements run; nothing differs\n"))


def test_the_result_is_a_document(migrated: str, sql: Sql) -> None:  # noqa: F811
    sql(migrated, DRIFT)

    document = json.loads(healthd("repair", "--apply", "--format", "json").out)

    assert ["target", "rehearsed", "statements", "findings"] == list(document)
    assert ([], True) == (document["findings"], document["statements"] > 0)
    assert document["rehearsed"].endswith("with rows in 1 table: clean")


def test_a_script_that_was_not_rehearsed_is_not_run(migrated: str, sql: Sql) -> None:  # noqa: F811
    sql(migrated, DRIFT)

    assert 3 == healthd("repair", "--apply", "--no-rehearsal").code
    assert 2 == healthd("check").code


def test_a_rehearsal_that_is_not_clean_refuses(
    migrated: str,  # noqa: F811
    sql: Sql,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sql(migrated, DRIFT)
    monkeypatch.setenv("HEALTHD_PG_BIN", str(tmp_path))
    ini = Path("yoyo.ini")
    ini.write_text(ini.read_text() + f"\n[healthd]\npostgres_bin = {tmp_path}\n")

    message = refused("repair", "--apply", code=2)

    assert "Not rehearsed: " in message
    assert "nothing was changed" in message
    assert 2 == healthd("check").code


def test_a_database_that_changes_after_the_rehearsal_refuses(
    migrated: str,  # noqa: F811
    sql: Sql,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sql(migrated, DRIFT)
    from healthd.cli.verbs import repair as verb

    async def and_change(*arguments: Any, **options: Any) -> Any:
        played = await rehearse(*arguments, **options)
        sql(migrated, "ALTER TABLE machines ADD COLUMN more text")
        return played

    monkeypatch.setattr(verb, "rehearse", and_change)

    assert "has changed since the script was rehearsed; nothing was changed" in refused("repair", "--apply", code=2)


def test_nothing_is_run_while_a_migration_runs(migrated: str, sql: Sql) -> None:  # noqa: F811
    sql(migrated, DRIFT)
    with psycopg.connect(migrated, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", MIGRATION_LOCK)

        message = refused("repair", "--apply", "--wait", "0", code=2)

    assert "nothing was changed" in message


def test_a_role_that_may_not_change_everything_runs_nothing(migrated: str, sql: Sql) -> None:  # noqa: F811
    sql(migrated, "CREATE ROLE repairer LOGIN; GRANT pg_read_all_data, pg_write_all_data TO repairer")
    try:
        sql(migrated, "CREATE SCHEMA theirs AUTHORIZATION repairer; ALTER TABLE machines ALTER name SET NOT NULL")
        message = refused("repair", "--apply", "--database", migrated.replace("postgres@", "repairer@"), code=2)
    finally:
        sql(migrated, "DROP OWNED BY repairer")
        sql(migrated, "DROP ROLE repairer")

    assert "cannot be repaired here: Run it as postgres: healthd's role repairer does not own" in message
    assert "; nothing was changed" in message


def test_a_locked_table_is_waited_for(migrated: str, sql: Sql, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    short = tuple(one.replace(LOCK_TIMEOUT, "200ms") for one in SESSION)
    monkeypatch.setattr("healthd.migrations.repair_run.SESSION", short)
    monkeypatch.setattr("healthd.migrations.repair_run.LOCK_TIMEOUT", "200ms")
    sql(migrated, "CREATE INDEX machines_name ON machines (name); ALTER TABLE machines ALTER name SET NOT NULL")
    with psycopg.connect(migrated) as other:
        other.execute("LOCK TABLE machines IN ROW EXCLUSIVE MODE")
        results: list[tuple[int, str, str]] = []
        run = Thread(target=lambda: results.append(healthd("repair", "--apply", "--max-wait", "0")))
        run.start()
        run.join()

    assert 2 == results[0][0]
    assert "lock timeout" in results[0][2]
    assert healthd("repair", "--apply").code == 0


def test_a_change_is_adopted_locked_and_marked(migrated: str, sql: Sql) -> None:  # noqa: F811
    sql(migrated, "CREATE INDEX machines_name ON machines (name)")

    code, out, err = healthd("adopt", "hot fix")

    assert (0, ["0004_hot_fix.sql", "0004_hot_fix.rollback.sql"]) == (
        code,
        [Path(one).name for one in out.splitlines()],
    )
    assert "next: review the files, then healthd lock" in err
    assert 0 == healthd("lint").code
    assert 0 == healthd("lock").code
    code, out, err = healthd("migrate")
    assert 0 == code
    assert err.startswith("0004_hot_fix: marked as applied, because ")
    assert 0 == healthd("check").code
    assert 0 == healthd("status").code


def test_an_adoption_can_be_printed(migrated: str, sql: Sql) -> None:  # noqa: F811
    sql(migrated, "CREATE INDEX machines_name ON machines (name)")

    code, out, _ = healthd("adopt", "hot_fix", "--dry-run")
    document = json.loads(healthd("adopt", "hot_fix", "--dry-run", "--format", "json").out)

    assert (0, False) == (code, Path("sql/0004_hot_fix.sql").exists())
    assert document["apply"] in out
    assert document["rollback"].splitlines()[-1] in out
    assert (["index:public.machines.machines_name is not in sql/"], [], []) == (
        document["adopted"],
        document["left"],
        document["files"],
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["hot_fix"], "has no difference that a migration could adopt"),
        (["nobody", "hot_fix"], "unknown target 'nobody'"),
        (["a", "b", "c"], "one target and one name, not 3: a b c"),
        (["!!"], "invalid migration name: '!!'"),
    ],
)
def test_what_cannot_be_adopted_is_refused(migrated: str, arguments: list[str], words: str) -> None:  # noqa: F811
    result = healthd("adopt", *arguments)

    assert result.code in (2, 3)
    assert words in result.err
    assert ["0001_status.sql", "0002_machines.sql", "0003_notes.sql"] == sorted(
        one.name for one in Path("sql").glob("*.sql") if "rollback" not in one.name
    )


def test_the_plan_says_what_would_be_marked(migrated: str, sql: Sql) -> None:  # noqa: F811
    sql(migrated, "CREATE INDEX machines_name ON machines (name)")
    healthd("adopt", "hot_fix")
    healthd("lock")

    code, _, err = healthd("plan")

    assert 1 == code
    assert "0004_hot_fix: migrate marks it as applied: the database already has its changes" in err
