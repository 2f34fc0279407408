"""The timeline of a target has what its rounds saw, and no more than that."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from healthd.model.findings import Finding, Report, Waived, finding_id, identity
from healthd.model.ledger import MigrationState, State
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.model.waivers import Waiver
from healthd.report import timeline
from healthd.report.board import Board
from healthd.report.timeline import Event
from unit.report.test_board import EXTRA, GONE, LOST, START, board, report

AT = START + timedelta(days=1)


def at(seconds: float) -> datetime:
    """Return when a round ended that began so many seconds after the first one."""
    return START + timedelta(seconds=seconds + 0.5)


def applied(*names: str, day: int = 0, state: State = State.APPLIED) -> tuple[MigrationState, ...]:
    return tuple(MigrationState(name, state, START - timedelta(days=9) + timedelta(days=day)) for name in names)


def with_ledger(*migrations: MigrationState, at_s: float = 0.0, database: str = "app at eu") -> Report:
    return replace(report(at_s=at_s), migrations=migrations, database=database)


def kinds(watched: Board) -> list[tuple[str, str]]:
    return [(event.kind, event.name) for event in watched.entries["app"].timeline]


def migrations_of(*reports: Report) -> list[tuple[str, str]]:
    """Return what the timeline has of the migrations after these rounds."""
    watched = board()
    for one in reports:
        watched.post(one)
    return [(kind, name) for kind, name in kinds(watched) if kind in (timeline.APPLIED, timeline.ROLLED_BACK)]


def test_a_finding_appears_and_is_resolved_with_how_long_it_was_reported() -> None:
    watched = board()
    watched.post(report())
    watched.post(report(LOST, at_s=10))
    watched.post(report(LOST, at_s=20))
    watched.post(report(at_s=30))
    name = str(LOST.key)

    assert [
        Event(at(0), "state", severity="ok"),
        Event(at(10), "appeared", name, None, "schema_mismatch", "critical", None, finding_id(identity(LOST))),
        Event(at(10), "state", "ok", severity="critical", since=at(0)),
        Event(at(30), "resolved", name, None, "schema_mismatch", "critical", at(10), finding_id(identity(LOST))),
        Event(at(30), "state", "critical", severity="ok", since=at(10)),
    ] == list(watched.entries["app"].timeline)


def test_what_cannot_be_seen_is_not_resolved() -> None:
    watched = board()
    watched.post(report(LOST))
    watched.post(report(GONE, at_s=10, failure="unreachable"))
    watched.post(report(LOST, at_s=20))

    resolved = [name for kind, name in kinds(watched) if kind == "resolved"]
    assert [str(GONE.key)] == resolved


def test_a_waived_finding_is_waived_and_not_resolved() -> None:
    watched = board()
    watched.post(report(EXTRA))
    waived = Waived(EXTRA, Waiver("table:public.tmp", "OPS-12", "dba", START.date()))
    watched.post(replace(report(at_s=10), waived=(waived,)))

    assert ("waived", str(EXTRA.key)) in kinds(watched)
    assert not [kind for kind, _ in kinds(watched) if kind == "resolved"]


def test_a_round_in_which_nothing_happens_adds_nothing() -> None:
    watched = board()
    watched.post(report(LOST))
    before = watched.entries["app"].timeline
    watched.post(report(LOST, at_s=10))

    assert before is watched.entries["app"].timeline


def test_migrations_that_are_applied_or_rolled_back_are_seen() -> None:
    first, both = applied("0001_a"), applied("0001_a", "0002_b")

    assert [("applied", "0002_b")] == migrations_of(with_ledger(*first), with_ledger(*both, at_s=10))
    assert [("rolled_back", "0002_b")] == migrations_of(with_ledger(*both), with_ledger(*first, at_s=10))
    pending = MigrationState("0002_b", State.PENDING)
    assert [("applied", "0002_b")] == migrations_of(with_ledger(*first, pending), with_ledger(*both, at_s=10))


def test_a_migration_that_was_rolled_back_and_applied_between_two_rounds_was_applied() -> None:
    assert [("applied", "0001_a")] == migrations_of(
        with_ledger(*applied("0001_a")), with_ledger(*applied("0001_a", day=1), at_s=10)
    )


@pytest.mark.parametrize("state", [State.EDITED, State.MISSING, State.UNKNOWN, State.INTERRUPTED])
def test_a_migration_in_another_state_is_still_applied(state: State) -> None:
    assert [] == migrations_of(with_ledger(*applied("0001_a")), with_ledger(*applied("0001_a", state=state), at_s=10))


def test_a_ledger_that_cannot_be_read_says_nothing_of_the_migrations() -> None:
    first, both = applied("0001_a"), applied("0001_a", "0002_b")
    not_adopted = Finding("not_adopted", Key("database", ("app",)), "no ledger", Severity.OK)
    for blind in (
        report(GONE, at_s=10, failure="unreachable"),
        replace(report(at_s=10), not_adopted=not_adopted),
    ):
        unread = replace(blind, database="app at eu")
        assert [] == migrations_of(with_ledger(*first), unread, with_ledger(*first, at_s=20))
        assert [("applied", "0002_b")] == migrations_of(with_ledger(*first), unread, with_ledger(*both, at_s=20))


def test_the_ledger_of_another_database_is_not_compared_with() -> None:
    elsewhere = with_ledger(*applied("0002_b"), at_s=10, database="app at us")

    assert [] == migrations_of(with_ledger(*applied("0001_a")), elsewhere)


def test_the_first_round_ever_reports_no_migration() -> None:
    assert [] == migrations_of(with_ledger(*applied("0001_a", "0002_b")))


def test_after_a_restart_the_ledger_says_what_was_applied_meanwhile() -> None:
    last, known = START + timedelta(hours=1), Event(AT, "applied", "0003_d", since=START + timedelta(hours=3))
    migrations = [
        MigrationState(f"000{number}_{letter}", State.APPLIED, START + timedelta(hours=number))
        for number, letter in enumerate("abcd")
    ]

    found = list(timeline.applied_since(migrations, last, [known], AT))
    assert [("0002_c", START + timedelta(hours=2))] == [(event.name, event.since) for event in found]


def test_what_one_round_finds_is_bounded_and_the_others_are_counted() -> None:
    many = [replace(LOST, key=Key("table", ("public", f"t{number}"))) for number in range(50)]
    found = list(timeline.of_findings(timeline.APPEARED, many, AT, {}))
    migrations = list(timeline.of_migrations((), applied(*(f"{number:04}" for number in range(50))), AT))

    assert [("table:public.t0", 1), ("table:public.t19", 1), ("", 30)] == [
        (found[index].name, found[index].count) for index in (0, 19, 20)
    ]
    assert 21 == len(found) == len(migrations)
    assert [("", 30), ("0030", 1)] == [(one.name, one.count) for one in migrations[:2]]
    assert "0049" == migrations[-1].name


def test_a_timeline_is_bounded_and_shorter_if_there_are_many_targets() -> None:
    def length(targets: int) -> int:
        events: tuple[Event, ...] = ()
        for number in range(300):
            events = timeline.longer(events, [Event(AT, "state", str(number))], targets)
        assert "299" == events[-1].name
        return len(events)

    assert [200, 200, 50, 20] == [length(targets) for targets in (1, 250, 1000, 100_000)]


def test_a_name_of_any_length_is_cut() -> None:
    key = Key("function", ("public", "f", f"({'integer, ' * 1000}text)"))
    (found,) = timeline.of_findings(timeline.APPEARED, [replace(LOST, key=key)], AT, {})

    assert timeline.NAME == len(found.name)
    assert finding_id(identity(replace(LOST, key=key))) == found.finding


def test_a_clock_that_was_set_back_makes_no_duration_negative() -> None:
    watched = board()
    watched.post(report(LOST, at_s=1000))
    watched.post(report(at_s=10))
    events = watched.entries["app"].timeline

    assert all(event.since is None or event.since <= event.at for event in events)
