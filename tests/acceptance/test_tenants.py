"""A schema for each tenant, all compared with one schema of the files: which of them differ, and what repairs them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from conftest import BINARIES, MakeDatabase
from tenants import MIGRATION, tenant

from acceptance.test_cli import healthd
from healthd.postgres.embedded import Server
from healthd.rounds import complete_reading

transaction: Any = import_module("healthd.database.snapshot.transaction")
TENANTS = 30
DOCS = Path(__file__).parents[2] / "docs"
KEYS = "schemas = tenant_*\nexpected_schema = tenant\n"


@pytest.fixture(scope="module")
def made(
    server: Server, make_template: Callable[[], tuple[str, str]], tmp_path_factory: pytest.TempPathFactory, sql: Any
) -> tuple[Path, str]:
    """The folder of a project, and the name of a template database with its migration and the schemas of tenants."""
    folder = tmp_path_factory.mktemp("tenants")
    (folder / "sql").mkdir()
    (folder / "sql" / "0001_tenant.sql").write_text(MIGRATION)
    name, url = make_template()
    configure(folder, url)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert 0 == (done := healthd("lock")).code, done
        assert 0 == (done := healthd("migrate")).code, done
    for number in range(1, TENANTS + 1):
        sql(url, tenant(f"tenant_{number}"))
    return folder, name


def configure(folder: Path, url: str, keys: str = KEYS) -> None:
    address = url.replace("%", "%%")
    own = f"[healthd]\npostgres_bin = {BINARIES}\n" if BINARIES else ""
    (folder / "yoyo.ini").write_text(
        f"[DEFAULT]\nsources = sql\n{own}[target shop]\ndatabase = {address}\ndeadline_s = 120\n{keys}"
    )


@pytest.fixture
def url(made: tuple[Path, str], make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database with the schemas of tenants; the project that watches it is in the current folder."""
    folder, name = made
    url = make_database(name)
    configure(folder, url)
    monkeypatch.chdir(folder)
    return url


@pytest.fixture
def left_out(monkeypatch: pytest.MonkeyPatch) -> list[frozenset[str]]:
    """The schemas that each reading leaves out because of their digests."""
    found: list[frozenset[str]] = []
    original = transaction.read_kinds

    async def read_kinds(*given: Any) -> Any:
        found.append(given[-1])
        return await original(*given)

    monkeypatch.setattr(transaction, "read_kinds", read_kinds)
    return found


def report() -> dict[str, Any]:
    found = json.loads(healthd("check", "--format", "json").out)
    assert isinstance(found, list), found
    return dict(found[0])


def keys() -> list[str]:
    return [one["key"] for one in report()["findings"]]


def in_each(text: str) -> str:
    """Return SQL that is run in the schema of each tenant, {s}."""
    return "".join(text.replace("{s}", f"tenant_{number}") for number in range(1, TENANTS + 1))


def test_tenants_that_the_same_sql_made_are_clean(url: str, sql: Any, left_out: list[frozenset[str]]) -> None:
    result = healthd("check")

    assert (0, "shop  ok") == (result.code, result.out.strip())
    assert {frozenset(f"tenant_{number}" for number in range(1, TENANTS + 1))} == set(left_out)
    sql(url, tenant('"tenant_X-1"'))  # whatever digests can say of a name that needs quotes
    assert (0, {"schemas": 31, "different": []}) == (healthd("check").code, report()["tenants"])


DRIFT = """
    ALTER TABLE tenant_3.orders DROP COLUMN total CASCADE;
    ALTER TABLE tenant_7.orders DROP COLUMN total CASCADE;
    ALTER TABLE tenant_12.users ALTER id SET DEFAULT nextval('tenant_6.users_id_seq');
"""


def test_the_tenants_that_differ_are_named_and_the_same_difference_is_one_finding(url: str, sql: Any) -> None:
    sql(url, DRIFT)
    found = report()

    column, default = found["findings"]
    assert {"schemas": 30, "different": ["tenant_3", "tenant_7", "tenant_12"]} == found["tenants"]
    assert 'column:"tenant_*".orders.total' == column["key"]
    assert ["tenant_3", "tenant_7"] == column["schemas"]
    assert column["message"].startswith(
        "in 2 of 30 schemas (tenant_3, tenant_7): column:tenant_*.orders.total is missing; also affected: "
    )
    assert "ALTER TABLE tenant_3.orders ADD COLUMN total numeric;" == column["repair"][0]
    assert "column:tenant_12.users.id" == default["key"]
    assert "nextval('tenant_12.users_id_seq'::regclass)" == default["expected"]


