"""How a key, a constraint or a NOT NULL is added to a table with rows without a lock for as long as that is large."""

from __future__ import annotations

import re

from healthd.catalog.storage_parameters import assigned
from healthd.model.attributes import Record
from healthd.model.kinds import Around, Statements
from healthd.model.names import Key, quote
from healthd.model.snapshots import Difference
from healthd.sqltext.statements import nameless
from healthd.sqltext.table_costs import referenced

KEY = re.compile(
    r"(PRIMARY KEY|UNIQUE)( NULLS NOT DISTINCT)? (\((?![^()]* WITHOUT OVERLAPS\))[^()]*\))"
    r"( INCLUDE \([^()]*\))?((?: NOT)? DEFERRABLE.*)?\Z",
    re.DOTALL,
)


def of_constraint(difference: Difference, statements: Statements, around: Around) -> tuple[Statements, Statements]:
    """Return the statements that add or validate a constraint, and those that validate it when all else is done."""
    key, record = difference.key, around.objects[difference.key]
    alter = f"ALTER TABLE {Key('table', key.path[:2]).sql}"
    name = quote(key.path[2])
    validation = f"{alter} VALIDATE CONSTRAINT {name};"
    if difference.attribute is not None:
        return tuple(one for one in statements if one != validation), tuple({validation}.intersection(statements))
    if record.type in ("primary key", "unique"):
        return _key(key, record, statements, around), ()
    if record.type not in ("check", "foreign key") or not _can_wait(key, record, around):
        return statements, ()
    add, *others = statements
    return (f"{add.removesuffix(';')} NOT VALID;", *others), (validation,)


def _can_wait(key: Key, record: Record, around: Around) -> bool:
    """Return whether a constraint can be NOT VALID at first: before 18, not a foreign key of partitioned tables."""
    if not record.validated or not record.enforced:
        return False
    if record.type == "check" or around.server_version >= 180000:
        return True
    other = Key.parse(f"table:{referenced(record.definition)}")
    return not (_is_partitioned(Key("table", key.path[:2]), around) or _is_partitioned(other, around))


def _is_partitioned(table: Key, around: Around) -> bool:
    return getattr(around.objects.get(table), "partitioned_by", None) is not None


def _key(key: Key, record: Record, statements: Statements, around: Around) -> Statements:
    """Return the statements that build the index of a key first, CONCURRENTLY, and make the key of it."""
    table, name = Key("table", key.path[:2]), quote(key.path[2])
    found = KEY.match(nameless(record.definition))
    if found is None or _is_partitioned(table, around) or key in around.taken:
        return statements
    kind, alike, columns, more, deferred = (
        record.definition[found.start(number) : found.end(number)] for number in range(1, 6)
    )
    settings = f" WITH ({assigned(record.options, record.options_order)})" if record.options else ""
    place = f" TABLESPACE {quote(record.tablespace)}" if record.tablespace else ""
    index = (
        f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table.sql} USING btree {columns}{more}{alike}{settings}{place};"
    )
    add = f"ALTER TABLE {table.sql} ADD CONSTRAINT {name} {kind} USING INDEX {name}{deferred};"
    return (index, add, *(one for one in statements[1:] if " SET TABLESPACE " not in one))


def of_column(difference: Difference, statements: Statements, around: Around) -> tuple[Statements, Statements]:
    """Return the statements that set NOT NULL after a constraint has proved it, which is dropped again.

    A constraint on a row type would mean something else: IS NOT NULL is then about each field.
    """
    record, table = around.objects[difference.key], Key("table", difference.key.path[:2]).sql
    alter, column = f"ALTER TABLE {table}", quote(difference.key.path[2])
    if (difference.attribute, record.on, "." in record.type) != ("not_null", "table", False):
        return statements, ()
    if statements != (f"{alter} ALTER COLUMN {column} SET NOT NULL;",):
        return statements, ()
    proof = quote(_free(difference.key, around))
    return (
        f"{alter} ADD CONSTRAINT {proof} CHECK ({column} IS NOT NULL) NOT VALID;",
        f"{alter} VALIDATE CONSTRAINT {proof};",
        *statements,
        f"{alter} DROP CONSTRAINT {proof};",
    ), ()


def _free(column: Key, around: Around) -> str:
    """Return a name that no constraint of the table has: one may be left of a script that failed."""
    name = f"{column.path[2][:45]}_is_not_null"
    names = (name, *(f"{name}{number}" for number in range(2, 100)))
    used = {*around.taken, *around.objects}
    return next(one for one in names if Key("constraint", (*column.path[:2], one)) not in used)
