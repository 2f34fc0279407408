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

from healthd._version import __version__
from healthd.model.findings import Report
from healthd.model.ledger import State
from healthd.model.severity import Severity
from healthd.report.board import BUCKETS_S, Board, Delivery, Entry
from healthd.report.problems import PROBLEMS
from healthd.report.running_series import GAUGES
from healthd.report.short_findings import TOP, brief

VERSION = re.compile(r"; *version *= *[01]\.[0-9]\.[0-9] *(;|$)", re.ASCII)  # of a supported format

STATES = {
    State.PENDING: "pending",
    State.OUT_OF_ORDER: "out_of_order",
    State.APPLIED: "applied",
    State.EDITED: "edited",
    State.MISSING: "missing",
    State.UNKNOWN: "unknown",
    State.INTERRUPTED: "interrupted",
}


Encode = Callable[[Iterable[Metric]], bytes]


@dataclass(frozen=True, slots=True)
class Group:
    """Families about each target, and what they depend on: while that is the same, so are they."""

    families: Callable[[Mapping[str, Entry], Mapping[str, Entry], datetime], Iterable[Metric]]
    depends_on: Callable[[Entry, datetime], tuple[object, ...]]


def about_healthd(board: Board, targets: Container[str]) -> Iterator[Metric]:
    """Yield the families that do not depend on rounds."""
    yield from _process(board)
    yield from _labelled({name: found for name, found in board.labels.items() if name in targets})


def about_target(name: str, entry: Entry, group: Group, now: datetime) -> Iterable[Metric]:
    """Return the families of a group for one target."""
    own = {name: entry}
    return group.families(own, own if entry.fresh(now) else {}, now)


def _process(board: Board) -> Iterator[Metric]:
    build = GaugeMetricFamily("healthd_build_info", "Version of this healthd; always 1.", labels=["version"])
    build.add_metric([__version__], 1)
    yield build
    if board.external_url:
        url = GaugeMetricFamily(
            "healthd_external_url_info", "URL of the pages of this healthd; always 1.", labels=["url"]
        )
        url.add_metric([board.external_url], 1)
        yield url
    disconnected = CounterMetricFamily(
        "healthd_web_disconnections",
        "Clients that the web server disconnected, by reason: idle, slow, full, handshake.",
        labels=["reason"],
    )
    for reason in ("idle", "slow", "full", "handshake"):
        disconnected.add_metric([reason], board.disconnected[reason])
    yield disconnected
    if board.alertmanagers:
        yield from _deliveries(board.alertmanagers)
    if board.certificate_expires_at:
        yield GaugeMetricFamily(
            "healthd_web_certificate_expires_timestamp_seconds",
            "Unix time at which the certificate of the web server, or one that signed it, expires.",
            value=board.certificate_expires_at.timestamp(),
        )
    yield GaugeMetricFamily(
        "healthd_config_last_reload_successful",
        "Whether the last load of yoyo.ini, and of the files that it names, succeeded.",
        value=board.reload_ok and board.files_ok and board.web_ok and not board.wrong_files,
    )
    if board.reloaded_at:
        yield GaugeMetricFamily(
            "healthd_config_last_reload_success_timestamp_seconds",
            "Unix time of the last successful load of yoyo.ini.",
            value=board.reloaded_at.timestamp(),
        )


def _deliveries(alertmanagers: Mapping[str, Delivery]) -> Iterator[Metric]:
    up = GaugeMetricFamily(
        "healthd_alertmanager_up",
        "Whether the last request to this Alertmanager succeeded; there is one in each `resend_s`.",
        labels=["alertmanager"],
    )
    requests = CounterMetricFamily(
        "healthd_alertmanager_requests",
        "Requests with alerts to this Alertmanager, by result: sent, failed.",
        labels=["alertmanager", "result"],
    )
    for place, one in alertmanagers.items():
        if one.reached is not None:
            up.add_metric([place], one.reached)
        requests.add_metric([place, "sent"], one.sent)
        requests.add_metric([place, "failed"], one.failed)
    yield from (up, requests)


def _labelled(labels: Mapping[str, Mapping[str, str]]) -> Iterator[Metric]:
    """Yield the labels of the targets that have some; a label that another target has is empty."""
    names = sorted({name for found in labels.values() for name in found})
    if names:
        info = GaugeMetricFamily(
            "healthd_target_info", "Labels of a target, from yoyo.ini; always 1.", labels=["target", *names]
        )
        for target, found in labels.items():
            info.add_metric([target, *(found.get(name, "") for name in names)], 1)
        yield info


