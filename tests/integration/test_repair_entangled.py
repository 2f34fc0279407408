"""Drifts of objects that need each other: one script repairs each, pg_dump prints what it printed, a pair adopts it."""

from collections.abc import Callable
from typing import Any, LiteralString

import psycopg
import pytest
from conftest import MakeDatabase
from objects import fixtures_of, make_roles
from pg_dump import changes, printed

from healthd.model.snapshots import Snapshot
from integration.test_adoption_property import adopts_statements
from integration.test_repair_drifts import repaired, repairs

SCHEMA = """
    CREATE SCHEMA app;
    CREATE SCHEMA util;
    CREATE TYPE app.mood AS ENUM ('sad', 'ok', 'happy');
    CREATE DOMAIN app.good AS app.mood DEFAULT 'ok' CONSTRAINT not_sad CHECK (VALUE <> 'sad');
    CREATE DOMAIN app.moods AS app.mood[] CHECK (array_length(VALUE, 1) < 10);
    CREATE DOMAIN app.price AS numeric(10, 2) CHECK (VALUE >= 0);
    CREATE TYPE app.place AS (street text, zip integer, feel app.good);
    CREATE TYPE app.stretch AS RANGE (subtype = app.mood);
    CREATE FUNCTION util.next(n integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT n + 1';
    CREATE FUNCTION util.above(integer, integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 > $2';
    CREATE OPERATOR util.>>> (leftarg = integer, rightarg = integer, function = util.above);
    CREATE FUNCTION util.down(integer, integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT -btint4cmp($1, $2)';
    CREATE OPERATOR CLASS util.reverse FOR TYPE integer USING btree AS
        OPERATOR 1 >, OPERATOR 2 >=, OPERATOR 3 =, OPERATOR 4 <=, OPERATOR 5 <, FUNCTION 1 util.down(integer, integer);
    CREATE TABLE app.person (id integer PRIMARY KEY, name text NOT NULL, mood app.mood DEFAULT 'ok', past app.moods,
                             home app.place, span app.stretch, email text,
                             number integer GENERATED ALWAYS AS IDENTITY (START 5));
    CREATE INDEX content ON app.person (name) WHERE mood <> 'sad';
    CREATE TABLE app.bill (id integer, day date, person integer REFERENCES app.person, total app.price,
                           note text DEFAULT 'bill', PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
    CREATE TABLE app.bill_24 PARTITION OF app.bill FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')
        PARTITION BY HASH (id);
    CREATE TABLE app.bill_24a PARTITION OF app.bill_24 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE app.bill_24b PARTITION OF app.bill_24 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    CREATE TABLE app.bill_rest PARTITION OF app.bill DEFAULT;
    ALTER TABLE app.bill_rest ALTER note SET DEFAULT 'rest';
    CREATE TABLE app.item (bill integer, day date, FOREIGN KEY (bill, day) REFERENCES app.bill (id, day));
    CREATE TABLE app.booking (room integer, during int4range, EXCLUDE USING gist (during WITH &&) WHERE (room > 0));
    CREATE INDEX rooms ON app.booking (room util.reverse);
    CREATE TABLE app.asset (label text DEFAULT 'asset', val integer CHECK (val > 0));
    CREATE TABLE app.car (wheels integer DEFAULT 4, number serial) INHERITS (app.asset);
    ALTER TABLE app.car ALTER label SET DEFAULT 'car';
    CREATE INDEX car_val ON app.car (val);
    CREATE VIEW app.people AS SELECT p.id, p.name, p.mood FROM app.person AS p;
    CREATE VIEW app.bills AS SELECT v.id, v.name, o.total FROM app.people AS v JOIN app.bill AS o ON o.person = v.id;
    CREATE MATERIALIZED VIEW app.sums AS SELECT v.id, sum(v.total) AS total FROM app.bills AS v GROUP BY 1;
    CREATE VIEW app.last AS SELECT m.id, util.next(1) AS n FROM app.sums AS m;
    CREATE VIEW app.upper AS SELECT b.room OPERATOR(util.>>>) 1 AS above FROM app.booking AS b;
    CREATE SCHEMA other;
    CREATE TYPE other.thing;
    CREATE FUNCTION other.thing_in(cstring) RETURNS other.thing LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
    CREATE FUNCTION other.thing_out(other.thing) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
    CREATE TYPE other.thing (input = other.thing_in, output = other.thing_out, like = integer);
    CREATE SEQUENCE other.counter;
    CREATE VIEW other.things AS SELECT NULL::other.thing AS thing, util.next(1) AS n;
    CREATE RULE no_delete AS ON DELETE TO app.people DO INSTEAD NOTHING;
    CREATE FOREIGN DATA WRAPPER entangled;
    CREATE SERVER entangled FOREIGN DATA WRAPPER entangled OPTIONS (host 'h');
    CREATE FOREIGN TABLE app.far (id integer NOT NULL, mood app.mood) SERVER entangled;
    COMMENT ON RULE no_delete ON app.people IS 'rule';
    COMMENT ON COLUMN app.bills.total IS 'total';
    COMMENT ON MATERIALIZED VIEW app.sums IS 'sums';
    GRANT SELECT (id) ON app.last TO entangled;
    GRANT SELECT (id) ON app.bill TO entangled WITH GRANT OPTION;
"""
ROWS = """
    INSERT INTO app.person VALUES (1, 'Ann', 'ok', '{sad,ok}', ROW('s', 7, 'happy'), '[sad,ok]', 'a@');
    INSERT INTO app.person VALUES (2, 'Bob');
    INSERT INTO app.bill VALUES (1, '2024-05-06', 1, 1.5), (2, '2024-05-07', 2, 2), (3, '2024-05-08', 2, 2),
                                (4, '2029-05-06', 1, 3);
    INSERT INTO app.item SELECT b.id, b.day FROM app.bill AS b;
    INSERT INTO app.booking VALUES (1, '[1,5)');
    INSERT INTO app.asset VALUES ('x', 1);
    INSERT INTO app.car VALUES ('y', 2, 3);
    REFRESH MATERIALIZED VIEW app.sums;
"""
TEXTS = """
    SELECT (SELECT array_agg(p::text ORDER BY p.id) FROM app.person AS p),
           (SELECT array_agg(b::text ORDER BY b.id) FROM app.bill AS b),
           (SELECT array_agg(a::text) FROM app.asset AS a), (SELECT array_agg(b::text) FROM app.booking AS b)"""

