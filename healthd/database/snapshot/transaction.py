"""One transaction that reads the objects, the ledger and the migration lock of a database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter
from time import monotonic
from typing import Any

import psycopg
from psycopg import AsyncConnection, sql

from healthd import catalog
from healthd.catalog.digests import MODULUS, NONE, Digest, digests_query
from healthd.catalog.presence import Presence, question_columns
from healthd.catalog.scope import complete
from healthd.catalog.table_locks import Held
from healthd.database.connection import LIMITS, SESSION, planned, read_only
from healthd.database.driver_errors import is_final
from healthd.database.ledger import Ledger, read_books, with_texts
from healthd.database.misplaced_values import first_line
from healthd.database.snapshot.change_token import Mark
from healthd.database.snapshot.row_checks import key_of, lacking, objects_of
from healthd.database.snapshot.second_connection import SERVER, Second, digest_rows
from healthd.database.snapshot.table_locks import LOCKED, TableLocks
from healthd.model.kinds import Kind
from healthd.model.names import Key
from healthd.model.observations import Rights, Size, TouchedColumn
from healthd.model.snapshots import LATE, Snapshot, TableLock

Digests = Callable[[Ledger], Coroutine[Any, Any, Mapping[str, Digest]]]


Texts = Callable[[], Coroutine[Any, Any, bool]]  # whether the ledger's texts are needed


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything that one transaction saw: the objects, the ledger, and who is running a migration.

    `settings` are those that databases and roles give to new sessions; `digests` are those that were requested.
    `touched` is, for tables whose columns seem to be swapped, when each column was last changed; `rows` is how many
    rows queries of the repair returned, up to a bound; `sizes` are those of the relations that the repair locks;
    `updates` is, for extensions of another version, from which version to which they can be updated; `rights` is what
    the role of the connection lacks, if something can be repaired.
    """

    snapshot: Snapshot
    ledger: Ledger = field(default_factory=Ledger)
    maintenance: str | None = None
    settings: str = ""
    digests: Mapping[str, Digest] = field(default_factory=dict)
    touched: Mapping[Key, tuple[TouchedColumn, ...]] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)
    sizes: Mapping[str, Size] = field(default_factory=dict)
    updates: Mapping[str, frozenset[tuple[str, str]]] = field(default_factory=dict)
    rights: Rights | None = None
    mark: Mark | None = None  # while it stays the same, another reading would be the same

    @property
    def as_expected(self) -> bool:
        """Return whether each kind has the expected digest."""
        return self.snapshot.omitted >= self.digests.keys() > set() and not self.snapshot.locked


async def _read_once(
    connection: AsyncConnection[Any],
    books: Sequence[str],
    digests: Digests | None,
    second: Second | None = None,
    migrates: Callable[[Ledger], str | None] = attrgetter("owner"),
    texts: Texts | None = None,
    locks: TableLocks | None = None,
) -> Reading:
    locks = locks or TableLocks()
    for readings in range(READINGS, 0, -1):
        try:
            async with read_only(connection, {**SESSION, **LIMITS, **locks.limits}):
                if locks.waited:
                    await locks.look(connection)
                ledger, maintenance, settings = await read_books(connection, books[0])
                values: dict[str, Any] = {"books": list(books), "migrator": None}
                found: Mapping[str, Digest] = {}
                wanted: Mapping[str, Digest] = {}
                if digests is not None and not ledger.refused:
                    await asyncio.to_thread(getattr, catalog, "KINDS")  # loads the kinds, if this is not done yet
                    migrator, found, wanted = await _digests(
                        connection, books, migrates(ledger), second, partial(digests, ledger), locks
                    )
                    values["migrator"] = migrator
                same = frozenset(kind for kind, digest in found.items() if wanted.get(kind) == digest)
                needless = same if found else await _absent(connection)
                objects, locked, unreadable = await _everything(connection, values, needless, locks, last=readings == 1)
                if texts is not None and len(ledger.schemas) == 1 and await texts():
                    ledger = await with_texts(connection, ledger, same)
                snapshot = Snapshot(connection.info.server_version, objects, unreadable, same, locked)
                return Reading(snapshot, ledger, maintenance, settings, found)
        except _KindFailed:
            # pg_get_* see the newest catalog: they fail for an object that was dropped meanwhile. Read again.
            continue
    raise AssertionError("the last reading takes what it gets")


