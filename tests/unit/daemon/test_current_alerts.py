"""When alerts begin to fire, end, and linger between both."""

from datetime import UTC, datetime, timedelta

from healthd.daemon.current_alerts import CurrentAlerts
from healthd.report.alerts import Alert

START = datetime(2026, 1, 1, tzinfo=UTC)
DRIFT = Alert((("alertname", "HealthdSchemaMismatch"),), {}, START)
EXTRA = Alert((("alertname", "HealthdExtraObjects"),), {}, START, waits_s=300)
MAINTENANCE = Alert((("alertname", "HealthdMaintenance"),), {}, START, lasts_s=1800, lingers=False)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def since(alert: Alert, seconds: float) -> Alert:
    return Alert(alert.labels, {}, at(seconds), alert.waits_s, alert.lasts_s, alert.lingers)


def names(current: CurrentAlerts, seconds: float) -> list[str]:
    return [dict(labels)["alertname"] for labels in current.firing(at(seconds))]


def test_an_alert_fires_when_it_has_waited_and_its_change_is_known_before() -> None:
    current = CurrentAlerts()

    assert current.update("app", [DRIFT, EXTRA], at(0))
    assert not current.update("app", [DRIFT, EXTRA], at(10))
    assert ["HealthdSchemaMismatch"] == names(current, 299)
    assert ["HealthdSchemaMismatch", "HealthdExtraObjects"] == names(current, 300)
    assert [300, 1] == [current.changes_in_s(at(now)) for now in (0, 299)]
    assert float("inf") == current.changes_in_s(at(300))


def test_an_alert_waits_from_its_first_appearance_whichever_object_it_is_about() -> None:
    current = CurrentAlerts()
    current.update("app", [EXTRA], at(0))
    current.update("app", [since(EXTRA, 200)], at(200))

    assert ["HealthdExtraObjects"] == names(current, 300)


def test_an_alert_that_ends_before_it_fires_begins_again() -> None:
    current = CurrentAlerts()
    current.update("app", [EXTRA], at(0))

    assert current.update("app", [], at(200))
    assert frozenset() == current.lingering(at(200))
    current.update("app", [since(EXTRA, 210)], at(210))
    assert [] == names(current, 509)


def test_an_alert_that_ends_lingers_neither_firing_nor_over() -> None:
    current = CurrentAlerts(linger_s=60)
    current.update("app", [DRIFT], at(0))
    current.update("app", [], at(100))

    assert [] == names(current, 100)
    assert {DRIFT.labels} == current.lingering(at(159))
    assert 1 == current.changes_in_s(at(159))
    assert frozenset() == current.lingering(at(160))


def test_an_alert_that_returns_while_it_lingers_has_never_ended() -> None:
    current = CurrentAlerts(linger_s=60)
    current.update("app", [EXTRA], at(0))
    current.update("app", [], at(310))
    current.update("app", [since(EXTRA, 330)], at(330))

    assert ["HealthdExtraObjects"] == names(current, 330)
    assert frozenset() == current.lingering(at(330))


def test_an_alert_that_returns_later_waits_again() -> None:
    current = CurrentAlerts(linger_s=60)
    current.update("app", [EXTRA], at(0))
    current.update("app", [], at(310))
    current.update("app", [since(EXTRA, 370)], at(370))

    assert [] == names(current, 669)
    assert ["HealthdExtraObjects"] == names(current, 670)


def test_a_running_migration_ends_at_once_and_after_half_an_hour_at_most() -> None:
    current = CurrentAlerts()
    current.update("app", [MAINTENANCE], at(0))
    current.update("app", [since(MAINTENANCE, 1700)], at(1700))

    assert 100 == current.changes_in_s(at(1700))
    assert [["HealthdMaintenance"], []] == [names(current, now) for now in (1799, 1800)]
    current.update("app", [], at(1750))
    assert frozenset() == current.lingering(at(1750))


def test_targets_are_apart() -> None:
    current = CurrentAlerts()
    current.update("app", [DRIFT], at(0))
    current.update("other", [MAINTENANCE], at(0))
    current.update("app", [], at(1))

    assert ["HealthdMaintenance"] == names(current, 1)
    assert {"other"} == current.found.keys()
