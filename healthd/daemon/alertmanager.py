"""Send alerts to Alertmanager: at once when they change, and regularly while they fire.

Nothing that is wrong with an Alertmanager delays a round, or stops the daemon: it is logged once, and tried again.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic

import structlog

from healthd.backoff import doubled_s
from healthd.config.alertmanagers import PATH, place_of
from healthd.config.settings import Alertmanager, Settings
from healthd.daemon.current_alerts import CurrentAlerts
from healthd.report.alerts import Alert, Labels, Links, alerts_of
from healthd.report.board import Board, Delivery
from healthd.rounds.requests import Response, request

log = structlog.get_logger()

ENDS_AFTER = 5  # resends: an alert that is not sent for so long is resolved, because the daemon has ended
AGAIN_S = 1.0  # before the first repetition of a request that failed; doubled each time, up to a resend
BATCH = 64  # alerts in a request, as Prometheus sends them
HINTS = {
    401: "check token_file in [alertmanager], or the user and the password in url",
    403: "check token_file in [alertmanager], or the user and the password in url",
    404: "check the path of url in [alertmanager]",
}
HINT = "check url in [alertmanager], and that Alertmanager runs; alerts are sent again until it accepts them"
Batch = list[tuple[Alert, bool]]  # whether each one fires


@dataclass(slots=True)
class Peer:
    """One Alertmanager, and which alerts it was last sent as firing."""

    url: str = field(repr=False)
    settings: Alertmanager
    current: CurrentAlerts
    delivery: Delivery
    sent: dict[Labels, Alert] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    resend_at: float = 0.0  # of the monotonic clock
    failures: int = 0  # in a row

    async def follow(self) -> None:
        """Send what has changed, and from time to time everything, forever."""
        while True:
            self.changed.clear()
            try:
                why, hint = await self._send()
            except Exception as error:  # whatever it is: rounds go on, and so does this
                log.exception("alertmanager.failed", alertmanager=place_of(self.url))
                why, hint = f"internal error in healthd: {type(error).__name__}", "see its log"
            self._note(why, hint)
            await self._rest()

    async def _send(self) -> tuple[str, str]:
        """Send what is due, and return why that failed, and a hint; an empty request shows that it would succeed."""
        due = monotonic() >= self.resend_at
        work = list(self._work(datetime.now(UTC), everything=due))
        for batch in [work[n : n + BATCH] for n in range(0, len(work), BATCH)] or [[]] * due:
            if failed := _failure(await self._post(batch)):
                self.delivery.failed += 1
                return failed
            self.delivery.sent += 1
            self._remember(batch)
        if due:
            self.resend_at = monotonic() + self.settings.resend_s
        elif work:  # what is new is repeated sooner: an old `resolved` of Prometheus may have come in between
            self.resend_at = min(self.resend_at, monotonic() + self.settings.resend_s / 2)
        return "", ""

    def _work(self, now: datetime, *, everything: bool) -> Iterator[tuple[Alert, bool]]:
        """Yield the alerts that fire, or those that are new, then those that are over."""
        firing, lingering = self.current.firing(now), self.current.lingering(now)
        for labels, alert in firing.items():
            if everything or labels not in self.sent:
                yield alert, True
        for labels, alert in self.sent.items():
            if labels not in firing and labels not in lingering:
                yield alert, False

    async def _post(self, batch: Batch) -> Response:
        now = datetime.now(UTC)
        ends_at = now + timedelta(seconds=ENDS_AFTER * self.settings.resend_s)
        alerts = [alert.document(ends_at if fires else now) for alert, fires in batch]
        return await request(
            self.url + PATH,
            deadline_s=self.settings.timeout_s,
            token_file=self.settings.token_file,
            sent=json.dumps(alerts).encode(),
        )

    def _remember(self, batch: Batch) -> None:
        for alert, fires in batch:
            if fires:
                self.sent[alert.labels] = alert
            else:
                self.sent.pop(alert.labels, None)

    def _note(self, why: str, hint: str) -> None:
        """Log when requests begin to fail, and when they succeed again."""
        if why and not self.failures:
            log.error("alertmanager.failed", alertmanager=place_of(self.url), error=why, hint=hint)
        elif self.failures and not why:
            log.info("alertmanager.reached", alertmanager=place_of(self.url))
        self.failures = self.failures + 1 if why else 0
        self.delivery.reached = not why

    async def _rest(self) -> None:
        """Wait until something changes, or is due; after a failure, changes have to wait, too."""
        if self.failures:
            await asyncio.sleep(again_s(self.failures, self.settings.resend_s))
            return
        rest_s = min(self.resend_at - monotonic(), self.current.changes_in_s(datetime.now(UTC)))
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, rest_s)):
                await self.changed.wait()


def again_s(failures: int, resend_s: float) -> float:
    """Return the pause after so many failures in a row."""
    return doubled_s(AGAIN_S, failures, resend_s)


def _failure(response: Response) -> tuple[str, str] | None:
    """Return why Alertmanager has not accepted a request, and a hint; None if it has."""
    if response.trouble is not None:
        return response.trouble, HINT
    if response.status is None or not 200 <= response.status < 300:
        return f"it answers with status {response.status}", HINTS.get(response.status or 0, HINT)
    if response.body.lstrip()[:1] == b"<":  # a proxy that asks for a login, for instance
        return "it answers with a page for people: it is no Alertmanager", HINTS[404]
    return None


@dataclass(slots=True)
class Alertmanagers:
    """The Alertmanagers of the settings, each with a task of its own: none waits for another one."""

    board: Board
    current: CurrentAlerts = field(default_factory=CurrentAlerts)
    links: Links = field(default_factory=Links)
    peers: dict[str, tuple[Peer, asyncio.Task[None]]] = field(default_factory=dict, repr=False)

    def follow(self, settings: Settings) -> None:
        """Send alerts where these settings say, from now on."""
        wanted = settings.alertmanager
        urls = wanted.urls if wanted is not None else ()
        for url in self.peers.keys() - set(urls):
            self.peers.pop(url)[1].cancel()
        known = self.board.alertmanagers
        self.board.alertmanagers = {place_of(url): known.get(place_of(url)) or Delivery() for url in urls}
        if wanted is None:
            self.current = CurrentAlerts()
            return
        self.links = Links(settings.external_url, settings.runbook_url, wanted.labels)
        self.current.linger_s = wanted.resend_s
        for url in urls:
            if url in self.peers:
                self.peers[url][0].settings = wanted
            else:
                peer = Peer(url, wanted, self.current, self.board.alertmanagers[place_of(url)])
                self.peers[url] = peer, asyncio.create_task(peer.follow())
        self.look()

    def look(self) -> None:
        """Learn the alerts of all targets, after they or the settings have changed."""
        for target in self.current.found.keys() | self.board.entries.keys():
            self._update(target)
        for peer, _ in self.peers.values():
            peer.resend_at = 0.0
            peer.changed.set()

    def posted(self, target: str) -> None:
        """Learn the alerts of one target after its round, and send what has changed."""
        if not self.peers:
            return
        try:
            changed = self._update(target)
        except Exception as error:  # whatever it is: rounds go on
            log.exception("alertmanager.failed", target=target, error=type(error).__name__)
            return
        for peer, _ in self.peers.values() if changed else ():
            peer.changed.set()

    def _update(self, target: str) -> bool:
        entry = self.board.entries.get(target)
        alerts = alerts_of(target, entry, self.links) if entry is not None else ()
        return self.current.update(target, alerts, datetime.now(UTC))

    def clock_set(self, jump: timedelta) -> None:
        """Note that the clock was set."""
        self.current.clock_set(jump)
        for peer, _ in self.peers.values():
            peer.changed.set()

    def stop(self) -> list[asyncio.Task[None]]:
        """Send nothing any more, and return the tasks; what fires is resolved by itself, if no daemon follows."""
        return [task for _, task in self.peers.values()]
