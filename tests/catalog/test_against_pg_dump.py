"""The measure of a snapshot: it moves exactly when `pg_dump --schema-only` moves, and where that is blind."""

import re
import subprocess
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from healthd import embedded
from healthd.database import connect, take_snapshot
from healthd.model import diff

BEGIN = """
CREATE SCHEMA app;
CREATE TYPE app.mood AS ENUM ('good', 'bad');
CREATE TYPE app.pair AS (a integer, b text);
CREATE DOMAIN app.size AS integer;
CREATE SEQUENCE app.numbers;
CREATE TABLE app.people (id integer PRIMARY KEY, mood app.mood DEFAULT 'good', name text, born date);
CREATE TABLE app.pets (id integer PRIMARY KEY, owner integer REFERENCES app.people, name varchar(20));
CREATE TABLE app.events (at date NOT NULL, what text) PARTITION BY RANGE (at);
CREATE TABLE app.events_2025 PARTITION OF app.events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE INDEX people_name_idx ON app.people (name);
CREATE VIEW app.happy AS SELECT p.id FROM app.people AS p WHERE p.mood = 'good';
CREATE MATERIALIZED VIEW app.totals AS SELECT count(*) FROM app.people;
CREATE FUNCTION app.one() RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION app.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION app.weight(app.mood) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touch BEFORE UPDATE ON app.people FOR EACH ROW EXECUTE FUNCTION app.touch();
CREATE ROLE dump_reader;
"""

MOVES = (
    "CREATE SCHEMA other",
    "CREATE EXTENSION vector",
    "ALTER TYPE app.mood ADD VALUE 'fine' BEFORE 'bad'",
    "ALTER TYPE app.mood RENAME VALUE 'bad' TO 'BAD'",
    "ALTER DOMAIN app.size SET NOT NULL",
    "ALTER DOMAIN app.size SET DEFAULT 3",
    "ALTER DOMAIN app.size ADD CONSTRAINT small CHECK (VALUE < 9)",
    "ALTER SEQUENCE app.numbers INCREMENT BY 3",
    "ALTER SEQUENCE app.numbers OWNED BY app.people.id",
    "ALTER TABLE app.people ADD COLUMN note text",
    "ALTER TABLE app.people ADD COLUMN n integer GENERATED ALWAYS AS IDENTITY",
    "ALTER TABLE app.people ADD COLUMN twice integer GENERATED ALWAYS AS (id * 2) STORED",
    "ALTER TABLE app.people ALTER COLUMN name SET NOT NULL",
    "ALTER TABLE app.people ALTER COLUMN name SET DEFAULT 'x'",
    'ALTER TABLE app.people ALTER COLUMN name TYPE text COLLATE "C"',
    "ALTER TABLE app.pets ALTER COLUMN name TYPE varchar(30)",
    "ALTER TABLE app.pets RENAME COLUMN name TO called",
    "ALTER TABLE app.pets ADD CONSTRAINT named CHECK (called <> '') NOT VALID",
    "ALTER TABLE app.pets VALIDATE CONSTRAINT named",
    "ALTER TABLE app.pets RENAME CONSTRAINT named TO has_name",
    "ALTER TABLE app.pets ADD UNIQUE (called)",
    "ALTER TABLE app.pets ALTER CONSTRAINT pets_owner_fkey DEFERRABLE",
    "ALTER TABLE app.pets SET UNLOGGED",
    "ALTER TABLE app.people ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE app.people FORCE ROW LEVEL SECURITY",
    "ALTER TABLE app.people DISABLE TRIGGER touch",
    "CREATE TABLE app.events_2026 PARTITION OF app.events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
    "ALTER TABLE app.events DETACH PARTITION app.events_2025",
    "CREATE TABLE app.children () INHERITS (app.people)",
    "CREATE INDEX events_what_idx ON app.events (what)",
    "ALTER INDEX app.people_name_idx RENAME TO people_name",
    "DROP INDEX app.people_name",
    "CREATE UNIQUE INDEX people_name ON app.people (name DESC NULLS LAST) INCLUDE (born) WHERE id > 0",
    "ALTER INDEX app.people_name SET (fillfactor = 50)",
    "CREATE OR REPLACE VIEW app.happy AS SELECT p.id FROM app.people AS p",
    "ALTER VIEW app.happy SET (security_barrier = true)",
    "DROP MATERIALIZED VIEW app.totals",
    "ALTER FUNCTION app.one() STABLE",
    "ALTER FUNCTION app.one() PARALLEL SAFE",
    "ALTER FUNCTION app.one() SECURITY DEFINER",
    "ALTER FUNCTION app.one() SET search_path = app",
    "CREATE OR REPLACE FUNCTION app.one() RETURNS integer LANGUAGE sql AS 'SELECT 1 '",
    "CREATE PROCEDURE app.act() LANGUAGE sql AS ''",
    "DROP TRIGGER touch ON app.people",
    "ALTER TABLE app.pets RENAME TO animals",
    "ALTER TABLE app.animals SET SCHEMA other",
)
RESTS = (
    "INSERT INTO app.people VALUES (1, 'good', 'x', NULL)",
    "UPDATE app.people SET name = 'y'",
    "SELECT nextval('app.numbers')",
    "ANALYZE",
    "VACUUM FULL app.people",
    "REINDEX TABLE app.people",
    "REFRESH MATERIALIZED VIEW app.totals",
    "ALTER TABLE app.people DISABLE TRIGGER touch; ALTER TABLE app.people ENABLE TRIGGER touch",
    "DROP INDEX app.people_name_idx; CREATE INDEX people_name_idx ON app.people USING btree (name)",
    """CREATE OR REPLACE VIEW app.happy AS SELECT id FROM app.people;
       CREATE OR REPLACE VIEW app.happy AS SELECT "p".id FROM app.people p WHERE (p.mood)='good'::app.mood""",
)
# What pg_dump sees and a snapshot does not yet: each of these is drift that nobody would be told of.
UNSEEN = (
    "CREATE POLICY own ON app.people USING (id = 1)",
    "GRANT SELECT ON app.people TO dump_reader",
    "GRANT USAGE ON SCHEMA app TO dump_reader",
    "REVOKE EXECUTE ON FUNCTION app.one() FROM PUBLIC",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO dump_reader",
    "ALTER TABLE app.people OWNER TO dump_reader",
    "COMMENT ON TABLE app.people IS 'people'",
    "CREATE RULE quiet AS ON DELETE TO app.people DO INSTEAD NOTHING",
    "CREATE STATISTICS app.both (dependencies) ON name, mood FROM app.people",
    "ALTER TYPE app.pair ADD ATTRIBUTE c integer",
    "CREATE AGGREGATE app.total(integer) (SFUNC = int4pl, STYPE = integer)",
    "CREATE OPERATOR app.### (LEFTARG = integer, RIGHTARG = integer, FUNCTION = int4pl)",
    "CREATE CAST (app.mood AS integer) WITH FUNCTION app.weight(app.mood)",
    "ALTER TABLE app.people SET (autovacuum_enabled = false)",
    "ALTER TABLE app.people ALTER COLUMN name SET STORAGE EXTERNAL",
    "ALTER TABLE app.people ALTER COLUMN name SET STATISTICS 500",
    "ALTER TABLE app.people REPLICA IDENTITY FULL",
    "ALTER TABLE app.people CLUSTER ON people_pkey",
    "CREATE COLLATION app.german (locale = 'C')",
    "CREATE PUBLICATION everything FOR ALL TABLES",
    "CREATE EVENT TRIGGER watch ON sql_drop EXECUTE FUNCTION app.watch()",
    "ALTER VIEW app.happy ALTER COLUMN id SET DEFAULT 3",
    """ALTER TABLE app.people DROP COLUMN name; ALTER TABLE app.people ADD COLUMN name text;
       CREATE INDEX people_name_idx ON app.people (name)""",
)


