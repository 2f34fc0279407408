"""Drifts of tables that left or joined the tables above them: one script repairs each, and a pair adopts it."""

from collections.abc import Callable
from typing import Any, LiteralString

import pytest
from conftest import MakeDatabase
from objects import fixtures_of

from healthd.model.snapshots import Snapshot
from integration.test_adoption_property import adopts_statements
from integration.test_repair_drifts import repaired

SCHEMA = """
    CREATE SCHEMA app;
    CREATE TABLE app.log (id integer NOT NULL, at date NOT NULL, n integer, m integer, CONSTRAINT n_ok CHECK (n > 0))
        PARTITION BY RANGE (at);
    CREATE TABLE app.log_1 PARTITION OF app.log FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
    CREATE TABLE app.a (id integer, x integer, CONSTRAINT x_ok CHECK (x > 0));
    CREATE TABLE app.b (y integer NOT NULL);
    CREATE TABLE app.c (own integer) INHERITS (app.a, app.b);
    CREATE TABLE app.d (own integer) INHERITS (app.a);
    CREATE TABLE app.f (x integer NOT NULL, CONSTRAINT f_ok CHECK (x > 0));
    CREATE TABLE app.old (id integer NOT NULL, at date NOT NULL, n integer, m integer) PARTITION BY RANGE (at);
    CREATE TABLE app.p (id integer PRIMARY KEY);
    CREATE TABLE app."f'$detach$%" (x integer PRIMARY KEY, p integer REFERENCES app.p, q integer NOT NULL UNIQUE);
    CREATE TABLE app.bare (x integer NOT NULL, p integer, q integer NOT NULL);
    CREATE FOREIGN DATA WRAPPER away;
    CREATE SERVER away FOREIGN DATA WRAPPER away;
    CREATE FOREIGN TABLE app.g (own integer) INHERITS (app.a) SERVER away;
    CREATE FOREIGN TABLE app.log_2 PARTITION OF app.log FOR VALUES FROM ('2021-01-01') TO ('2022-01-01') SERVER away;
"""
ROWS = """
    INSERT INTO app.log VALUES (1, '2020-05-05', 5);
    INSERT INTO app.d VALUES (1, 2, 3);
"""
IDS = "SELECT (SELECT array_agg(id) FROM app.log_1), (SELECT array_agg(own) FROM app.d)"