DRIFTS: dict[str, LiteralString] = {
    "a chain of views was dropped with comments and a privilege on a column": "DROP VIEW app.people CASCADE",
    "a view under others was changed": """
        CREATE OR REPLACE VIEW app.people AS SELECT p.id, upper(p.name) AS name, p.mood FROM app.person AS p""",
    "a materialized view became a view": """
        DROP MATERIALIZED VIEW app.sums CASCADE;
        CREATE VIEW app.sums AS SELECT v.id, sum(v.total) AS total FROM app.bills AS v GROUP BY 1""",
    "a label of an enum in domains, arrays, composites, ranges and a foreign table": """
        ALTER TYPE app.mood ADD VALUE 'angry' BEFORE 'ok'""",
    "a check of a domain that a composite type contains": "ALTER DOMAIN app.good DROP CONSTRAINT not_sad",
    "a renamed label, and a check of a domain with it": """
        ALTER TYPE app.mood RENAME VALUE 'sad' TO 'SAD'; ALTER DOMAIN app.good DROP CONSTRAINT not_sad""",
    "a check of a domain, and a column that had it": """
        DROP VIEW app.bills CASCADE; ALTER TABLE app.bill ALTER total TYPE numeric;
        ALTER DOMAIN app.price DROP CONSTRAINT price_check""",
    "a range type whose multirange type has another name": """
        ALTER TABLE app.person ALTER span TYPE text; DROP TYPE app.stretch;
        CREATE TYPE app.stretch AS RANGE (subtype = app.mood, multirange_type_name = app.stretches);
        ALTER TABLE app.person ALTER span TYPE app.stretch USING span::app.stretch""",
    "a partition of a partition, and a foreign key to its rows": """
        ALTER TABLE app.item DROP CONSTRAINT item_bill_day_fkey;
        ALTER TABLE app.bill_24 DETACH PARTITION app.bill_24b""",
    "the default of a table above one with its own": "ALTER TABLE ONLY app.asset ALTER label SET DEFAULT 'x'",
    "the default of a partitioned table": "ALTER TABLE ONLY app.bill ALTER note SET DEFAULT 'x'",
    "a type of a column that is inherited with another default": """
        ALTER TABLE app.asset ALTER label TYPE varchar(20)""",
    "an operator class that an index has": """
        DROP INDEX app.rooms; DROP OPERATOR CLASS util.reverse USING btree;
        CREATE OPERATOR CLASS util.reverse FOR TYPE integer USING btree FAMILY util.reverse AS
            OPERATOR 1 <, FUNCTION 1 btint4cmp(integer, integer);
        CREATE INDEX rooms ON app.booking (room util.reverse)""",
    "an operator family with its class and an index": "DROP OPERATOR FAMILY util.reverse USING btree CASCADE",
    "a table, its column and its view have other names": """
        ALTER TABLE app.person RENAME TO human; ALTER TABLE app.human RENAME name TO called;
        ALTER TABLE app.human ALTER email SET STATISTICS 7; ALTER INDEX app.content RENAME TO other""",
    "an inherited column and its table have other names": """
        ALTER TABLE app.asset RENAME val TO value; ALTER TABLE app.car RENAME TO automobile;
        ALTER TABLE app.asset ALTER label TYPE varchar(20)""",
    "an identity column became one with a sequence, and the other way round": """
        ALTER TABLE app.person ALTER number DROP IDENTITY;
        CREATE SEQUENCE app.person_number_seq OWNED BY app.person.number;
        ALTER TABLE app.person ALTER number SET DEFAULT nextval('app.person_number_seq');
        ALTER TABLE app.car ALTER number DROP DEFAULT; DROP SEQUENCE app.car_number_seq;
        ALTER TABLE app.car ALTER number ADD GENERATED ALWAYS AS IDENTITY""",
    "an operator that a view has is in another schema": "ALTER OPERATOR util.>>> (integer, integer) SET SCHEMA app",
    "a schema with everything in it": "DROP SCHEMA other CASCADE",
    "a privilege that another role grants, in a schema that it may use since then": """
        GRANT USAGE ON SCHEMA app TO entangled; SET ROLE entangled;
        GRANT SELECT (id) ON app.bill TO entangled_too; RESET ROLE""",
    "a server and its foreign table": """
        ALTER SERVER entangled OPTIONS (SET host 'x'); ALTER FOREIGN TABLE app.far ADD COLUMN more text""",
}


