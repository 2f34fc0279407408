"""Triggers, and with them foreign keys, are disabled."""

from __future__ import annotations

import re
from collections.abc import Iterator

from healthd.lint.source import Linted, Rule, Source, alterations
from healthd.sqltext.statements import GAP

RULE = Rule(
    "disables_triggers",
    "warning",
    "Triggers, and with them foreign keys, are disabled",
    why="""
DISABLE TRIGGER ALL disables the foreign keys of the table for all sessions. DISABLE TRIGGER USER disables the triggers
that the application relies on. `session_replication_role = replica` does both, on all tables, for this session.
Rows that are written meanwhile are never checked, not even when the triggers are enabled again.""",
    instead="""
Write the rows in an order that satisfies the foreign keys, or defer the check to the end of the transaction
(`DEFERRABLE`, `SET CONSTRAINTS ALL DEFERRED`). If one trigger blocks the change, disable that trigger by name,
and enable it again in the same file.
After a bulk load, drop the foreign key and add it again: this checks every row.""",
)

DISABLES = re.compile(r"\bdisable\s+trigger\s+(all|user)\b", re.IGNORECASE)
# The value is in quotes, which `code` has blanked. Any value matches, except those under which triggers fire as usual.
ROLE = re.compile(
    rf"""(?P<later>alter\b.*\b)?set{GAP}+(?:(?:session|local){GAP}+)?
        "?session_replication_role"?{GAP}*(?:=|to\b){GAP}*['"]?(?!(?:origin|local|default)\b)\w
      | (?:select|perform)\b.*\bset_config\s*\(\s*'session_replication_role'\s*,\s*'(?!(?:origin|local)')""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)


def find(source: Source) -> Iterator[tuple[Linted | None, str]]:
    """Yield each statement that disables triggers without naming them."""
    for one, name, rest in alterations(source, inside=True):
        if match := DISABLES.search(rest):
            yield one, f"{' '.join(match[0].upper().split())} on {name}: rows are written without being checked"
    for one in source.every:
        if match := ROLE.match(one.statement.text):
            which = "later sessions" if match["later"] else "this session"
            yield one, f"disables ordinary triggers and foreign keys for {which}"
