"""An object is created without a schema name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from healthd.lint.source import Linted, Rule, Source

RULE = Rule(
    "names_without_schema",
    "note",
    "An object is created without a schema name",
    why="""
The `search_path` of the session that runs the file decides in which schema the object is created; the database,
the role or the client can set it. `healthd lock` uses PostgreSQL's default, which creates it in `public`.
If the search_path of a database leads to another schema, `healthd migrate` refuses to run.""",
    instead="""
Write the schema (`CREATE TABLE public.name`), or put `SET LOCAL search_path = …` at the top of the file.""",
)

CREATES = re.compile(
    r"""create\s+(?:or\s+replace\s+)?(?:unlogged\s+|recursive\s+)?
        (table|(?:materialized\s+)?view|foreign\s+table|type|domain|function|procedure|aggregate|sequence|collation)\s+
        (?:if\s+not\s+exists\s+)?("(?:[^"]|"")*"|'[^']*'|[\w$]+)(?![\w$'"]|\s*\.)""",
    re.IGNORECASE | re.VERBOSE,
)
SETS = re.compile(r"set\s+(?:session\s+|local\s+)?(?:search_path|schema)\b|select\b.*\bset_config\b", re.IGNORECASE)


def find(source: Source) -> Iterator[tuple[Linted | None, str]]:
    """Yield the first object that a file creates without a schema, with the number of such objects."""
    if source.is_rollback or any(SETS.match(one.code) for one in source.statements):
        return
    found = [(one, match) for one in source.statements if (match := CREATES.match(one.code))]
    if found:
        one, match = found[0]
        name = one.statement.text[match.start(2) : match.end(2)]
        more = f", and {len(found) - 1} more in this file" if len(found) > 1 else ""
        what = " ".join(match[1].lower().split())
        yield one, f"{what} {name}{more}: no schema is named, so search_path decides where it is created"
