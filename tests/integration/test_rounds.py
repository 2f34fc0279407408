"""One round: what it cannot see is unknown, what passes is not told, what a migration does is maintenance."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from healthd.background import Later
from healthd.catalog import KINDS
from healthd.checks import CHECKS
from healthd.comparison.roles import for_comparison
from healthd.config.settings import Target
from healthd.database.connection import connect
from healthd.database.ledger import Ledger
from healthd.database.snapshot import reading as door
from healthd.database.snapshot.transaction import Reading
from healthd.expected.store import Files, expected_digests
from healthd.model.contracts import Contract
from healthd.model.findings import Verdict
from healthd.model.ledger import BOOKS, MIGRATION_LOCK, Applied, State
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.model.snapshots import Snapshot
from healthd.report.board import Board
from healthd.report.documents import document, text
from healthd.rounds.conclusion import conclude
from healthd.rounds.examination import examine
from healthd.rounds.observation import Observation
from healthd.rounds.round import Round
from healthd.rounds.timing import QUESTIONS

rounds: Any = import_module("healthd.rounds.examination")
LAST = "0010_machines_serial_number_index"
INDEX = "index:public.machines.machines_serial_number_customer_organization_id_idx"

# Checks that do not apply to a database without contracts and waivers.
UNCONFIGURED = {"contracts", "privileges", "endpoints", "waivers", "databases", "tenants"}


@pytest.fixture(autouse=True)
def _no_pause_before_confirming(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("healthd.rounds.complete_reading.AGAIN_S", 0.0)


DRIFT = """
    ALTER TABLE machines DROP COLUMN notes;
    CREATE TABLE surprise (id bigint PRIMARY KEY);
    GRANT SELECT ON machines TO PUBLIC
