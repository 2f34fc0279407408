"""DROP … CASCADE."""

from __future__ import annotations

import re
from collections.abc import Iterator

from healthd.lint.source import Linted, Rule, Source

RULE = Rule(
    "drops_cascade",
    "warning",
    "DROP … CASCADE",
    why="""
CASCADE also drops every object that depends on the named object, whatever exists in this database:
for example views, foreign keys and functions that belong to others.""",
    instead="""
Drop each object by name. An unknown dependent object then makes the migration fail.""",
)

CASCADE = re.compile(r"(?:drop|alter)\b.*\bdrop\b.*\bcascade\s*$|drop\b.*\bcascade\s*$", re.IGNORECASE | re.DOTALL)


def find(source: Source) -> Iterator[tuple[Linted | None, str]]:
    """Yield each DROP that cascades."""
    for one in source.statements:
        if CASCADE.match(one.code):
            yield one, "CASCADE may drop objects that are not named here"