DETACHED: dict[str, LiteralString] = {
    "and has lost a column with its check": "ALTER TABLE app.log_1 DROP COLUMN n",
    "and has lost a check": "ALTER TABLE app.log_1 DROP CONSTRAINT n_ok",
    "and has lost a column": "ALTER TABLE app.log_1 DROP COLUMN m",
    "and has another type": "ALTER TABLE app.log_1 ALTER n TYPE bigint",
    "and allows NULL": "ALTER TABLE app.log_1 ALTER id DROP NOT NULL",
    "and has one more column": "ALTER TABLE app.log_1 ADD z integer",
    "and has another check of this name": """
        ALTER TABLE app.log_1 DROP CONSTRAINT n_ok; ALTER TABLE app.log_1 ADD CONSTRAINT n_ok CHECK (n > 1)""",
    "and has its check under another name": "ALTER TABLE app.log_1 RENAME CONSTRAINT n_ok TO n_is_ok",
    "whose table has lost its check before": """
        ALTER TABLE app.log ATTACH PARTITION app.log_1 FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
        ALTER TABLE app.log DROP CONSTRAINT n_ok; ALTER TABLE app.log DETACH PARTITION app.log_1""",
    "and inherits from a table": """
        ALTER TABLE app.log_1 ADD x integer; ALTER TABLE app.log_1 ADD CONSTRAINT x_ok CHECK (x > 0);
        ALTER TABLE app.log_1 INHERIT app.a""",
    "and is one of another table": """
        ALTER TABLE app.old ATTACH PARTITION app.log_1 FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')""",
}
LEFT: dict[str, LiteralString] = {
    "one of two, and lost its column": "ALTER TABLE app.c NO INHERIT app.b; ALTER TABLE app.c DROP COLUMN y",
    "one of two, and allows NULL": "ALTER TABLE app.c NO INHERIT app.b; ALTER TABLE app.c ALTER y DROP NOT NULL",
    "one of two, and lost a column with a check": "ALTER TABLE app.c NO INHERIT app.a; ALTER TABLE app.c DROP COLUMN x",
    "the only one, and lost a column": "ALTER TABLE app.d NO INHERIT app.a; ALTER TABLE app.d DROP COLUMN x",
    "the only one, and lost a check": "ALTER TABLE app.d NO INHERIT app.a; ALTER TABLE app.d DROP CONSTRAINT x_ok",
    "the only one, and has another type": "ALTER TABLE app.d NO INHERIT app.a; ALTER TABLE app.d ALTER x TYPE bigint",
    "both, and lost their columns": """
        ALTER TABLE app.c NO INHERIT app.a; ALTER TABLE app.c NO INHERIT app.b;
        ALTER TABLE app.c DROP COLUMN y, DROP COLUMN x""",
    "one that has lost the column, too": """
        ALTER TABLE app.d NO INHERIT app.a; ALTER TABLE app.d DROP COLUMN x; ALTER TABLE app.a DROP COLUMN x CASCADE""",
    "one for another one": """
        ALTER TABLE app.d ADD y integer NOT NULL DEFAULT 1; ALTER TABLE app.d NO INHERIT app.a;
        ALTER TABLE app.d DROP COLUMN x; ALTER TABLE app.d INHERIT app.b""",
}
ORDERS: dict[str, LiteralString] = {
    "two parents in another order": "ALTER TABLE app.c NO INHERIT app.a; ALTER TABLE app.c INHERIT app.a",
    "a parent again, and its check as its own": """
        ALTER TABLE app.d NO INHERIT app.a; ALTER TABLE app.d INHERIT app.a""",
    "a check of the one above as its own": "ALTER TABLE app.d ADD CONSTRAINT x_ok CHECK (x > 0)",
    "two tables without the one above": """
        ALTER TABLE app.d NO INHERIT app.a; ALTER TABLE app.c NO INHERIT app.a;
        ALTER TABLE app.d DROP CONSTRAINT x_ok; ALTER TABLE app.c DROP CONSTRAINT x_ok""",
    "a table that is a partition by hand": """
        CREATE TABLE app.e (x integer) PARTITION BY RANGE (x);
        ALTER TABLE app.e ATTACH PARTITION app.f FOR VALUES FROM (1) TO (9)""",
    "a table that is a partition by hand, with a check": """
        CREATE TABLE app.e (x integer NOT NULL, CONSTRAINT f_ok CHECK (x > 0)) PARTITION BY RANGE (x);
        ALTER TABLE app.e ATTACH PARTITION app.f FOR VALUES FROM (1) TO (9)""",
    "a table that is a partition by hand, with keys and a reference": """
        CREATE TABLE app.e (x integer PRIMARY KEY, p integer REFERENCES app.p, q integer NOT NULL)
            PARTITION BY RANGE (x);
        CREATE INDEX ON app.e (p); CREATE INDEX ON app.e (q);
        ALTER TABLE app.e ATTACH PARTITION app."f'$detach$%" FOR VALUES FROM (1) TO (9)""",
    "a table without keys that is a partition by hand": """
        CREATE TABLE app.e (x integer PRIMARY KEY, p integer REFERENCES app.p, q integer NOT NULL)
            PARTITION BY RANGE (x);
        CREATE INDEX ON app.e (p); CREATE INDEX ON app.e (q);
        ALTER TABLE app.e ATTACH PARTITION app.bare FOR VALUES FROM (1) TO (9)""",
    "a partition of another table with keys": """
        CREATE INDEX ON app.old (n); ALTER TABLE app.old ADD PRIMARY KEY (id, at);
        ALTER TABLE app.log DETACH PARTITION app.log_1;
        ALTER TABLE app.old ATTACH PARTITION app.log_1 FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')""",
    "a foreign table without the one above": "ALTER TABLE app.g NO INHERIT app.a",
    "a foreign table that is no partition": "ALTER TABLE app.log DETACH PARTITION app.log_2",
    "a foreign table that is no partition and has no check": """
        ALTER TABLE app.log DETACH PARTITION app.log_2; ALTER TABLE app.log_2 DROP CONSTRAINT n_ok""",
}
JOINED: dict[str, LiteralString] = {
    "one above, with its check": """
        ALTER TABLE app.b ADD id integer; ALTER TABLE app.b ADD x integer;
        ALTER TABLE app.b ADD CONSTRAINT x_ok CHECK (x > 0); ALTER TABLE app.b INHERIT app.a""",
}
DRIFTS: dict[str, LiteralString] = {
    **{f"detached {name}": f"ALTER TABLE app.log DETACH PARTITION app.log_1; {sql}" for name, sql in DETACHED.items()},
    **{f"left {name}": sql for name, sql in LEFT.items()},
    **ORDERS,
    **{f"joined {name}": sql for name, sql in JOINED.items()},
}

