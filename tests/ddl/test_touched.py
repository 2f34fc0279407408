"""What is read because a statement touched it is everything that the statement changed, in a database with a ledger.

test_ddl.py proves it for each statement of its files, and test_property.py for random ones; here are statements that
change objects without touching them. Each runs as a replay runs a migration; afterwards only what it touched is read,
and what is known then is compared with what a complete reading finds. A statement that cannot run inside a transaction,
or may have changed anything, leads to a complete reading in a replay too.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import psycopg

from ddl.follower import Follower
from ddl.test_ddl import NOTHING, listed, report
from healthd.database.connection import connect
from healthd.database.snapshot.planned_reader import PlannedReader
from healthd.database.snapshot.reading import expected_digests


async def follow(url: str, steps: Sequence[str]) -> tuple[list[str], int]:
    """Run statements; return what was overlooked, and how many needed no complete reading."""
    troubles = []
    async with connect(url) as connection, Follower.of(url) as follower:
        follower.backend.ensure_internal_schema_updated()
        reader = PlannedReader(connection, follower.user)
        snapshot, digests = await reader.take(NOTHING, expected_digests({}))
        await follower.begin(snapshot)
        with psycopg.connect(url, autocommit=True) as writer:
            for text in steps:
                if not await follower.run(text):
                    with suppress(psycopg.Error):
                        writer.execute(text.encode())
                snapshot, digests = await reader.take(snapshot, digests)
                if overlooked := await follower.overlooked(snapshot):
                    troubles.append(report(text, listed(overlooked)))
    return troubles, follower.quick


# What changes objects without touching their own rows in the catalogs.
FAR = """
CREATE SCHEMA app;
CREATE TYPE app.mood AS ENUM ('good', 'bad');
CREATE TABLE app.t (id integer PRIMARY KEY, mood app.mood DEFAULT 'good' CHECK (mood <> 'bad'), n integer);
CREATE TABLE app.u (id integer PRIMARY KEY, t integer REFERENCES app.t, n integer);
CREATE VIEW app.v AS SELECT t.id, u.n FROM app.t JOIN app.u USING (id);
CREATE VIEW app.w AS SELECT * FROM app.v;
CREATE FUNCTION app.f(x integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT x';
ALTER TABLE app.t ADD CHECK (app.f(n) > 0);
COMMENT ON COLUMN app.t.n IS 'a number';
GRANT SELECT ON app.t TO PUBLIC;
ALTER TABLE app.u ADD COLUMN more integer;
ALTER TABLE app.t ADD COLUMN more integer;
ALTER TYPE app.mood RENAME VALUE 'good' TO 'fine';
ALTER TYPE app.mood ADD VALUE 'new' BEFORE 'bad';
ALTER FUNCTION app.f(integer) RENAME TO g;
ALTER TABLE app.t RENAME COLUMN n TO m;
ALTER TABLE app.t RENAME CONSTRAINT t_pkey TO t_key;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC;
ALTER TABLE app.u DISABLE TRIGGER ALL;
ALTER TABLE app.t DISABLE TRIGGER ALL;
ALTER VIEW app.v RENAME TO vv;
ALTER SCHEMA app RENAME TO other;
REVOKE SELECT ON other.t FROM PUBLIC;
ALTER TABLE other.t REPLICA IDENTITY FULL;
ALTER TABLE other.t SET (toast.autovacuum_enabled = off);
DROP TYPE other.mood CASCADE;
DROP FUNCTION other.g(integer) CASCADE;
CREATE TABLE other.p (a integer) PARTITION BY LIST (a);
CREATE TABLE other.q (a integer);
ALTER TABLE other.p ATTACH PARTITION other.q FOR VALUES IN (1);
ALTER TABLE other.p ADD COLUMN b integer;
ALTER TABLE other.q ALTER COLUMN b SET STATISTICS 10;
DROP TABLE other.t CASCADE;
ALTER DATABASE CURRENT_CATALOG SET work_mem = '8MB';
DROP SCHEMA other CASCADE
"""


def test_objects_that_change_because_others_do_are_read(make_database: Any) -> None:
    url = make_database()
    with psycopg.connect(url) as connection:
        version = connection.info.server_version
    steps = [
        one.strip().replace("CURRENT_CATALOG", f'"{url.partition("?")[0].rpartition("/")[2]}"')
        for one in FAR.split(";\n")
    ]
    troubles, quick = asyncio.run(follow(url, steps))

    assert [] == troubles
    # Before PostgreSQL 15 the rows that a transaction changed are counted with those of the half second before it.
    assert quick > (15 if version >= 150000 else 0)
