"""Drifts of types, and of what needs them: labels, keys, casts, operator classes, servers and columns of views."""

from collections.abc import Callable
from typing import Any

import pytest
from conftest import MakeDatabase
from objects import objects

from integration.test_repair_drifts import held_back, repaired, repairs

Repair = Callable[..., Any]

EXCHANGED = """
    ALTER TYPE onoff RENAME VALUE 'on' TO 'tmp'; ALTER TYPE onoff RENAME VALUE 'off' TO 'on';
    ALTER TYPE onoff RENAME VALUE 'tmp' TO 'off'"""
ENUM = "CREATE TYPE onoff AS ENUM ('on', 'off', 'it''s \"b\"'); CREATE TABLE t (id integer PRIMARY KEY, s onoff{more});"
LABELS = "INSERT INTO t VALUES (1, 'on'), (2, 'off'), (3, NULL)"

TOLD = {
    "a default": ENUM.format(more=" DEFAULT 'off'"),
    "a view": f"{ENUM.format(more='')} CREATE VIEW v AS SELECT id FROM t WHERE s = 'on'",
    "a check": ENUM.format(more=" CHECK (s <> 'it''s \"b\"' OR s <> 'off')"),
    "an index": f"{ENUM.format(more='')} CREATE INDEX i ON t (id) WHERE s = 'on'",
    "an array": ENUM.format(more=", a onoff[] DEFAULT '{on,\"it''s \\\"b\\\"\",NULL,off}'"),
    "a partition": """
        CREATE TYPE onoff AS ENUM ('on', 'off'); CREATE TABLE t (id integer, s onoff) PARTITION BY LIST (s);
        CREATE TABLE p PARTITION OF t FOR VALUES IN ('on'); CREATE TABLE q PARTITION OF t DEFAULT""",
}


@pytest.fixture
def repair_of(make_database: MakeDatabase, template_of: Callable[..., str], sql: Any) -> Repair:
    """Return a function that makes a database and repairs a drift of it, as `repairs` does."""

    async def repair(schema: str, drift: str, rows: str = "SELECT") -> None:
        url = make_database(template_of(schema))
        await repairs(url, await objects(url), sql, drift, rows)

    return repair


@pytest.mark.parametrize("schema", TOLD.values(), ids=TOLD.keys())
async def test_labels_that_a_text_shows_to_be_exchanged_get_their_names_back(schema: str, repair_of: Repair) -> None:
    await repair_of(f"{schema}; {LABELS}", EXCHANGED, "SELECT id, s::text FROM t ORDER BY id")


async def test_labels_that_were_renamed_in_a_chain_get_their_names_back(repair_of: Repair) -> None:
    drift = "ALTER TYPE onoff RENAME VALUE 'off' TO 'none'; ALTER TYPE onoff RENAME VALUE 'on' TO 'off'"

    await repair_of(f"{TOLD['a view']}; {LABELS}", drift, "SELECT id, s::text FROM t ORDER BY id")


async def test_a_check_that_is_restored_with_the_labels_is_asked_of_the_present_ones(repair_of: Repair) -> None:
    schema = f"{TOLD['a view']}; ALTER TABLE t ADD CONSTRAINT c CHECK (s <> 'off' OR id > 1); {LABELS}"

    await repair_of(schema, f"ALTER TABLE t DROP CONSTRAINT c; {EXCHANGED}", "SELECT id, s::text FROM t ORDER BY id")


@pytest.mark.parametrize(
    ("schema", "drift"),
    [
        (ENUM.format(more=""), EXCHANGED),
        (
            TOLD["a default"],
            """
            ALTER TABLE t ALTER s DROP DEFAULT, ALTER s TYPE text; DROP TYPE onoff;
            CREATE TYPE onoff AS ENUM ('off', 'on', 'it''s "b"');
            ALTER TABLE t ALTER s TYPE onoff USING s::onoff, ALTER s SET DEFAULT 'off'""",
        ),
    ],
    ids=["nothing tells", "created again"],
)
async def test_a_type_that_is_created_again_for_its_order_says_what_its_rows_may_mean(
    schema: str, drift: str, make_database: MakeDatabase, template_of: Callable[..., str], sql: Any
) -> None:
    url = make_database(template_of(f"{schema} {LABELS}"))
    expected = await objects(url)
    sql(url, drift)
    before = sql(url, "SELECT id, s::text FROM t ORDER BY id")

    script, failure, left = await repaired(url, expected)

    assert ("", []) == (failure, left)
    assert before == sql(url, "SELECT id, s::text FROM t ORDER BY id")
    assert [True] == [
        "were exchanged with RENAME VALUE, public.t.s has the other label's meaning" in one.notes[0]
        for one in script
        if one.notes
    ]


