"""Sequences of columns that become, or are no longer, those of identity columns: their numbers go on."""

from __future__ import annotations

from healthd.catalog.sequences import complete, counting
from healthd.model.kinds import Statements
from healthd.model.names import Key, literal, quote
from healthd.repair.dependencies import Dependencies


def with_counter(column: Key, statements: Statements, before: Dependencies, after: Dependencies) -> Statements:
    """Return the statements that make a column an identity column, or none, with what its sequence needs.

    The server creates the sequence of an identity column, and drops it: one with the same name must go on from there.
    """
    sequence = after.around.counters.get(column.path)
    if sequence is None or before.around.counters.get(column.path) != sequence:
        return statements
    old, new = before.objects[sequence], after.objects[sequence]
    if new.identity and not old.identity:
        aside = Key("sequence", (sequence.path[0], f"{sequence.path[1][:50]}_replaced"))
        return (
            f"ALTER SEQUENCE {sequence.sql} RENAME TO {quote(aside.path[1])};",
            *statements,
            f"ALTER SEQUENCE {sequence.sql} {counting(new)};",
            f"SELECT pg_catalog.setval({literal(sequence.sql)}, last_value, is_called) FROM {aside.sql};",  # noqa: S608
            f"DROP SEQUENCE {aside.sql};",
        )
    if old.identity and not new.identity:
        made = (f"CREATE SEQUENCE {sequence.sql} {counting(new)};", *complete(sequence, new, after.around))
        return (*statements, *made)
    return statements
