"""A round next to an application and its migrations: it waits for nobody for long, and nobody waits for it.

What is proven is an order, never a time: the reading ends while the lock is still held.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, LiteralString

import psycopg
import pytest
from servers import wait_for

from healthd.catalog import KINDS
from healthd.database.connection import connect
from healthd.database.snapshot import kind_reader, transaction
from healthd.database.snapshot.change_token import look, take_mark
from healthd.database.snapshot.reader import Reader
from healthd.database.snapshot.reading import digests_of, read, take_snapshot
from healthd.database.snapshot.table_locks import TableLocks
from healthd.errors import DatabaseFailed
from healthd.model.ledger import BOOKS
from healthd.model.names import Key
from healthd.model.snapshots import Snapshot, diff

ONE_OF_EVERYTHING = """
CREATE TABLE held (id serial PRIMARY KEY, a integer DEFAULT 1 CHECK (a > 0));
CREATE INDEX held_idx ON held (a) WHERE a > 1;
CREATE STATISTICS held_statistics ON a, (a + 1) FROM held;
CREATE VIEW held_view AS SELECT a FROM held;
CREATE RULE held_rule AS ON DELETE TO held DO ALSO SELECT 1;
CREATE FUNCTION held_function() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER held_trigger BEFORE UPDATE ON held FOR EACH ROW WHEN (OLD.a = 1) EXECUTE FUNCTION held_function();
CREATE POLICY held_policy ON held USING (a > 1);
CREATE TABLE free (id serial PRIMARY KEY);
CREATE TYPE mood AS ENUM ('good', 'bad');
"""
READ_ALL_THE_SAME = {"schema", "enum", "sequence", "grant", "owner", "comment", "extension", "domain"}


@pytest.fixture
def url(database: str, sql: Any) -> str:
    sql(database, ONE_OF_EVERYTHING)
    return database


@contextmanager
def holding(url: str, statement: LiteralString) -> Iterator[psycopg.Connection[Any]]:
    """Run a statement in a transaction that stays open for the block."""
    with psycopg.connect(url) as connection:
        connection.execute(statement)
        yield connection
        connection.rollback()


@asynccontextmanager
async def waiting(url: str, statement: LiteralString) -> AsyncIterator[asyncio.Task[None]]:
    """Run a statement that has to wait for a lock, and yield once it does."""

    async def run() -> None:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            await connection.execute(statement)

    with psycopg.connect(url, autocommit=True) as watch:
        task = asyncio.create_task(run())
        waiters = "SELECT 1 FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'"
        while not watch.execute(waiters).fetchone():
            assert not task.done(), task.result()
            await asyncio.sleep(0.01)
        yield task
        await task


def locked(snapshot: Snapshot) -> set[str]:
    """Return the kinds that were not read because somebody holds a lock; any other reason is a failure."""
    assert all(reason.startswith("55P03: ") for reason in snapshot.unreadable.values()), snapshot.unreadable
    return set(snapshot.unreadable)


# What is printed only under a lock on other tables.
NEIGHBOURS = """
CREATE TABLE other (id integer REFERENCES free, a integer DEFAULT 1 CHECK (a > 0));
CREATE INDEX other_idx ON other (a) WHERE a > 1;
CREATE TABLE computed (a integer, b integer GENERATED ALWAYS AS (a + 1) STORED);
CREATE TABLE parts (at date, CHECK (at > '2000-01-01')) PARTITION BY RANGE (at);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE VIEW above AS SELECT * FROM held_view;
CREATE POLICY free_policy ON free USING (EXISTS (SELECT FROM held WHERE held.a = free.id));
CREATE RULE free_rule AS ON DELETE TO free DO ALSO DELETE FROM held;
"""
LOCKS = {
    "held": """
        constraint:public.held.held_a_check index:public.held.held_idx view:public.held_view
        rule:public.held.held_rule rule:public.free.free_rule statistics:public.held_statistics
        trigger:public.held.held_trigger policy:public.held.held_policy policy:public.free.free_policy""",
    "held_view": "view:public.held_view view:public.above",
    "free": "rule:public.free.free_rule policy:public.free.free_policy",
    "computed": "column:public.computed.b",
    "parts_1": "table:public.parts_1",
    "other": "",
}


@pytest.mark.parametrize("table", LOCKS)
async def test_of_a_locked_table_exactly_those_objects_are_unknown_whose_texts_need_it(
    url: str, sql: Any, table: str
) -> None:
    sql(url, NEIGHBOURS)
    async with connect(url) as connection:
        before = await take_snapshot(connection)
        lock = "CREATE OR REPLACE VIEW held_view AS SELECT a FROM held"
        if table != "held_view":  # LOCK TABLE of a view locks its tables as well
            lock = f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"
        with psycopg.connect(url) as holder:
            holder.execute(lock.encode())
            by = f"process {holder.info.backend_pid}"
            during = await take_snapshot(connection)  # would not come back before the holder ends if it waited

            assert psycopg.pq.TransactionStatus.INTRANS == holder.info.transaction_status
            holder.rollback()
        after = await take_snapshot(connection)

    unknown = set(LOCKS[table].split())
    assert {} == during.unreadable
    assert unknown == set(map(str, during.locked))
    assert {(key, "unreadable") for key in during.locked} == {one.place for one in diff(before, during)}
    assert all(by in lock.reason for lock in during.locked.values())
    assert () == diff(before, after)
    assert ({}, {}) == (before.locked, after.locked)


async def test_a_round_waits_once_for_a_lock_that_stays(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[bool] = []
    original = TableLocks.look

    async def look(self: TableLocks, connection: Any) -> None:
        waits.append(self.waited)
        await original(self, connection)

    monkeypatch.setattr(TableLocks, "look", look)
    async with connect(url) as connection:
        reader = Reader(connection, url, timeout_s=5)
        with holding(url, "LOCK TABLE held IN ACCESS EXCLUSIVE MODE"):
            for _ in range(2):
                taken = await reader.read(digests=digests_of({}), texts=never)

    assert taken.snapshot.locked
    assert 1 == waits.count(False)


async def never() -> bool:
    return False


async def test_a_table_that_is_locked_while_a_reading_runs_is_left_out_as_well(
    url: str, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second lock is taken when the first one is known already."""
    sql(url, NEIGHBOURS)
    original = kind_reader._objects
    with psycopg.connect(url) as late:

        async def objects(connection: Any, kind: Any, *rest: Any) -> Any:
            if kind.name == "policy":
                late.execute("LOCK TABLE free IN ACCESS EXCLUSIVE MODE")
            return await original(connection, kind, *rest)

        monkeypatch.setattr(kind_reader, "_objects", objects)
        async with connect(url) as connection:
            with holding(url, "LOCK TABLE computed IN ACCESS EXCLUSIVE MODE"):
                taken = (await transaction.read_once(connection, BOOKS, None)).snapshot

    assert {} == taken.unreadable
    locked = {str(key) for key in taken.locked}
    assert {"column:public.computed.b", "policy:public.free.free_policy"} == locked