READINGS = 3  # in each but the last, an error that only a concurrent change explains is a reason to begin again


FULL = "53200"  # no space in the server's lock table


PARTS = 64  # in which a kind is then read, so that each part needs fewer locks


SLOW = "57014"


SURE = frozenset({"42501", LOCKED, SLOW, FULL, LATE})  # denied, locked, too slow, no space: a second reading is no use


Expected = Callable[[], Coroutine[Any, Any, Mapping[str, Digest]]]


async def _digests(
    connection: AsyncConnection[Any],
    books: Sequence[str],
    owner: str | None,
    second: Second | None,
    expected: Expected,
    locks: TableLocks,
) -> tuple[int | None, Mapping[str, Digest], Mapping[str, Digest]]:
    """Return the oid of the role that runs migrations, the digests of all kinds, and the expected digests.

    If one of them fails, there are none: which kind failed is found when each is read. If one has to wait for a table
    lock, they are computed once more without the objects of that table: only the kinds of these then differ.
    """
    with suppress(_KindFailed):
        try:
            return await _digests_once(connection, books, owner, second, expected, locks.held)
        except _KindFailed as error:
            if error.state != LOCKED:
                raise
        await locks.look(connection)
        return await _digests_once(connection, books, owner, None, expected, locks.held)
    return None, {}, {}


async def _digests_once(
    connection: AsyncConnection[Any],
    books: Sequence[str],
    owner: str | None,
    second: Second | None,
    expected: Expected,
    held: Held,
) -> tuple[int | None, Mapping[str, Digest], Mapping[str, Digest]]:
    """Return the same as `_digests`; raise _KindFailed if one of them fails.

    They are one statement, or one on each connection, which returns two numbers for each kind; the expected ones are
    computed while the server is busy.
    """
    with _failing(connection):
        async with connection.transaction(force_rollback=True):
            facts = f"SELECT ({MIGRATOR}), ({SERVER}), {question_columns()}".encode()
            ((migrator, server, *found),) = await (await connection.execute(facts, [owner])).fetchall()
            there = Presence.of(found)
            names = (name for name in asked() if name not in there.absent and not (second and name in second.kinds))
            kinds = [catalog.KINDS[name] for name in names]
            query = digests_query(kinds, connection.info.server_version, there)
            ask = _once if (second is not None and not second.kept) or held.relations else _planned_once
            asking = ask(connection, held.guarded(query), books, migrator)
            began = monotonic()
            rows, wanted = await asyncio.gather(asking, expected(), return_exceptions=True)
            if isinstance(rows, BaseException):
                raise rows
            if isinstance(wanted, BaseException):
                raise wanted
            if second is not None:
                rest = await second.digests(server, patience_s=max(2.0, 2 * (monotonic() - began)))
                if rest is None and second.waited:
                    raise _KindFailed(LOCKED, "a table is locked")
                rows += rest or await digest_rows(connection, second.kinds)
    read = {name: (count, int(number or 0) % MODULUS) for name, count, number in rows}
    return migrator, dict.fromkeys(there.absent, NONE) | read, wanted


MIGRATOR = "SELECT r.oid FROM pg_catalog.pg_roles AS r WHERE r.rolname = %s"


async def _once(connection: AsyncConnection[Any], query: str, books: Sequence[str], migrator: int | None) -> list[Any]:
    """Return the rows of a query on a connection that does not repeat it."""
    values = {"books": list(books), "migrator": migrator}
    return await (await connection.execute(query.encode(), values)).fetchall()


async def _planned_once(
    connection: AsyncConnection[Any], query: str, books: Sequence[str], migrator: int | None
) -> list[Any]:
    """Return the rows of a query that every round on a connection repeats: its plan, a fifth of its cost, is cached."""
    text = query.replace("%(books)s", "$1").replace("%(migrator)s", "$2").replace("%%", "%")
    name = await planned(connection, text, types="(text[], oid)")
    execute = sql.SQL("EXECUTE {} ({}, {})").format(sql.Identifier(name), list(books), migrator)
    return await (await connection.execute(execute)).fetchall()