"""


async def test_a_round_has_the_sides_of_its_script(url: str, known: Files, sql: Any) -> None:
    """They are what a second reading of the entire database would return."""
    sql(url, DRIFT)
    async with connect(url) as connection:
        reading = await door.read(connection)
    found = await rounds.examined(Target("machines", url), known)

    expected, actual = found.sides()

    assert found.report.script
    assert dict(for_comparison(reading.snapshot, reading.ledger.owner).objects) == dict(actual.objects)
    assert dict(known.lock.expected().objects) == dict(expected.objects)
    assert actual.omitted == frozenset()


async def test_a_round_without_a_script_keeps_no_reading(url: str, known: Files) -> None:
    assert (await rounds.examined(Target("machines", url), known)).reading is None


async def test_the_script_of_a_round_says_how_large_the_tables_are(url: str, known: Files, sql: Any) -> None:
    sql(
        url,
        """INSERT INTO machines (customer_organization_id, model_type, name, serial_number)
           VALUES (gen_random_uuid(), 'press', 'one', '4711');
           ALTER TABLE machines ALTER name DROP NOT NULL""",
    )

    (finding,) = (await examine(Target("machines", url), known)).findings

    _, validation, *_ = finding.repair
    assert re.match(
        r"-- SHARE UPDATE EXCLUSIVE on machines \(\d+ kB, rows not counted\), reads the entire table\n"
        r"ALTER TABLE public\.machines VALIDATE CONSTRAINT name_is_not_null;\Z",
        validation,
    )


@pytest.mark.parametrize(("asked_s", "held"), [(60.0, {""}), (-1.0, {"drop it only if nobody needs its rows"})])
async def test_the_rows_of_all_tables_are_asked_for_while_there_is_time(
    url: str, known: Files, sql: Any, monkeypatch: pytest.MonkeyPatch, asked_s: float, held: set[str]
) -> None:
    monkeypatch.setattr("healthd.database.finding_details.ASKED_S", asked_s)
    sql(url, ";".join(f"CREATE TABLE empty_{number} (id integer)" for number in range(50)))

    drops = [one for one in (await examine(Target("machines", url), known)).script if one.sql.startswith("DROP")]

    assert 50 == len(drops)
    assert held == {one.held for one in drops}


async def test_what_is_a_part_of_an_extension_is_not_gone(url: str, known: Files, sql: Any) -> None:
    names = ("TYPE public.machinestatus", "TABLE public.machines", "ROUTINE public.machines_set_updated_at()")
    for one in names:
        sql(url, f"ALTER EXTENSION plpgsql ADD {one}")
    steps = [f"ALTER EXTENSION plpgsql DROP {one};" for one in names]

    report = await examine(Target("machines", url), known)

    assert steps == [step for one in report.findings for step in one.repair]
    assert all(f"part of an extension: {step}" in one.message for step, one in zip(steps, report.findings, strict=True))
    assert all(one.held for one in report.script if one.sql)
    assert {f"it is there, as a part of an extension: {step}" for step in steps} <= {one.held for one in report.script}
    for step in steps:
        sql(url, step)
    assert () == (await examine(Target("machines", url), known)).findings


async def test_a_role_that_cannot_run_the_script_is_told_who_can(url: str, known: Files, sql: Any) -> None:
    for role, words in (("script_owner", ""), ("script_reader", "LOGIN")):
        if not sql(url, f"SELECT 1 FROM pg_roles WHERE rolname = '{role}'"):
            sql(url, f"CREATE ROLE {role} {words}; GRANT pg_read_all_data TO {role}")
    sql(url, "ALTER TABLE machines OWNER TO script_owner; ALTER TABLE machines ALTER name DROP NOT NULL")
    reader = psycopg.conninfo.make_conninfo(url, user="script_reader")

    notes = (await examine(Target("machines", reader), known)).script_notes

    owner, receiver = notes
    assert (
        "healthd's role script_reader does not own one of the objects (GRANT script_owner TO script_reader;)" in owner
    )
    assert owner.startswith("Run it as script_owner: ")
    assert "Healthd's role script_reader may not give objects to postgres: only a member of that role may" == receiver
    sql(url, "ALTER TABLE machines OWNER TO postgres; GRANT postgres TO script_reader")
    assert () == (await examine(Target("machines", reader), known)).script_notes
    sql(url, "REVOKE postgres FROM script_reader")
    assert () == (await examine(Target("machines", url), known)).script_notes


def reported(report: Verdict) -> list[tuple[str, str]]:
    return [(one.problem, str(one.key)) for one in report.findings]


async def test_a_round_on_a_migrated_database_finds_nothing(url: str, known: Files) -> None:
    before = datetime.now(UTC)
    report = await examine(Target("machines", url), known)

    assert () == report.findings
    assert {"connection", *CHECKS} - UNCONFIGURED == report.checks.keys()
    assert {Severity.OK} == set(report.checks.values())
    assert (None, None, "machines") == (report.failure, report.maintenance, report.target)
    assert before <= report.started_at <= datetime.now(UTC)
    assert 0 < report.duration_s < 10
    assert {State.APPLIED} == {one.state for one in report.migrations}
    assert 10 == len(report.migrations)
    assert report.server_version


async def test_a_report_names_the_database_and_the_lock_file_even_if_it_could_not_look(url: str, known: Files) -> None:
    name = url.split("/")[3].split("?")[0]

    seen = await examine(Target("app", url), known)
    blind = await examine(Target("app", "postgresql://watch:secret@127.0.0.1:1/app"), known)

    assert seen.database.startswith(f"{name} at ")
    assert "app at 127.0.0.1:1" == blind.database
    assert known.lock.migrations[-1].chain == seen.lock_digest == blind.lock_digest
    assert 64 == len(seen.lock_digest)


async def test_the_database_that_a_replay_builds_is_the_one_that_a_migration_builds(url: str, known: Files) -> None:
    async with connect(url) as connection:
        reading = await door.read(connection)

    built = for_comparison(reading.snapshot, reading.ledger.owner)
    assert dict(built.objects) == dict(known.lock.expected().objects)


@pytest.mark.parametrize(
    ("dsn", "failure"),
    [
        ("postgresql://u:Tr0ub4dor@127.0.0.1:1/d", "unreachable"),
        ("host=/nowhere user=u dbname=d", "unreachable"),
        ("host=127.0.0.1 nonsense=x password=Tr0ub4dor", "error"),
        ("nonsense", "error"),
    ],
)
async def test_what_cannot_be_reached_is_unknown(known: Files, dsn: str, failure: str) -> None:
    report = await examine(Target("machines", dsn), known)

    assert [("database_unreachable", "database:machines")] == reported(report)
    assert Severity.UNKNOWN == report.severity
    assert {Severity.UNKNOWN} == set(report.checks.values())
    assert {"connection", *CHECKS} - UNCONFIGURED == report.checks.keys()
    assert failure == report.failure
    assert "Tr0ub4dor" not in str(report)
    assert report.findings[0].message


@pytest.mark.parametrize(
    ("trouble", "named"),
    [
        ("LOCK TABLE public._yoyo_migration IN ACCESS EXCLUSIVE MODE", "lock timeout"),
        ("ALTER TABLE public._yoyo_migration DROP COLUMN migration_id", "has no column migration_id"),
        ("CREATE SCHEMA other; CREATE TABLE other._yoyo_migration AS TABLE public._yoyo_migration", "several ledgers"),
    ],
)
async def test_a_database_that_answers_and_cannot_be_read_is_not_said_to_be_gone(
    url: str, known: Files, trouble: str, named: str
) -> None:
    with psycopg.connect(url) as holder:
        holder.execute(trouble)
        if not trouble.startswith("LOCK"):
            holder.commit()
        report = await examine(Target("machines", url), known)

    assert [("round_failed", "database:machines")] == reported(report)
    assert named in report.findings[0].message
    assert "error" == report.failure
    assert {Severity.UNKNOWN} == set(report.checks.values())


async def test_a_round_ends_at_its_deadline(known: Files) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        dsn = f"host=127.0.0.1 port={port} user=u dbname=d sslmode=disable gssencmode=disable"
        report = await examine(Target("machines", dsn, deadline_s=0.2), known)

    assert "timeout" == report.failure
    assert [("database_unreachable", "database:machines")] == reported(report)
    assert "no answer within 0.2 s" in report.findings[0].message
    assert report.duration_s < 2


async def test_a_round_that_takes_too_long_leaves_no_session_behind(
    url: str, known: Files, monkeypatch: pytest.MonkeyPatch, sql: Any
) -> None:
    async def slow(connection: Any, **_: Any) -> Any:
        await connection.execute("SELECT pg_sleep(30)")

    monkeypatch.setattr(door, "read", slow)
    report = await examine(Target("machines", url, deadline_s=0.3), known)
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE %s"
    left = 1
    for _ in range(100):
        await asyncio.sleep(0.02)
        ((left,),) = sql(url, query, "SELECT pg_sleep(30)%")
        if not left:
            break

    assert "timeout" == report.failure
    assert 0 == left


async def test_books_that_may_not_be_read_are_denied_with_a_grant(url: str, known: Files, sql: Any) -> None:
    if not sql(url, "SELECT 1 FROM pg_roles WHERE rolname = 'round_reader'"):
        sql(url, "CREATE ROLE round_reader LOGIN")
    target = Target("machines", psycopg.conninfo.make_conninfo(url, user="round_reader"))

    denied = await examine(target, known)
    (finding,) = denied.findings
    sql(url, finding.repair[0])

    assert [("permission_denied", "database:machines")] == reported(denied)
    assert "denied" == denied.failure
    assert Severity.UNKNOWN == finding.severity
    assert finding.facts["grant"] == finding.repair[0]
    assert () == (await examine(target, known)).findings


def around_readings(monkeypatch: pytest.MonkeyPatch, *acts: Callable[[], object]) -> list[int]:
    """Let something happen after each reading, in turn; return a list that grows with each."""
    original = door.read
    readings: list[int] = []

    async def read(connection: Any, **options: Any) -> Any:
        reading = await original(connection, **options)
        if len(readings) < len(acts):
            acts[len(readings)]()
        readings.append(1)
        return reading

    monkeypatch.setattr(door, "read", read)
    return readings


async def test_what_is_gone_at_the_second_look_is_not_told(
    url: str, known: Files, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql(url, "ALTER TABLE machines ALTER COLUMN notes SET NOT NULL")
    readings = around_readings(monkeypatch, lambda: sql(url, "ALTER TABLE machines ALTER COLUMN notes DROP NOT NULL"))

    report = await examine(Target("machines", url), known)

    assert [] == reported(report)
    assert {Severity.OK} == set(report.checks.values())
    assert 2 == len(readings)


async def test_what_comes_between_two_looks_waits_for_the_next_round(
    url: str, known: Files, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql(url, "ALTER TABLE machines ALTER COLUMN notes SET NOT NULL")
    around_readings(monkeypatch, lambda: sql(url, "ALTER TABLE machines DROP CONSTRAINT machines_pkey"))

    first = await examine(Target("machines", url), known)
    second = await examine(Target("machines", url), known)

    assert ["column:public.machines.notes"] == [key for _, key in reported(first)]
    assert Severity.OK == first.checks["objects"]
    assert Severity.CRITICAL == first.checks["columns"]
    assert {"column:public.machines.notes", "constraint:public.machines.machines_pkey"} == {
        key for _, key in reported(second)
    }


@pytest.mark.parametrize(("between", "pauses"), [("SELECT 1", 0), ("SELECT txid_current()", 1)])
async def test_a_mismatch_is_confirmed_without_a_pause_if_nothing_was_committed(
    url: str, known: Files, sql: Any, monkeypatch: pytest.MonkeyPatch, between: str, pauses: int
) -> None:
    again_s, sleep, slept = 0.00125, asyncio.sleep, list[float]()

    async def sleeping(delay_s: float, *more: Any) -> Any:
        slept.append(delay_s)
        return await sleep(delay_s, *more)

    monkeypatch.setattr("healthd.rounds.complete_reading.AGAIN_S", again_s)
    monkeypatch.setattr(asyncio, "sleep", sleeping)
    sql(url, "ALTER TABLE machines ALTER COLUMN notes SET NOT NULL")
    around_readings(monkeypatch, lambda: sql(url, between))
    report = await examine(Target("machines", url), known)

    assert ["column:public.machines.notes"] == [key for _, key in reported(report)]
    assert pauses == slept.count(again_s)


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A list that grows with each reading of everything."""
    return around_readings(monkeypatch)