def _gauge(name: str, text: str, values: dict[str, float | None]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=["target"])
    for target, value in values.items():
        if value is not None:
            family.add_metric([target], value)
    return family


def _is_database(report: Report) -> bool:
    """Return whether this is the report of a database, and not of an endpoint or of a group."""
    return report.asked is None and report.listed is None


def _seconds(instant: datetime | None) -> float | None:
    return instant.timestamp() if instant else None


def _recent(entries: Mapping[str, Entry], _fresh: object, now: datetime) -> Iterator[Metric]:
    yield _gauge(
        "healthd_check_recent_seconds",
        "Age up to which a round that succeeded is recent: three intervals, its duration, and what it waited.",
        {name: one.recent_s(now) for name, one in entries.items()},
    )


def _rounds(entries: Mapping[str, Entry], fresh: Mapping[str, Entry], _now: object) -> Iterator[Metric]:
    examined = {name: one for name, one in entries.items() if one.report is not None}
    yield _gauge(
        "healthd_target_examined",
        "Whether a round of the target has finished since healthd started; before that nothing else is known of it.",
        {name: float(name in examined) for name in entries},
    )
    yield _gauge(
        "healthd_target_up",
        "Whether the last round could read the target; absent before the first round.",
        {name: float(name in fresh and _seen(one)) for name, one in examined.items()},
    )
    yield _gauge(
        "healthd_check_interval_seconds",
        "Pause between two rounds of the target.",
        {name: one.interval_s for name, one in entries.items()},
    )
    yield _gauge(
        "healthd_check_last_run_timestamp_seconds",
        "Unix time at which the last round of the target began.",
        {name: _seconds(one.report.started_at if one.report else None) for name, one in entries.items()},
    )
    yield _gauge(
        "healthd_check_last_success_timestamp_seconds",
        "Unix time of the last round that could read the target, whatever it found.",
        {name: _seconds(one.last_success) for name, one in entries.items()},
    )
    yield _gauge(
        "healthd_drift_since_timestamp_seconds",
        "Unix time since which the target has had a critical finding; absent without one.",
        {name: _seconds(one.drift_since) for name, one in entries.items()},
    )
    yield _gauge(
        "healthd_maintenance_active",
        "Whether a session holds the migration lock of the target.",
        {
            name: float(name in fresh and one.report is not None and one.report.maintenance is not None)
            for name, one in entries.items()
        },
    )
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


def _seen(entry: Entry) -> bool:
    return entry.report is not None and entry.report.failure is None


def _results(_entries: object, fresh: Mapping[str, Entry], _now: object) -> Iterator[Metric]:
    yield from _findings(fresh)
    yield _waived(fresh)
    yield from _tenants(fresh)
    yield from _migrations(fresh)


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


def _waived(fresh: Mapping[str, Entry]) -> Metric:
    return _gauge(
        "healthd_waived",
        "Number of findings of the last round that a waiver covers; no other metric of findings counts them.",
        {
            name: float(len(one.report.waived))
            for name, one in fresh.items()
            if one.report is not None and one.report.failure is None and _is_database(one.report)
        },
    )


def _tenants(fresh: Mapping[str, Entry]) -> Iterator[Metric]:
    known = {
        name: one.report.tenants
        for name, one in fresh.items()
        if one.report is not None and one.report.tenants is not None
    }
    yield _gauge(
        "healthd_tenant_schemas",
        "Number of schemas of tenants; only for a target with `schemas`.",
        {name: float(one.schemas) for name, one in known.items()},
    )
    yield _gauge(
        "healthd_tenant_schemas_different",
        "Number of schemas of tenants with findings; absent while they cannot be compared.",
        {name: float(len(one.different)) for name, one in known.items() if one.different is not None},
    )


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


def _migrations(fresh: Mapping[str, Entry]) -> Iterator[Metric]:
    for state, word in STATES.items():
        yield _gauge(
            f"healthd_migrations_{word}",
            f"Number of migrations of the target that are {word.replace('_', ' ')}.",
            {
                name: float(sum(migration.state is state for migration in one.report.migrations))
                for name, one in fresh.items()
                if one.report is not None and one.report.failure is None and _is_database(one.report)
            },
        )
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
    yield applied


def _running(_entries: object, fresh: Mapping[str, Entry], _now: object) -> Iterator[Metric]:
    running = {name: one.report.running for name, one in fresh.items() if one.report and one.report.running}
    for gauge in GAUGES:
        family = GaugeMetricFamily(gauge.name, gauge.text, labels=["target", *gauge.names])
        for labels, value in gauge.samples(running):
            family.add_metric(labels, value)
        yield family


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
    of_database = report.migrations, report.waived, report.tenants, _is_database(report)
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