def asked() -> tuple[str, ...]:
    """Return the kinds that have digests; the others are always read, because their values are tested."""
    return tuple(name for name, kind in catalog.KINDS.items() if not kind.always_read)


async def _absent(connection: AsyncConnection[Any]) -> frozenset[str]:
    """Return the kinds of which the database has no object; none if the server rejects the query."""
    try:
        with _failing(connection):
            async with connection.transaction(force_rollback=True):
                facts = f"SELECT {question_columns()}".encode()
                ((*found,),) = await (await connection.execute(facts)).fetchall()
    except _KindFailed:
        return frozenset()
    return Presence.of(found).absent


async def _everything(
    connection: AsyncConnection[Any],
    values: Mapping[str, Any],
    omitted: Collection[str],
    locks: TableLocks,
    *,
    last: bool,
) -> tuple[dict[Key, Any], dict[Key, TableLock], dict[str, str]]:
    """Return the objects of all kinds but the omitted, the locked ones, and why a kind could not be read.

    The locks of pg_get_viewdef are held until the end of the transaction, or until a savepoint is restored.
    """
    found: _Found = _Found()
    unreadable: dict[str, str] = {}
    async with connection.transaction("kinds", force_rollback=True):
        for kind in catalog.KINDS.values():
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


@dataclass(frozen=True, slots=True)
class _Found:
    objects: dict[Key, Any] = field(default_factory=dict)
    locked: dict[Key, TableLock] = field(default_factory=dict)

    def add(self, more: _Found) -> None:
        self.objects.update(more.objects)
        self.locked.update(more.locked)


LOOKS = 3  # at the locks for one kind, while others take new ones


async def _kind(
    connection: AsyncConnection[Any], kind: Kind, values: Mapping[str, Any], locks: TableLocks, found: _Found
) -> _KindFailed | None:
    """Add the objects of one kind, those of locked tables as locked; return the error if it could not be read."""
    for _ in range(LOOKS):
        failed: _KindFailed | None = None
        held, budget = locks.held, locks.budget
        if budget is not None and not budget.left_ms:
            return _KindFailed(LATE, budget.reason)
        try:
            await locks.hurry(connection)
            found.add(await _objects(connection, kind, values, held))
        except _KindFailed as error:
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
    parts = _Found()
    if not kind.depth:
        return False
    try:
        for part in range(PARTS):
            async with connection.transaction(force_rollback=True):
                parts.add(await _objects(connection, kind, values, locks.held, part))
    except _KindFailed:
        return False
    found.add(parts)
    return True


class _KindFailed(Exception):
    def __init__(self, state: str, reason: str) -> None:
        super().__init__(f"{state}: {reason}")
        self.state = state


@contextmanager
def _failing(connection: AsyncConnection[Any]) -> Iterator[None]:
    """Raise an error of the server, if the connection is still usable, as the failure of one kind."""
    try:
        yield
    except psycopg.Error as error:
        if is_final(connection, error):
            raise
        raise _KindFailed(str(error.sqlstate), first_line(error)) from error


async def _objects(
    connection: AsyncConnection[Any], kind: Kind, values: Mapping[str, Any], held: Held, part: int | None = None
) -> _Found:
    """Return the objects of one kind, or those of one part of them."""
    query = kind.sql(connection.info.server_version)
    statement = complete(held.guarded(query)).encode()
    if part is not None:
        columns = ", ".join(f"k{number}" for number in range(kind.depth))
        statement += f"({columns}) WHERE pg_catalog.hashtext(k{kind.depth - 1}::text) & {PARTS - 1} = {part}".encode()
    with _failing(connection):
        rows = await (await connection.execute(statement, values)).fetchall()
    locked: dict[Key, TableLock] = {}
    if held.relations:
        locks = [held.lock_on(row) for row in rows]
        locked = {key_of(kind, row): lock for row, lock in zip(rows, locks, strict=True) if lock is not None}
        rows = [row for row, lock in zip(rows, locks, strict=True) if lock is None]
    if name := lacking(kind, rows):
        raise _KindFailed("no text", f"the server returned no {name} for an object")
    objects = objects_of(kind, rows)
    if len(objects) < len(rows):  # a role named PUBLIC, a catalog with a duplicate row
        raise _KindFailed("no names", "two objects have the same name")
    return _Found(objects, locked)
