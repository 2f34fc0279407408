"""What `make soak` concludes from what it has seen: it finds each way of reporting what is not so."""

import json
from dataclasses import replace
from typing import Any

import pytest
from soak.process import Usage
from soak.truth import DRIFT, OK, UNKNOWN, Truth, changing
from soak.verdict import Outcome, is_fatal, reason, verdict
from soak.watcher import Blind, Scrape, Seen, scrape_of
from soak.world import Watched


def target(*changes: tuple[float, str], fault: tuple[float, float, float, float] | None = None) -> Watched:
    """Return a target with a content since some moments, and with a fault (begin, sure from, sure until, end)."""
    nowhere: Any = None
    made = Watched("app", nowhere)
    for at, state in changes:
        made.truth.change(at, state)
    if fault is not None:
        trouble = made.truth.trouble(fault[0])
        _, trouble.sure_from, trouble.sure_until, trouble.end = fault
    return made


def seen(watched: Watched, *rounds: tuple[float, float, str]) -> Seen:
    """Return what comes of scrapes, each with the begin of the round, its own time and the state."""
    found = Seen()
    for begun, at, state in rounds:
        found.see(Scrape({"app": state}, {"app": begun}, 0.0), at, [watched])
    return found


@pytest.mark.parametrize(
    ("begun", "at", "state", "lies"),
    [
        (11.0, 12.0, OK, 1),  # the drift was committed at 10
        (11.0, 12.0, DRIFT, 0),
        (9.0, 12.0, OK, 0),  # it began before
        (9.0, 12.0, DRIFT, 0),
        (8.0, 9.0, DRIFT, 1),  # there was none
        (21.0, 22.0, DRIFT, 1),  # it was undone at 20
        (19.0, 22.0, DRIFT, 0),
    ],
)
def test_a_round_is_true_if_something_was_so_at_one_of_its_moments(
    begun: float, at: float, state: str, lies: int
) -> None:
    assert lies == len(seen(target((10.0, DRIFT), (20.0, OK)), (begun, at, state)).lies)


@pytest.mark.parametrize(
    ("begun", "at", "state", "lies", "blind"),
    [
        (13.0, 15.0, OK, 1, 0),  # nobody can have seen that
        (13.0, 15.0, UNKNOWN, 0, 0),
        (11.0, 15.0, OK, 0, 0),  # perhaps it was seen before
        (11.0, 15.0, UNKNOWN, 0, 0),
        (11.0, 15.0, DRIFT, 1, 0),
        (31.0, 32.0, UNKNOWN, 0, 1),  # the fault is over
    ],
)
def test_a_fault_that_lasts_for_an_entire_round_leaves_only_unknown(
    begun: float, at: float, state: str, lies: int, blind: int
) -> None:
    found = seen(target(fault=(10.0, 12.0, 28.0, 30.0)), (begun, at, state))

    assert (lies, blind) == (len(found.lies), len(found.blind))


def test_while_the_content_changes_both_states_are_possible() -> None:
    truth, times = Truth(), iter((10.0, 12.0))
    with changing(truth, DRIFT, lambda: next(times)):
        during = truth.content

    assert (frozenset({OK, DRIFT}), frozenset({DRIFT})) == (during, truth.content)
    assert {OK, DRIFT} == truth.possible(11.0, 11.5)
    assert {DRIFT} == truth.possible(12.5, 13.0)


def test_how_long_a_state_stands_that_is_not_so_is_measured() -> None:
    drifted = target((10.0, DRIFT))
    found = seen(drifted, (9.0, 11.0, OK), (9.0, 14.0, OK), (13.0, 15.0, DRIFT), (13.0, 16.0, OK))

    assert {(DRIFT, OK): 3.0} == found.stood_s


def test_a_target_that_is_to_be_removed_is_not_judged() -> None:
    gone = target((10.0, DRIFT))
    gone.truth.gone = True

    assert [] == seen(gone, (11.0, 12.0, OK)).lies


