"""docs/reference/metrics.md: every family that a daemon, or an application's middleware, exports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import chain

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric

from docs.generate.markdown import table
from healthd.asgi.measures import Measures
from healthd.asgi.trouble import TITLES
from healthd.model.findings import Report
from healthd.model.names import Key
from healthd.model.observations import Asked
from healthd.model.severity import Severity
from healthd.report.board import BUCKETS_S, Board, Delivery
from healthd.report.metrics import GROUPS, about_healthd, about_target
from healthd.report.short_findings import TEXT

NOW = datetime(2026, 1, 1, tzinfo=UTC)

LABELS: Mapping[str, str] = {
    "target": "name of a target of `yoyo.ini`; `endpoint:NAME` for an endpoint",
    "endpoint": "name of an endpoint, without `endpoint:`",
    "check": "name of a check: the file name in `healthd/checks/`",
    "problem": "name of a problem, as in the [runbook](../runbook.md)",
    "severity": "`warning`, `critical` or `unknown`",
    "reason": (
        "of rounds: `unreachable`, `denied`, `timeout` or `error`; of web clients: `idle`, `slow`, `full` or "
        "`handshake`"
    ),
    "question": (
        "kind of query: `connect`, `look`, `read`, `vitals`, `values`, `access`, `rows`, `statements`, `running`"
    ),
    "user": "role of a session",
    "application": "`application_name` of a session, for a runner without the file that it runs",
    "phase": "phase of an index build, in the words of the server",
    "object": "the object, as `kind:schema.name`",
    "expected": f"the expected state, at most {TEXT} characters",
    "actual": f"the actual state, at most {TEXT} characters",
    "alertmanager": "host, port and path of an address in `[alertmanager]`",
    "result": "`sent` or `failed`",
    "code": "HTTP status of the response; `none` if there was no response",
    "version": "version of healthd",
    "team": "an example: a target has the `labels` that yoyo.ini gives it",
    "url": "`external_url` of `yoyo.ini`",
    "migration": "ID of a migration",
    "method": "HTTP method; `other` for an unusual one",
    "route": "template of the route, `unmatched` if no route matched",
    "status": "HTTP status; 499 if the caller left",
    "error_code": "; ".join(f"`{code}`" for code in TITLES),
}

HEAD = """# Metrics

`GET /metrics` returns the metrics of all targets, `GET /probe?target=NAME` those of one.
Neither touches a database: both show the result of the last round.
Labels are closed sets, except that object, expected and actual appear in one metric with a bounded number of series.
This page is generated from the code (`make docs`).

- A target that is removed from the configuration takes its series with it.
- A check that cannot tell has no `healthd_check_ok`: *cannot see* is never *clean*.
- A result that is older than three intervals, not counting what its round takes and what it waits for its turn, is
  dropped, and `healthd_target_up` is 0.
- Counters start again with the process.

[Alert with Prometheus](../how-to/prometheus.md) describes the alert rules that use them.

## The daemon

{daemon}
The daemon also exports the standard `process_…` metrics of its process.
Histograms have buckets up to {buckets} seconds.

## Applications

The middleware [`healthd.asgi`](../how-to/machines_api.md) exports these from the application's own process.

{application}
## Labels

{labels}"""


def page() -> str:
    """Return the whole page as Markdown."""
    daemon, application = of_daemon(), _application()
    names = sorted({label for one in (*daemon, *application) for label in _labels(one)})
    return HEAD.format(
        daemon=_families(daemon),
        application=_families(application),
        labels=table(["label", "value"], [[f"`{name}`", LABELS[name]] for name in names]),
        buckets=f"{max(BUCKETS_S):g}",
    )


def _families(families: Iterable[Metric]) -> str:
    rows = [
        [f"`{name(one)}`", one.type, ", ".join(f"`{label}`" for label in _labels(one)) or "–", one.documentation]
        for one in families
    ]
    return table(["metric", "type", "labels", "meaning"], rows)


def name(family: Metric) -> str:
    """Return the name by which a family is queried."""
    return family.name + "_total" * (family.type == "counter")


def _labels(family: Metric) -> tuple[str, ...]:
    return tuple(getattr(family, "_labelnames", ()))


def of_daemon() -> list[Metric]:
    """Return every family, from a board on which a target and an endpoint have had a round."""
    board = Board()
    board.external_url, board.reloaded_at = "https://healthd.example", NOW
    board.certificate_expires_at = NOW
    board.labels = {"machines": {"team": "shop"}}
    board.alertmanagers = {"127.0.0.1:9093": Delivery(reached=True)}
    board.watch([("machines", 30.0), ("endpoint:api", 30.0)])
    asked = Asked(Key("endpoint", ("api",)), 200, 200, 0.1, 1.0)
    board.post(Report(target="machines", started_at=NOW, duration_s=0.1, findings=(), checks={"enums": Severity.OK}))
    board.post(Report(target="endpoint:api", started_at=NOW, duration_s=0.1, findings=(), asked=asked))
    of_targets = (about_target(name, entry, group, NOW) for name, entry in board.entries.items() for group in GROUPS)
    families = (*about_healthd(board, board.entries), *chain.from_iterable(of_targets))
    return list({one.name: one for one in families}.values())


def _application() -> list[Metric]:
    """Return the families of the middleware; those of prometheus_client know their labels only inside."""
    registry = CollectorRegistry()
    measures = Measures(registry)
    found = []
    for one in (measures.requests, measures.duration_s, measures.database_s, measures.errors):
        (family,) = one.describe()
        family._labelnames = one._labelnames  # type: ignore[attr-defined] # noqa: SLF001 # no public way
        found.append(family)
    return found
