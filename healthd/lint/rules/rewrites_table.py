"""A statement that may rewrite the entire table under ACCESS EXCLUSIVE."""

from __future__ import annotations

import re
from collections.abc import Iterator

from healthd.lint.source import Linted, Rule, Source, alterations
from healthd.model.costs import short
from healthd.sqltext.table_costs import REWRITES

RULE = Rule(
    "rewrites_table",
    "warning",
    "A statement that may rewrite the entire table under ACCESS EXCLUSIVE",
    why="""
PostgreSQL writes every row and every index again; no other session can read or write the table meanwhile.
`healthd lock` measures whether the rewrite happens: for example, a longer varchar needs none.""",
    instead="""
Add a new column, fill it in batches, and replace the old column in a later migration; use a constant default;
use pg_repack instead of VACUUM FULL and CLUSTER.""",
)

WHOLE = re.compile(
    r"""(?:vacuum\s+(?:\([^)]*\bfull\b|full\b)|cluster\b
          |alter\s+(?:materialized\s+view|index)\b.*\bset\s+(?:tablespace|access\s+method)\b)""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)


def find(source: Source) -> Iterator[tuple[Linted | None, str]]:
    """Yield each statement that was measured to rewrite; if it was not measured, each in a form that may rewrite."""
    for one in source.statements:
        step = source.measured(one)
        if names := [short(name) for name in step.rewrites if name.startswith(("table:", "view:"))] if step else []:
            yield one, f"rewrites all of {', '.join(names)} under ACCESS EXCLUSIVE (measured)"
    yield from ((one, words) for one, words in _guessed(source) if source.measured(one) is None)


def _guessed(source: Source) -> Iterator[tuple[Linted, str]]:
    for one, name, rest in alterations(source):
        if match := REWRITES.search(rest):
            yield one, f"{' '.join(match[0].split())[:60]}: may rewrite all of {name} under ACCESS EXCLUSIVE"
    for one in source.statements:
        if WHOLE.match(one.code):
            what = "index" if one.code[:11].lower() == "alter index" else "table"
            yield one, f"rewrites the {what} under ACCESS EXCLUSIVE"
