"""An object is created without a schema name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from healthd.lint.source import Linted, Rule, Source
from healthd.sqltext.classify import selected_into, setting_of

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
PATHS = frozenset({"search_path", "schema"})  # the settings that name the schema of new objects


def find(source: Source) -> Iterator[tuple[Linted | None, str]]:
    """Yield the first object that a file creates without a schema, with the number of such objects."""
    settings = (setting_of(one.statement) for one in source.every)
    if source.is_rollback or any(setting and setting[0] in PATHS for setting in settings):
        return
    found = [(one, *named) for one in source.every if (named := _named(one))]
    if found:
        one, what, name = found[0]
        more = f", and {len(found) - 1} more in this file" if len(found) > 1 else ""
        yield one, f"{what} {name}{more}: no schema is named, so search_path decides where it is created"


def _named(one: Linted) -> tuple[str, str] | None:
    """Return kind and name of an object that a statement creates without a schema."""
    if match := CREATES.match(one.code):
        return " ".join(match[1].lower().split()), one.statement.text[match.start(2) : match.end(2)]
    match = selected_into(one.code) if one.within is None else None
    return ("table", match[1]) if match and "." not in match[1] else None