@asynccontextmanager
async def watching(url: str, known: Files) -> AsyncIterator[Callable[[], Awaitable[Round]]]:
    """Lend a function that makes the next round of a daemon."""
    last: Round | None = None
    board = Board()
    board.watch([("machines", 10.0)])

    async def following() -> Round:
        nonlocal last
        adopted = board.entries["machines"].adopted
        last = await rounds.examine_again(Target("machines", url), known, last, adopted=adopted)
        board.post(last.report)
        return last

    yield following
    if last is not None:
        await last.close()


async def test_a_database_where_nothing_is_committed_is_read_once(url: str, known: Files, readings: list[int]) -> None:
    async with watching(url, known) as following:
        reports = [(await following()).report for _ in range(4)]

    assert 1 == len(readings)
    assert {()} == {report.findings for report in reports}
    assert 4 == len({report.started_at for report in reports})


WORK = "INSERT INTO machines (customer_organization_id, model_type, name, serial_number) VALUES (%s, 'x', 'x', %s)"


async def test_other_work_is_met_with_a_question_and_no_reading(
    url: str, known: Files, readings: list[int], sql: Any
) -> None:
    async with watching(url, known) as following:
        await following()
        sql(url, "SELECT txid_current()")
        await following()  # only now it is known that this server is busy: the sums are taken
        before = len(readings)
        for number in range(3):
            sql(url, WORK, uuid4(), str(number))
            sql(url, "ANALYZE machines")
            sql(url, "VACUUM machines")
            assert () == (await following()).report.findings

    assert 2 == before == len(readings)