@pytest.fixture(scope="module")
def template(server: Any, _administrator: psycopg.Connection) -> Iterator[str]:
    _administrator.execute("CREATE DATABASE dumped TEMPLATE template0")
    with psycopg.connect(server.url("dumped"), autocommit=True) as connection:
        connection.execute(BEGIN.encode())
    yield "dumped"
    _administrator.execute("DROP DATABASE dumped WITH (FORCE)")
    _administrator.execute("DROP ROLE dump_reader")


@pytest.fixture(scope="module")
def pg_dump(server: embedded.Server) -> Any:
    program = server.bin / "pg_dump"
    if not program.exists():
        pytest.skip(f"no pg_dump in {server.bin}")

    def pg_dump(url: str) -> str:
        text = subprocess.run([program, "--schema-only", "-d", url], capture_output=True, text=True, check=True).stdout
        return re.sub(r"^(\\(un)?restrict .*|--.*|SET .*|)\n", "", text, flags=re.MULTILINE)

    return pg_dump


async def moved(url: str, statement: str, pg_dump: Any) -> tuple[bool, bool]:
    """Return whether the snapshot, and what pg_dump prints, are other ones after a statement."""
    async with connect(url) as reader:
        before, printed = await take_snapshot(reader), pg_dump(url)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(statement.encode())
        return bool(diff(before, await take_snapshot(reader))), printed != pg_dump(url)


async def test_a_snapshot_moves_when_pg_dump_moves(make_database: Any, template: str, pg_dump: Any) -> None:
    url = make_database(template)
    for statement in MOVES:
        assert (statement, (True, True)) == (statement, await moved(url, statement, pg_dump))


async def test_a_snapshot_rests_when_pg_dump_rests(make_database: Any, template: str, pg_dump: Any) -> None:
    url = make_database(template)
    for statement in RESTS:
        assert (statement, (False, False)) == (statement, await moved(url, statement, pg_dump))


@pytest.mark.parametrize("statement", UNSEEN, ids=lambda text: " ".join(text.split()[:4]))
@pytest.mark.xfail(strict=True, raises=AssertionError, reason="not a part of the snapshot yet")
async def test_a_snapshot_sees_this_too(make_database: Any, template: str, pg_dump: Any, statement: str) -> None:
    url = make_database(template)
    seen, printed = await moved(url, statement, pg_dump)
    if not printed:
        pytest.fail(f"pg_dump does not see it either: {statement}", pytrace=False)

    assert seen


async def test_a_snapshot_sees_what_pg_dump_does_not(make_database: Any, template: str, pg_dump: Any) -> None:
    url = make_database(template)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("INSERT INTO app.people (id, name) VALUES (1, 'twin'), (2, 'twin')")
    async with connect(url) as reader:
        before, printed = await take_snapshot(reader), pg_dump(url)
        with psycopg.connect(url, autocommit=True) as connection, pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("CREATE UNIQUE INDEX CONCURRENTLY broken ON app.people (name)")
        after = await take_snapshot(reader)

    assert ["index:app.people.broken"] == [str(one.key) for one in diff(before, after)]
    assert printed == pg_dump(url)
