"""What outlives a restart is the memory of rounds: it is the same afterwards, and never a result."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from healthd.model.findings import Finding, Waived, identity
from healthd.model.ledger import MigrationState, State
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.model.waivers import Waiver
from healthd.report import memory
from healthd.report.board import Board
from healthd.report.memory import event_row, recalled, remembered
from unit.report.test_board import EXTRA, GONE, LOST, START, board, report

SECRETIVE = replace(EXTRA, message="holds 4711", expected="4712", actual="4713", repair=("DELETE 4714",), attribute="x")

EMPTY = dict.fromkeys(("severity", "since", "drift_since", "last_success", "last_good")) | {"findings": []}


def written(before: Board) -> str:
    """Return the memory of a board as its file has it."""
    return json.dumps(remembered(before.entries), default=event_row)


def restarted(before: Board, *, at_s: float = 60.0, text: str = "") -> Board:
    """Return a new board with the memory of another, as it is read from its file."""
    after = board()
    after.entries |= recalled(json.loads(text or written(before)), after.entries, at(at_s))
    return after


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_a_drift_stands_since_it_began_and_not_since_the_restart() -> None:
    before = board()
    before.post(report())
    before.post(report(LOST, at_s=10))
    after = restarted(before)
    entry = after.entries["app"]

    assert (at(10.5), at(10.5), at(0.5)) == (entry.drift_since, entry.last_success, entry.last_good)
    change = after.post(report(LOST, at_s=60))
    assert (at(10.5), at(10.5), at(10.5)) == (entry.drift_since, entry.since, entry.first_seen[identity(LOST)])
    assert not change


def test_what_was_reported_is_not_reported_again_and_is_resolved() -> None:
    before = board()
    waived = Waived(EXTRA, Waiver("table:public.tmp", "OPS-12", "dba", START.date()))
    before.post(replace(report(LOST), waived=(waived,)))
    after = restarted(before)
    change = after.post(replace(report(at_s=60), waived=(waived,)))

    assert ([identity(LOST)], (), ()) == ([identity(one) for one in change.resolved], change.appeared, change.waived)
    assert 0 == restarted(before).entries["app"].incidents["schema_mismatch"]


def test_a_finding_is_kept_while_its_check_cannot_tell_also_over_a_restart() -> None:
    before = board()
    before.post(report(LOST))
    after = restarted(before)
    after.post(report(GONE, at_s=60, failure="unreachable"))
    again = restarted(after, at_s=70)

    assert () == again.post(report(LOST, at_s=70)).appeared
    assert at(0.5) == again.entries["app"].first_seen[identity(LOST)]
    assert at(0.5) == again.entries["app"].drift_since


def test_a_target_is_adopted_until_another_database_is() -> None:
    before = board()
    applied = (MigrationState("0001_a", State.APPLIED),)
    before.post(replace(report(), migrations=applied, database="app at eu"))
    before.post(report(GONE, at_s=10, failure="unreachable"))
    after = restarted(before)

    assert "app at eu" == after.entries["app"].adopted
    after.post(replace(report(at_s=60), migrations=applied, database="app at us"))
    assert "app at us" == restarted(after, at_s=70).entries["app"].adopted


def test_what_an_earlier_release_has_kept_does_not_say_whether_a_target_was_adopted() -> None:
    before = board()
    before.post(report(LOST))
    text = written(before).replace('"adopted": "", ', "")

    assert "adopted" not in text
    assert "" == restarted(before, text=text).entries["app"].adopted


def test_a_restored_target_has_not_been_examined() -> None:
    before = board()
    before.post(report(LOST))
    entry = restarted(before).entries["app"]

    assert entry.remembered
    assert not entry.fresh(at(60))
    assert (None, [], 0) == (entry.report, entry.rounds, entry.runs)


def test_a_target_is_not_called_ok_for_a_time_in_which_nobody_looked() -> None:
    before = board()
    before.post(report())
    soon, late = restarted(before, at_s=20), restarted(before, at_s=3600)
    soon.post(report(at_s=20))
    late.post(report(at_s=3600))

    assert (at(0.5), at(3600.5)) == (soon.entries["app"].since, late.entries["app"].since)
    assert at(0.5) == restarted(before, at_s=3600).entries["app"].last_good


def test_what_was_not_examined_since_a_restart_is_remembered_over_the_next() -> None:
    before = board()
    before.post(report())
    before.post(report(LOST, at_s=10))

    assert remembered(before.entries) == remembered(restarted(restarted(before)).entries)


def test_a_clock_that_was_set_back_puts_nothing_in_the_future() -> None:
    before = board()
    before.post(report(LOST, at_s=1000))
    entry = restarted(before, at_s=10).entries["app"]

    assert {at(10)} == {entry.since, entry.drift_since, entry.last_success, *entry.first_seen.values()}


def test_the_timeline_outlives_a_restart_which_it_names() -> None:
    before = board()
    before.post(report())
    before.post(report(LOST, at_s=10))
    after = restarted(before)
    assert before.entries["app"].timeline == after.entries["app"].timeline

    after.post(report(at_s=60))
    new = after.entries["app"].timeline[len(before.entries["app"].timeline) :]
    assert [("restarted", at(10.5)), ("resolved", at(10.5)), ("state", at(10.5))] == [
        (event.kind, event.since) for event in new
    ]


def test_what_was_applied_while_no_daemon_ran_is_seen_once_after_the_restart() -> None:
    before = board()
    old = MigrationState("0001_a", State.APPLIED, at(-100))
    before.post(replace(report(), migrations=(old,), database="app at eu"))
    after = restarted(before)
    new = MigrationState("0002_b", State.APPLIED, at(30))
    after.post(replace(report(at_s=60), migrations=(old, new), database="app at eu"))
    again = restarted(after, at_s=70)
    again.post(replace(report(at_s=80), migrations=(old, new), database="app at eu"))

    assert [("0002_b", at(60.5), at(30))] == [
        (event.name, event.at, event.since) for event in again.entries["app"].timeline if event.kind == "applied"
    ]
    elsewhere = restarted(before)
    elsewhere.post(replace(report(at_s=60), migrations=(old, new), database="app at us"))
    assert "applied" not in {event.kind for event in elsewhere.entries["app"].timeline}


def test_files_of_releases_without_a_timeline_and_with_other_events_are_read() -> None:
    before = board()
    before.post(report(LOST))
    document = json.loads(written(before))
    events = document["app"].pop("timeline")
    assert () == restarted(before, text=json.dumps(document)).entries["app"].timeline

    document["app"]["timeline"] = [[events[0][0], "unheard of", 1, 2], *events]
    assert len(events) == len(restarted(before, text=json.dumps(document)).entries["app"].timeline)


def test_neither_values_nor_texts_are_kept() -> None:
    before = board()
    before.post(report(SECRETIVE))
    text = written(before)

    assert "471" not in text
    assert "DELETE" not in text
    assert '"tmp"], "x"' in text


def test_the_memory_is_bounded_and_keeps_what_was_seen_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MOST_OF_TARGET", 3)
    monkeypatch.setattr(memory, "MOST", 4)
    before = Board()
    before.watch([("app", 10.0), ("other", 10.0)])
    old = [Finding("unexpected_object", Key("table", ("public", f"t{n}")), "", Severity.WARNING) for n in range(2)]
    new = [replace(one, key=Key("view", one.key.path)) for one in old]
    for target in ("app", "other"):
        before.post(report(*old, target=target))
        before.post(report(*new, *old, at_s=10, target=target))
    found = remembered(before.entries)

    assert [3, 1] == [len(one["findings"]) for one in found.values()]
    assert ["table", "table", "view"] == [row[2] for row in found["app"]["findings"]]


@pytest.mark.parametrize(
    "document",
    ["app", {"app": []}, {"app": {"severity": "worse"}}, {"app": {}}, {"app": {**EMPTY, "timeline": [[1, "state"]]}}],
)
def test_a_document_of_another_form_is_refused(document: object) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        recalled(document, board().entries, START)  # type: ignore[arg-type] # a file that says anything
