"""The objects of all kinds, read one kind after the other: what cannot be read is named, and costs little."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import AsyncConnection

from healthd import catalog
from healthd.catalog.schema_members import home_of
from healthd.catalog.scope import complete, without_schemas
from healthd.catalog.table_locks import Held
from healthd.catalog.tenant_digests import divided
from healthd.database.driver_errors import is_final
from healthd.database.misplaced_values import first_line
from healthd.database.snapshot.row_checks import key_of, lacking, objects_of
from healthd.database.snapshot.table_locks import LOCKED, TableLocks
from healthd.model.kinds import Kind
from healthd.model.names import Key
from healthd.model.snapshots import LATE, TableLock

FULL = "53200"  # no space in the server's lock table
PARTS = 64  # in which a kind is then read, so that each part needs fewer locks
SLOW = "57014"
SURE = frozenset({"42501", LOCKED, SLOW, FULL, LATE})  # denied, locked, too slow, no space: a second reading is no use


async def read_kinds(
    connection: AsyncConnection[Any],
    values: Mapping[str, Any],
    omitted: Collection[str],
    locks: TableLocks,
    last: bool,
    alike: frozenset[str] = frozenset(),
) -> tuple[dict[Key, Any], dict[Key, TableLock], dict[str, str]]:
    """Return the objects of all kinds but the omitted, the locked ones, and why a kind could not be read.

    What is in the schemas that are `alike` is left out.
    The locks of pg_get_viewdef are held until the end of the transaction, or until a savepoint is restored.
    """
    found: _Found = _Found(alike)
    unreadable: dict[str, str] = {}
    async with connection.transaction("kinds", force_rollback=True):
        for kind in _in_order(locks):
            if kind.name in omitted:
                continue
            failed = await _kind(connection, kind, values, locks, found)
            if failed is None or (failed.state == FULL and await _in_parts(connection, kind, values, locks, found)):
                continue
            if not last and failed.state not in SURE:
                raise failed
            late = locks.budget if failed.state in (LATE, SLOW) and locks.budget is not None else None
            unreadable[kind.name] = late.reason if late is not None and late.tight else str(failed)
    return found.objects, found.locked, unreadable


def _in_order(locks: TableLocks) -> list[Kind]:
    """Return all kinds, at first those for which the last round had no time."""
    first = locks.budget.first if locks.budget is not None else ()
    return sorted(catalog.KINDS.values(), key=lambda kind: kind.name not in first)


@dataclass(frozen=True, slots=True)
class _Found:
    alike: frozenset[str]
    objects: dict[Key, Any] = field(default_factory=dict)
    locked: dict[Key, TableLock] = field(default_factory=dict)

    def add(self, more: _Found) -> None:
        self.objects.update(more.objects)
        self.locked.update(more.locked)


LOOKS = 3  # at the locks for one kind, while others take new ones


async def _kind(
    connection: AsyncConnection[Any], kind: Kind, values: Mapping[str, Any], locks: TableLocks, found: _Found
) -> KindFailed | None:
    """Add the objects of one kind, those of locked tables as locked; return the error if it could not be read."""
    for _ in range(LOOKS):
        failed: KindFailed | None = None
        held, budget = locks.held, locks.budget
        if budget is not None and not budget.left_ms:
            return KindFailed(LATE, budget.reason)
        try:
            await locks.hurry(connection)
            found.add(await _objects(connection, kind, values, held, found.alike))
        except KindFailed as error:
            failed = error
        await connection.execute("ROLLBACK TO SAVEPOINT kinds")
        if failed is None or failed.state != LOCKED:
            break
        await locks.look(connection)
        if locks.held == held and held.relations:  # it is another lock that is in the way
            break
    return failed


async def _in_parts(
    connection: AsyncConnection[Any], kind: Kind, values: Mapping[str, Any], locks: TableLocks, found: _Found
) -> bool:
    """Add the objects of one kind, a part of them in each subtransaction; return whether this was possible."""
    parts = _Found(found.alike)
    if not kind.depth:
        return False
    try:
        for part in range(PARTS):
            async with connection.transaction(force_rollback=True):
                parts.add(await _objects(connection, kind, values, locks.held, found.alike, part))
    except KindFailed:
        return False
    found.add(parts)
    return True


class KindFailed(Exception):
    def __init__(self, state: str, reason: str) -> None:
        super().__init__(f"{state}: {reason}")
        self.state = state


@contextmanager
def failing(connection: AsyncConnection[Any]) -> Iterator[None]:
    """Raise an error of the server, if the connection is still usable, as the failure of one kind."""
    try:
        yield
    except psycopg.Error as error:
        if is_final(connection, error):
            raise
        raise KindFailed(str(error.sqlstate), first_line(error)) from error


async def _objects(
    connection: AsyncConnection[Any],
    kind: Kind,
    values: Mapping[str, Any],
    held: Held,
    alike: frozenset[str],
    part: int | None = None,
) -> _Found:
    """Return the objects of one kind, or those of one part of them."""
    query = held.guarded(kind.sql(connection.info.server_version))
    left_out = alike if divided(kind) else frozenset()
    statement = (without_schemas(complete(query)) if left_out else complete(query)).encode()
    if part is not None:
        columns = ", ".join(f"k{number}" for number in range(kind.depth))
        statement += f"({columns}) WHERE pg_catalog.hashtext(k{kind.depth - 1}::text) & {PARTS - 1} = {part}".encode()
    with failing(connection):
        rows = await (await connection.execute(statement, values)).fetchall()
    if left_out:  # not every query has the condition on all of its rows
        rows = [row for row in rows if home_of(key_of(kind, row)) not in left_out]
    locked: dict[Key, TableLock] = {}
    if held.relations:
        locks = [held.lock_on(row) for row in rows]
        locked = {key_of(kind, row): lock for row, lock in zip(rows, locks, strict=True) if lock is not None}
        rows = [row for row, lock in zip(rows, locks, strict=True) if lock is None]
    if name := lacking(kind, rows):
        raise KindFailed("no text", f"the server returned no {name} for an object")
    objects = objects_of(kind, rows)
    if len(objects) < len(rows):  # a role named PUBLIC, a catalog with a duplicate row
        raise KindFailed("no names", "two objects have the same name")
    return _Found(alike, objects, locked)
