"""The board keeps the latest of everything, and tells what a round changed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from healthd.model.findings import Finding, Report, Waived, identity
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.model.waivers import Waiver
from healthd.report.board import ROUNDS_KEPT, WAITED_MOST, Board

START = datetime(2026, 1, 1, tzinfo=UTC)
LOST = Finding("schema_mismatch", Key("table", ("public", "orders")), "is missing", Severity.CRITICAL, check="objects")
EXTRA = Finding(
    "unexpected_object", Key("table", ("public", "tmp")), "is not in sql/", Severity.WARNING, check="objects"
)
GONE = Finding("database_unreachable", Key("database", ("app",)), "no answer", Severity.UNKNOWN, check="connection")


def report(*findings: Finding, at_s: float = 0.0, failure: str | None = None, target: str = "app") -> Report:
    started_at = START + timedelta(seconds=at_s)
    checks = dict.fromkeys(("connection", "enums", "objects"), Severity.UNKNOWN if failure else Severity.OK)
    checks |= {one.check: one.severity for one in findings}
    return Report(
        target=target,
        started_at=started_at,
        duration_s=0.5,
        findings=findings,
        next_round_s=10.0,
        failure=failure,
        checks=checks,
    )


def board() -> Board:
    made = Board()
    made.watch([("app", 10.0)])
    return made


def test_a_finding_appears_once_and_is_resolved_once() -> None:
    watched = board()

    assert ((LOST,), ()) == _change(watched, report(LOST))
    assert ((), ()) == _change(watched, report(LOST, at_s=10))
    assert ((EXTRA,), (LOST,)) == _change(watched, report(EXTRA, at_s=20))
    assert ((), (EXTRA,)) == _change(watched, report(at_s=30))


def test_a_finding_that_is_waived_is_reported_once_and_is_not_resolved() -> None:
    watched = board()
    waived = Waived(LOST, Waiver("table:public.orders", "OPS-12", "dba", START.date()))
    watched.post(report(LOST))
    change = watched.post(replace(report(at_s=10), waived=(waived,)))

    assert ((), (), (waived,)) == (change.appeared, change.resolved, change.waived)
    assert () == watched.post(replace(report(at_s=20), waived=(waived,))).waived
    assert START + timedelta(seconds=0.5) == watched.entries["app"].first_seen[identity(LOST)]
    assert ((LOST,), ()) == _change(watched, report(LOST, at_s=30))
    assert 2 == watched.entries["app"].incidents["schema_mismatch"]


def test_what_is_waived_stays_so_while_it_cannot_be_seen() -> None:
    watched = board()
    waived = Waived(LOST, Waiver("table:public.orders", "OPS-12", "dba", START.date()))
    watched.post(replace(report(), waived=(waived,)))
    watched.post(report(GONE, at_s=10, failure="unreachable"))

    assert () == watched.post(replace(report(at_s=20), waived=(waived,))).waived


def _change(watched: Board, one: Report) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    change = watched.post(one)
    return change.appeared, change.resolved


def test_what_cannot_be_seen_is_not_resolved() -> None:
    watched = board()
    watched.post(report(LOST))

    assert ((GONE,), ()) == _change(watched, report(GONE, at_s=10, failure="unreachable"))
    assert ((), ()) == _change(watched, report(GONE, at_s=20, failure="unreachable"))
    assert ((), (GONE,)) == _change(watched, report(LOST, at_s=30))


def test_what_one_check_cannot_tell_is_not_resolved_and_what_another_tells_is() -> None:
    watched = board()
    label = replace(LOST, problem="enum_mismatch", check="enums")
    unclear = replace(GONE, problem="cannot_compare", check="objects")
    watched.post(report(LOST, label))

    assert ((unclear,), (label,)) == _change(watched, report(unclear, at_s=10))
    assert ((), (LOST, unclear)) == _change(watched, report(at_s=20))


def test_a_finding_keeps_its_age_through_an_outage() -> None:
    watched = board()
    watched.post(report(LOST))
    watched.post(report(GONE, at_s=10, failure="unreachable"))
    watched.post(report(LOST, at_s=20))

    entry = watched.entries["app"]
    assert {identity(LOST): START + timedelta(seconds=0.5)} == entry.first_seen
    assert START + timedelta(seconds=0.5) == entry.drift_since


def test_drift_has_an_age_only_while_it_lasts() -> None:
    watched = board()
    watched.post(report(LOST))
    watched.post(report(EXTRA, at_s=10))

    assert watched.entries["app"].drift_since is None


def test_the_last_good_round_and_the_last_that_saw_are_not_the_same() -> None:
    watched = board()
    watched.post(report())
    watched.post(report(LOST, at_s=10))
    watched.post(report(GONE, at_s=20, failure="timeout"))

    entry = watched.entries["app"]
    assert START + timedelta(seconds=0.5) == entry.last_good
    assert START + timedelta(seconds=10.5) == entry.last_success
    assert {"timeout": 1} == entry.failures


def test_a_state_has_an_age() -> None:
    watched = board()
    for at_s, finding in ((0, LOST), (10, LOST), (20, EXTRA)):
        watched.post(report(finding, at_s=at_s))

    assert START + timedelta(seconds=20.5) == watched.entries["app"].since


def test_a_report_counts_for_three_rests_and_no_longer() -> None:
    watched = board()
    watched.post(report())
    entry = watched.entries["app"]

    assert entry.fresh(START + timedelta(seconds=30))
    assert not entry.fresh(START + timedelta(seconds=31))


def test_drift_that_a_round_could_not_see_has_stood_since_it_began() -> None:
    watched = board()
    watched.post(report(LOST))
    unclear = report(at_s=10)
    watched.post(replace(unclear, checks={**unclear.checks, "objects": Severity.UNKNOWN}))

    assert START + timedelta(seconds=0.5) == watched.entries["app"].drift_since
    watched.post(report(at_s=20))
    assert watched.entries["app"].drift_since is None


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_a_round_that_takes_long_does_not_make_its_own_report_old() -> None:
    watched = board()
    watched.post(replace(report(GONE, failure="timeout"), duration_s=60.0))

    assert watched.entries["app"].fresh(at(60))
    assert watched.entries["app"].fresh(at(90))
    assert not watched.entries["app"].fresh(at(91))


def test_a_report_counts_until_the_next_round_has_had_its_time() -> None:
    watched = board()
    watched.post(report())
    entry = watched.entries["app"]
    entry.begin(at(25), deadline_s=20.0)

    assert entry.fresh(at(46))
    assert not entry.fresh(at(47))


def test_a_round_that_begins_too_late_does_not_make_an_old_report_new() -> None:
    watched = board()
    watched.post(report())
    entry = watched.entries["app"]
    entry.begin(at(40), deadline_s=20.0)

    assert not entry.fresh(at(41))


def test_a_target_that_waits_for_its_turn_is_not_late() -> None:
    watched = board()
    watched.post(report())
    entry = watched.entries["app"]
    entry.wait(at(10))

    assert entry.fresh(at(100))
    entry.begin(at(100), deadline_s=5.0)
    assert entry.fresh(at(106))
    assert entry.fresh(at(100 + 20))  # it waited for 90 s, and 20 s of the three intervals are left
    assert not entry.fresh(at(100 + 21))


def test_waiting_does_not_keep_a_report_recent_forever() -> None:
    watched = board()
    watched.post(report())
    entry = watched.entries["app"]
    entry.wait(at(0))

    assert entry.fresh(at(60))
    assert not entry.fresh(at(30.5 + WAITED_MOST * 10 + 1))


def test_waiting_for_a_server_that_does_not_answer_is_no_excuse() -> None:
    watched = board()
    watched.post(report())
    entry = watched.entries["app"]
    entry.wait(at(10))
    entry.hurry(at(20))

    assert entry.fresh(at(40))
    assert not entry.fresh(at(41))


def test_nothing_is_fresh_before_the_first_round() -> None:
    assert not board().entries["app"].fresh(START)


def test_watching_other_targets_keeps_what_is_known_of_those_that_stay() -> None:
    watched = board()
    watched.post(report(LOST))
    watched.watch([("app", 5.0), ("new", 7.0)])

    assert ["app", "new"] == list(watched.entries)
    assert (5.0, 1) == (watched.entries["app"].interval_s, watched.entries["app"].runs)
    watched.watch([("new", 7.0)])
    assert ["new"] == list(watched.entries)


def test_only_the_last_rounds_are_kept() -> None:
    watched = board()
    for number in range(ROUNDS_KEPT + 5):
        watched.post(report(at_s=number))

    entry = watched.entries["app"]
    assert (ROUNDS_KEPT, ROUNDS_KEPT + 5) == (len(entry.rounds), entry.runs)
    assert START + timedelta(seconds=5) == entry.rounds[0][0]


def test_since_when_never_moves_forward_and_never_lies_in_the_future() -> None:
    watched = board()
    entry = watched.entries["app"]
    seen = []
    for at_s in (100, 110, 50, 60, 5000, 70):  # the clock is set back, forward, and back
        watched.post(report(LOST, at_s=at_s))
        seen.append((entry.since, entry.drift_since, entry.first_seen[identity(LOST)]))

    watched.post(report(GONE, at_s=20, failure="unreachable"))
    assert START + timedelta(seconds=20.5) == entry.last_success
    expected = [START + timedelta(seconds=at_s + 0.5) for at_s in (100, 100, 50, 50, 50, 50)]
    assert [(one, one, one) for one in expected] == seen