async def test_a_change_is_met_with_a_reading_at_once(url: str, known: Files, sql: Any) -> None:
    async with watching(url, known) as following:
        in_turn = [reported((await following()).report)]
        for change in ("SET NOT NULL", "DROP NOT NULL", "SET NOT NULL"):
            sql(url, f"ALTER TABLE machines ALTER COLUMN notes {change}")
            in_turn.append(reported((await following()).report))

    wrong = [("schema_mismatch", "column:public.machines.notes")]
    assert [[], wrong, [], wrong] == in_turn


async def test_a_connection_that_was_cut_between_rounds_is_made_again_and_nobody_hears_of_it(
    url: str, known: Files, sql: Any
) -> None:
    async with watching(url, known) as following:
        first = await following()
        assert first.session
        sql(url, "SELECT pg_terminate_backend(%s)", first.session.connection.info.backend_pid)
        second = await following()

    assert () == second.report.findings
    assert second.session
    assert second.session.connection is not first.session.connection
    assert first.session.connection.closed


async def test_settings_of_new_sessions_are_tried_in_a_new_session(url: str, known: Files, sql: Any) -> None:
    async with watching(url, known) as following:
        before = (await following()).report
        sql(url, "DO $$BEGIN EXECUTE format('ALTER DATABASE %I SET DateStyle = German', current_database()); END$$")
        after = (await following()).report

    assert () == before.findings
    assert {"serialization_failed"} == {finding.problem for finding in after.findings}


