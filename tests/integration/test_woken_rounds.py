"""Rounds that DDL has woken: they read only what has changed, or everything if that is not certain to be enough.

That they report what a complete round reports is proven with the statements of ddl/, and with the stories.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any, LiteralString

import psycopg
import pytest
from conftest import Sql

from healthd.config.settings import Target
from healthd.database.snapshot import reading as door
from healthd.expected.store import Files
from healthd.model.findings import Finding
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.rounds.examination import examine_again, examined
from healthd.rounds.round import Round
from integration.test_ddl_watch import watched, watched_template  # noqa: F401 # fixtures

Next = Callable[..., Awaitable[Round]]
Run = Callable[[str], object]


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A list that grows with each reading of everything."""
    original, found = door.read, list[int]()

    async def read(*words: Any, **more: Any) -> Any:
        found.append(1)
        return await original(*words, **more)

    monkeypatch.setattr(door, "read", read)
    return found


@asynccontextmanager
async def kept(target: Target, known: Files) -> AsyncIterator[Next]:
    """Lend a function that makes the next round of a daemon; by default one that was woken."""
    last: Round | None = None

    async def following(*, woken: bool = True) -> Round:
        nonlocal last
        last = await examine_again(target, known, last, woken=woken)
        return last

    await following(woken=False)
    yield following
    if last is not None:
        await last.close()


@pytest.fixture
async def following(watched: str, known: Files) -> AsyncIterator[Next]:  # noqa: F811 # the fixture
    """A function that makes the next round on a watched database that has had a complete one."""
    async with kept(target_of(watched), known) as following:
        yield following


@pytest.fixture
def run(watched: str, sql: Sql) -> Run:  # noqa: F811 # the fixture
    """A function that runs a statement in that database."""
    return partial(sql, watched)


def target_of(url: str) -> Target:
    return Target("machines", url, interval_s=600.0, deadline_s=60.0)


def keys(found: Round) -> set[str]:
    """Return what is reported, without the watch itself, which is in no file of sql/."""
    return {str(one.key) for one in found.report.findings if "healthd" not in str(one.key)}


def without_script(findings: tuple[Finding, ...]) -> list[Finding]:
    return [replace(one, repair=()) for one in findings]


EXTRA = {"column:public.machines.extra"}
STEPS: tuple[tuple[LiteralString, set[str]], ...] = (
    ("ALTER TABLE machines ADD COLUMN extra integer", EXTRA),
    ("CREATE INDEX extra_index ON machines (extra)", {*EXTRA, "index:public.machines.extra_index"}),
    ("COMMENT ON COLUMN machines.extra IS 'x'", {*EXTRA, "index:public.machines.extra_index"}),
    ("DROP INDEX extra_index", EXTRA),
    ("ALTER TABLE machines DROP COLUMN extra", set()),
    ("ALTER TABLE machines ALTER notes SET NOT NULL", {"column:public.machines.notes"}),
    ("ALTER TABLE machines ALTER notes DROP NOT NULL", set()),
    ("ALTER TABLE machines DROP CONSTRAINT machines_pkey", {"constraint:public.machines.machines_pkey"}),
)


async def test_a_woken_round_reads_what_has_changed(
    following: Next,
    run: Run,
    watched: str,  # noqa: F811 # the fixture
    known: Files,
    readings: list[int],
) -> None:
    before = len(readings)
    for statement, expected in STEPS:
        run(statement)
        assert expected == keys(await following())
    assert before == len(readings)
    scripted = await following()

    complete = await examined(target_of(watched), known, bounded=True)
    assert complete.report.findings == scripted.report.findings
    assert [one.sql for one in complete.report.script] == [one.sql for one in scripted.report.script]
    assert [dict(one.objects) for one in complete.sides()] == [dict(one.objects) for one in scripted.sides()]