database, expected = fixtures_of(SCHEMA + ROWS)


@pytest.mark.parametrize("drift", DRIFTS.values(), ids=DRIFTS.keys())
async def test_one_script_restores_the_tables_above(
    database: str, expected: Snapshot, sql: Any, drift: LiteralString
) -> None:
    rows = sql(database, IDS)
    for statement in drift.split(";"):
        sql(database, statement)

    _, failure, left = await repaired(database, expected)

    assert ("", []) == (failure, left)
    assert rows == sql(database, IDS)


@pytest.mark.parametrize("drift", DRIFTS.values(), ids=DRIFTS.keys())
async def test_a_pair_adopts_the_tables_above(
    make_database: MakeDatabase, template_of: Callable[..., str], drift: LiteralString
) -> None:
    assert await adopts_statements(lambda: make_database(template_of(SCHEMA)), drift)


FORBIDDEN: dict[str, tuple[LiteralString, str]] = {
    "a row outside of the partition": (
        """
        ALTER TABLE app.log DETACH PARTITION app.log_1; DROP FOREIGN TABLE app.log_2;
        ALTER TABLE app.log ATTACH PARTITION app.log_1 FOR VALUES FROM ('2020-01-01') TO ('2022-01-01');
        INSERT INTO app.log VALUES (2, '2021-01-01', 5)""",
        "1 row: outside of its bounds: with them it fails",
    ),
    "a row against a check of the one above": (
        """
        ALTER TABLE app.d ADD y integer NOT NULL DEFAULT 1; ALTER TABLE app.d NO INHERIT app.a;
        ALTER TABLE app.d DROP CONSTRAINT x_ok; ALTER TABLE app.d INHERIT app.b; INSERT INTO app.d VALUES (1, -2, 3)""",
        "1 row: against app.a.x_ok: with them it fails",
    ),
}
ABOVE = """
    SELECT array_agg(inhrelid::regclass::text || ' ' || inhparent::regclass ORDER BY 1), (SELECT count(*) FROM app.d),
           (SELECT count(*) FROM app.log_1)
      FROM pg_inherits WHERE inhparent::regclass::text LIKE 'app.%'"""


@pytest.mark.parametrize(("drift", "why"), FORBIDDEN.values(), ids=FORBIDDEN.keys())
async def test_a_table_does_not_leave_what_is_above_it_if_it_cannot_join_what_should_be(
    database: str, expected: Snapshot, sql: Any, drift: LiteralString, why: str
) -> None:
    for statement in drift.split(";"):
        sql(database, statement)
    before = sql(database, ABOVE)

    script, failure, left = await repaired(database, expected)

    assert "" == failure
    assert left
    assert why in {one.held for one in script}
    assert before == sql(database, ABOVE)