KEYS = {
    "both columns have another type": (
        """
        CREATE TABLE p (id text PRIMARY KEY);
        CREATE TABLE c (id integer PRIMARY KEY, p text, CONSTRAINT refers FOREIGN KEY (p) REFERENCES p);
        COMMENT ON CONSTRAINT refers ON c IS 'why';
        INSERT INTO p VALUES ('00000000-0000-0000-0000-000000000001');
        INSERT INTO c VALUES (1, '00000000-0000-0000-0000-000000000001'), (2, NULL)""",
        """
        ALTER TABLE c DROP CONSTRAINT refers; ALTER TABLE p ALTER id TYPE uuid USING id::uuid;
        ALTER TABLE c ALTER p TYPE uuid USING p::uuid;
        ALTER TABLE c ADD CONSTRAINT refers FOREIGN KEY (p) REFERENCES p;
        COMMENT ON CONSTRAINT refers ON c IS 'why'""",
    ),
    "their enum has another label": (
        """
        CREATE TYPE e AS ENUM ('a', 'b'); CREATE TABLE p (id e PRIMARY KEY);
        CREATE TABLE c (id integer PRIMARY KEY, p e DEFAULT 'a' REFERENCES p ON DELETE CASCADE);
        CREATE TABLE d (FOREIGN KEY (p) REFERENCES p DEFERRABLE INITIALLY DEFERRED) INHERITS (c);
        INSERT INTO p VALUES ('a'), ('b'); INSERT INTO c VALUES (1, 'b'), (2, NULL)""",
        "ALTER TYPE e ADD VALUE 'z' BEFORE 'b'",
    ),
    "a column that is inherited, of a table that refers to itself": (
        """
        CREATE TABLE c (id text, p text);
        CREATE TABLE d (PRIMARY KEY (id), FOREIGN KEY (p) REFERENCES d) INHERITS (c);
        INSERT INTO d VALUES ('1', NULL), ('2', '1'); INSERT INTO c VALUES ('5', '6')""",
        """
        ALTER TABLE d DROP CONSTRAINT d_p_fkey; ALTER TABLE c ALTER id TYPE bigint USING id::bigint;
        ALTER TABLE c ALTER p TYPE integer USING p::integer; ALTER TABLE d ADD FOREIGN KEY (p) REFERENCES d""",
    ),
    "a partitioned table, and two columns of which one changes": (
        """
        CREATE TABLE p (id text, n integer, PRIMARY KEY (id, n)) PARTITION BY LIST (n);
        CREATE TABLE p1 PARTITION OF p DEFAULT;
        CREATE TABLE c (p text, n integer, FOREIGN KEY (n, p) REFERENCES p (n, id));
        INSERT INTO p VALUES ('5', 1); INSERT INTO c VALUES ('5', 1)""",
        """
        ALTER TABLE c DROP CONSTRAINT c_n_p_fkey; ALTER TABLE p ALTER id TYPE bigint USING id::bigint;
        ALTER TABLE c ALTER p TYPE bigint USING p::bigint; ALTER TABLE c ADD FOREIGN KEY (n, p) REFERENCES p (n, id)""",
    ),
    "both columns have a larger type": (
        "CREATE TABLE p (id integer PRIMARY KEY); CREATE TABLE c (p integer REFERENCES p); INSERT INTO p VALUES (1)",
        "ALTER TABLE p ALTER id TYPE bigint; ALTER TABLE c ALTER p TYPE bigint",
    ),
}


@pytest.mark.parametrize(("schema", "drift"), KEYS.values(), ids=KEYS.keys())
async def test_a_foreign_key_does_not_exist_while_its_columns_do_not_compare(
    schema: str, drift: str, repair_of: Repair
) -> None:
    await repair_of(schema, drift, "SELECT c::text FROM c ORDER BY c::text")


