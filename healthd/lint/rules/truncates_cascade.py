"""TRUNCATE … CASCADE."""

from __future__ import annotations

import re
from collections.abc import Iterator

from healthd.lint.source import Linted, Rule, Source

RULE = Rule(
    "truncates_cascade",
    "warning",
    "TRUNCATE … CASCADE",
    why="""
CASCADE also empties every table that references this table, directly or indirectly, whatever exists in this database.
It holds an ACCESS EXCLUSIVE lock on all of them until the transaction ends.""",
    instead="""
Name all tables that are to be emptied in one TRUNCATE. An unknown foreign key then makes the migration fail.""",
)

CASCADE = re.compile(r"truncate\b.*\bcascade\s*$", re.IGNORECASE | re.DOTALL)


def find(source: Source) -> Iterator[tuple[Linted | None, str]]:
    """Yield each TRUNCATE that cascades."""
    for one in source.every:
        if CASCADE.match(one.code):
            yield one, "CASCADE may empty tables that are not named here"
