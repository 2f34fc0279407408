"""Sequences of columns that become, or are no longer, those of identity columns: their numbers go on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from healthd.catalog.sequences import complete, counting
from healthd.model.kinds import Statements
from healthd.model.names import Key, literal, quote
from healthd.model.snapshots import Difference
from healthd.repair.collations import Step
from healthd.repair.dependencies import Dependencies


def with_counter(column: Key, statements: Statements, before: Dependencies, after: Dependencies) -> Statements:
    """Return the statements that make a column an identity column, or none, with what its sequence needs.

    The server creates the sequence of an identity column, and drops it: one with the same name must go on from there.
    """
    sequence, there = (side.around.counters.get(column.path) for side in (after, before))
    if sequence is None:
        return statements
    if there is None:  # otherwise the new sequence may have begun outside of its limits
        parameters = counting(after.objects[sequence], typed=False)
        return tuple(sql.replace(" AS IDENTITY;", f" AS IDENTITY ({parameters});") for sql in statements)
    if succeeded(there, before, after):
        return (*statements, _goes_on(sequence, there), f"DROP SEQUENCE {there.sql};")
    if there != sequence:
        return statements
    old, new = before.objects[sequence], after.objects[sequence]
    if new.identity and not old.identity:
        aside = _aside(sequence)
        return (
            f"ALTER SEQUENCE {sequence.sql} RENAME TO {quote(aside.path[1])};",
            *statements,
            f"ALTER SEQUENCE {sequence.sql} {counting(new)};",
            _goes_on(sequence, aside),
            f"DROP SEQUENCE {aside.sql};",
        )
    if old.identity and not new.identity:
        made = (f"CREATE SEQUENCE {sequence.sql} {counting(new)};", *complete(sequence, new, after.around))
        return (*statements, *made)
    return statements


def succeeded(sequence: Key, before: Dependencies, after: Dependencies) -> bool:
    """Return whether a sequence that nobody expects counts a column which is to become an identity column."""
    owned = before.objects[sequence].owned_by
    column = Key.parse(f"column:{owned}") if owned else sequence
    new = after.around.counters.get(column.path)
    if new is None or new == sequence or sequence in after.objects or not after.objects[new].identity:
        return False
    return column in before.objects and bool(before.objects[column].identity == "none")


def _goes_on(sequence: Key, there: Key) -> str:
    """Return the statement after which a sequence goes on where another one is."""
    return f"SELECT pg_catalog.setval({literal(sequence.sql)}, last_value, is_called) FROM {there.sql};"  # noqa: S608


def exchanged(differences: Iterable[Difference], before: Dependencies, after: Dependencies) -> Iterator[Step]:
    """Yield the steps that give the sequence of an identity column its name, which that of another column has.

    It is so when a table was replaced by a copy: the sequence went with the table that it belongs to.
    """
    for one in differences:
        if (one.key.kind, one.attribute) != ("sequence", "owned_by"):
            continue
        old, new = before.objects[one.key], after.objects[one.key]
        if not (old.identity and new.identity):
            continue
        mine = before.around.counters.get(Key.parse(f"column:{new.owned_by}").path)
        if mine is not None and mine not in after.objects:
            statements = (
                f"ALTER SEQUENCE {one.key.sql} RENAME TO {quote(_aside(one.key).path[1])};",
                f"ALTER SEQUENCE {mine.sql} RENAME TO {quote(one.key.path[1])};",
            )
            for place in (one.place, (mine, None)):
                yield one.key, one.attribute, statements, place


def _aside(sequence: Key) -> Key:
    return Key("sequence", (sequence.path[0], f"{sequence.path[1][:50]}_replaced"))
