"""What applications believe is held against what would run: told before anything runs, and refused unless allowed."""

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import MakeDatabase, MakeTemplate, Sql
from evidence import snapshot
from story import replayed, write_sql

from healthd.catalog.columns import Column
from healthd.catalog.tables import Table
from healthd.cli import main
from healthd.database.ledger import Ledger
from healthd.expected.files import Migration
from healthd.expected.lockfile import Locked, LockFile
from healthd.migrations.impact import breaks, foresee
from healthd.model.contracts import Contract, Member, Model
from healthd.model.ledger import Interrupted
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.model.snapshots import Difference, Snapshot

FILES = {
    "01_machines": """DO $$ BEGIN IF to_regrole('breaks_reader') IS NULL THEN CREATE ROLE breaks_reader; END IF; END $$;
        CREATE TYPE public.mood AS ENUM ('good', 'bad', 'gone');
        CREATE TABLE public.machines (id int PRIMARY KEY, name text NOT NULL, location text, notes text,
                                      mood public.mood NOT NULL, size int NOT NULL);
        GRANT SELECT, INSERT ON public.machines TO breaks_reader;""",
    "02_harmless": "ALTER TABLE public.machines ADD COLUMN extra text; CREATE INDEX ON public.machines (extra);",
    "03_column_dropped": "ALTER TABLE public.machines DROP COLUMN IF EXISTS location;",
    "04_column_retyped": "ALTER TABLE public.machines ALTER COLUMN name TYPE int USING length(name);",
    "05_column_not_null": "ALTER TABLE public.machines ALTER COLUMN notes SET NOT NULL;",
    "06_column_allows_null": "ALTER TABLE public.machines ALTER COLUMN size DROP NOT NULL;",
    "07_column_required": "ALTER TABLE public.machines ADD COLUMN vendor int NOT NULL;",
    "08_label_renamed": "ALTER TYPE public.mood RENAME VALUE 'bad' TO 'sad';",
    "09_label_removed": """CREATE TYPE public.feeling AS ENUM ('sad', 'good');
        ALTER TABLE public.machines ALTER COLUMN mood TYPE public.feeling USING mood::text::public.feeling;
        DROP TYPE public.mood; ALTER TYPE public.feeling RENAME TO mood;""",
    "10_label_added": "ALTER TYPE public.mood ADD VALUE 'new';",
    "11_privilege_revoked": "REVOKE INSERT ON public.machines FROM breaks_reader;",
    "12_table_renamed": "ALTER TABLE public.machines RENAME TO engines;",
    "13_table_again": "ALTER TABLE public.engines RENAME TO machines;",
}
LINES = {
    "03_column_dropped": "api@41 still expects column public.machines.location",
    "04_column_retyped": "column:public.machines.name: integer, but Machine.name is text: never fits (api@41)",
    "05_column_not_null": "column:public.machines.notes: NOT NULL, but Machine.notes may be None: "
    "writing None fails (api@41)",
    "06_column_allows_null": "column:public.machines.size: NULL allowed, but Machine.size may not be None: "
    "reading such a row fails (api@41)",
    "07_column_required": "column:public.machines.vendor: NOT NULL without a default, but shop.models:Machine "
    "does not have it: every INSERT fails (api@41)",
    "08_label_renamed": "enum:public.mood: the server rejects 'bad' of Machine.mood; "
    "Machine.mood does not know 'sad' and fails when it reads one (api@41)",
    "09_label_removed": "enum:public.mood: the server rejects 'bad', 'gone' of Machine.mood; "
    "Machine.mood does not know 'sad' and fails when it reads one (api@41)",
    "10_label_added": "enum:public.mood: the server rejects 'bad', 'gone' of Machine.mood; "
    "Machine.mood does not know 'sad', 'new' and fails when it reads one (api@41)",
    "11_privilege_revoked": "breaks_reader no longer holds INSERT on table:public.machines, which api@41 needs",
}
CONTRACT = {
    "role": "breaks_reader",
    "tables": {"public.machines": {"columns": {"colour": None}, "privileges": ["SELECT", "INSERT", "DELETE"]}},
    "models": {
        "shop.models:Machine": {
            "table": "public.machines",
            "members": {
                "id": {"column": "id", "python": "int", "optional": False},
                "name": {"column": "name", "python": "text", "optional": False},
                "location": {"column": "location", "python": "str", "optional": True},
                "notes": {"column": "notes", "python": "str", "optional": True},
                "size": {"column": "size", "python": "int", "optional": False},
                "mood": {"column": "mood", "python": "enum", "optional": False, "values": ["good", "bad", "gone"]},
                "never": {"column": "never_there", "python": "str"},
            },
        }
    },
}
SCHEMA = """SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, c.relacl::text,
                   (SELECT array_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum AS e)
              FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
             WHERE c.relnamespace = 'public'::regnamespace AND c.relname IN ('machines', 'engines') ORDER BY 1, 2"""