async def test_a_round_that_could_not_see_everything_is_no_ground_for_a_quiet_one(
    url: str, known: Files, readings: list[int], sql: Any
) -> None:
    sql(url, "CREATE VIEW v AS SELECT status FROM machines")
    with psycopg.connect(url) as somebody:
        somebody.execute("LOCK TABLE machines IN ACCESS EXCLUSIVE MODE")
        async with watching(url, known) as following:
            blind = await following()
            before = len(readings)
            await following()

    assert Severity.UNKNOWN in blind.report.checks.values()
    assert blind.session
    assert blind.session.mark is None
    assert before < len(readings)


async def test_of_a_database_as_it_should_be_only_the_labels_are_read(url: str, known: Files) -> None:
    async with connect(url) as connection:
        digests = expected_digests(Later.made(known), connection.info.server_version)
        reading = await door.read(connection, digests=digests)

    assert {"enum"} == {key.kind for key in reading.snapshot.objects}
    assert KINDS.keys() - {"enum"} == reading.snapshot.omitted


def forget_last(url: str, sql: Any) -> None:
    """Take the last migration out of the books, as if it were under way: its index is there."""
    sql(url, "DELETE FROM _yoyo_migration WHERE migration_id = %s", LAST)


async def test_what_a_running_migration_makes_is_held_back_and_the_rest_is_told(
    url: str, known: Files, sql: Any
) -> None:
    forget_last(url, sql)
    sql(url, "ALTER TABLE machines ALTER COLUMN notes SET NOT NULL; CREATE TABLE scratch ()")
    pending = ("migration_pending", f'migration:"{LAST}"')
    notes = ("schema_mismatch", "column:public.machines.notes")
    scratch = ("unexpected_object", "table:public.scratch")

    idle = await examine(Target("machines", url), known)
    with psycopg.connect(url, autocommit=True) as runner:
        runner.execute("SELECT pg_advisory_lock(%s, %s)", MIGRATION_LOCK)
        busy = await examine(Target("machines", url), known)

    assert {pending, notes, scratch, ("unexpected_object", INDEX)} == set(reported(idle))
    assert {pending, notes, scratch} == set(reported(busy))
    assert idle.maintenance is None
    assert busy.maintenance
    assert "is running migrations" in busy.maintenance


async def test_a_table_that_a_migration_holds_is_maintenance_and_not_trouble(url: str, known: Files, sql: Any) -> None:
    sql(url, "CREATE VIEW v AS SELECT status FROM machines")
    with psycopg.connect(url) as runner:
        runner.execute("SELECT pg_advisory_lock(%s, %s)", MIGRATION_LOCK)
        runner.execute("LOCK TABLE machines IN ACCESS EXCLUSIVE MODE")
        report = await examine(Target("machines", url), known)

    assert report.maintenance
    assert report.failure is None
    assert Severity.UNKNOWN > report.severity


async def test_a_table_that_somebody_else_holds_leaves_a_part_unknown(url: str, known: Files, sql: Any) -> None:
    sql(url, "CREATE VIEW v AS SELECT status FROM machines")
    with psycopg.connect(url) as somebody:
        somebody.execute("LOCK TABLE machines IN ACCESS EXCLUSIVE MODE")
        report = await examine(Target("machines", url), known)

    assert {"cannot_compare"} == {one.problem for one in report.findings}
    assert [("cannot_compare", "table:public.machines")] == reported(report)
    assert "view:public.v" in report.findings[0].facts["objects"]
    assert Severity.UNKNOWN == report.severity
    assert report.failure is None


def reading(known: Files, applied: list[str], **changes: Any) -> Reading:
    """Return what a reading of a database with these migrations applied looks like."""
    digests = dict(known.migrations)
    instant = datetime(2026, 1, 2, tzinfo=UTC)
    rows = tuple(Applied(one, instant, digests.get(one), None) for one in applied)
    snapshot = Snapshot(known.lock.server_version, known.lock.expected(applied).objects)
    return replace(Reading(snapshot, Ledger(rows, ("public",))), **changes)


def ids(known: Files) -> list[str]:
    return [one for one, _ in known.migrations]


