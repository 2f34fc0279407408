"""DROP … CASCADE."""

from __future__ import annotations

import re
from collections.abc import Iterator

from healthd.lint.source import Rule, Source, Told

RULE = Rule(
    "drops_cascade",
    "warning",
    "DROP … CASCADE",
    why="""
It drops what depends on the thing too, whatever that is in this database: views, keys, functions of others.""",
    instead="""
Drop by name what is to go: then a dependency that nobody knew stops the migration.""",
)

CASCADE = re.compile(r"(?:drop|alter)\b.*\bdrop\b.*\bcascade\s*$|drop\b.*\bcascade\s*$", re.IGNORECASE | re.DOTALL)


def find(source: Source) -> Iterator[tuple[Told | None, str]]:
    """Yield each DROP that cascades."""
    for one in source.statements:
        if CASCADE.match(one.code):
            yield one, "CASCADE drops more than is written here"