BODY = """
healthd_check_interval_seconds{target="fine"} 5.0
healthd_target_up{target="fine"} 1.0
healthd_check_error{check="objects",target="fine"} 0.0
healthd_check_ok{check="objects",target="fine"} 1.0
healthd_check_last_run_timestamp_seconds{target="fine"} 1.7e+09
healthd_check_interval_seconds{target="drifted"} 5.0
healthd_target_up{target="drifted"} 1.0
healthd_check_error{check="enums",target="drifted"} 0.0
healthd_check_error{check="objects",target="drifted"} 0.0
healthd_check_ok{check="enums",target="drifted"} 1.0
healthd_check_ok{check="objects",target="drifted"} 0.0
healthd_check_interval_seconds{target="half"} 5.0
healthd_target_up{target="half"} 1.0
healthd_check_error{check="objects",target="half"} 1.0
healthd_check_interval_seconds{target="down"} 5.0
healthd_target_up{target="down"} 0.0
healthd_check_interval_seconds{target="new"} 5.0
healthd_incidents_total{problem="schema_mismatch",target="removed"} 0.0
healthd_config_last_reload_success_timestamp_seconds 7.5
"""


def test_a_scrape_is_understood() -> None:
    found = scrape_of(BODY)

    assert {"fine": OK, "drifted": DRIFT, "half": UNKNOWN, "down": UNKNOWN, "new": UNKNOWN} == found.states
    assert ({"fine": 1.7e9}, 7.5) == (found.begun, found.reloaded_at)


def outcome() -> Outcome:
    """Return that of a daemon that has borne everything."""
    found = seen(target(), (1.0, 2.0, OK))
    found.scrapes_s.append(0.1)
    found.usage += [(float(number), Usage(80.0, 20, 4)) for number in range(9)]
    usage = Usage(80.0, 20, 4)
    return Outcome(
        found, 1.0, 2.0, 3, 1, errors=[], before=usage, after=usage, wrong_at_end=[], settled_s=1, sessions=0
    )


@pytest.mark.parametrize(
    ("what", "wrong"),
    [
        ("what else was wrong", {"errors": ["x"]}),
        ("wrong at the end", {"wrong_at_end": ["x"]}),
        ("true at the end after", {"settled_s": 600.0}),
        ("sessions that were forgotten", {"sessions": 1}),
        ("sessions after its end", {"sessions_after": 1}),
        ("descriptors", {"after": Usage(80.0, 50, 4)}),
        ("threads", {"after": Usage(80.0, 20, 40)}),
        ("log", {"log": '{"event": "round.begun"}\n' * 1000}),
        ("errors in the log", {"log": "Traceback (most recent call last):\n"}),
    ],
)
def test_each_promise_that_is_not_kept_is_named(what: str, wrong: dict[str, Any]) -> None:
    assert [] == [line.what for line in verdict(outcome()) if not line.good]
    assert [what] == [line.what for line in verdict(replace(outcome(), **wrong)) if not line.good]


@pytest.mark.parametrize(
    ("what", "wrong"),
    [
        ("rounds for which only one state was possible", {"sure": 0}),
        ("rounds that were not true", {"lies": ["x"]}),
        ("rounds that failed without a fault", {"blind": [Blind("app", 1.0, 2.0)] * 2}),
        ("longest ok while drift", {"stood_s": {(DRIFT, OK): 100.0}}),
        ("longest unknown while ok", {"stood_s": {(OK, UNKNOWN): 100.0}}),
        ("scrapes answered", {"scrapes_s": [11.0]}),
        ("scrapes failed", {"failed": ["x"]}),
        (
            "memory, second and last third",
            {"usage": [(float(number), Usage(10.0 * number, 20, 4)) for number in range(9)]},
        ),
    ],
)
def test_what_was_seen_in_the_meantime_counts(what: str, wrong: dict[str, Any]) -> None:
    given = outcome()

    found = replace(given, seen=replace(given.seen, **wrong))
    assert [what] == [line.what for line in verdict(found) if not line.good]


@pytest.mark.parametrize(
    ("line", "fatal"),
    [
        ('{"event": "finding.appeared", "target": "app"}', False),
        ('{"event": "round.failed", "target": "app"}', True),
        ("Traceback (most recent call last):", True),
        ("[1]", True),
    ],
)
def test_an_error_in_the_log_is_one_that_no_fault_explains(line: str, fatal: bool) -> None:
    assert fatal is is_fatal(line)


def test_a_round_that_failed_without_a_fault_is_shown_with_the_reason_that_is_in_the_log() -> None:
    lines = [
        {"event": "finding.appeared", "target": name, "message": words, "timestamp": f"1970-01-01T00:00:{at}Z"}
        for name, words, at in (("app", "before", "07.5"), ("app", "no answer", "08.5"), ("other", "lost", "08.6"))
    ]
    log = "\n".join(map(json.dumps, lines))

    assert "no answer" == reason(f'{log}\nTraceback of "app"', Blind("app", 8.0, 9.0))
    assert "the same as of the round before" == reason(log, Blind("app", 9.0, 10.0))
