"""The page on a problem."""

from __future__ import annotations

import click

from healthd.cli.options import out, verb
from healthd.config.settings import Settings
from healthd.report.problems import SECTIONS, section


@verb(database=False)
@click.argument("problem", nargs=-1)
def explain(settings: Settings, style: str, problem: tuple[str, ...]) -> None:  # noqa: ARG001 # every verb has them
    """Print the runbook's page on a PROBLEM; without one, list them all."""
    for name in problem:
        if name not in SECTIONS:
            raise click.UsageError(f"no problem is called {name!r}; there are: {', '.join(SECTIONS)}")
    listed = "\n".join(f"{one.name:22} {one.title}" for one in SECTIONS.values())
    pages = "\n".join(line for name in problem for line in section(SECTIONS[name]))
    out(style, pages or listed, {name: SECTIONS[name].title for name in problem or SECTIONS})
