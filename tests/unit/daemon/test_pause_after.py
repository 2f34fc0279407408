"""How long a target rests after a round: until its script is due, or until everything must be read again."""

from datetime import UTC, datetime
from typing import Any

import pytest

from healthd.config.settings import Target
from healthd.daemon.watch import SCRIPT_AFTER_S, pause_after_s
from healthd.model.findings import Report, Verdict
from healthd.rounds.round import Round
from healthd.rounds.session import Session

TARGET = Target("app", "", interval_s=60.0)
NOW = 1000.0


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("healthd.daemon.watch.monotonic", lambda: NOW)


def after(partial_for_s: float | None, owed: Any = None) -> Round:
    """Return a round on a connection on which rounds have read only changes for so long."""
    since = None if partial_for_s is None else NOW - partial_for_s
    report = Report.of(Verdict(findings=(), checks={}), "app", datetime(2026, 1, 2, tzinfo=UTC), 0.0)
    return Round(report, None, Session(None, 0.0, partial_since=since), owed=owed)


def test_it_is_the_usual_pause_after_a_round_that_has_read_everything() -> None:
    assert pause_after_s(TARGET, after(None), 55.0) == 55.0


def test_a_script_is_made_in_a_moment() -> None:
    assert pause_after_s(TARGET, after(None, owed=object()), 55.0) == SCRIPT_AFTER_S


@pytest.mark.parametrize(("partial_for_s", "rest_s"), [(20.0, 40.0), (59.5, 0.5), (80.0, 0.0)])
def test_everything_is_read_within_the_interval(partial_for_s: float, rest_s: float) -> None:
    assert pause_after_s(TARGET, after(partial_for_s), 55.0) == rest_s


def test_it_is_never_longer_than_usual() -> None:
    assert pause_after_s(TARGET, after(1.0), 5.0) == 5.0