@pytest.fixture(scope="module", autouse=True)
def _role(_administrator: psycopg.Connection[Any]) -> None:
    make_roles(_administrator, "entangled", "entangled_too")


database, expected = fixtures_of(SCHEMA + ROWS)


@pytest.mark.parametrize("drift", DRIFTS.values(), ids=DRIFTS.keys())
async def test_one_script_repairs_what_needs_each_other(
    database: str, expected: Snapshot, sql: Any, drift: LiteralString
) -> None:
    await repairs(database, expected, sql, drift, TEXTS)


@pytest.mark.parametrize("drift", DRIFTS.values(), ids=DRIFTS.keys())
async def test_a_pair_adopts_what_needs_each_other(
    make_database: MakeDatabase, template_of: Callable[..., str], drift: LiteralString
) -> None:
    assert await adopts_statements(lambda: make_database(template_of(SCHEMA)), drift)


FORBIDDEN: dict[str, tuple[LiteralString, str]] = {
    "rows that an exclusion constraint forbids": (
        "ALTER TABLE app.booking DROP CONSTRAINT booking_during_excl; INSERT INTO app.booking VALUES (2, '[2,3)')",
        "1 row: exclude another row: with them it fails",
    ),
    "a label in an array of a domain": (
        "ALTER TYPE app.mood ADD VALUE 'lost'; UPDATE app.person SET past = '{lost}' WHERE id = 2",
        "1 row: the type app.moods would change values of app.person.past",
    ),
    "a label in a composite type": (
        "ALTER TYPE app.mood ADD VALUE 'lost'; UPDATE app.person SET home.feel = 'lost' WHERE id = 2",
        "1 row: the type app.place would change values of app.person.home",
    ),
    "a label at the end of a range": (
        "ALTER TYPE app.mood ADD VALUE 'lost'; UPDATE app.person SET span = '[ok,lost]' WHERE id = 2",
        "1 row: the type app.stretch would change values of app.person.span",
    ),
    "a value against the check of a domain": (
        "ALTER DOMAIN app.good DROP CONSTRAINT not_sad; UPDATE app.person SET home.feel = 'sad' WHERE id = 2",
        "1 row: the type app.place would change values of app.person.home",
    ),
}


@pytest.mark.parametrize(("drift", "why"), FORBIDDEN.values(), ids=FORBIDDEN.keys())
async def test_what_values_forbid_is_held_back_as_a_whole(
    database: str, expected: Snapshot, sql: Any, drift: str, why: str
) -> None:
    for statement in drift.split(";"):
        sql(database, statement)
    rows, before = sql(database, TEXTS), printed(database)

    script, failure, left = await repaired(database, expected)

    assert "" == failure
    assert left
    assert why in {one.held for one in script}
    assert "" == changes(before, printed(database))
    assert rows == sql(database, TEXTS)