def test_any_number_of_applied_migrations_is_compared_with_what_they_make(known: Files) -> None:
    for count in range(len(known.migrations) + 1):
        applied = ids(known)[:count]
        report = conclude(Target("t", ""), known, Observation(reading(known, applied)))

        assert {("migration_pending", str(Key("migration", (one,)))) for one in ids(known)[count:]} == set(
            reported(report)
        )


def test_a_migration_that_the_lock_file_does_not_know_leaves_the_expected_state_unknown(known: Files) -> None:
    newer = Files(known.lock, (*known.migrations, ("0011_new", "sha256:0")))
    report = conclude(Target("t", ""), newer, Observation(reading(newer, [*ids(known), "0011_new"])))

    assert [("lock_outdated", 'migration:"0011_new"')] == reported(report)
    assert Severity.UNKNOWN == report.severity


def test_a_database_with_an_unlocked_migration_is_unknown_whatever_it_looks_like(known: Files) -> None:
    newer = Files(known.lock, (*known.migrations, ("0011_new", "sha256:0")))
    seen = reading(newer, [*ids(known), "0011_new"])
    objects = {key: record for key, record in seen.snapshot.objects.items() if str(key) != INDEX}
    report = conclude(
        Target("t", ""), newer, Observation(replace(seen, snapshot=replace(seen.snapshot, objects=objects)))
    )

    assert Severity.UNKNOWN == report.severity
    assert ("lock_outdated", 'migration:"0011_new"') in reported(report)


def test_texts_of_another_major_version_are_neither_drift_nor_clean(known: Files) -> None:
    key = Key("column", ("public", "machines", "created_at"))
    seen = reading(known, ids(known))
    objects = dict(seen.snapshot.objects)
    objects[key] = replace(objects[key], default="CURRENT_TIMESTAMP")
    older = replace(seen, snapshot=Snapshot(known.lock.server_version - 10000, objects))
    same = replace(seen, snapshot=Snapshot(known.lock.server_version + 4, objects))

    assert [("cannot_compare", "database:t")] == reported(conclude(Target("t", ""), known, Observation(older)))
    assert [("schema_mismatch", str(key))] == reported(conclude(Target("t", ""), known, Observation(same)))


def test_what_no_major_version_prints_in_its_own_way_is_compared_across_them(known: Files) -> None:
    key = Key("column", ("public", "machines", "notes"))
    seen = reading(known, ids(known))
    objects = dict(seen.snapshot.objects)
    objects[key] = replace(objects[key], not_null=True)
    older = replace(seen, snapshot=Snapshot(known.lock.server_version - 10000, objects))

    assert [("schema_mismatch", str(key))] == reported(conclude(Target("t", ""), known, Observation(older)))


def test_the_worst_is_told_first_and_what_others_need_before_them(known: Files) -> None:
    seen = reading(known, ids(known))
    lost = ("enum:public.machinestatus", "column:public.machines.notes", INDEX)
    objects = {key: one for key, one in seen.snapshot.objects.items() if str(key) not in lost}
    objects[Key("view", ("public", "extra"))] = import_module("healthd.catalog.views").View(False, "SELECT 1;", ())
    report = conclude(
        Target("t", ""), known, Observation(replace(seen, snapshot=replace(seen.snapshot, objects=objects)))
    )

    assert [
        ("enum_mismatch", "enum:public.machinestatus"),
        ("schema_mismatch", "column:public.machines.notes"),
        ("schema_mismatch", INDEX),
        ("unexpected_object", "view:public.extra"),
    ] == reported(report)
    assert [Severity.CRITICAL, Severity.CRITICAL, Severity.WARNING, Severity.WARNING] == [
        one.severity for one in report.findings
    ]


async def test_each_question_of_a_round_is_timed_and_a_quiet_round_asks_one(url: str, known: Files) -> None:
    async with watching(url, known) as next_round:
        first, quiet = (await next_round()).report, (await next_round()).report

    assert ["connect", "look", "read", "values", "vitals", "access", "statements"] == [
        word for word, _ in first.questions
    ]
    asked = {word for word, _ in first.questions}
    assert set(QUESTIONS) - {"rows", "running"} == asked  # rows only where configured, a migration only if one runs
    assert ["look"] == [word for word, _ in quiet.questions]
    assert 0 < sum(seconds for _, seconds in first.questions) <= first.duration_s


