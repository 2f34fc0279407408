"""What the daemon reports, scraped all the time, and what of it is not the truth."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import httpx

from soak.process import Daemon, Usage
from soak.truth import ABSENT, DRIFT, OK, UNKNOWN
from soak.world import Watched

SCRAPE_S = 1.0
PATIENCE_S = 60.0
SAMPLE = re.compile(r'^(healthd_\w+)\{(?:.*,)?target="([^"]*)".*\} (\S+)$', re.MULTILINE)
RUN, INTERVAL = "healthd_check_last_run_timestamp_seconds", "healthd_check_interval_seconds"
RELOADED = re.compile(r"^healthd_config_last_reload_success_timestamp_seconds (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Scrape:
    """The state of each target on /metrics, and when the round began in which it was found."""

    states: dict[str, str]
    begun: dict[str, float]
    reloaded_at: float


def scrape_of(body: str) -> Scrape:
    """Return what a body of /metrics says; a target that is listed and has no recent result is unknown."""
    found = defaultdict[str, dict[str, list[float]]](lambda: defaultdict(list))
    for name, target, value in SAMPLE.findall(body):
        found[target][name].append(float(value))
    states = {target: _state(series) for target, series in found.items() if INTERVAL in series}
    begun = {target: series[RUN][0] for target, series in found.items() if RUN in series}
    at = RELOADED.search(body)
    return Scrape(states, begun, float(at[1]) if at else 0.0)


def _state(series: dict[str, list[float]]) -> str:
    if series.get("healthd_target_up") != [1.0] or any(series.get("healthd_check_error", [1.0])):
        return UNKNOWN
    return OK if all(series.get("healthd_check_ok", [0.0])) else DRIFT


@dataclass(frozen=True, slots=True)
class Blind:
    """A round that could not see although there was no fault: its target, its begin, and when that was seen."""

    target: str
    begun: float
    at: float


@dataclass(slots=True)
class Seen:
    """What was seen of a daemon: rounds that were not true, how long states stood that were not, and what it used."""

    scrape: Scrape = field(default_factory=lambda: Scrape({}, {}, 0.0))
    rounds: Counter[str] = field(default_factory=Counter)  # by what they reported
    sure: int = 0  # rounds for which only one state was possible
    lies: list[str] = field(default_factory=list)
    blind: list[Blind] = field(default_factory=list)
    stood_s: dict[tuple[str, str], float] = field(default_factory=dict)  # by what was true and what was shown
    scrapes_s: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)  # scrapes
    usage: list[tuple[float, Usage]] = field(default_factory=list)
    _begun: dict[str, float] = field(default_factory=dict)
    _false_since: dict[str, tuple[float, str, str]] = field(default_factory=dict)

    def see(self, scrape: Scrape, at: float, targets: Iterable[Watched]) -> None:
        """Compare a scrape, which began at this time, with the truth."""
        self.scrape = scrape
        for target in targets:
            if target.truth.gone:
                self._false_since.pop(target.name, None)
                continue
            state = scrape.states.get(target.name, ABSENT)
            begun = scrape.begun.get(target.name)
            if begun is not None and begun != self._begun.get(target.name):
                self._begun[target.name] = begun
                self._judge(target, state, begun, at)
            self._follow(target, state, at)

    def _judge(self, target: Watched, state: str, begun: float, at: float) -> None:
        """Judge a round when it is seen for the first time; it has ended at some time before."""
        self.rounds[state] += 1
        possible = target.truth.possible(begun, at)
        self.sure += len(possible) == 1
        if state == UNKNOWN and UNKNOWN not in possible:
            self.blind.append(Blind(target.name, begun, at))
        elif state not in possible:
            words = f"{target.name}: {state} by a round that began {at - begun:.2f} s before {at:.2f}"
            self.lies.append(f"{words}, possible: {', '.join(sorted(possible))}")

    def _follow(self, target: Watched, state: str, at: float) -> None:
        """Note for how long something stands that is not possible now."""
        possible = target.truth.possible(at, at)
        if state in possible:
            self._false_since.pop(target.name, None)
            return
        true = "/".join(sorted(possible))
        since, *before = self._false_since.get(target.name, (at, true, state))
        if before != [true, state]:
            since = at
        self._false_since[target.name] = (since, true, state)
        self.stood_s[true, state] = max(self.stood_s.get((true, state), 0.0), at - since)


async def watch(daemon: Daemon, targets: list[Watched], seen: Seen) -> None:
    """Scrape for ever, each time on a new connection."""
    while True:
        at = time.time()
        try:
            async with httpx.AsyncClient(timeout=PATIENCE_S, trust_env=False, verify=False) as client:
                answer = await client.get(f"{daemon.page}/metrics")
                answer.raise_for_status()
        except httpx.HTTPError as error:
            seen.failed.append(f"{type(error).__name__} {error}")
        else:
            seen.scrapes_s.append(time.time() - at)
            seen.see(scrape_of(answer.text), time.time(), targets)
        seen.usage.append((at, daemon.usage()))
        await asyncio.sleep(SCRAPE_S)
