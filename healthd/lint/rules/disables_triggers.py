"""Triggers, and with them foreign keys, are switched off."""

from __future__ import annotations

import re
from collections.abc import Iterator

from healthd.lint.source import Rule, Source, Told, alterations

RULE = Rule(
    "disables_triggers",
    "warning",
    "Triggers, and with them foreign keys, are switched off",
    why="""
DISABLE TRIGGER ALL switches the foreign keys of the table off for everybody, DISABLE TRIGGER USER what the application
relies on; `session_replication_role = replica` does both on all tables for this session.
Rows that are written meanwhile are never checked, not even when the triggers are switched on again.""",
    instead="""
Write the rows in an order that the keys allow, or let them be checked at the end (`DEFERRABLE`,
`SET CONSTRAINTS ALL DEFERRED`); switch off by its name the one trigger that is in the way,
and on again in the same file.
After a load, drop the key and add it again: that checks every row.""",
)

DISABLES = re.compile(r"\bdisable\s+trigger\s+(all|user)\b", re.IGNORECASE)
# The value stands in quotes, which the code has no more: any but these two, which are in force otherwise.
ROLE = re.compile(
    r"""set\s+(?:session\s+|local\s+)?session_replication_role\s*(?:=|to\b)\s*['"]?(?!(?:origin|local|default)\b)\w
      | (?:select|do|perform)\b.*\bset_config\s*\(\s*'session_replication_role'\s*,\s*'(?!(?:origin|local)')""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)


def find(source: Source) -> Iterator[tuple[Told | None, str]]:
    """Yield each statement that switches triggers off that it does not name."""
    for one, name, rest in alterations(source):
        if match := DISABLES.search(rest):
            yield one, f"{' '.join(match[0].upper().split())} on {name}: rows are written that nobody checks"
    for one in source.statements:
        if ROLE.match(one.statement.text):
            yield one, "no trigger and no foreign key looks at what this session writes"