async def test_a_report_comes_first_and_its_script_in_the_next_round(following: Next, run: Run) -> None:
    run("ALTER TABLE machines ADD COLUMN extra integer")
    first, second = await following(), await following()

    assert () == first.report.script
    assert first.owed
    assert first.report.script_follows
    assert second.report.script
    assert second.owed is None
    assert not second.report.script_follows
    assert without_script(first.report.findings) == without_script(second.report.findings)


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE machines RENAME COLUMN notes TO remarks",
        "ALTER TYPE machinestatus ADD VALUE 'more'",
        "CREATE TABLE p (a integer) PARTITION BY LIST (a)",
        "DELETE FROM _yoyo_migration WHERE migration_id = '0010_machines_serial_number_index'",
        "CREATE SCHEMA another",
        "DO $$BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = 8192', current_database()); END$$",
    ],
)
async def test_what_may_change_anything_else_is_met_with_a_complete_reading(
    following: Next, run: Run, readings: list[int], statement: str
) -> None:
    before = len(readings)
    run(statement)
    found = await following()

    assert before < len(readings)
    assert found.owed is None


async def test_a_change_while_changes_are_read_is_met_with_a_complete_reading(
    following: Next, run: Run, readings: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(readings)
    run("ALTER TABLE machines ADD COLUMN extra integer")

    async def prepare(*_: object) -> tuple[()]:
        run("ALTER TABLE machines ADD COLUMN more integer")
        monkeypatch.undo()
        return ()

    monkeypatch.setattr("healthd.rounds.questions.prepare_statements", prepare)
    found = await following()

    assert before <= len(readings)
    assert {*EXTRA, "column:public.machines.more"} == keys(found)


async def test_a_table_that_is_locked_is_met_with_a_complete_reading(
    run: Run,
    watched: str,  # noqa: F811 # the fixture
    known: Files,
) -> None:
    run("CREATE VIEW v AS SELECT status FROM machines")
    async with kept(target_of(watched), known) as following:
        run("CREATE VIEW w AS SELECT status FROM machines")
        with psycopg.connect(watched) as somebody:
            somebody.execute("LOCK TABLE machines IN ACCESS EXCLUSIVE MODE")
            found = await following()

    assert Severity.UNKNOWN in found.report.checks.values()


async def test_a_role_of_the_server_that_changes_is_met_with_a_complete_reading(
    following: Next, run: Run, readings: list[int]
) -> None:
    before = len(readings)
    run("CREATE ROLE woken_role")
    run("ALTER TABLE machines ADD COLUMN extra integer")
    await following()
    run("DROP ROLE woken_role")

    assert before < len(readings)


async def test_a_round_at_its_interval_reads_everything_after_rounds_that_did_not(
    following: Next, run: Run, readings: list[int]
) -> None:
    run("ALTER TABLE machines ADD COLUMN extra integer")
    await following()
    await following()
    before = len(readings)
    complete = await following(woken=False)
    after = len(readings)
    await following(woken=False)

    assert before < after == len(readings)
    assert keys(complete) == EXTRA
    assert complete.contradicted == ()


async def test_what_rounds_that_read_changes_report_wrongly_is_noted(following: Next, run: Run) -> None:
    run("CREATE INDEX first_index ON machines (notes)")
    await following()
    found = await following()
    assert found.session is not None
    assert found.session.remembered is not None
    wrong = found.session.remembered
    deviations = {key: one for key, one in (wrong.reading.deviations or {}).items() if key.kind != "index"}
    object.__setattr__(wrong, "reading", replace(wrong.reading, deviations=deviations))
    run("COMMENT ON TABLE machines IS 'x'")
    assert set() == keys(await following())
    await following()  # makes the script
    complete = await following(woken=False)

    assert complete.contradicted == (str(Key("index", ("public", "machines", "first_index"))),)


async def test_rounds_that_are_not_woken_read_everything(following: Next, run: Run, readings: list[int]) -> None:
    before = len(readings)
    run("ALTER TABLE machines ADD COLUMN extra integer")
    found = await following(woken=False)

    assert before < len(readings)
    assert found.report.script


async def test_a_database_without_the_watch_is_not_remembered(url: str, known: Files) -> None:
    async with kept(target_of(url), known) as following:
        found = await following()

    assert found.session is not None
    assert found.session.remembered is None