async def test_a_question_that_gets_no_answer_is_timed_all_the_same(known: Files) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        dsn = f"host=127.0.0.1 port={silent.getsockname()[1]} user=u dbname=d sslmode=disable gssencmode=disable"
        report = await examine(Target("app", dsn, deadline_s=0.3), known)

    ((word, seconds),) = report.questions
    assert "connect" == word
    assert seconds >= 0.3


# Types of which an application may make implicit casts to text: `text || integer` is ambiguous where there is one.
CAST = (
    "smallint integer bigint oid real float8 numeric timestamptz timestamp date interval uuid jsonb bytea "
    "xid regclass regproc regprocedure regoper regoperator regtype regnamespace regrole"
).split()


async def test_casts_that_an_application_makes_are_in_the_way_of_no_question(url: str, known: Files, sql: Any) -> None:
    for type_ in CAST:
        sql(url, f"CREATE CAST ({type_} AS text) WITH INOUT AS IMPLICIT")
    async with watching(url, known) as next_round:
        first, quiet = (await next_round()).report, (await next_round()).report
    alone = await examine(Target("machines", url), known)

    for report in (first, quiet, alone):
        assert Severity.UNKNOWN not in report.checks.values()
        assert len(CAST) == len(reported(report))
        assert {"unexpected_object"} == {problem for problem, _ in reported(report)}


def without_ledger(url: str, sql: Any) -> None:
    for table in BOOKS:
        sql(url, f"DROP TABLE IF EXISTS {table} CASCADE")


async def test_a_database_with_objects_and_no_ledger_is_not_adopted_and_nothing_else_is_said(
    url: str, known: Files, sql: Any
) -> None:
    without_ledger(url, sql)
    sql(url, "GRANT UPDATE ON machines TO PUBLIC")
    report = await examine(Target("machines", url), known)

    assert [("not_adopted", "database:machines")] == reported(report)
    assert Severity.WARNING is report.severity
    assert () == report.findings[0].repair
    assert "healthd baseline" in report.findings[0].message
    assert {"connection": Severity.OK, "migrations": Severity.WARNING} == report.checks
    assert ((), ()) == (report.migrations, report.notes)
    assert document(report)["adopted"] is False
    assert "REVOKE" not in text(report)


async def test_an_empty_database_is_pending(database: str, known: Files, sql: Any) -> None:
    sql(database, "CREATE SCHEMA provided")
    report = await examine(Target("machines", database), known)

    assert None is report.not_adopted
    assert {"migration_pending", "unexpected_object"} == {one.problem for one in report.findings}
    assert document(report)["adopted"] is True


async def test_a_ledger_that_is_lost_between_rounds_is_no_database_that_waits_to_be_adopted(
    url: str, known: Files, sql: Any
) -> None:
    async with watching(url, known) as following:
        await following()
        without_ledger(url, sql)
        in_turn = [(await following()).report for _ in range(3)]

    assert [[("round_failed", "database:machines")]] * 3 == [reported(report) for report in in_turn]
    assert ["error"] * 3 == [report.failure for report in in_turn]


async def test_a_database_that_is_emptied_between_rounds_is_not_one_with_pending_migrations(
    url: str, known: Files, sql: Any
) -> None:
    async with watching(url, known) as following:
        await following()
        sql(url, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        emptied = (await following()).report

    assert [("round_failed", "database:machines")] == reported(emptied)


async def test_another_database_of_the_same_target_may_be_one_that_waits_to_be_adopted(
    url: str, known: Files, sql: Any
) -> None:
    without_ledger(url, sql)
    target = Target("machines", url)
    found = {}
    for adopted in ("machines at elsewhere", "", (await examine(target, known)).database):
        last = await rounds.examine_again(target, known, None, adopted=adopted)
        await last.close()
        found[adopted] = [problem for problem, _ in reported(last.report)]

    assert [["not_adopted"], ["not_adopted"], ["round_failed"]] == list(found.values())


async def test_a_check_for_which_nothing_is_configured_has_no_verdict(url: str, known: Files) -> None:
    contract = Contract("app", tables={"public.machines": {}})
    report = await examine(Target("machines", url, contracts=(contract,)), known)

    assert {"connection", *CHECKS} - UNCONFIGURED | {"contracts"} == report.checks.keys()
