"""A name without its schema."""

from __future__ import annotations

import re
from collections.abc import Iterator

from healthd.lint.source import Rule, Source, Told

RULE = Rule(
    "names_without_schema",
    "note",
    "A name without its schema",
    why="""
Where it goes is decided by the `search_path` of whoever runs the file: of the database, the role or the client.
The replay of `healthd lock` has PostgreSQL's own, which leads to `public`.
`healthd migrate` refuses a database whose search_path leads elsewhere, before anything runs.""",
    instead="""
`CREATE TABLE public.machines`; or `SET LOCAL search_path = …` at the top of the file.""",
)

CREATES = re.compile(
    r"""create\s+(?:or\s+replace\s+)?(?:unlogged\s+|recursive\s+)?
        (table|(?:materialized\s+)?view|foreign\s+table|type|domain|function|procedure|aggregate|sequence|collation)\s+
        (?:if\s+not\s+exists\s+)?("[^"]*"|'[^']*'|[\w$]+)(?![\w$'"]|\s*\.)""",
    re.IGNORECASE | re.VERBOSE,
)
SETS = re.compile(r"set\s+(?:session\s+|local\s+)?(?:search_path|schema)\b|select\b.*\bset_config\b", re.IGNORECASE)


def find(source: Source) -> Iterator[tuple[Told | None, str]]:
    """Yield the first of the objects that a file makes without a schema, with how many there are."""
    if source.is_rollback or any(SETS.match(one.code) for one in source.statements):
        return
    found = [(one, match) for one in source.statements if (match := CREATES.match(one.code))]
    if found:
        one, match = found[0]
        name = one.statement.text[match.start(2) : match.end(2)]
        more = f", and {len(found) - 1} more in this file" if len(found) > 1 else ""
        what = " ".join(match[1].lower().split())
        yield one, f"{what} {name}{more}: without a schema, search_path decides where it goes"
