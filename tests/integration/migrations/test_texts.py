"""On a server of another major than the lock file's, healthd knows what it has applied itself, and drift is drift."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from acceptance.test_cli import healthd
from conftest import BINARIES, Sql
from servers import other_major
from story import write_sql

from healthd.comparison.server_texts import speak_alike
from healthd.config.settings import Target
from healthd.errors import MigrationFailed
from healthd.expected.files import Migration, read_migrations
from healthd.expected.lockfile import LockFile
from healthd.expected.lockfile_text import dump
from healthd.expected.store import Files
from healthd.migrations.run_options import RunOptions
from healthd.migrations.safe_run import Changed, migrate, resume, rollback
from healthd.model.findings import Finding
from healthd.model.severity import Severity
from healthd.postgres import embedded, programs
from healthd.replay.replay import replay
from healthd.rounds.examination import examine_again

FILES = {
    "1_tables": """
        CREATE SCHEMA app;
        CREATE DOMAIN app.positive AS integer DEFAULT 1 + 1 CHECK (VALUE > 0 AND VALUE NOT IN (13, 17));
        CREATE TABLE app.customers (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            name text NOT NULL DEFAULT upper('x' || 'y'),
            email varchar(200) CHECK (position('@' in email) > 1),
            shout text GENERATED ALWAYS AS (upper(substring(name from 1 for 3))) STORED,
            score app.positive);
        CREATE TABLE app.orders (
            id bigserial PRIMARY KEY,
            customer bigint NOT NULL REFERENCES app.customers,
            note varchar(9) CHECK (note IN ('a', 'b')),
            total numeric(10, 2) NOT NULL DEFAULT 0 CHECK (total >= 0));
        ALTER TABLE app.orders ENABLE ROW LEVEL SECURITY;
        CREATE TABLE app.events (id bigint NOT NULL, at timestamptz NOT NULL) PARTITION BY RANGE (at);
        CREATE TABLE app.events_1 PARTITION OF app.events FOR VALUES FROM ('2024-01-01 00:00+00') TO (MAXVALUE);
        CREATE TABLE app.ready (yes boolean); INSERT INTO app.ready VALUES (true);""",
    "2_texts": """
        CREATE INDEX orders_open ON app.orders ((total * 2)) WHERE note IN ('a', 'b');
        CREATE VIEW app.one AS SELECT id, note FROM app.orders WHERE note <> 'x';
        CREATE VIEW app.two AS SELECT o.id, c.name FROM app.orders o JOIN app.customers c ON c.id = o.customer;
        CREATE VIEW app.years AS SELECT extract(year from max(at)) AS y, count(*) AS n FROM app.events GROUP BY id;
        CREATE VIEW app.three AS WITH x AS (SELECT id, note FROM app.one) SELECT x.id FROM x;
        CREATE MATERIALIZED VIEW app.totals AS SELECT customer, sum(total) AS t FROM app.orders GROUP BY customer;
        CREATE RULE two_insert AS ON INSERT TO app.two DO INSTEAD
            INSERT INTO app.orders (customer) SELECT c.id FROM app.customers c WHERE c.name = NEW.name;
        CREATE POLICY mine ON app.orders USING (note = 'a') WITH CHECK (total > 0 AND note IN ('a', 'b'));
        CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
        CREATE TRIGGER touch BEFORE UPDATE OF note ON app.orders
            FOR EACH ROW WHEN (OLD.note IS DISTINCT FROM NEW.note) EXECUTE FUNCTION app.touch();
        CREATE FUNCTION app.add(a int DEFAULT 1 + 1) RETURNS int LANGUAGE sql AS 'SELECT a';
        CREATE STATISTICS app.stat (dependencies) ON customer, note FROM app.orders;""",
    "3_renames": "ALTER TABLE app.orders RENAME COLUMN note TO word;",
    "3_renames.rollback": "ALTER TABLE app.orders RENAME COLUMN word TO note;",
    "4_stepwise": """-- transactional: false
        CREATE VIEW app.four AS SELECT id, word FROM app.orders;
        SELECT 1 / (SELECT count(*) FROM app.ready);
        CREATE VIEW app.five AS SELECT id, word FROM app.orders WHERE id > 5;""",
    "4_stepwise.rollback": "-- transactional: false\nDROP VIEW app.five;\nDROP VIEW app.four;",
}
NEWER = {  # what PostgreSQL 15 brought
    "2_with": """
        CREATE FUNCTION app.newer(a int) RETURNS int LANGUAGE sql RETURN a + (SELECT count(*)::int FROM app.orders);
        CREATE PUBLICATION app_orders FOR TABLE app.orders WHERE (id > 10 AND total > 0);""",
}
BY_HAND = {  # what is reported, what somebody did, and what takes it back
    "view:app.one": (
        "CREATE OR REPLACE VIEW app.one AS SELECT id, note FROM app.orders WHERE note <> 'y'",
        "CREATE OR REPLACE VIEW app.one AS SELECT id, note FROM app.orders WHERE note <> 'x'",
    ),
    "view:app.two": (  # which all majors print alike
        "CREATE OR REPLACE VIEW app.two AS SELECT o.id, c.name FROM app.orders o JOIN app.customers c ON c.id = o.id",
        (
            "CREATE OR REPLACE VIEW app.two AS"
            " SELECT o.id, c.name FROM app.orders o JOIN app.customers c ON c.id = o.customer"
        ),
    ),
    "column:app.orders.total": (
        "ALTER TABLE app.orders ALTER total SET DEFAULT 1",
        "ALTER TABLE app.orders ALTER total SET DEFAULT 0",
    ),
    "constraint:app.orders.orders_note_check": (
        "ALTER TABLE app.orders DROP CONSTRAINT orders_note_check, ADD CHECK (note IN ('a', 'c'))",
        "ALTER TABLE app.orders DROP CONSTRAINT orders_note_check, ADD CHECK (note IN ('a', 'b'))",
    ),
    "index:app.orders.orders_open": (
        "DROP INDEX app.orders_open; CREATE INDEX orders_open ON app.orders ((total * 3)) WHERE note IN ('a', 'b')",
        "DROP INDEX app.orders_open; CREATE INDEX orders_open ON app.orders ((total * 2)) WHERE note IN ('a', 'b')",
    ),
    "rule:app.two.two_insert": (
        "CREATE OR REPLACE RULE two_insert AS ON INSERT TO app.two DO INSTEAD NOTHING",
        (
            "CREATE OR REPLACE RULE two_insert AS ON INSERT TO app.two DO INSTEAD"
            " INSERT INTO app.orders (customer) SELECT c.id FROM app.customers c WHERE c.name = NEW.name"
        ),
    ),
    "policy:app.orders.mine": (
        "ALTER POLICY mine ON app.orders USING (true)",
        "ALTER POLICY mine ON app.orders USING (note = 'a')",
    ),
    "trigger:app.orders.touch": (
        (
            "DROP TRIGGER touch ON app.orders; CREATE TRIGGER touch BEFORE UPDATE OF note ON app.orders"
            " FOR EACH ROW WHEN (OLD.note <> NEW.note) EXECUTE FUNCTION app.touch()"
        ),
        (
            "DROP TRIGGER touch ON app.orders; CREATE TRIGGER touch BEFORE UPDATE OF note ON app.orders"
            " FOR EACH ROW WHEN (OLD.note IS DISTINCT FROM NEW.note) EXECUTE FUNCTION app.touch()"
        ),
    ),
    "function:app.add(integer)": (
        "CREATE OR REPLACE FUNCTION app.add(a int DEFAULT 3) RETURNS int LANGUAGE sql AS 'SELECT a'",
        "CREATE OR REPLACE FUNCTION app.add(a int DEFAULT 1 + 1) RETURNS int LANGUAGE sql AS 'SELECT a'",
    ),
    "statistics:app.stat": (
        "DROP STATISTICS app.stat; CREATE STATISTICS app.stat (dependencies) ON total, note FROM app.orders",
        "DROP STATISTICS app.stat; CREATE STATISTICS app.stat (dependencies) ON customer, note FROM app.orders",
    ),
}
BY_HAND_NEWER = {
    "function:app.newer(integer)": (
        "CREATE OR REPLACE FUNCTION app.newer(a int) RETURNS int LANGUAGE sql RETURN a",
        (
            "CREATE OR REPLACE FUNCTION app.newer(a int) RETURNS int LANGUAGE sql"
            " RETURN a + (SELECT count(*)::int FROM app.orders)"
        ),
    ),
    "publication_table:app_orders.app.orders": (
        "ALTER PUBLICATION app_orders SET TABLE app.orders WHERE (id > 11)",
        "ALTER PUBLICATION app_orders SET TABLE app.orders WHERE (id > 10 AND total > 0)",
    ),
}
UNCLEAR = [("cannot_compare", Severity.UNKNOWN)]


@pytest.fixture(scope="module")
def other() -> Path:
    return other_major(BINARIES)


@pytest.fixture(scope="module")
def newer(other: Path) -> bool:
    return min(programs.major(other), programs.major(programs.find_binaries(BINARIES))) >= 15


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, newer: bool) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "sql").mkdir()
    write_sql(folder / "sql", FILES | NEWER if newer else FILES)
    lock = asyncio.run(replay(read_migrations([folder / "sql"]), postgres_bin=BINARIES))
    (folder / "schema.lock").write_text(dump(lock))
    (folder / "yoyo.ini").write_text("[DEFAULT]\nsources = sql\n[healthd]\nlock = schema.lock\n")
    return folder


@pytest.fixture(scope="module")
def there(other: Path) -> Iterator[embedded.Server]:
    with embedded.temporary(binaries=other) as server:
        yield server


@pytest.fixture(scope="module")
def names() -> Iterator[str]:
    return (f"texts_{number}" for number in count(1))


class Case:
    """What a test does with a database on the other major and the files."""

    def __init__(self, url: str, folder: Path, sql: Sql) -> None:
        from healthd.expected.lockfile_lines import load

        self.url, self.sql = url, sql
        self.target = Target("t", url)
        self.migrations: tuple[Migration, ...] = read_migrations([folder / "sql"])
        self.lock: LockFile = load((folder / "schema.lock").read_text())
        self.said: list[str] = []

    def do(self, text: str) -> list[tuple[Any, ...]]:
        return self.sql(self.url, text)

    async def up(self, to: str | None = None, **options: Any) -> Changed:
        return await migrate(self.target, self.migrations, self.lock, RunOptions(self.said.append), to=to, **options)

    async def down(self, to: str) -> Changed:
        return await rollback(
            self.target, self.migrations, self.lock, RunOptions(self.said.append), agree=lambda _: True, to=to
        )

    async def findings(self) -> tuple[Finding, ...]:
        files = Files.of(self.lock, self.migrations)
        one = await examine_again(self.target, files, None)
        await one.close()
        self.quiet = one.session is not None and one.session.mark is not None
        return tuple(finding for finding in one.report.findings if finding.check != "migrations")

    @asynccontextmanager
    async def daemon(self) -> AsyncIterator[Callable[[], Coroutine[Any, Any, tuple[Finding, ...]]]]:
        """Lend a function that returns the findings of a round; all rounds share a connection, as in the daemon."""
        files = Files.of(self.lock, self.migrations)
        rounds = [await examine_again(self.target, files, None)]

        async def findings() -> tuple[Finding, ...]:
            rounds.append(await examine_again(self.target, files, rounds.pop()))
            return rounds[0].report.findings

        yield findings
        await rounds[0].close()

    async def problems(self) -> list[tuple[str, Severity]]:
        return [(one.problem, one.severity) for one in await self.findings()]

    async def unclear(self) -> list[str]:
        """Return what cannot be told; nothing else is wrong."""
        (finding,) = await self.findings()
        assert UNCLEAR == [(finding.problem, finding.severity)]
        return [one["key"] for one in finding.facts["texts"]]

    def of(self, name: str) -> str:
        return str(self.do(f"SELECT pg_get_viewdef('{name}'::regclass)")[0][0])


@pytest.fixture(scope="module")
def template(project: Path, there: embedded.Server, sql: Sql) -> str:
    """The name of a database to which the files before 3_renames were applied."""
    Case(there.url(), project, sql).do("CREATE DATABASE texts")
    case = Case(there.url("texts"), project, sql)
    assert () == asyncio.run(case.up(last_of(case, "3_renames"))).unproven
    return "texts"


@pytest.fixture
def make_case(project: Path, there: embedded.Server, names: Iterator[str], sql: Sql) -> Callable[[str], Case]:
    def make_case(template: str) -> Case:
        name = next(names)
        Case(there.url(), project, sql).do(f"CREATE DATABASE {name} TEMPLATE {template}")
        return Case(there.url(name), project, sql)

    return make_case


@pytest.fixture
def empty(make_case: Callable[[str], Case]) -> Case:
    return make_case("template0")


@pytest.fixture
def case(make_case: Callable[[str], Case], template: str) -> Case:
    """A database to which the files before 3_renames were applied."""
    return make_case(template)


def last_of(case: Case, wanted: str) -> str:
    """Return the migration before this one, in the order of the files."""
    ids = [one.id for one in case.migrations]
    return ids[ids.index(wanted) - 1]


async def test_what_a_run_made_is_known_and_every_text_of_it_that_is_changed_is_drift(
    case: Case,
    newer: bool,
) -> None:
    assert [] == await case.problems()
    assert case.quiet
    async with case.daemon() as findings:
        for name, (change, back) in (BY_HAND | BY_HAND_NEWER if newer else BY_HAND).items():
            case.do(change)
            found = [one for one in await findings() if one.check != "migrations"]
            case.do(back)

            assert [name] == [str(one.key) for one in found], change
            assert all(one.check != "texts" and one.severity is not Severity.UNKNOWN for one in found)
            assert found[0].severity is Severity.CRITICAL or name.startswith("statistics")
    assert [] == await case.problems()


async def test_what_a_change_is_held_against_is_the_text_of_its_own_server(case: Case) -> None:
    before = case.of("app.one")
    case.do(BY_HAND["view:app.one"][0])
    (finding,) = await case.findings()

    assert before == finding.expected
    assert "printed it for 2_texts" in finding.message
    case.do(finding.repair[0])
    assert [] == await case.problems()


async def test_what_a_later_file_changes_in_old_texts_is_known_and_so_is_its_rollback(case: Case) -> None:
    await case.up("3_renames")
    assert [] == await case.problems()
    case.do("CREATE OR REPLACE VIEW app.one AS SELECT id, word AS note FROM app.orders WHERE word <> 'y'")
    assert [("schema_mismatch", Severity.CRITICAL)] == await case.problems()
    case.do("CREATE OR REPLACE VIEW app.one AS SELECT id, word AS note FROM app.orders WHERE word <> 'x'")

    await case.down(last_of(case, "3_renames"))
    assert [] == await case.problems()
    case.do(BY_HAND["view:app.one"][0])
    assert [("schema_mismatch", Severity.CRITICAL)] == await case.problems()


async def test_a_file_that_was_interrupted_is_known_once_it_is_resumed(empty: Case) -> None:
    await empty.up("3_renames")
    empty.do("DELETE FROM app.ready")
    with pytest.raises(MigrationFailed, match="division by zero"):
        await empty.up()
    empty.do("INSERT INTO app.ready VALUES (true)")
    done = await resume(empty.target, empty.migrations, empty.lock, RunOptions(empty.said.append))

    assert (("4_stepwise",), ()) == (done.ids, done.unproven)
    assert [] == await empty.problems()
    for name in ("four", "five"):
        empty.do(f"CREATE OR REPLACE VIEW app.{name} AS SELECT id, word FROM app.orders WHERE id > 7")
    assert {"view:app.five", "view:app.four"} == {str(one.key) for one in await empty.findings()}


async def test_a_rollback_that_is_no_transaction_forgets_what_it_took(case: Case) -> None:
    await case.up()
    await case.down("3_renames")

    assert [] == await case.problems()
    assert [] == case.do("SELECT object FROM _healthd_text WHERE object ~ 'four|five'")


# ── each link broken ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "broken",
    [
        "DELETE FROM _healthd_text WHERE object = 'view:app.one'",
        "TRUNCATE _healthd_text",
        "DROP TABLE _healthd_text",
        "UPDATE _healthd_text SET expected_digest = 'of another text'",
        "UPDATE _healthd_text SET major = 9",
        "UPDATE _healthd_text SET object = replace(object, ':', ' ')",
        "UPDATE _healthd_text SET attribute = 'nosuch' WHERE object = 'view:app.one'",
    ],
)
async def test_without_its_record_a_text_is_unclear_and_never_clean(case: Case, broken: str) -> None:
    case.do(broken)

    assert "view:app.one" in await case.unclear()
    case.do(BY_HAND["view:app.one"][0])
    assert "view:app.one" in await case.unclear()


async def test_a_record_of_another_text_is_drift(case: Case) -> None:
    case.do("UPDATE _healthd_text SET text = 'SELECT 1' WHERE object = 'view:app.one'")

    assert [("schema_mismatch", Severity.CRITICAL)] == await case.problems()


async def test_a_table_of_records_that_is_none_is_no_silence(case: Case) -> None:
    case.do("ALTER TABLE _healthd_text DROP COLUMN expected_digest")
    files = Files.of(case.lock, case.migrations)
    one = await examine_again(case.target, files, None)

    assert Severity.UNKNOWN == one.report.severity
    assert "_healthd_text has no column expected_digest" in one.report.findings[0].message


async def test_a_text_that_the_lock_file_has_otherwise_by_now_is_unclear(case: Case) -> None:
    effects = tuple(
        replace(one, actual=replace(one.actual, definition=one.actual.definition.replace("'x'", "'z'")))
        if str(one.key) == "view:app.one"
        else one
        for one in case.lock.migrations[1].effects
    )
    second = replace(case.lock.migrations[1], effects=effects, digests=None)
    case.lock = replace(case.lock, migrations=(case.lock.migrations[0], second, *case.lock.migrations[2:]))

    assert ["view:app.one"] == await case.unclear()


async def test_what_was_changed_before_a_run_is_not_taken_for_its_work(case: Case) -> None:
    case.do(BY_HAND["view:app.one"][0])
    with pytest.raises(MigrationFailed, match=r"has drifted: view:app\.one"):
        await case.up("3_renames")
    await case.up("3_renames", allow_drift=True)

    assert ["view:app.one"] == await case.unclear()


async def test_what_was_unclear_before_a_run_stays_so_and_the_rest_is_known(case: Case) -> None:
    case.do("DELETE FROM _healthd_text WHERE object = 'view:app.one'")
    changed = await case.up()

    assert "view:app.one (definition)" in changed.unproven[0]
    assert ["view:app.one"] == await case.unclear()
    case.do("CREATE OR REPLACE VIEW app.five AS SELECT id, word FROM app.orders WHERE id > 7")
    assert {"cannot_compare", "schema_mismatch"} == {one.problem for one in await case.findings()}


async def test_what_a_file_finds_there_is_not_taken_for_its_work(
    empty: Case, tmp_path: Path, there: embedded.Server
) -> None:
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql" / "1_m.sql").write_text("CREATE TABLE IF NOT EXISTS m (a int CHECK (a > 0));")
    lock = await replay(read_migrations([tmp_path / "sql"]), postgres_bin=BINARIES)
    (tmp_path / "schema.lock").write_text(dump(lock))
    own = Case(empty.url, tmp_path, empty.sql)
    own.do("CREATE TABLE m (a int CHECK (a > 1))")
    await own.up()

    assert ["constraint:public.m.m_a_check"] == await own.unclear()


async def test_a_copy_of_what_is_unclear_is_unclear(empty: Case, tmp_path: Path) -> None:
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql" / "1_m.sql").write_text("CREATE TABLE m (a int CHECK (a > 0));")
    (tmp_path / "sql" / "2_copy.sql").write_text("CREATE TABLE n (LIKE m INCLUDING ALL);")
    lock = await replay(read_migrations([tmp_path / "sql"]), postgres_bin=BINARIES)
    (tmp_path / "schema.lock").write_text(dump(lock))
    own = Case(empty.url, tmp_path, empty.sql)
    await own.up("1_m")
    own.do("ALTER TABLE m DROP CONSTRAINT m_a_check, ADD CHECK (a > 1); DELETE FROM _healthd_text")
    await own.up()

    assert {"constraint:public.m.m_a_check", "constraint:public.n.m_a_check"} == set(await own.unclear())


def test_texts_that_speak_of_other_objects_prove_nothing() -> None:
    objects = {("public", "t"), ("other", "t"), ("public", "u")}
    ours = "SELECT id FROM public.t"

    assert speak_alike(ours, "SELECT t.id FROM public.t", objects, ())
    assert not speak_alike(ours, "SELECT t.id FROM other.t", objects, ())
    assert not speak_alike(ours, "SELECT t.id FROM elsewhere.t", objects, ())
    assert not speak_alike(ours, "SELECT t.id FROM public.t JOIN public.u", objects, ())
    assert not speak_alike(ours, "SELECT t.id FROM public.t", objects, {("public", "t")})


# ── who may read it, and where it is not needed ─────────────────────────────────────────────────────────


async def test_who_may_not_read_the_records_is_told_the_grant(case: Case) -> None:
    case.do("DROP ROLE IF EXISTS texts_reader; CREATE ROLE texts_reader LOGIN")
    case.do("GRANT SELECT ON _yoyo_migration, _healthd_migration, _healthd_progress TO texts_reader")
    case.target = Target("t", case.url.replace("postgres@", "texts_reader@"))
    (finding,) = await case.findings()

    assert UNCLEAR == [(finding.problem, finding.severity)]
    assert ("GRANT SELECT ON public._healthd_text TO texts_reader;",) == finding.repair
    case.do(finding.repair[0])
    assert [] == await case.problems()
    case.do("DROP OWNED BY texts_reader; DROP ROLE texts_reader")


async def test_who_may_read_the_digests_may_read_the_records_that_come_later(empty: Case) -> None:
    await empty.up("1_tables")
    empty.do("DROP TABLE _healthd_text; DROP ROLE IF EXISTS texts_later; CREATE ROLE texts_later")
    empty.do("GRANT SELECT ON _healthd_migration TO texts_later")
    await empty.up("2_texts")

    assert [(True,)] == empty.do("SELECT has_table_privilege('texts_later', '_healthd_text', 'SELECT')")
    empty.do("DROP OWNED BY texts_later; DROP ROLE texts_later")


async def test_where_the_lock_file_is_of_the_same_major_nothing_is_recorded(
    project: Path, database: str, sql: Sql
) -> None:
    here = Case(database, project, sql)
    await here.up()

    assert [] == await here.problems()
    assert [(None,)] == sql(database, "SELECT to_regclass('_healthd_text')")


# ── baseline ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def adopted(case: Case, project: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str, str]]:
    """A database that was migrated by an older healthd, and what runs a verb on it."""
    case.do("DROP TABLE _healthd_text")
    monkeypatch.chdir(project)
    return lambda *words: healthd(*words, "--database", case.url)


def test_a_person_says_that_texts_are_right_after_both_sides_were_shown(
    case: Case, adopted: Callable[..., tuple[int, str, str]]
) -> None:
    code, text, _ = adopted("baseline")
    assert 3 == code
    assert "healthd baseline --record-texts" in text
    code, text, _ = adopted("baseline", "--record-texts", "--dry-run")
    assert 0 == code
    assert "view:app.one: definition" in text
    assert " ".join(case.of("app.one").split()) in text
    assert [(None,)] == case.do("SELECT to_regclass('_healthd_text')")

    assert 0 == adopted("baseline", "--record-texts")[0]
    assert [] == asyncio.run(case.problems())
    case.do(BY_HAND["view:app.two"][0])
    code, text, _ = adopted("baseline", "--record-texts", "--dry-run")
    assert ["view:app.two: definition"] == [line for line in text.splitlines() if line.startswith("view:")]
    assert "recorded before" in text
    assert [("schema_mismatch", Severity.CRITICAL)] == asyncio.run(case.problems())


def test_another_structure_is_not_trusted(case: Case, adopted: Callable[..., tuple[int, str, str]]) -> None:
    case.do("ALTER TABLE app.customers ALTER email TYPE varchar(300)")

    assert 2 == adopted("baseline", "--record-texts")[0]
    assert [(None,)] == case.do("SELECT to_regclass('_healthd_text')")


def test_without_a_ledger_the_version_must_be_said(case: Case, adopted: Callable[..., tuple[int, str, str]]) -> None:
    case.do(
        "DROP TABLE _healthd_progress, _healthd_migration, _healthd_file, _yoyo_migration, _yoyo_log, _yoyo_version"
    )
    code, _, said = adopted("baseline", "--record-texts")
    assert 3 == code
    assert "--to ID" in said

    assert 0 == adopted("baseline", "--record-texts", "--to", last_of(case, "3_renames"))[0]
    assert [] == asyncio.run(case.problems())


def test_diff_says_what_check_says(empty: Case, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asyncio.run(empty.up())
    monkeypatch.chdir(project)

    assert (0, "the same\n", "") == healthd("diff", "schema.lock", empty.url)
    assert (0, "the same\n", "") == healthd("diff", empty.url, "schema.lock")
    empty.do("CREATE OR REPLACE VIEW app.five AS SELECT id, word FROM app.orders WHERE id > 7")
    code, text, said = healthd("diff", "schema.lock", empty.url)
    assert (2, "") == (code, said)
    assert text.startswith("view:app.five: ")
