"""A drift of thousands of objects is one finding, is read once, and is bounded in all that is made of it."""

import asyncio
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import psycopg
import pytest
from conftest import MakeDatabase

from healthd.comparison import unexpected_parts
from healthd.config.settings import Target
from healthd.database.snapshot import reading, transaction
from healthd.database.snapshot.kind_reader import read_kinds
from healthd.expected.store import Files
from healthd.model.findings import Report
from healthd.model.severity import Severity
from healthd.postgres.embedded import Server
from healthd.report.board import Board
from healthd.report.exposition import Exposition
from healthd.rounds import folding
from healthd.rounds.examination import examine, examine_again, examined

conclusion: Any = import_module("healthd.rounds.conclusion")
TABLES = 40
FOLDED, SET_ASIDE = 20, 200  # so many findings are one, and the parts of so many objects are set aside
MANY_TABLES = f"""
DO $$ BEGIN FOR n IN 1..{TABLES} LOOP
    EXECUTE format('CREATE TABLE t_%s (id bigint PRIMARY KEY, a text, b integer DEFAULT 1 CHECK (b > 0))', n);
    EXECUTE format('CREATE INDEX ON t_%s (a); COMMENT ON TABLE t_%s IS $c$a copy$c$', n, n);
    EXECUTE format('GRANT SELECT ON t_%s TO PUBLIC', n);
END LOOP; END $$;
"""


@pytest.fixture(autouse=True)
def _few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "MANY", FOLDED)
    monkeypatch.setattr(unexpected_parts, "MANY", SET_ASIDE)


@pytest.fixture(scope="module")
def drifted(server: Server, shipped: str, _administrator: psycopg.Connection, sql: Any) -> str:
    """The name of a template database with sql/ and many tables more."""
    _administrator.execute("CREATE DATABASE drifted TEMPLATE shipped")
    sql(server.url("drifted"), MANY_TABLES)
    return "drifted"


@pytest.fixture
def url(drifted: str, make_database: MakeDatabase) -> str:
    return make_database(drifted)


def reported(report: Report) -> list[tuple[str, str, int]]:
    return [(one.problem, str(one.key), one.count) for one in report.findings]


async def test_one_finding_stands_for_all_and_the_metric_counts_them(url: str, known: Files) -> None:
    report = await examine(Target("app", url), known)
    board = Board()
    board.watch([("app", 30.0)])
    board.post(report)
    page, _ = Exposition(board, lambda: datetime.now(UTC)).text("")

    assert [("unexpected_object", 'table:public."t_*"', TABLES)] == reported(report)
    assert TABLES == len(report.findings[0].facts["objects"])
    sample = 'healthd_findings{check="objects",problem="unexpected_object",severity="warning",target="app"}'
    assert f"{sample} {TABLES}.0" in page.decode()


async def test_one_after_the_other_where_each_is_asked_for(url: str, known: Files) -> None:
    found = await examined(Target("app", url), known)

    assert TABLES == len(found.report.findings)
    assert {f"DROP TABLE public.t_{number};" for number in range(1, TABLES + 1)} <= {
        one.sql for one in found.report.script
    }


