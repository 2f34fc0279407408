"""The dashboard for Grafana: Prometheus answers every query of it with data from metrics that healthd exports."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from servers import call, free_port, running, stand_in, tool, wait_for
from unit.report.test_metrics import full, text_of

from docs.generate.metrics import name, of_daemon
from healthd.cli.main import run

FILE = Path(__file__).parents[2] / "prometheus" / "healthd.dashboard.json"
DASHBOARD = json.loads(FILE.read_text())
QUERIES = [(panel["title"], target["expr"]) for panel in DASHBOARD["panels"] for target in panel["targets"]] + [
    ("annotations", one["expr"]) for one in DASHBOARD["annotations"]["list"]
]
CONFIGURATION = """
global: {{scrape_interval: 1s}}
scrape_configs: [{{job_name: healthd, static_configs: [{{targets: ["127.0.0.1:{port}"]}}]}}]
"""
IDS = [f"{title}-{number}" for number, (title, _) in enumerate(QUERIES)]
QUERIED = pytest.mark.parametrize(("title", "query"), QUERIES, ids=IDS)
# Of an endpoint, in two scrapes.
ENDPOINT = """
healthd_endpoint_responses_total{{endpoint="api",code="200"}} {0}
healthd_endpoint_duration_seconds_bucket{{endpoint="api",le="0.1"}} {0}
healthd_endpoint_duration_seconds_bucket{{endpoint="api",le="+Inf"}} {0}
"""


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a Prometheus that scrapes a board on which every metric has a series."""
    folder, port, program = tmp_path_factory.mktemp("prometheus"), free_port(), tool("prometheus")
    with stand_in() as (source, exported, _):
        exported["metrics"] = text_of(full()) + ENDPOINT.format(1)
        (folder / "prometheus.yml").write_text(CONFIGURATION.format(port=source))
        command = [program, f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"]
        with running(port, folder / "log", *command, f"--web.listen-address=127.0.0.1:{port}") as url:
            wait_for(lambda: _asked(url, "count_over_time(healthd_build_info[1m]) > 1"))
            exported["metrics"] = text_of(full()) + ENDPOINT.format(3)
            wait_for(lambda: _asked(url, "rate(healthd_endpoint_responses_total[1m]) > 0"))
            yield url


def _asked(url: str, query: str) -> Any:
    answer = call(f"{url}/api/v1/query?{urlencode({'query': query})}")
    assert "success" == answer["status"], answer
    return answer["data"]["result"]


def _as_grafana(query: str) -> str:
    """Return a query as Grafana sends it, for all targets."""
    return query.replace("$__rate_interval", "1m").replace("$target", ".*")


@pytest.mark.parametrize(
    ("title", "query"), QUERIES, ids=[f"{title}-{number}" for number, (title, _) in enumerate(QUERIES)]
)
def test_a_panel_has_data(title: str, query: str, prometheus: str) -> None:
    result = _asked(prometheus, _as_grafana(query))

    assert result, (title, query)
    if title == "annotations":
        (one,) = result
        assert {"target", "migration"} <= one["metric"].keys()
        assert float(one["value"][1]) > 1e12  # milliseconds


@pytest.mark.parametrize(
    ("title", "query"), QUERIES, ids=[f"{title}-{number}" for number, (title, _) in enumerate(QUERIES)]
)
def test_a_panel_names_metrics_that_are_exported(title: str, query: str) -> None:
    exported = {name(family) for family in of_daemon()}
    named = {re.sub("_(bucket|sum|count)$", "", one) for one in re.findall(r"healthd_\w+", query)}

    assert named
    assert named <= exported, title
    assert "target" not in query or 'target=~"$target"' in query, "the selected targets"


def test_the_panels_do_not_overlap_and_say_what_they_show() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert taken.isdisjoint(cells), panel["title"]
        assert at["x"] + at["w"] <= 24
        assert panel["description"].endswith(".")
        taken |= cells
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))


def test_healthd_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run(["rules", "healthd.dashboard.json"])
    assert DASHBOARD == json.loads(capsys.readouterr().out)