async def test_a_foreign_key_stays_while_rows_forbid_the_type_of_one_of_its_columns(
    make_database: MakeDatabase, template_of: Callable[..., str], sql: Any
) -> None:
    schema = "CREATE TABLE p (id uuid PRIMARY KEY); CREATE TABLE c (p uuid CONSTRAINT refers REFERENCES p)"
    url = make_database(template_of(schema))
    expected = await objects(url)
    drift = """
        ALTER TABLE c DROP CONSTRAINT refers; ALTER TABLE p ALTER id TYPE text; ALTER TABLE c ALTER p TYPE text;
        ALTER TABLE c ADD CONSTRAINT refers FOREIGN KEY (p) REFERENCES p; INSERT INTO p VALUES ('x')"""
    why = "constraint:public.c.refers must be settled first"

    script = await held_back(
        url, expected, sql, drift, why, "SELECT conname::text FROM pg_constraint WHERE contype = 'f'"
    )

    assert all(one.held for one in script)


SERVER = """
    CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s TYPE 'x' FOREIGN DATA WRAPPER w OPTIONS (host 'h');
    CREATE SERVER other FOREIGN DATA WRAPPER w;
    CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS ("user" 'u'); COMMENT ON SERVER s IS 'there';
    CREATE TABLE t (id integer, n integer) PARTITION BY LIST (n);
    CREATE FOREIGN TABLE part PARTITION OF t FOR VALUES IN (1) SERVER s;
    CREATE FOREIGN TABLE f (id integer OPTIONS (k 'v') NOT NULL CHECK (id > 0), n text DEFAULT 'x') SERVER s
        OPTIONS (a 'b');
    COMMENT ON COLUMN f.n IS 'n'; GRANT SELECT ON f TO PUBLIC; CREATE VIEW v AS SELECT id FROM f"""


@pytest.mark.parametrize(
    "drift",
    [
        """
        DROP SERVER s CASCADE; CREATE SERVER s FOREIGN DATA WRAPPER w;
        CREATE FOREIGN TABLE f (id bigint, nom text) SERVER s""",
        """
        DROP FOREIGN TABLE part; DROP FOREIGN TABLE f CASCADE; CREATE FOREIGN TABLE f (id integer) SERVER other;
        CREATE FOREIGN TABLE part PARTITION OF t FOR VALUES IN (1) SERVER other""",
        """
        DROP SERVER s CASCADE; CREATE FOREIGN DATA WRAPPER y; CREATE SERVER s TYPE 'x' FOREIGN DATA WRAPPER y;
        CREATE FOREIGN TABLE f (id integer NOT NULL) SERVER s; CREATE VIEW v AS SELECT id, 1 AS one FROM f;
        CREATE USER MAPPING FOR CURRENT_USER SERVER s""",
    ],
    ids=["without a type", "another one", "of another wrapper"],
)
async def test_a_server_is_created_again_with_its_foreign_tables(drift: str, repair_of: Repair) -> None:
    await repair_of(SERVER, drift)


CAST = """
    CREATE TYPE sev AS ENUM ('lo', 'hi');
    CREATE FUNCTION f(s sev) RETURNS integer LANGUAGE sql IMMUTABLE
        AS $$ SELECT CASE s::text WHEN 'lo' THEN 0 ELSE 1 END $$;
    CREATE CAST (sev AS integer) WITH FUNCTION f(sev) AS ASSIGNMENT;
    CREATE TABLE t (id integer PRIMARY KEY, s sev, n integer GENERATED ALWAYS AS (s::integer) STORED,
                    CONSTRAINT low CHECK (s::integer < 2));
    CREATE INDEX i ON t ((s::integer)); CREATE VIEW v AS SELECT id, s::integer AS n FROM t;
    CREATE VIEW w AS SELECT id, s FROM t; CREATE VIEW x AS SELECT s::integer FROM w;
    CREATE POLICY p ON t USING (s::integer > 0); INSERT INTO t VALUES (1, 'lo'), (2, 'hi'), (3, NULL)"""
METHOD = """
    CREATE ACCESS METHOD m TYPE INDEX HANDLER bthandler;
    CREATE OPERATOR CLASS c DEFAULT FOR TYPE integer USING m AS
        OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(integer, integer);
    CREATE TABLE t (id integer); CREATE INDEX i ON t USING m (id); CREATE INDEX j ON t USING m ((id + 1));
    INSERT INTO t VALUES (1)"""
