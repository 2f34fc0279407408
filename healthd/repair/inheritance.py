"""What tables that inherit, and partitions, have to do with the ones above them: their columns and defaults."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from healthd.catalog import KINDS
from healthd.model.attributes import Record
from healthd.model.kinds import Statements
from healthd.model.names import Key, quote
from healthd.model.snapshots import Difference
from healthd.repair.dependencies import Dependencies, ancestors
from healthd.sqltext.tokens import tokens


def divided_by(side: Dependencies, column: Key) -> Key | None:
    """Return the table that has a column in its partition key, be it a partition below: it cannot get another type."""
    table = Key("table", column.path[:2])
    for one in (table, *side.heirs(table)):
        key = getattr(side.objects.get(one), "partitioned_by", None)
        if key and column.path[2] in tokens(key):
            return one
    return None


def overwritten(one: Difference, before: Dependencies, after: Dependencies) -> Iterator[tuple[Key, str, str]]:
    """Yield what this repair overwrites of the columns below: column, attribute, and the SQL that restores it.

    SET DEFAULT of a table is also one of all tables below, and a new column has the same default in all of them.
    """
    old, new = before.objects.get(one.key), after.objects.get(one.key)
    if one.key.kind != "column" or new is None:
        return
    for attribute in STORED if one.missing else (one.attribute,):
        if attribute in STORED:
            yield from _stored_below(one.key, attribute, before, after)
    if not one.missing and (old is None or one.attribute not in SETTING or not (old.default or new.default)):
        return
    for column, record in _columns_below(one.key, before, after):
        if record.default != new.default:
            alter = f"ALTER TABLE {Key('table', column.path[:2]).sql} ALTER COLUMN {quote(column.path[2])}"
            yield (
                column,
                "default",
                f"{alter} SET DEFAULT {record.default};" if record.default else f"{alter} DROP DEFAULT;",
            )


def _stored_below(
    key: Key, attribute: str, before: Dependencies, after: Dependencies
) -> Iterator[tuple[Key, str, str]]:
    """Yield where the tables below store a column in another way, as `overwritten` does."""
    new = after.objects[key]
    for column, record in _columns_below(key, before, after):
        values = getattr(record, attribute), getattr(new, attribute)
        if values[0] != values[1]:
            for sql in KINDS["column"].repair(Difference(column, attribute, *values), record, new):
                yield column, attribute, sql


def _columns_below(key: Key, before: Dependencies, after: Dependencies) -> Iterator[tuple[Key, Record]]:
    """Yield the columns of the tables below that are one with this column, as they should be."""
    for column in below(key, before):
        if (record := after.objects.get(column) or before.objects.get(column)) is not None:
            yield column, record


STORED = ("statistics", "storage")
SETTING = ("default", "type", "collation")  # the attributes of a column whose repair sets its default


def kept_below(
    column: Key, statements: Statements, before: Dependencies, after: Dependencies, gone: Collection[Key]
) -> Statements:
    """Return the statements that drop a column: of its own table only, if a table below it keeps the column."""
    if comes_from(column, before, gone):  # where this was adopted, it may be of the table above alone
        return tuple(sql.replace(" DROP COLUMN ", " DROP COLUMN IF EXISTS ", 1) for sql in statements)
    if not any(one in after.objects and one not in gone for one in below(column, before)):
        return statements
    return tuple(sql.replace("ALTER TABLE ", "ALTER TABLE ONLY ", 1) for sql in statements)


def below(column: Key, side: Dependencies) -> Iterator[Key]:
    """Yield what a column is called in the tables below its own."""
    yield from (Key("column", (*one.path, column.path[2])) for one in side.heirs(Key("table", column.path[:2])))


def comes_from(part: Key, side: Dependencies, among: Collection[Key]) -> bool:
    """Return whether a table has a column or check, or has it at all, because one above it has one of these."""
    above = ancestors(side.objects, Key("table", part.path[:2]))
    return any(Key(part.kind, (*one.path, part.path[2])) in among for one in above)


def is_own_too(column: Key, side: Dependencies) -> bool:
    """Return whether a table that inherits keeps a column that goes above it; a partition has none of its own."""
    table = side.objects.get(Key("table", column.path[:2]))
    return not side.objects[column].inherited and getattr(table, "bound", None) is None