LEDGER = "SELECT migration_id FROM _yoyo_migration ORDER BY 1"


def healthd(*words: str) -> tuple[int, str, list[str]]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main.run(words)
    return code, out.getvalue(), err.getvalue().splitlines()


def before(name: str) -> str:
    names = list(FILES)
    return names[names.index(name) - 1]


def breaking(text: str) -> list[str]:
    """Return the lines of a plan that tell what breaks, each with the file."""
    found, name = [], ""
    for line in text.splitlines():
        if not line.startswith(" "):
            name = line.partition(" ")[0]
        elif line.startswith(("    breaks", "    warning")):
            found.append(f"{name}: {line.strip()}")
    return found


@pytest.fixture(scope="module")
def lock_text(tmp_path_factory: pytest.TempPathFactory) -> str:
    return replayed(tmp_path_factory.mktemp("sql"), FILES)


Runs = tuple[str, list[tuple[int, list[str]]]]


@pytest.fixture(scope="module")
def first_runs(lock_text: str, make_template: MakeTemplate, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """The name of a database to which the first two migrations were applied, and how the two runs ended."""
    name, url = make_template()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(make_project(tmp_path_factory.mktemp("template"), lock_text, url))
        return name, [healthd("migrate", "--to", one)[::2] for one in ("01_machines", "02_harmless")]


def make_project(folder: Path, lock_text: str, database: str) -> Path:
    (folder / "sql").mkdir()
    write_sql(folder / "sql", FILES)
    (folder / "sql" / "schema.lock").write_text(lock_text)
    (folder / "api.json").write_text(json.dumps(CONTRACT))
    (folder / "yoyo.ini").write_text(
        f"[DEFAULT]\nsources = sql\ndatabase = {database.replace('%', '%%')}\n\n[contract api@41]\nfile = api.json\n"
    )
    return folder


@pytest.fixture
def project(tmp_path: Path, lock_text: str, database: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project, with an empty database."""
    monkeypatch.chdir(make_project(tmp_path, lock_text, database))
    return tmp_path


@pytest.fixture
def begun(make_database: MakeDatabase, first_runs: Runs) -> str:
    """The URL of a database to which the first two migrations were applied."""
    return make_database(first_runs[0])


@pytest.fixture
def two(tmp_path: Path, lock_text: str, begun: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project, with a database to which the first two migrations were applied."""
    monkeypatch.chdir(make_project(tmp_path, lock_text, begun))
    return tmp_path


def test_a_breaking_migration_is_told_refused_and_allowed(two: Path, begun: str, sql: Sql) -> None:
    for name, line in LINES.items():
        was, marks = sql(begun, SCHEMA), sql(begun, LEDGER)
        assert (before(name),) == marks[-1]

        code, text, _ = healthd("plan")
        assert (2, f"{name}: breaks: {line}") == (code, breaking(text)[0])

        code, _, said = healthd("migrate", "--to", name)
        assert (2, f"{name}: breaks: {line}") == (code, said[0])
        assert said[1].endswith(": 1 expectation of api@41 would be broken; nothing was changed")
        assert said[2].endswith("or use --allow-breaking")
        assert (was, marks) == (sql(begun, SCHEMA), sql(begun, LEDGER))

        code, _, said = healthd("migrate", "--to", name, "--allow-breaking")
        assert (0, [f"{name}: breaks: {line}", f"applied {name}"]) == (code, said)
        assert [*marks, (name,)] == sql(begun, LEDGER)

    line = "12_table_renamed: breaks until 13_table_again: api@41 still expects table public.machines"
    code, text, _ = healthd("plan")
    assert (1, [line]) == (code, breaking(text))  # what a later file corrects is reported, and not refused

    code, _, said = healthd("migrate")
    assert (0, line) == (code, said[0])


def test_a_table_that_goes_is_one_belief(two: Path, begun: str, sql: Sql) -> None:
    code, _, said = healthd("migrate", "--to", "12_table_renamed")

    assert 2 == code
    assert "12_table_renamed: breaks: api@41 still expects table public.machines" in said


def test_a_rollback_that_breaks_is_told_refused_and_allowed(two: Path, begun: str, sql: Sql) -> None:
    believed = {**CONTRACT, "tables": {"public.machines": {"columns": {"extra": None}}}}
    (two / "api.json").write_text(json.dumps(believed))
    undo = "ALTER TABLE public.machines DROP COLUMN extra;"
    (two / "sql" / "02_harmless.rollback.sql").write_text(undo)
    was, marks = sql(begun, SCHEMA), sql(begun, LEDGER)
    line = "the rollback of 02_harmless: breaks: api@41 still expects column public.machines.extra"

    code, _, said = healthd("rollback", "--allow-inexact", "--allow-data-loss")
    assert (2, line) == (code, said[0])
    assert said[1].endswith(": 1 expectation of api@41 would be broken; nothing was changed")
    assert (was, marks) == (sql(begun, SCHEMA), sql(begun, LEDGER))

    allowed = ("--allow-inexact", "--allow-data-loss", "--allow-breaking")
    code, text, said = healthd("rollback", *allowed, "--format", "json")
    assert (0, [line, "rolled back 02_harmless"]) == (code, said)
    assert ["02_harmless"] == [one["migration"] for one in json.loads(text)["breaks"]]
    assert marks[:1] == sql(begun, LEDGER)


def test_what_a_migrate_was_allowed_to_break_stands_in_its_document(two: Path) -> None:
    code, text, _ = healthd("migrate", "--to", "03_column_dropped", "--allow-breaking", "--format", "json")

    (one,) = json.loads(text)["breaks"]
    assert (0, "03_column_dropped", "api@41", "critical") == (code, one["migration"], one["contract"], one["severity"])


def test_a_first_run_and_a_harmless_file_are_not_refused(first_runs: Runs) -> None:
    assert [(0, ["applied 01_machines"]), (0, ["applied 02_harmless"])] == first_runs[1]


def test_what_is_broken_already_is_no_reason(two: Path) -> None:
    healthd("migrate", "--to", "03_column_dropped", "--allow-breaking")
    (two / "api.json").write_text(json.dumps({"tables": {"public.machines": {"columns": {"name": "uuid"}}}}))

    assert [] == [line for line in breaking(healthd("plan")[1]) if line.startswith("04")]
    assert (0, ["applied 04_column_retyped"]) == healthd("migrate", "--to", "04_column_retyped")[::2]


def test_what_somebody_broke_by_hand_is_not_the_migration_s(two: Path, begun: str, sql: Sql) -> None:
    sql(begun, "ALTER TABLE machines DROP COLUMN location")

    code, _, said = healthd("migrate", "--to", "03_column_dropped", "--allow-drift")
    assert (0, ["applied 03_column_dropped"]) == (code, [one for one in said if "NOTICE" not in one])


def test_what_somebody_made_by_hand_is_still_there_afterwards(project: Path, database: str, sql: Sql) -> None:
    healthd("migrate", "--to", "01_machines")
    sql(database, "ALTER TABLE machines ADD COLUMN never_there text")

    assert (0, ["applied 02_harmless"]) == healthd("migrate", "--to", "02_harmless")[::2]


def test_what_only_asks_for_care_is_told_and_not_refused(two: Path) -> None:
    healthd("migrate", "--to", "08_label_renamed", "--allow-breaking")
    (two / "api.json").write_text(json.dumps({"enums": {"public.mood": ["good", "sad"]}}))
    words = "enum:public.mood: labels are in a different order from the values of the application (api@41)"
    line = f"09_label_removed: warning: {words}"

    assert line == breaking(healthd("plan")[1])[0]
    code, _, said = healthd("migrate", "--to", "09_label_removed")
    assert (0, line) == (code, said[0])


def test_json_says_the_same(two: Path) -> None:
    code, text, _ = healthd("plan", "--format", "json")
    plan = {one["id"]: one["breaks"] for one in json.loads(text)["migrations"]}

    assert 2 == code
    assert [
        {
            "contract": "api@41",
            "problem": "contract_broken",
            "key": "column:public.machines.location",
            "severity": "critical",
            "expected": "present",
            "actual": "missing",
            "until": None,
            "message": LINES["03_column_dropped"],
        }
    ] == plan["03_column_dropped"]


def test_of_a_file_that_nobody_measured_nothing_can_be_told(two: Path) -> None:
    (two / "sql" / "03_column_dropped.sql").write_text("ALTER TABLE machines DROP COLUMN location, DROP COLUMN notes")
    line = "cannot determine which expectations 03_column_dropped would break: not in the lock file"

    code, text, _ = healthd("plan")
    assert (3, "    cannot determine which expectations it would break") == (code, text.splitlines()[1])

    code, _, said = healthd("migrate", "--to", "03_column_dropped", "--allow-unlocked")
    assert (0, line) == (code, said[0])


def test_without_contracts_nothing_is_said(two: Path, begun: str) -> None:
    (two / "yoyo.ini").write_text(f"[DEFAULT]\nsources = sql\ndatabase = {begun.replace('%', '%%')}\n")

    assert [] == breaking(healthd("plan")[1])
    assert (0, ["applied 03_column_dropped"]) == healthd("migrate", "--to", "03_column_dropped")[::2]


def test_a_fleet_is_refused_target_by_target(project: Path, database: str, sql: Sql) -> None:
    (project / "yoyo.ini").write_text(
        f"[DEFAULT]\nsources = sql\n\n[target one]\ndatabase = {database.replace('%', '%%')}\ncontracts = api@41\n"
        "\n[contract api@41]\nfile = api.json\n"
    )
    healthd("migrate", "--all", "--to", "02_harmless")
    code, text, said = healthd("migrate", "--all", "--to", "03_column_dropped")

    assert (2, f"one: 03_column_dropped: breaks: {LINES['03_column_dropped']}") == (code, said[0])
    assert "1 expectation of api@41 would be broken; nothing was changed" in text
    assert [("01_machines",), ("02_harmless",)] == sql(database, LEDGER)

    assert 0 == healthd("migrate", "--all", "--to", "03_column_dropped", "--allow-breaking")[0]


def test_a_database_made_by_hand_is_judged_as_it_is(project: Path, database: str, sql: Sql) -> None:
    sql(database, "CREATE TYPE mood AS ENUM ('good', 'bad', 'gone')")
    sql(database, "CREATE TABLE machines (id int PRIMARY KEY, name text NOT NULL, location text, mood mood NOT NULL)")
    code, _, said = healthd("migrate", "--to", "03_column_dropped")

    assert (2, f"03_column_dropped: breaks: {LINES['03_column_dropped']}") == (code, said[0])
    assert [(None,)] == sql(database, "SELECT to_regclass('_yoyo_migration')::text")


# ── with literals ───────────────────────────────────────────────────────────────────────────────────────

TABLE = {"table:public.machines": Table(False, None, (), None, "off")}
NAME = Key("column", ("public", "machines", "name"))
API = Contract("api", models={"Machine": Model("public.machines", {"name": Member("name", "uuid", optional=None)})})


def of_type(type_: str) -> Column:
    return Column(type_, False, None, "none", "none", None)


def there(type_: str) -> dict[Key, Any]:
    return dict(snapshot(TABLE | {str(NAME): of_type(type_)}).objects)


def retyped(name: str, before: str, after: str) -> Locked:
    effect = Difference(NAME, "type", before, after)
    return Locked(name, f"digest of {name}", None, True, (effect,), "missing")


def reported(*pending: Locked, before: str = "uuid") -> list[tuple[str, Severity, str | None]]:
    found = breaks((API,), there(before), pending)
    return [(one.migration, one.finding.severity, one.until) for one in found]


def test_what_is_half_corrected_asks_for_care_only() -> None:
    never, care = retyped("1", "uuid", "integer"), retyped("2", "integer", "text")

    assert [("1", Severity.CRITICAL, None)] == reported(never)
    assert {("1", Severity.CRITICAL, "2"), ("2", Severity.WARNING, None)} == set(reported(never, care))
    assert [("1", Severity.CRITICAL, "2")] == reported(never, retyped("2", "integer", "uuid"))


def test_what_fitted_with_care_already_is_no_news_until_it_never_fits() -> None:
    care, never = retyped("1", "text", "character varying(99)"), retyped("2", "character varying(99)", "integer")

    assert [] == reported(care, before="text")
    assert [("2", Severity.CRITICAL, None)] == reported(care, never, before="text")
    assert [("2", Severity.CRITICAL, "3")] == reported(care, never, retyped("3", "integer", "text"), before="text")


def foreseen(there_: Snapshot, *half: str) -> list[str]:
    migration = Migration("1", Path("1.sql"), "SELECT 1", None, transactional=False, depends=())
    one = replace(retyped("1", "uuid", "integer"), digest=migration.digest)
    lock = LockFile(180000, there("uuid"), (one,))
    instant = datetime(2026, 1, 1, tzinfo=UTC)
    ledger = Ledger(interrupted=tuple(Interrupted(name, "apply", 1, 2, finished=True, at=instant) for name in half))
    return [one.migration for one in foresee((API,), lock, ledger, there_, [migration]).breaks]


def test_what_is_half_in_already_is_brought_to_its_end_and_not_judged() -> None:
    assert ["1"] == foreseen(Snapshot(180000, there("uuid")))
    assert [] == foreseen(Snapshot(180000, there("uuid")), "1")


def test_what_cannot_be_seen_is_taken_for_what_it_should_be() -> None:
    table = snapshot(TABLE).objects

    assert ["1"] == foreseen(Snapshot(180000, table, omitted=frozenset({"column"})))
    assert ["1"] == foreseen(Snapshot(180000, table, unreadable={"column": "refused"}))
    assert [] == foreseen(Snapshot(180000, table))
