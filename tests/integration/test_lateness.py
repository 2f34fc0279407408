"""When time runs out: what was read is judged and kept, the rest is unknown, and the next round gets more time."""

from importlib import import_module
from time import monotonic
from typing import Any

import pytest

from healthd.config.settings import Target
from healthd.database.snapshot import budget, kind_reader, reader, reading
from healthd.expected.store import Files
from healthd.model.findings import Report
from healthd.model.severity import Severity
from healthd.rounds.examination import examine_again

SLOW = "function"  # the kind that takes long; tables are read before it, views after it


@pytest.fixture
def url(url: str, sql: Any) -> str:
    sql(url, "CREATE TABLE extra (); CREATE VIEW above AS SELECT 1 AS a")
    sql(url, "CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'")
    return url


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Have one kind take 16 seconds by the clock of the budget, and return the seconds by which that clock is ahead."""
    original, ahead_s = kind_reader._objects, [0.0]

    async def objects(connection: Any, kind: Any, *rest: Any) -> Any:
        if kind.name == SLOW:
            ahead_s[0] = 16.0
        return await original(connection, kind, *rest)

    async def nothing(*_: object) -> bool:
        return True

    monkeypatch.setattr(kind_reader, "_objects", objects)
    monkeypatch.setattr(reading, "nothing_committed", nothing)  # that another database is used does not matter here
    monkeypatch.setattr(budget, "monotonic", lambda: monotonic() + ahead_s[0])
    return ahead_s


def reported(report: Report) -> list[tuple[str, str, Severity]]:
    return [(one.problem, str(one.key), one.severity) for one in report.findings]


TABLE = ("unexpected_object", "table:public.extra", Severity.WARNING)
FUNCTION = ("unexpected_object", "function:public.f()", Severity.WARNING)
VIEW = ("unexpected_object", "view:public.above", Severity.WARNING)


async def test_what_was_read_is_judged_and_the_next_round_reads_the_rest(
    url: str, known: Files, slow: list[float]
) -> None:
    target = Target("app", url, deadline_s=20)
    first = await examine_again(target, known, None)
    slow[0] = 0.0
    second = await examine_again(target, known, first)
    await second.close()
    late = first.report.findings[0]

    assert [("round_incomplete", "database:app", Severity.UNKNOWN), TABLE, FUNCTION] == reported(first.report)
    assert late.message.startswith("reading took longer than deadline_s = 20: ")
    assert "view" in late.facts["unread"]
    assert "table" not in late.facts["unread"]
    assert {"connection", "objects"} <= {
        name for name, severity in first.report.checks.items() if severity is Severity.UNKNOWN
    }
    assert first.report.failure is None
    assert 2 == first.stretch
    assert [TABLE, FUNCTION, VIEW] == reported(second.report)


async def test_a_round_begins_with_what_the_last_one_had_no_time_for(
    url: str, known: Files, slow: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def yes(*_: object) -> bool:
        return True

    monkeypatch.setattr(reader, "unchanged", yes)  # otherwise it is read a second time, which takes longer still
    target = Target("app", url, deadline_s=20, deadline_max_s=20)
    first = await examine_again(target, known, None)
    slow[0] = 0.0
    second = await examine_again(target, known, first)
    await second.close()

    assert ("view" in first.late, "table" in first.late, second.late) == (True, False, ())
    assert [TABLE, FUNCTION, VIEW] == reported(second.report)


async def test_beyond_the_longest_time_there_is_a_finding_of_its_own(url: str, known: Files, slow: list[float]) -> None:
    found = await examine_again(Target("app", url, deadline_s=20, deadline_max_s=20), known, None)
    await found.close()

    exceeded = ("deadline_exceeded", "database:app", Severity.WARNING)
    assert [("round_incomplete", "database:app", Severity.UNKNOWN), exceeded, TABLE, FUNCTION] == reported(found.report)
    assert "deadline_max_s = 20" in found.report.findings[1].message
    assert 1 == found.stretch


async def test_a_kind_that_cannot_be_read_the_second_time_is_not_clean(
    url: str, known: Files, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Something is locked between the reading and the one that confirms it."""
    import psycopg

    closer: Any = import_module("healthd.rounds.follow_up")
    original = closer.judge
    judged: list[object] = []
    with psycopg.connect(url) as other:

        def judge(*given: Any) -> Any:
            if not judged:
                judged.append(sql(url, "CREATE TABLE late ()"))
                other.execute("LOCK TABLE machines IN ACCESS EXCLUSIVE MODE")
            return original(*given)

        monkeypatch.setattr(closer, "judge", judge)
        found = await examine_again(Target("app", url, deadline_s=60), known, None)
        await found.close()

    assert ("cannot_compare", "table:public.machines", Severity.UNKNOWN) in reported(found.report)
    assert Severity.UNKNOWN == found.report.checks["objects"]
