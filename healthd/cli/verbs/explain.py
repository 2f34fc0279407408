"""The runbook page of a problem."""

from __future__ import annotations

from functools import partial

import click

from healthd.cli.completion import problem_names
from healthd.cli.markdown import rendered
from healthd.cli.options import out, verb
from healthd.config.settings import Settings
from healthd.errors import UsageError
from healthd.report.problems import SECTIONS, section
from healthd.text import did_you_mean


@verb(database=False)
@click.argument("problem", nargs=-1, shell_complete=problem_names)
def explain(settings: Settings, style: str, problem: tuple[str, ...]) -> None:  # noqa: ARG001 # every verb has them
    """Print the runbook page of a PROBLEM, or list all problems.

    The page explains what the problem means, how to see it and how to fix it. "healthd check" and the alerts name
    the problem. A terminal shows it formatted; a file or a pipe gets Markdown.

    \b
    Examples:
      healthd explain
      healthd explain enum_mismatch
    """
    for name in problem:
        if name not in SECTIONS:
            message = f"no problem is called {name!r}; known problems: {', '.join(SECTIONS)}"
            raise UsageError(message, hint=f"{did_you_mean(name, SECTIONS)}healthd explain --help")
    listed = "\n".join(f"{one.name:22} {one.title}" for one in SECTIONS.values())
    pages = "\n".join(line for name in problem for line in section(SECTIONS[name]))
    document = {name: SECTIONS[name].title for name in problem or SECTIONS}
    out(style, pages or listed, document, partial(rendered, pages) if pages else None)
