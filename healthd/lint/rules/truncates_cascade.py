"""TRUNCATE … CASCADE."""

from __future__ import annotations

import re
from collections.abc import Iterator

from healthd.lint.source import Rule, Source, Told

RULE = Rule(
    "truncates_cascade",
    "warning",
    "TRUNCATE … CASCADE",
    why="""
It empties every table that refers to this one too, and those that refer to them, whatever they are in this database,
and locks out everybody from all of them until the file is committed.""",
    instead="""
Name the tables that are to be emptied, all in one TRUNCATE: then a reference that nobody knew stops the migration.""",
)

CASCADE = re.compile(r"truncate\b.*\bcascade\s*$", re.IGNORECASE | re.DOTALL)


def find(source: Source) -> Iterator[tuple[Told | None, str]]:
    """Yield each TRUNCATE that cascades."""
    for one in source.statements:
        if CASCADE.match(one.code):
            yield one, "CASCADE empties more tables than are written here"
