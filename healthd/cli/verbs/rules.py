"""The alert rules for Prometheus that come with the package, with links that lead to this daemon's pages."""

from __future__ import annotations

import re
from pathlib import Path

import click

from healthd.cli.completion import completing
from healthd.cli.options import say, verb
from healthd.cli.shipped import PLACEHOLDER, deliver, shipped
from healthd.config.settings import Settings
from healthd.errors import UsageError

RULES = "healthd.rules.yml"
DASHBOARD = "healthd.dashboard.json"
FILES = (RULES, "healthd.rules_test.yml", "prometheus.yml", "alertmanager.yml", DASHBOARD)
RUNBOOK = f"{PLACEHOLDER}/docs/runbook.md"
ADDRESS = re.compile(r"https?://[^\s\"'#{}\\]+\Z")  # stands in YAML, and in templates of Prometheus


@verb(database=False)
@click.argument("files", nargs=-1, shell_complete=completing(lambda _: FILES))
@click.option("--to", type=click.Path(path_type=Path), metavar="FOLDER", help="Write the files into this folder.")
@click.option("--force", is_flag=True, help="Replace files that exist with another text.")
@click.option(
    "--runbook", metavar="URL", help="The address of the runbook, for the links; default: on the page of healthd."
)
def rules(
    settings: Settings, style: str, files: tuple[str, ...], to: Path | None, force: bool, runbook: str | None
) -> None:
    """Print or write the alert rules for Prometheus.

    FILES are healthd.rules.yml unless you name others: healthd.rules_test.yml (tests of the rules, for promtool),
    prometheus.yml and alertmanager.yml (examples), healthd.dashboard.json (a dashboard for Grafana). The links of the
    alerts lead to `external_url` in yoyo.ini.

    \b
    Exit codes:
      0  printed or written
      3  no such file, or a file exists with another text: nothing was written

    \b
    Examples:
      healthd rules > healthd.rules.yml
      healthd rules --to /etc/prometheus
      healthd rules alertmanager.yml
      healthd rules healthd.dashboard.json > healthd.dashboard.json
    """
    texts = shipped("prometheus", files or (RULES,), FILES)
    address = _runbook(settings, runbook)
    deliver({name: text.replace(RUNBOOK, address) for name, text in texts.items()}, to, style, force=force)
    if address == RUNBOOK and RULES in texts:
        say(f"the links lead to the placeholder {RUNBOOK}: set external_url in [healthd] of yoyo.ini, or --runbook URL")


def _runbook(settings: Settings, named: str | None) -> str:
    """Return the address of the runbook; the placeholder if it is not known."""
    if named is not None and not ADDRESS.match(named):
        raise UsageError(
            f"--runbook {named!r} is not an http:// or https:// address",
            hint="for example: --runbook https://wiki.example.com/runbook, without # and what follows it",
        )
    return named or settings.runbook_url or RUNBOOK
