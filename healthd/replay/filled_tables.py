"""Tables of a scratch database that have rows, and whether they still have them after a script."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from healthd.database.connection import rows_of
from healthd.database.driver_errors import translated
from healthd.errors import HealthdError
from healthd.model.kinds import Path
from healthd.model.names import Key, quote
from healthd.model.snapshots import Snapshot
from healthd.repair.made_rows import rows, tables, within

MOST = 100  # tables that get rows

COLUMNS = """
    SELECT a.attnum::int, a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod)
      FROM pg_catalog.pg_attribute AS a
     WHERE a.attrelid = %s::bigint::oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
     ORDER BY a.attnum"""
NAME = """
    SELECT pg_catalog.format('%%I.%%I', n.nspname, c.relname)
      FROM pg_catalog.pg_class AS c
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.oid = %s::bigint::oid"""


@dataclass(frozen=True, slots=True)
class Filled:
    """A table with rows: its oid, and by number of the column its type and its values, in the order of the rows."""

    key: Key
    oid: int
    columns: dict[int, tuple[str, str, list[Any]]]  # name, type, values as text


async def filled(
    connection: Any, snapshot: Snapshot, expected: Snapshot, first: Collection[Key], without: Collection[Key]
) -> tuple[Filled, ...]:
    """Insert rows into the tables of a snapshot but some, those of `first` first; return the tables that took them.

    They fit the partitions that tables are in the `expected` snapshot, or else in this one.
    A table whose checks no made-up row fits stays empty. No trigger fires, and foreign keys are not checked.
    """
    chosen = [table for table in tables(snapshot, first, MOST) if table not in without]
    columns = defaultdict[Path, list[Key]](list)
    for key in snapshot.objects:
        if key.kind == "column":
            columns[key.path[:2]].append(key)
    with translated():
        await connection.execute("SET session_replication_role = replica")
    for table in chosen:
        for statement in rows(snapshot, table, columns[table.path], within(table, (expected, snapshot))):
            try:
                with translated():
                    await connection.execute(statement.encode())
            except HealthdError:
                break
    with translated():
        await connection.execute("RESET session_replication_role")
        found = [await _read(connection, key) for key in chosen]
    return tuple(one for one in found if any(values for _, _, values in one.columns.values()))


async def _read(connection: Any, key: Key) -> Filled:
    ((oid,),) = await rows_of(connection, "SELECT pg_catalog.to_regclass(%s)::oid::bigint", (key.sql,))
    return Filled(key, oid, await _columns(connection, oid))


async def _columns(connection: Any, oid: int) -> dict[int, tuple[str, str, list[Any]]]:
    """Return the columns of a table with their values; nothing if there is no such table."""
    found = await rows_of(connection, NAME, (oid,))
    columns = await rows_of(connection, COLUMNS, (oid,)) if found else []
    if not columns:
        return {}
    names = ", ".join(f"{quote(name)}::text" for _, name, _ in columns)
    query = f"SELECT {names} FROM ONLY {found[0][0]}"  # noqa: S608 # quoted names of the catalog
    values = await (await connection.execute(query.encode())).fetchall()
    return {number: (name, type_, [row[at] for row in values]) for at, (number, name, type_) in enumerate(columns)}


async def losses(connection: Any, before: Collection[Filled]) -> tuple[str, ...]:
    """Return, in words, which rows and values are lost; those of a column with another type may only look different."""
    with translated():
        return tuple([words for one in before for words in await _lost(connection, one)])


async def _lost(connection: Any, before: Filled) -> list[str]:
    after = await _columns(connection, before.oid)
    if not after:
        return [f"{before.key} has lost its rows"]
    return [
        f"{Key('column', (*before.key.path, name))} has lost its values"
        for number, (name, type_, values) in before.columns.items()
        if number not in after or not _same(type_, values, *after[number][1:])
    ]


def _same(type_: str, values: list[Any], other_type: str, others: list[Any]) -> bool:
    """Return whether a column has the same values; if its type is another or the user's, whether it has as many.

    Labels of an enum may have been renamed: the same value then has another text.
    """
    if type_ != other_type or "." in type_:
        return [one is None for one in values] == [one is None for one in others]
    return sorted(map(str, values)) == sorted(map(str, others))
