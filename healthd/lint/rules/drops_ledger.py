"""A file that drops or writes the ledger."""

from __future__ import annotations

from collections.abc import Iterator

from healthd.lint.source import Linted, Rule, Source
from healthd.sqltext.ledger_loss import takes_ledger

RULE = Rule(
    "drops_ledger",
    "error",
    "A file that drops or writes the ledger",
    why="""
The ledger is the set of tables that record which migrations were applied (`_yoyo_migration`, `_yoyo_log`,
`_yoyo_version`, `yoyo_lock`, `_healthd_migration`, `_healthd_progress`, `_healthd_text`, `_healthd_file`).
The role that runs migrations owns them.
They are in schema `public`, unless the `search_path` of that role begins with another schema.
`DROP SCHEMA public CASCADE` and `DROP OWNED BY CURRENT_USER` drop these tables too; `ALTER SCHEMA public RENAME`
moves them to a schema of another name.
The file then cannot be recorded as applied, and all earlier migrations would be applied again.
A file that writes rows of these tables changes what counts as applied (the rows of `_yoyo_log` may be deleted).
`healthd lock`, `migrate` and `rollback` refuse such a file before its first statement runs. What a DO, a function
or a trigger does is refused when the file has run, and rolled back; if the file is not one transaction, the rows of the
ledger are restored.""",
    instead="""
Drop each object by name. In the rollback of the first migration, drop the objects that the migration created,
not the schema. To record what was applied otherwise, use `healthd baseline`.""",
)


def find(source: Source) -> Iterator[tuple[Linted | None, str]]:
    """Yield each statement that removes or writes the ledger in schema public."""
    found = {(one.line, one.column): words for one, words in takes_ledger(source.text, inside=True)}
    for linted in source.every:
        if words := found.get((linted.statement.line, linted.statement.column)):
            yield linted, f"{words}: the record of applied migrations would be lost or wrong"