def test_a_repair_names_the_schema_of_each_tenant_and_leaves_nothing(url: str, sql: Any) -> None:
    sql(url, DRIFT)
    printed = healthd("repair", "--no-rehearsal").out
    applied = healthd("repair", "--apply")

    for line in (
        "ALTER TABLE tenant_3.orders ADD COLUMN total numeric;",
        "ALTER TABLE tenant_7.orders ADD COLUMN total numeric;",
        "ALTER TABLE tenant_12.users ALTER COLUMN id SET DEFAULT nextval('tenant_12.users_id_seq'::regclass);",
    ):
        assert line in printed
    assert "tenant_4" not in printed
    assert (0, "shop  ok") == (applied.code, healthd("check").out.strip())


def test_an_object_that_every_tenant_lacks_is_not_overlooked(url: str, sql: Any) -> None:
    """The digest of its kind is then that of the files."""
    sql(url, in_each("DROP RULE keep ON {s}.orders;"))

    (found,) = report()["findings"]

    assert ('rule:"tenant_*".orders.keep', "in 30 of 30 schemas") == (found["key"], found["message"].partition(" (")[0])


CHANGES = (
    "ALTER TABLE {s}.orders DROP COLUMN country",
    "ALTER TABLE {s}.orders ALTER total SET DEFAULT 1",
    "ALTER TABLE {s}.notes ALTER id TYPE integer",
    "ALTER TABLE {s}.orders DROP CONSTRAINT orders_total_check",
    "ALTER TYPE {s}.status ADD VALUE 'sent'",
    "ALTER TYPE {s}.status RENAME VALUE 'new' TO 'NEW'",
    "DROP INDEX {s}.orders_status",
    "CREATE INDEX more ON {s}.notes (id)",
    "CREATE TABLE {s}.more (id bigint)",
    "CREATE OR REPLACE VIEW {s}.paid AS SELECT u.id, u.email, 0::numeric AS total FROM {s}.users AS u",
    "CREATE OR REPLACE FUNCTION {s}.same({s}.pair, {s}.pair) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
    "ALTER TABLE {s}.users DISABLE TRIGGER touch",
    "DROP TRIGGER touch ON {s}.users",
    "ALTER TABLE {s}.users DISABLE ROW LEVEL SECURITY",
    "DROP POLICY own ON {s}.users",
    "DROP RULE keep ON {s}.orders",
    "DROP CAST ({s}.pair AS text)",
    "COMMENT ON TABLE {s}.users IS 'other'",
    "REVOKE SELECT ON {s}.orders FROM PUBLIC",
    "GRANT USAGE ON TYPE {s}.pair TO pg_monitor",
    "ALTER TABLE {s}.notes OWNER TO pg_monitor",
    "ALTER SEQUENCE {s}.users_id_seq INCREMENT BY 2",
    "ALTER TABLE {s}.users ALTER id SET DEFAULT nextval('tenant.users_id_seq')",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA {s} GRANT SELECT ON TABLES TO PUBLIC",
    "ALTER TYPE {s}.pair ADD ATTRIBUTE more text",
    "ALTER DOMAIN {s}.email DROP CONSTRAINT email_check",
    "DROP STATISTICS {s}.orders_together",
)


def test_what_digests_prove_is_what_a_complete_reading_finds(
    url: str, sql: Any, monkeypatch: pytest.MonkeyPatch, left_out: list[frozenset[str]]
) -> None:
    for number, change in enumerate(CHANGES, 1):
        sql(url, change.replace("{s}", f"tenant_{number}"))
    found, alike = report(), set(left_out)
    monkeypatch.setattr(complete_reading, "digests_of_tenants", lambda *_: None)
    complete = report()

    assert {frozenset({"tenant_28", "tenant_29", "tenant_30"})} == alike
    assert (complete["findings"], complete["tenants"]) == (found["findings"], found["tenants"])
    assert len(found["tenants"]["different"]) > len(CHANGES) - 3  # comments are no findings, nor are all privileges
    assert frozenset() == left_out[-1]


def test_where_anything_else_differs_all_tenants_are_read(url: str, sql: Any, left_out: list[frozenset[str]]) -> None:
    sql(url, "ALTER TABLE public.countries ADD COLUMN name text")

    assert ["column:public.countries.name"] == keys()
    assert {frozenset()} == set(left_out)


def test_tenants_that_a_tenant_with_drift_names_are_read(url: str, sql: Any, left_out: list[frozenset[str]]) -> None:
    sql(url, "ALTER TABLE tenant_3.users ALTER id SET DEFAULT nextval('tenant_6.users_id_seq')")
    keys()

    assert [29, 28] == list(map(len, left_out))


def test_a_new_tenant_that_is_incomplete_is_drift(url: str, sql: Any) -> None:
    sql(url, tenant("tenant_31").replace("CREATE POLICY", "-- CREATE POLICY"))
    sql(url, "CREATE SCHEMA other_1; CREATE TABLE tenant_31.own (id bigint PRIMARY KEY)")

    assert ["policy:tenant_31.users.own", "schema:other_1", "table:tenant_31.own"] == keys()


