"""A round in a storm of DDL: what it tells was true at some instant, or is unknown, and never an exception."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest

from healthd.database.connection import connect
from healthd.database.snapshot import kind_reader
from healthd.database.snapshot.reading import take_snapshot
from healthd.model.names import Key
from healthd.model.snapshots import Snapshot, diff

READINGS = 8
SESSIONS = 2
REST_S = 0.1  # of a session after each turn: some readings find it

START = """
CREATE SCHEMA storm;
CREATE TABLE storm.base (id integer PRIMARY KEY, a integer DEFAULT 1 CHECK (a > 0), b text);
CREATE FUNCTION storm.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE VIEW storm.still AS SELECT id FROM storm.base;
"""

# What one session makes and takes away again, {0} is its number; in between it is there for an instant.
STORM = (
    "CREATE TABLE storm.t{0} (id serial PRIMARY KEY, a integer DEFAULT 7 CHECK (a > 1), b text NOT NULL)",
    "CREATE INDEX i{0} ON storm.t{0} (a, lower(b)) WHERE a > 2",
    "CREATE VIEW storm.v{0} AS SELECT a, b FROM storm.t{0} WHERE a > 3",
    "CREATE TYPE storm.e{0} AS ENUM ('a', 'b')",
    "ALTER TABLE storm.t{0} ADD COLUMN e storm.e{0} DEFAULT 'a'",
    "CREATE FUNCTION storm.f{0}(storm.e{0}) RETURNS storm.e{0} LANGUAGE sql AS 'SELECT $1'",
    "CREATE TRIGGER g{0} BEFORE UPDATE ON storm.t{0} FOR EACH ROW WHEN (OLD.a > 1) EXECUTE FUNCTION storm.touch()",
    "CREATE POLICY p{0} ON storm.t{0} USING (a > 1)",
    "CREATE RULE r{0} AS ON DELETE TO storm.t{0} DO ALSO SELECT 1",
    "CREATE STATISTICS storm.s{0} ON a, b FROM storm.t{0}",
    "CREATE MATERIALIZED VIEW storm.m{0} AS SELECT e FROM storm.t{0}",
    "CREATE DOMAIN storm.d{0} AS integer CHECK (VALUE > 0)",
    "CREATE PUBLICATION storm_{0} FOR TABLE storm.t{0}",
    "COMMENT ON TABLE storm.t{0} IS 'there'",
    "GRANT SELECT ON storm.t{0} TO PUBLIC",
    "ALTER TABLE storm.t{0} RENAME COLUMN a TO z",
    "ALTER TABLE storm.t{0} ADD CONSTRAINT k{0} FOREIGN KEY (z) REFERENCES storm.base",
    "ALTER TYPE storm.e{0} RENAME VALUE 'a' TO 'y'",
    "ALTER VIEW storm.v{0} RENAME TO w{0}",
    "ALTER TABLE storm.t{0} RENAME TO u{0}",
    "DROP PUBLICATION storm_{0}",
    "DROP TABLE storm.u{0} CASCADE",
    "DROP FUNCTION storm.f{0}",
    "DROP TYPE storm.e{0} CASCADE",
    "DROP DOMAIN storm.d{0}",
)


@asynccontextmanager
async def storming(url: str, *sessions: list[str]) -> AsyncIterator[list[int]]:
    """Run the statements of each session over and over; end each where it began. Yields how often each went around."""
    end, turns = asyncio.Event(), [0] * len(sessions)

    async def session(number: int, statements: list[str]) -> None:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            while not end.is_set():
                for statement in statements:
                    await connection.execute(statement.encode())
                turns[number] += 1
                await asyncio.sleep(REST_S)

    tasks = [asyncio.create_task(session(number, statements)) for number, statements in enumerate(sessions)]
    try:
        yield turns
    finally:
        end.set()
        await asyncio.gather(*tasks)


def truly(snapshot: Snapshot) -> None:
    """Fail when something was recorded that no instant had."""
    for key, record in snapshot.objects.items():
        if key.path[-1].startswith("t") and key.kind == "table":
            assert record.column_order, key
        if key.kind in ("view", "rule", "trigger", "index"):
            assert record.definition, key
        if (
            key.kind == "column"
            and key.path[-1] in ("a", "z", "e")
            and key.path[1][0] in "tu"
            and key.path[1] != "base"
        ):
            assert record.default, (key, record, snapshot.unreadable)


async def test_no_reading_fails_or_lies_while_everything_is_made_and_dropped(database: str, sql: Any) -> None:
    sql(database, START)
    async with connect(database) as connection:
        before = await take_snapshot(connection)
        async with storming(database, *([one.format(n) for one in STORM] for n in range(SESSIONS))) as turns:
            for _ in range(READINGS):
                snapshot = await take_snapshot(connection)
                truly(snapshot)
                calm = [key for key in before.objects if key.kind not in snapshot.unreadable]
                assert [] == [key for key in calm if snapshot.objects.get(key) != before.objects[key]]
        after = await take_snapshot(connection)

    assert min(turns) > 0
    assert {} == after.unreadable
    assert () == diff(before, after)


HALVES = {
    "view": "CREATE OR REPLACE VIEW storm.still WITH (security_barrier) AS SELECT id FROM storm.base WHERE id > 1",
    "column": "ALTER TABLE storm.base ALTER a SET DEFAULT 2, ALTER a SET NOT NULL",
    "domain": "ALTER DOMAIN storm.size SET DEFAULT 2; ALTER DOMAIN storm.size SET NOT NULL",
    "index": "DROP INDEX storm.base_idx; CREATE UNIQUE INDEX base_idx ON storm.base (b)",
}


@pytest.mark.parametrize("kind", HALVES)
async def test_what_changes_in_the_middle_of_a_reading_is_read_again(
    database: str, sql: Any, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Half of a record is as old as the transaction, the text that the server prints is the newest."""
    sql(database, START)
    sql(database, "CREATE DOMAIN storm.size AS integer DEFAULT 1; CREATE INDEX base_idx ON storm.base (a)")
    original = kind_reader._objects
    happened: list[object] = []

    async def objects(connection: Any, read: Any, *rest: Any) -> Any:
        if read.name == kind and not happened:
            happened.append(sql(database, HALVES[kind]))
        return await original(connection, read, *rest)

    monkeypatch.setattr(kind_reader, "_objects", objects)
    async with connect(database) as connection:
        during = await take_snapshot(connection)
        after = await take_snapshot(connection)

    assert happened
    assert {} == during.unreadable
    assert () == diff(after, during)


async def test_what_changes_all_the_while_is_unknown_and_the_rest_is_read(
    database: str, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql(database, START)
    original = kind_reader._objects
    turns: list[object] = []

    async def objects(connection: Any, read: Any, *rest: Any) -> Any:
        if read.name == "view":
            turns.append(
                sql(database, f"CREATE OR REPLACE VIEW storm.still AS SELECT id FROM storm.base LIMIT {len(turns)}")
            )
        return await original(connection, read, *rest)

    monkeypatch.setattr(kind_reader, "_objects", objects)
    async with connect(database) as connection:
        during = await take_snapshot(connection)

    assert {"view": "it was changed while it was read"} == during.unreadable
    assert Key("table", ("storm", "base")) in during.objects
