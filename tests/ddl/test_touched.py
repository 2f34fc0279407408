"""Every form of DDL: what is read because a statement touched it is everything that the statement changed.

The statements are those of test_ddl.py, and random ones of test_property.py. Each runs as a replay runs a migration;
afterwards only what it touched is read, and what is known then is compared with a complete reading. A statement that
cannot run inside a transaction, or may have changed anything, leads to a complete reading in a replay too.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import psycopg
import pytest

from ddl import test_property
from ddl.test_ddl import FILES, File, make_roles, report, skip_unless_possible, told
from ddl.test_property import NAMES, random_steps, resolve
from healthd.comparison.roles import for_comparison
from healthd.database.connection import connect, dial
from healthd.database.snapshot.catalog_changes import CatalogChanges
from healthd.database.snapshot.change_reader import ChangeReader
from healthd.database.snapshot.planned_reader import PlannedReader
from healthd.database.snapshot.reading import expected_digests
from healthd.migrations.engine.watched import NotWatched, run_watched
from healthd.migrations.engine.yoyo_backend import Backend, opened
from healthd.model.snapshots import Snapshot, diff
from healthd.replay.mirror import Mirror
from healthd.replay.scratch import State

fresh = test_property.fresh
# Files of which at least so many statements must not need a complete reading: otherwise this would test nothing.
QUICK = {"tables": 15, "columns": 40, "constraints": 20, "indexes": 30, "triggers": 5, "enums": 3, "functions": 10}


async def run(
    backend: Backend, writer: psycopg.Connection[Any], reader: ChangeReader, text: str
) -> frozenset[str] | None:
    """Run a statement, and return the catalogs that it has changed; None if that is not known."""
    await (reader.remember() if "CONCURRENTLY" not in text else reader.forget())
    try:
        return run_watched(backend, "0001.sql", text)
    except NotWatched:
        await reader.forget()  # some statements wait for all older transactions
    with suppress(psycopg.Error):
        writer.execute(text.encode())
    return None


async def complete(reader: PlannedReader, known: Mirror | None, user: str) -> Mirror:
    before = known.state if known is not None else State(Snapshot(0, {}), expected_digests({}))
    snapshot, digests = await reader.take(before.snapshot, before.digests)
    return Mirror(State(for_comparison(snapshot, user), digests))


async def follow(url: str, steps: Sequence[str]) -> tuple[list[str], int]:
    """Run statements; return what was overlooked, and how many needed no complete reading."""
    troubles, quick = [], 0
    async with connect(url) as one, connect(url) as other:
        user = one.info.user
        changed, whole = ChangeReader(one, lambda: dial(url), user), PlannedReader(other, user)
        with opened(url, wait_s=5.0, say=lambda _: None) as backend, psycopg.connect(url, autocommit=True) as writer:
            backend.ensure_internal_schema_updated()
            mirror = await complete(whole, None, user)
            for step in steps:
                text = resolve(step, writer.execute(NAMES).fetchall()) if "<" in step else step
                catalogs = await run(backend, writer, changed, text)
                looked = CatalogChanges(everything=True) if catalogs is None else await changed.changes(catalogs)
                if looked.everything:
                    mirror = await complete(whole, mirror, user)
                    continue
                quick += 1
                mirror.take(await mirror.differences(changed, looked, user))
                known, mirror = mirror.state.snapshot, await complete(whole, None, user)
                if overlooked := diff(known, mirror.state.snapshot, exact=True):
                    troubles.append(report(text, told(overlooked)))
        await changed.close()
    return troubles, quick


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_what_a_statement_touched_is_all_that_it_changed(
    file: File,
    make_database: Any,
    _administrator: psycopg.Connection,  # noqa: PT019 # its value is used
) -> None:
    skip_unless_possible(_administrator, file.header)
    make_roles(_administrator, file.header.get("role", ""))
    steps = [one.text for one in file.steps if one.runs_on(_administrator.info.server_version // 10000)]
    troubles, quick = asyncio.run(follow(make_database(), steps))

    if troubles:
        pytest.fail(f"{file.name}.sql: {len(troubles)} statements\n\n" + "\n\n".join(troubles), pytrace=False)
    assert quick >= QUICK.get(file.name, 0)


@random_steps(6)
def test_what_a_random_statement_touched_is_all_that_it_changed(fresh: Callable[[], str], steps: list[str]) -> None:
    troubles, _ = asyncio.run(follow(fresh(), steps))

    assert [] == troubles


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
    steps = [
        one.strip().replace("CURRENT_CATALOG", f'"{url.partition("?")[0].rpartition("/")[2]}"')
        for one in FAR.split(";\n")
    ]
    troubles, quick = asyncio.run(follow(url, steps))

    assert [] == troubles
    assert quick > 15