def test_a_table_of_one_tenant_is_never_taken_for_that_of_another(url: str, sql: Any) -> None:
    sql(url, "ALTER TABLE tenant_3.notes RENAME TO notes_3; ALTER TABLE tenant_3.notes_3 SET SCHEMA tenant_5")

    assert ["table:tenant_3.notes", "table:tenant_5.notes_3"] == keys()


def test_patterns_that_match_no_schema_are_a_warning(url: str) -> None:
    configure(Path(), url, "schemas = customer_*\nexpected_schema = tenant\n")
    found = report()

    assert "no schema matches customer_*: no tenant is compared with tenant" in [
        one["message"] for one in found["findings"] if one["problem"] == "tenant_schemas_missing"
    ]
    assert {"schemas": 0, "different": []} == found["tenants"]
    assert "warning" == found["checks"]["tenants"]


def test_a_template_that_the_files_do_not_create_is_unknown(url: str) -> None:
    configure(Path(), url, "schemas = tenant_*\nexpected_schema = tenants\n")
    result = healthd("check")

    words = "the lock file has no schema tenants (expected_schema): 30 schemas of tenants are not compared"
    assert 3 == result.code
    assert f"shop  UNKNOWN  cannot_compare  {words}; correct expected_schema in yoyo.ini" in result.out
    assert "note: in schemas of tenants that are not compared: " in result.out
    assert {"schemas": 30, "different": None} == report()["tenants"]
    assert 1 == len(report()["findings"])


def test_a_migration_of_the_template_alone_succeeds_and_says_that_the_tenants_differ_now(
    url: str, made: tuple[Path, str], sql: Any
) -> None:
    file = made[0] / "sql" / "0002_note.sql"
    lock = made[0] / "sql" / "schema.lock"
    before = lock.read_bytes()
    try:
        file.write_text("ALTER TABLE tenant.orders ADD COLUMN note text;")
        assert 0 == healthd("lock").code
        result = healthd("migrate")
        found = report()
    finally:
        file.unlink()
        lock.write_bytes(before)

    assert (0, True) == (result.code, "30 schemas of tenants differ from the template now (tenant_1, " in result.err)
    assert ['column:"tenant_*".orders.note'] == [one["key"] for one in found["findings"]]


def test_what_differs_in_tenants_cannot_be_adopted(url: str, sql: Any) -> None:
    sql(url, "CREATE INDEX ON tenant_3.orders (total)")
    refused = healthd("adopt", "0002_index")

    assert 2 == refused.code
    assert "shop differs only in schemas of tenants (tenant_3), which sql/ does not create" in refused.err


def test_diff_compares_each_tenant_with_the_template_of_a_lock_file(url: str, sql: Any) -> None:
    assert (0, "the same") == (
        healthd("diff", "sql/schema.lock", "shop").code,
        healthd("diff", "sql/schema.lock", "shop").out.strip(),
    )
    sql(url, "ALTER TABLE tenant_3.orders DROP COLUMN country")

    assert "column:tenant_3.orders.country is missing" in healthd("diff", "sql/schema.lock", "shop").out.splitlines()


def test_the_documented_file_changes_the_template_and_all_tenants(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sql: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    made = "CREATE SCHEMA {s}; CREATE TABLE {s}.orders (id bigint PRIMARY KEY);"
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql" / "0001_template.sql").write_text(made.replace("{s}", "tenant_template"))
    configure(tmp_path, database, "schemas = tenant_*\nexpected_schema = tenant_template\n")
    assert (0, 0) == (healthd("lock").code, healthd("migrate").code)
    sql(database, in_each(made))
    file = re.findall("```sql\n(.*?)```", (DOCS / "how-to" / "tenants.md").read_text(), re.DOTALL)[0]
    (tmp_path / "sql" / "0002_note.sql").write_text(file)

    assert (0, 0) == (healthd("lock").code, healthd("migrate").code)

    assert (0, {"schemas": 30, "different": []}) == (healthd("check").code, report()["tenants"])
    sql(database, "ALTER TABLE tenant_3.orders DROP note")
    assert ["column:tenant_3.orders.note"] == keys()


def test_a_waiver_may_cover_one_tenant_or_all(url: str, made: tuple[Path, str], sql: Any) -> None:
    sql(url, "ALTER TABLE tenant_3.orders DROP COLUMN country; ALTER TABLE tenant_7.orders DROP COLUMN country")
    waivers = made[0] / "sql" / "waivers.toml"
    until = ("--until", "30d", "--reason", "OPS-12")
    try:
        assert 0 == healthd("waive", "column:tenant_3.orders.country", *until).code
        found = report()
        waivers.unlink()
        assert 0 == healthd("waive", "column:tenant_*.orders.country", *until).code
        every = report()
    finally:
        waivers.unlink(missing_ok=True)

    assert ["column:tenant_7.orders.country"] == [one["key"] for one in found["findings"]]
    assert {"schemas": 30, "different": ["tenant_7"]} == found["tenants"]
    assert ([], {"schemas": 30, "different": []}) == (every["findings"], every["tenants"])
