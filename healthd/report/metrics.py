"""The only door to prometheus_client: the board as metric families, and their encoding."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    SummaryMetricFamily,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from healthd.model.findings import Report
from healthd.model.severity import Severity
from healthd.report.board import BUCKETS_S, Board, Entry
from healthd.report.own_series import about_process, labelled
from healthd.report.problems import PROBLEMS
from healthd.report.running_series import GAUGES
from healthd.report.series import Family
from healthd.report.short_findings import TOP, brief
from healthd.report.target_series import OF_RESULTS, OF_ROUNDS, RECENT, is_database

VERSION = re.compile(r"; *version *= *[01]\.[0-9]\.[0-9] *(;|$)", re.ASCII)  # of a supported format

Encode = Callable[[Iterable[Metric]], bytes]


@dataclass(frozen=True, slots=True)
class Group:
    """Families about each target, and what they depend on: while that is the same, so are they."""

    families: Callable[[Mapping[str, Entry], Mapping[str, Entry], datetime], Iterable[Metric]]
    depends_on: Callable[[Entry, datetime], tuple[object, ...]]


def about_healthd(board: Board, targets: Container[str]) -> Iterator[Metric]:
    """Yield the families that do not depend on rounds."""
    yield from map(_family, about_process(board))
    yield from map(_family, labelled({name: found for name, found in board.labels.items() if name in targets}))


def about_target(name: str, entry: Entry, group: Group, now: datetime) -> Iterable[Metric]:
    """Return the families of a group for one target."""
    own = {name: entry}
    return group.families(own, own if entry.fresh(now) else {}, now)


def _family(one: Family) -> Metric:
    made = (CounterMetricFamily if one.counted else GaugeMetricFamily)(one.name, one.text, labels=one.labels)
    for labels, value in one.samples:
        made.add_metric(labels, value)
    return made


def _recent(entries: Mapping[str, Entry], _fresh: object, now: datetime) -> Iterator[Metric]:
    yield _family(RECENT.family(entries, now))


def _rounds(entries: Mapping[str, Entry], _fresh: object, now: datetime) -> Iterator[Metric]:
    for gauge in OF_ROUNDS:
        yield _family(gauge.family(entries, now))
    runs = CounterMetricFamily("healthd_check_runs", "Number of rounds.", labels=["target"])
    failures = CounterMetricFamily(
        "healthd_check_failures", "Number of rounds that failed, by reason.", labels=["target", "reason"]
    )
    durations = HistogramMetricFamily("healthd_check_duration_seconds", "Duration of the rounds.", labels=["target"])
    for name, one in entries.items():
        runs.add_metric([name], one.runs)
        for reason in ("unreachable", "denied", "timeout", "error"):
            failures.add_metric([name, reason], one.failures[reason])
        durations.add_metric([name], _buckets(one.durations), sum_value=one.duration_sum_s)
    yield from (runs, failures, durations)


def _questions(entries: Mapping[str, Entry], _fresh: object, _now: object) -> Iterator[Metric]:
    """Yield two series for each question: histograms would be too many series for a thousand targets."""
    took = SummaryMetricFamily(
        "healthd_query_duration_seconds",
        "Duration of the queries, by question.",
        labels=["target", "question"],
    )
    for name, one in entries.items():
        for question, number in one.questions.items():
            took.add_metric([name, question], count_value=number, sum_value=one.questions_sum_s[question])
    yield took


def _buckets(durations: Counter[float]) -> list[tuple[str, float]]:
    below = 0.0
    buckets = []
    for bound in (*BUCKETS_S, float("inf")):
        below += durations[bound]
        buckets.append(("+Inf" if bound == float("inf") else str(bound), below))
    return buckets


def _results(_entries: object, fresh: Mapping[str, Entry], now: datetime) -> Iterator[Metric]:
    yield from _findings(fresh)
    for gauge in OF_RESULTS:
        yield _family(gauge.family(fresh, now))
    yield _newest(fresh)


def _findings(fresh: Mapping[str, Entry]) -> Iterator[Metric]:
    ok = GaugeMetricFamily(
        "healthd_check_ok", "Whether a check has no finding; absent while it cannot tell.", labels=["target", "check"]
    )
    error = GaugeMetricFamily("healthd_check_error", "Whether a check cannot tell.", labels=["target", "check"])
    count = GaugeMetricFamily(
        "healthd_findings", "Number of findings of the last round.", labels=["target", "check", "problem", "severity"]
    )
    info = GaugeMetricFamily(
        "healthd_finding_info",
        f"The worst {TOP} findings of a target with their objects; always 1.",
        labels=["target", "check", "problem", "object", "expected", "actual"],
    )
    for name, entry in fresh.items():
        report = entry.report
        if report is None:
            continue
        for check, severity in report.checks.items():
            error.add_metric([name, check], severity is Severity.UNKNOWN)
            if severity is not Severity.UNKNOWN:
                ok.add_metric([name, check], severity is Severity.OK)
        counted = Counter[tuple[str, str, str]]()
        for one in report.findings:
            counted[one.check, one.problem, str(one.severity)] += one.count
        for labels, number in counted.items():
            count.add_metric([name, *labels], number)
        named = {}
        for one in report.findings[:TOP]:
            named[one.check, one.problem, *brief(one)] = 1
        for key in named:
            info.add_metric([name, *key], 1)
    yield from (ok, error, count, info)


def _incidents(entries: Mapping[str, Entry], _fresh: object, _now: object) -> Iterator[Metric]:
    """Yield every problem that a target can have, starting at 0: a series that starts at 1 shows no increase."""
    begun = CounterMetricFamily(
        "healthd_incidents",
        "How often a problem began on a target, regardless of the number of its objects and rounds.",
        labels=["target", "problem"],
    )
    for name, one in entries.items():
        for problem in PROBLEMS:
            if one.incidents[problem] or problem.startswith("endpoint_") == name.startswith("endpoint:"):
                begun.add_metric([name, problem], one.incidents[problem])
    yield begun


def _newest(fresh: Mapping[str, Entry]) -> Metric:
    applied = GaugeMetricFamily(
        "healthd_migration_applied_timestamp_seconds",
        "Unix time at which the newest migration of the target was applied.",
        labels=["target", "migration"],
    )
    for name, one in fresh.items():
        known = one.report.migrations if one.report is not None else ()
        times = {migration.id: migration.applied_at for migration in known if migration.applied_at is not None}
        if times:
            newest = max(times, key=lambda migration: (times[migration], migration))
            applied.add_metric([name, newest], times[newest].timestamp())
    return applied


def _running(_entries: object, fresh: Mapping[str, Entry], _now: object) -> Iterator[Metric]:
    running = {name: one.report.running for name, one in fresh.items() if one.report and one.report.running}
    for gauge in GAUGES:
        yield _family(gauge.family(running))


def _endpoints(entries: Mapping[str, Entry], fresh: Mapping[str, Entry], _now: object) -> Iterator[Metric]:
    up = GaugeMetricFamily(
        "healthd_endpoint_up", "Whether the last response of the endpoint had the expected status.", labels=["endpoint"]
    )
    responses = CounterMetricFamily(
        "healthd_endpoint_responses", "Responses of the endpoint; code none: no response.", labels=["endpoint", "code"]
    )
    durations = HistogramMetricFamily(
        "healthd_endpoint_duration_seconds", "Duration of the requests to the endpoint.", labels=["endpoint"]
    )
    for name, entry in entries.items():
        asked = entry.report.asked if entry.report else None
        if asked is None:
            continue
        title = asked.key.path[0]
        if name in fresh:
            up.add_metric([title], asked.trouble is None and asked.status == asked.wanted)
        for code, number in entry.responses.items():
            responses.add_metric([title, code], number)
        durations.add_metric([title], _buckets(entry.answers), sum_value=entry.answers_sum_s)
    yield from (up, responses, durations)


GROUPS = (
    Group(_rounds, lambda one, now: (one.runs, one.report, one.fresh(now), one.interval_s, one.last_success)),
    Group(_recent, lambda one, now: (one.recent_s(now),)),
    Group(_questions, lambda one, _: (one.runs,)),
    Group(_results, lambda one, now: (one.fresh(now), *_parts(one.report))),
    Group(_running, lambda one, now: (one.fresh(now), one.report.running if one.report else None)),
    Group(_incidents, lambda one, _: tuple(one.incidents.items())),
    Group(_endpoints, lambda one, now: (one.runs, one.fresh(now)) if one.report and one.report.asked else ()),
)


def _parts(report: Report | None) -> tuple[object, ...]:
    """Return the parts of a report that a quiet round takes over from the last one."""
    if report is None:
        return ()
    of_database = report.migrations, report.waived, report.tenants, is_database(report)
    return report.checks, report.findings, report.failure, *of_database


class _Families(Collector):
    """Families as encoders want them."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self.families = families

    def collect(self) -> Iterable[Metric]:
        """Return the families."""
        return self.families


def of_process() -> Iterable[Metric]:
    """Return the families about this process."""
    return ProcessCollector(registry=None).collect()


def encoder(accept: str) -> tuple[Encode, str]:
    """Return what encodes families in the format that a scraper requests, if it is supported, and the content type."""
    known = [part for part in accept.split(",") if "version" not in part.lower() or VERSION.search(part)]
    encode, content_type = choose_encoder(",".join(known))
    return lambda families: encode(_Families(families)), content_type