UNNAMED = {
    "a cast's function": (CAST, "DROP FUNCTION f CASCADE"),
    "a function with another result": (
        CAST,
        "DROP FUNCTION f CASCADE; CREATE FUNCTION f(s sev) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT 1::bigint'",
    ),
    "another kind of cast": (CAST, "DROP CAST (sev AS integer); CREATE CAST (sev AS integer) WITH FUNCTION f(sev)"),
    "a default class": (METHOD, "DROP OPERATOR CLASS c USING m CASCADE"),
    "an access method": (METHOD, "DROP ACCESS METHOD m CASCADE; CREATE INDEX i ON t (id)"),
    "a class with fewer operators": (
        METHOD,
        """
        DROP OPERATOR CLASS c USING m CASCADE;
        CREATE OPERATOR CLASS c DEFAULT FOR TYPE integer USING m AS
            OPERATOR 1 <, OPERATOR 3 =, OPERATOR 5 >, FUNCTION 1 btint4cmp(integer, integer);
        CREATE INDEX i ON t USING m (id)""",
    ),
}


@pytest.mark.parametrize(("schema", "drift"), UNNAMED.values(), ids=UNNAMED.keys())
async def test_what_no_text_names_is_made_before_what_uses_it(schema: str, drift: str, repair_of: Repair) -> None:
    await repair_of(schema, drift, "SELECT * FROM (SELECT t::text FROM t ORDER BY t::text) AS t")


async def test_a_function_that_only_casts_call_is_created_again_with_what_they_are_in(repair_of: Repair) -> None:
    schema = CAST.replace("n integer GENERATED ALWAYS AS (s::integer) STORED", "n integer")
    drift = """
        CREATE OR REPLACE FUNCTION f(s sev DEFAULT 'lo') RETURNS integer LANGUAGE sql IMMUTABLE
            AS $$ SELECT CASE s::text WHEN 'lo' THEN 0 ELSE 1 END $$"""

    await repair_of(schema, drift, "SELECT * FROM t ORDER BY id")


VIEW = """
    CREATE TABLE t (a text, b text); INSERT INTO t VALUES ('1', '2');
    CREATE VIEW v AS {select}; ALTER VIEW v ALTER b SET DEFAULT 'x';
    CREATE VIEW w AS SELECT a || b AS ab FROM v; COMMENT ON COLUMN v.b IS 'b'; GRANT SELECT (a) ON v TO PUBLIC"""
COLUMNS = {
    "plain": "SELECT a, b FROM t",
    "of expressions": """
        SELECT DISTINCT concat('a, b', (SELECT max(a) FROM t)) AS a, (b COLLATE "C") AS b, 1 AS " "",c" FROM t""",
    "of a query with a name": "WITH q AS (SELECT a, b FROM t) SELECT a, b FROM q",
    "with other names": "SELECT t.b AS a, t.a AS b FROM t",
}


@pytest.mark.parametrize("select", COLUMNS.values(), ids=COLUMNS.keys())
@pytest.mark.parametrize(
    "drift",
    [
        "ALTER VIEW v RENAME a TO tmp; ALTER VIEW v RENAME b TO a; ALTER VIEW v RENAME tmp TO b",
        "ALTER VIEW v RENAME a TO c; ALTER VIEW v RENAME b TO a",
        "ALTER VIEW v RENAME b TO c",
    ],
    ids=["exchanged", "in a chain", "renamed"],
)
async def test_columns_of_a_view_get_their_names_back(select: str, drift: str, repair_of: Repair) -> None:
    await repair_of(VIEW.format(select=select), drift, "SELECT a, b FROM v")


async def test_what_goes_with_a_view_that_is_created_again_is_repaired_by_that(
    make_database: MakeDatabase, template_of: Callable[..., str], sql: Any
) -> None:
    url = make_database(template_of(VIEW.format(select=COLUMNS["plain"])))
    expected = await objects(url)
    sql(url, "GRANT SELECT (b) ON v TO PUBLIC; ALTER VIEW v RENAME a TO c")

    script, failure, left = await repaired(url, expected)

    assert ("", []) == (failure, left)
    (drop,) = (one for one in script if one.sql == "DROP VIEW public.v;")
    assert 'grant:column.public.v.b."PUBLIC"' in {str(key) for key, _ in drop.causes}
