"""The pages of docs/ that are written from the code: `make docs`; a test holds them to it."""

from collections.abc import Callable, Mapping
from pathlib import Path

from docs.generate import cli, configuration, http, json_output, kubernetes, log_events, metrics, python_api
from docs.generate.markdown import with_links
from healthd.lint.page import page as lint
from healthd.report.problems import runbook
from healthd.report.what_is_compared import page as what_is_compared

DOCS = Path(__file__).parents[1]

# docs/reference/types.md needs a server: tests/support/driver.py writes it.
PAGES: Mapping[str, Callable[[], str]] = {
    "runbook.md": lambda: with_links(runbook(), "."),
    "lint.md": lint,
    "what-is-compared.md": what_is_compared,
    "../container/kubernetes/prometheusrule.yaml": kubernetes.prometheus_rule,
    "reference/cli.md": cli.page,
    "reference/configuration.md": lambda: configuration.page(DOCS / "reference" / "configuration.md"),
    "reference/http.md": http.page,
    "reference/json.md": json_output.page,
    "reference/log-events.md": log_events.page,
    "reference/metrics.md": metrics.page,
    "reference/python-api.md": python_api.page,
}
