"""All formats for CI systems, by name."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from healthd.report.ci import github, gitlab, junit, markdown, sarif
from healthd.report.ci.annotations import Outcome, Table, safe, shown

FORMATS: Mapping[str, Callable[[Outcome], str]] = {
    "sarif": sarif.text,
    "github": github.text,
    "gitlab": gitlab.text,
    "junit": junit.text,
    "markdown": markdown.text,
}


def render(style: str, outcome: Outcome, place: Callable[[str], str]) -> str:
    """Return an outcome in one of the formats; `place` returns the path of a file as CI systems need it."""
    annotations = tuple(shown(one, place) for one in outcome.annotations)
    return FORMATS[style](replace(outcome, annotations=annotations, tables=tuple(map(_safe, outcome.tables))))


def _safe(table: Table) -> Table:
    return replace(table, title=safe(table.title), rows=tuple(tuple(map(safe, row)) for row in table.rows))
