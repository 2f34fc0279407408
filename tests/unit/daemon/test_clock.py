"""A clock that is set is logged, and changes neither what is recent nor which alerts fire."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog

from healthd.daemon import clock
from healthd.daemon.current_alerts import CurrentAlerts
from healthd.report.alerts import Alert
from unit.report.test_board import LOST, START, board, report

HOUR = timedelta(hours=1)


class Told:
    """What was said of the clock."""

    def __init__(self) -> None:
        self.jumps: list[timedelta] = []

    def clock_set(self, jump: timedelta) -> None:
        self.jumps.append(jump)


@pytest.mark.parametrize(
    ("after_s", "jumps"), [(105.0, [5.0]), (95.0, [-5.0]), (101.9, []), (98.1, []), (100.0, [])], ids=str
)
def test_only_a_jump_of_seconds_counts(after_s: float, jumps: list[float]) -> None:
    told = Told()
    with structlog.testing.capture_logs() as lines:
        assert after_s == clock.noted(100.0, after_s, told)

    assert [timedelta(seconds=one) for one in jumps] == told.jumps
    assert jumps == [line["seconds"] for line in lines if line["event"] == "clock.set"]


async def test_the_clock_is_looked_at_all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = iter([100.0, 100.0, 3700.0, 3700.0])
    told = Told()

    def look() -> float:
        try:
            return next(looks)
        except StopIteration:
            raise asyncio.CancelledError from None

    monkeypatch.setattr(clock, "ahead_s", look)
    monkeypatch.setattr(clock, "LOOK_S", 0.0)
    with pytest.raises(asyncio.CancelledError):
        await clock.follow_clock(told)

    assert [HOUR] == told.jumps


def test_a_machine_that_was_suspended_is_no_clock_that_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    times = {"now": 0.0}
    monkeypatch.setattr(time, "time", lambda: 1e9 + times["now"])
    monkeypatch.setattr(time, "clock_gettime", lambda which: 500 + times["now"] if which == clock.STEADY else 0)
    before = clock.ahead_s()
    times["now"] = 3600.0

    assert before == clock.ahead_s()


def test_a_report_does_not_stay_recent_because_the_clock_was_set_back() -> None:
    made = board()
    made.post(report(at_s=3600.0))
    entry = made.entries["app"]
    assert entry.fresh(START + timedelta(seconds=60))  # by an hour too early

    made.clock_set(-HOUR)

    assert entry.fresh(START + timedelta(seconds=30))
    assert not entry.fresh(START + timedelta(seconds=31))


def test_a_report_does_not_become_recent_because_the_clock_was_set_forward() -> None:
    made = board()
    made.post(report(at_s=0.0))

    made.clock_set(HOUR)

    assert not made.entries["app"].fresh(START + HOUR)


def test_a_target_that_waits_has_waited_for_as_long_whatever_the_clock_says() -> None:
    made = board()
    made.post(report(at_s=0.0))
    entry = made.entries["app"]
    entry.wait(START + timedelta(seconds=20))

    made.clock_set(-HOUR)

    assert timedelta(seconds=5) == entry._waited(START + timedelta(seconds=25) - HOUR)


def alert(at: datetime, **more: Any) -> Alert:
    return Alert((("alertname", "HealthdSchemaMismatch"),), {}, at, 60.0, **more)


def test_an_alert_does_not_end_because_the_clock_was_set_back() -> None:
    alerts, now = CurrentAlerts(), datetime(2026, 1, 1, tzinfo=UTC)
    alerts.update("app", [alert(now - timedelta(seconds=90))], now)
    assert alerts.firing(now)
    assert not alerts.firing(now - HOUR)

    alerts.clock_set(-HOUR)
    alerts.update("app", [alert(now - HOUR)], now - HOUR)  # the next round sees it, and a first time no later than now

    assert alerts.firing(now - HOUR)


def test_what_lingers_does_so_for_as_long_whatever_the_clock_says() -> None:
    alerts, now = CurrentAlerts(), datetime(2026, 1, 1, tzinfo=UTC)
    alerts.update("app", [alert(now - timedelta(seconds=90), lingers=True)], now)
    alerts.update("app", [], now)

    for jump in (-HOUR, 2 * HOUR):
        alerts.clock_set(jump)
        now += jump
        assert alerts.lingering(now + timedelta(seconds=59))
    assert not alerts.lingering(now + timedelta(seconds=60))


def test_the_worst_finding_is_still_there_after_that() -> None:
    made = board()
    made.post(report(LOST, at_s=3600.0))

    made.clock_set(-HOUR)
    made.post(report(LOST, at_s=10.0))

    assert made.entries["app"].fresh(START + timedelta(seconds=11))
    assert START + timedelta(seconds=10.5) == made.entries["app"].drift_since
