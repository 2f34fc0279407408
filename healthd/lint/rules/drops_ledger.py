"""A statement that takes the ledger away."""

from __future__ import annotations

from collections.abc import Iterator

from healthd.lint.source import Rule, Source, Told
from healthd.sqltext.ledger_loss import takes_ledger

RULE = Rule(
    "drops_ledger",
    "error",
    "A file that drops the ledger",
    why="""
The tables that say what was applied (`_yoyo_migration`, `_yoyo_log`, `_yoyo_version`, `yoyo_lock`,
`_healthd_migration`, `_healthd_progress`) belong to the role that migrates, and are in schema `public` unless its
`search_path` begins with another one.
`DROP SCHEMA public CASCADE`, `ALTER SCHEMA public RENAME`, `DROP OWNED BY CURRENT_USER` take them along:
the file cannot be marked, and all that was applied before would be applied again.
`healthd lock`, `migrate` and `rollback` refuse such a file before its first statement.""",
    instead="""
Drop by name what is to go. A rollback of the first migration drops what that has made, and not the schema.""",
)


def find(source: Source) -> Iterator[tuple[Told | None, str]]:
    """Yield each statement that takes the ledger in public away."""
    found = {(one.line, one.column): words for one, words in takes_ledger(source.text)}
    for told in source.statements:
        if words := found.get((told.statement.line, told.statement.column)):
            yield told, f"{words}: what was applied would be forgotten"
