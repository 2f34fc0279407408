"""A summary in Markdown, for the page of a job or a comment: a headline, what was found, and further tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from healthd.report.ci.annotations import LEVELS, Outcome

MOST = 200  # rows of a table: a summary may have 1 MiB
# What Markdown, a table, HTML or a forge would interpret: marks, the beginning of an emoji, of a link or of a mention.
SPECIAL = re.compile(
    r"""[\\`*\[\]<>&#!|~$@] | (?<![^\W_])_ | _(?![^\W_]) | :(?=//|[\w+-]+:) | (?<=www)\.
    | ^[-+=] | ^\d+(?=[.)])""",
    re.VERBOSE | re.IGNORECASE,
)
COLUMNS = ("severity", "where", "what", "rule")


def text(outcome: Outcome) -> str:
    """Return the summary."""
    return "\n\n".join(_parts(outcome))


def _parts(outcome: Outcome) -> Iterator[str]:
    yield f"### {escaped(outcome.headline)}"
    rows = [(LEVELS[one.severity], f"{one.path}:{one.line}", one.message, one.rule) for one in outcome.annotations]
    if rows:
        yield _table(COLUMNS, rows)
    for table in outcome.tables:
        yield from (f"#### {escaped(table.title)}", _table(table.columns, table.rows))


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [_row(columns), "|---" * len(columns) + "|", *map(_row, rows[:MOST])]
    more = f"\n\nand {len(rows) - MOST} more" if len(rows) > MOST else ""
    return "\n".join(lines) + more


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(map(escaped, cells))} |"


def escaped(text: str) -> str:
    """Return a text that is shown as it is: what could be interpreted is written as a character reference."""
    return SPECIAL.sub(lambda found: "".join(f"&#{ord(letter)};" for letter in found[0]), text)