async def test_a_lock_on_a_catalog_makes_kinds_unknown(url: str) -> None:
    with holding(url, "LOCK TABLE pg_policy IN ACCESS EXCLUSIVE MODE"):
        async with connect(url) as connection:
            during = await take_snapshot(connection)

    assert "policy" in locked(during)
    assert not READ_ALL_THE_SAME & locked(during) - {"comment", "security_label"}


@pytest.mark.parametrize(
    "lock",
    ["ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE"],
)
async def test_a_table_in_use_is_read_whole(url: str, lock: str) -> None:
    async with connect(url) as connection:
        before = await take_snapshot(connection)
        with psycopg.connect(url) as holder:
            holder.execute(f"LOCK TABLE held IN {lock} MODE".encode())
            during = await take_snapshot(connection)

    assert not during.unreadable
    assert () == diff(before, during)


@pytest.mark.parametrize("use", ["SELECT a FROM held", "INSERT INTO held (a) VALUES (7)"])
async def test_a_round_neither_queues_behind_a_waiting_migration_nor_holds_it_up(url: str, use: LiteralString) -> None:
    async with connect(url) as connection:
        with holding(url, use) as holder:
            async with waiting(url, "ALTER TABLE held ADD COLUMN b integer") as migration:
                during = [await take_snapshot(connection) for _ in range(3)]

                assert not migration.done()
                holder.rollback()
                rounds = asyncio.create_task(without_end(url))
                await asyncio.wait_for(migration, timeout=30)
                rounds.cancel()
        after = await take_snapshot(connection)

    assert not any(READ_ALL_THE_SAME & locked(one) for one in during)
    assert Key("column", ("public", "held", "b")) in after.objects


