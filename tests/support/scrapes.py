"""Real scrapes as series for promtool, so that the rules are tested with real samples."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from servers import run, tool

RULES = Path(__file__).parents[2] / "prometheus" / "healthd.rules.yml"
STEP_S = 60
CLOCKS = "_timestamp_seconds"
STALE = "stale"  # what Prometheus writes when a series is no longer in a scrape


class Scrapes:
    """Scrapes of several jobs, one of each job in every step of a minute, whenever they were really made."""

    def __init__(self) -> None:
        self.steps = 0
        self.series: dict[str, dict[int, float]] = {}

    def add(self, now_s: float, **jobs: str) -> None:
        """Add the text that each job exports now; timestamps are shifted to the time of this step in the test."""
        for job, text in jobs.items():
            job = job.replace("_", "-")
            self._put("up", {"job": job}, 1.0)
            for family in text_string_to_metric_families(text):
                if family.name.startswith("process_"):
                    continue  # of the process of the tests
                for sample in family.samples:
                    late_s = self.steps * STEP_S - now_s if sample.name.endswith(CLOCKS) else 0.0
                    self._put(sample.name, {**sample.labels, "job": job}, sample.value + late_s)
        self.steps += 1

    def _put(self, name: str, labels: Mapping[str, str], value: float) -> None:
        words = ", ".join(f"{label}={json.dumps(text, ensure_ascii=False)}" for label, text in labels.items())
        self.series.setdefault(f'{name}{{{words}, instance="here"}}', {})[self.steps] = value

    def last(self, name: str, **labels: str) -> list[float]:
        """Return the newest value of each series with this name and these labels."""
        wanted = [f"{label}={json.dumps(text)}" for label, text in labels.items()]
        return [
            values[max(values)]
            for series, values in self.series.items()
            if series.startswith(f"{name}{{") and all(one in series for one in wanted)
        ]

    def alert(self, folder: Path, expected: Mapping[int, Collection[str]]) -> str:
        """Return promtool's objections to the claim that after so many steps exactly these alerts fire."""
        tests = [
            {
                "expr": 'group by (alertname) (ALERTS{alertstate="firing", alertname!="Watchdog"})',
                "eval_time": f"{(step - 1) * STEP_S}s",
                "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in sorted(names)],
            }
            for step, names in expected.items()
        ]
        interval = f"{STEP_S}s"
        series = [{"series": name, "values": self._values(values)} for name, values in self.series.items()]
        test = {"interval": interval, "input_series": series, "promql_expr_test": tests}
        document = {"rule_files": [str(RULES)], "evaluation_interval": interval, "tests": [test]}
        (folder / "scrapes.yml").write_text(json.dumps(document))
        code, output = run(tool("promtool"), "test", "rules", folder / "scrapes.yml")
        return output if code else ""

    def _values(self, values: Mapping[int, float]) -> str:
        words = []
        for step in range(self.steps):
            gone = STALE if step - 1 in values else "_"
            words.append(f"{values[step]:.6f}" if step in values else gone)
        return " ".join(words)