async def test_a_database_in_which_nothing_was_committed_is_read_once(
    url: str, known: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    readings = counted(monkeypatch)
    quiet = await examine_again(Target("app", url), known, None)
    once = len(readings)
    await quiet.close()

    assert [("unexpected_object", 'table:public."t_*"', TABLES)] == reported(quiet.report)
    # Another database of the server may have committed something: then it is read again, but never more often.
    assert once <= 4


async def test_what_is_gone_before_it_is_confirmed_is_not_reported(
    url: str, known: Files, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = conclusion.judge
    judged: list[object] = []

    def judge(*given: Any) -> Any:
        if not judged:
            judged.append(sql(url, "DROP TABLE t_1; CREATE VIEW extra AS SELECT 1 AS a"))
        return original(*given)

    monkeypatch.setattr(import_module("healthd.rounds.follow_up"), "judge", judge)
    report = await examine(Target("app", url), known)

    assert [("unexpected_object", 'table:public."t_*"', TABLES - 1)] == reported(report)


def counted(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """Return a list that grows by one with each reading of all objects."""
    readings: list[None] = []

    async def everything(*given: Any, **more: Any) -> Any:
        readings.append(None)
        return await read_kinds(*given, **more)

    monkeypatch.setattr(transaction, "read_kinds", everything)
    return readings


async def test_a_quiet_server_is_read_once_and_a_change_in_between_is_seen(
    url: str, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from healthd.database.connection import connect
    from healthd.database.snapshot.reader import Reader

    readings = counted(monkeypatch)
    async with connect(url) as connection:
        reader = Reader(connection, url, timeout_s=30)
        how: Any = {"digests": reading.digests_of({}), "texts": never}
        first = await reader.read(**how)
        while (again := await reader.read(**how, last=first)) is not first:  # another database committed something
            first = again
        before = len(readings)
        sql(url, "CREATE VIEW extra AS SELECT 1 AS a")
        changed = await reader.read(**how, last=first)

    assert len(readings) > before
    assert {"view:public.extra"} == {
        str(key) for key in changed.snapshot.objects.keys() - first.snapshot.objects.keys() if key.kind == "view"
    }


async def never() -> bool:
    return False


@pytest.mark.parametrize(
    "change",
    [
        "DROP TABLE machines CASCADE",
        "ALTER TABLE machines RENAME TO devices",
        "ALTER TABLE machines RENAME COLUMN serial_number TO serial",
        "CREATE SCHEMA other; ALTER TABLE machines SET SCHEMA other",
        "CREATE TABLE child () INHERITS (t_1); COMMENT ON COLUMN child.a IS 'inherited'",
        """CREATE TABLE whole (at date, n integer) PARTITION BY RANGE (at);
           CREATE TABLE part PARTITION OF whole FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
           CREATE INDEX ON whole (n); COMMENT ON COLUMN part.n IS 'of one'""",
        "CREATE SCHEMA copies; CREATE TABLE copies.machines (LIKE machines INCLUDING ALL)",
        "CREATE VIEW above AS SELECT * FROM t_1; GRANT SELECT ON above TO PUBLIC",
        "REVOKE ALL ON t_1 FROM PUBLIC; GRANT SELECT (a) ON t_2 TO PUBLIC",
    ],
)
async def test_the_findings_are_the_same_whether_parts_are_set_aside_or_not(
    url: str, known: Files, sql: Any, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql(url, change)
    whole = await examined(Target("app", url), known)
    aside: list[int] = []
    original = unexpected_parts.parts

    def parts(*given: Any) -> Any:
        found = original(*given)
        aside.append(len(found))
        return found

    monkeypatch.setattr(unexpected_parts, "MANY", 10**9)
    monkeypatch.setattr(import_module("healthd.rounds.evidence"), "parts", parts)
    without = await examined(Target("app", url), known)
    monkeypatch.setattr(unexpected_parts, "MANY", 10)
    less = await examined(Target("app", url), known)

    assert 0 == aside[0]
    assert without.report.findings == less.report.findings == whole.report.findings
    assert without.report.script == less.report.script
    assert without.report.unreported == less.report.unreported
    if "machines RENAME TO" not in change and "SET SCHEMA" not in change and "DROP TABLE" not in change:
        assert max(aside) > TABLES


async def test_thousands_have_no_script_in_a_round_and_one_on_request(
    url: str, known: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_module("healthd.rounds.repair_script"), "MOST", TABLES - 1)
    report = await examine(Target("app", url), known)
    found = await examined(Target("app", url), known)

    (note,) = report.script
    assert "" == note.sql
    assert note.notes[0].startswith(f"{TABLES:,} differences: healthd repair makes the script")
    assert TABLES - 1 == sum(one.sql.startswith("DROP TABLE") for one in found.report.script)
    assert Severity.WARNING == report.severity


async def test_a_round_after_a_large_drift_sees_its_end(url: str, known: Files, sql: Any) -> None:
    first = await examine_again(Target("app", url), known, None)
    sql(url, f"DO $$ BEGIN FOR n IN 1..{TABLES} LOOP EXECUTE format('DROP TABLE t_%s', n); END LOOP; END $$")
    after = await examine_again(Target("app", url), known, first)
    await after.close()
    await asyncio.sleep(0)

    assert TABLES == first.report.findings[0].count
    assert () == after.report.findings
