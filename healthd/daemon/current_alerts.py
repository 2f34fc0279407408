"""The alerts of all targets: which fire now, which wait, and which ended a moment ago."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from healthd.report.alerts import Alert, Labels


@dataclass(slots=True)
class CurrentAlerts:
    """All alerts, by target. One that has ended lingers: for a while it neither fires nor is resolved.

    Prometheus, or another daemon, may still send it as firing, and would let it fire again after it was resolved.
    """

    linger_s: float = 60.0
    found: dict[str, dict[Labels, Alert]] = field(default_factory=dict)
    gone: dict[Labels, tuple[Alert, datetime]] = field(default_factory=dict)  # and until when it lingers

    def update(self, target: str, alerts: Iterable[Alert], now: datetime) -> bool:
        """Replace the alerts of a target, and return whether one appeared or ended."""
        before = self.found.pop(target, {})
        after = {alert.labels: self._as_before(alert, before.get(alert.labels), now) for alert in alerts}
        for labels, alert in before.items():
            if labels not in after and alert.lingers and alert.fires(now):
                self.gone[labels] = alert, now + timedelta(seconds=self.linger_s)
        if after:
            self.found[target] = after
        return before.keys() != after.keys()

    def _as_before(self, alert: Alert, before: Alert | None, now: datetime) -> Alert:
        """Return an alert with the time of its first appearance, if it was here until now or lingers."""
        lingering, until = self.gone.pop(alert.labels, (None, now))
        if before is None and now < until:
            before = lingering
        return alert if before is None else replace(alert, since=min(before.since, alert.since))

    def clock_set(self, jump: timedelta) -> None:
        """Note that the clock was set: what fires does not cease to by that, and what lingers does so for as long.

        If it was set forward, an alert is as old as it seems to be.
        """
        self.gone = {labels: (alert, until + jump) for labels, (alert, until) in self.gone.items()}
        if jump < timedelta():
            self.found = {
                target: {labels: replace(alert, since=alert.since + jump) for labels, alert in alerts.items()}
                for target, alerts in self.found.items()
            }

    def firing(self, now: datetime) -> dict[Labels, Alert]:
        """Return the alerts that fire."""
        return {alert.labels: alert for alert in self._all() if alert.fires(now)}

    def lingering(self, now: datetime) -> frozenset[Labels]:
        """Return the alerts that ended a moment ago, and forget those that ended before."""
        self.gone = {labels: (alert, until) for labels, (alert, until) in self.gone.items() if now < until}
        return frozenset(self.gone)

    def changes_in_s(self, now: datetime) -> float:
        """Return in how many seconds an alert begins or ceases to fire, or to linger, if nothing else happens."""
        times = [until for _, until in self.gone.values()]
        for alert in self._all():
            times += filter(None, (alert.starts_at, alert.stops_at))
        return min(((time - now).total_seconds() for time in times if time > now), default=float("inf"))

    def _all(self) -> Iterator[Alert]:
        for alerts in self.found.values():
            yield from alerts.values()