async def without_end(url: str) -> None:
    async with connect(url) as connection:
        while True:
            await take_snapshot(connection)


async def test_no_kind_leaves_a_table_locked(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before each kind is read, the transaction holds nothing but ACCESS SHARE on catalogs."""
    original, held = kind_reader._objects, {}
    relations = "SELECT relation, relation::regclass::text, mode FROM pg_locks WHERE pid = %s AND relation IS NOT NULL"
    with psycopg.connect(url, autocommit=True) as watch:

        async def none_absent(_connection: Any) -> frozenset[str]:
            return frozenset()  # the kinds without an object are read, too

        async def objects(connection: Any, kind: Any, *rest: Any) -> Any:
            held[kind.name] = watch.execute(relations, [connection.info.backend_pid]).fetchall()
            rows = await original(connection, kind, *rest)
            if kind.name == "view":  # the watch would see a table: the deparser holds it until the kind is read
                held["within"] = watch.execute(relations, [connection.info.backend_pid]).fetchall()
            return rows

        monkeypatch.setattr(kind_reader, "_objects", objects)
        monkeypatch.setattr(transaction, "absent_kinds", none_absent)
        async with connect(url) as connection:
            await read(connection)

    assert "held" in {name for _, name, _ in held.pop("within")}
    assert set(KINDS) == set(held)
    assert [] == [(kind, lock) for kind, locks in held.items() for lock in locks if lock[0] >= 16384]
    assert {"AccessShareLock"} >= {mode for locks in held.values() for _, _, mode in locks}


async def test_a_ledger_that_somebody_holds_does_not_hold_up_the_quiet_question(url: str, sql: Any) -> None:
    sql(url, "CREATE TABLE _yoyo_migration (migration_hash text, migration_id text, applied_at_utc timestamp)")
    async with connect(url) as connection:
        mark = await take_mark(connection, busy=True)
        with (
            holding(url, "LOCK TABLE _yoyo_migration IN ACCESS EXCLUSIVE MODE"),
            pytest.raises(DatabaseFailed, match="lock timeout"),
        ):
            await look(connection, mark)
        assert (await look(connection, mark))[0]


async def test_a_round_leaves_no_transaction_open(url: str, sql: Any) -> None:
    async with connect(url) as connection:
        await take_snapshot(connection)
        await look(connection, await take_mark(connection, busy=True))
        pid = connection.info.backend_pid
        wait_for(lambda: sql(url, "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND state = 'idle'", pid))

        assert [] == sql(url, "SELECT relation FROM pg_locks WHERE pid = %s", pid)
        assert [(None, None)] == sql(url, "SELECT xact_start, backend_xmin FROM pg_stat_activity WHERE pid = %s", pid)


async def test_a_round_has_limits_of_its_own(url: str, sql: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    original = kind_reader._objects

    async def objects(connection: Any, kind: Any, *rest: Any) -> Any:
        if not seen:
            names = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
            seen.extend([(await (await connection.execute(f"SHOW {name}")).fetchone())[0] for name in names])
        return await original(connection, kind, *rest)

    monkeypatch.setattr(kind_reader, "_objects", objects)
    unlimited = psycopg.conninfo.make_conninfo(url, options="-c lock_timeout=0 -c statement_timeout=0")
    async with connect(unlimited) as connection:
        await read(connection)

    assert 3 == len(seen)
    assert "0" not in seen
