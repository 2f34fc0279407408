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

DROPS = re.compile(r"\bdrop\b", re.IGNORECASE)
CASCADE = re.compile(r"\bcascade\s*$", re.IGNORECASE)
STARTS = re.compile(r"drop\b|(?P<alters>alter\b)", re.IGNORECASE)


def find(source: Source) -> Iterator[tuple[Linted | None, str]]:
    """Yield each DROP that cascades."""
    for one in source.every:
        if (start := STARTS.match(one.code)) and _cascades(one.code.split(",") if start["alters"] else [one.code]):
            yield one, "CASCADE may drop objects that are not named here"


def _cascades(actions: list[str]) -> bool:
    """Return whether an action drops, and ends with CASCADE: ON DELETE CASCADE belongs to another one."""
    return any(CASCADE.search(action) and DROPS.search(action) for action in actions)
