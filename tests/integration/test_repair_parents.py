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
"""
ROWS = """
    INSERT INTO app.log VALUES (1, '2020-05-05', 5);
    INSERT INTO app.d VALUES (1, 2, 3);
"""
IDS = "SELECT (SELECT array_agg(id) FROM app.log), (SELECT array_agg(own) FROM app.d)"

DETACHED: dict[str, LiteralString] = {
    "and has lost a column with its check": "ALTER TABLE app.log_1 DROP COLUMN n",
    "and has lost a check": "ALTER TABLE app.log_1 DROP CONSTRAINT n_ok",
    "and has lost a column": "ALTER TABLE app.log_1 DROP COLUMN m",
    "and has another type": "ALTER TABLE app.log_1 ALTER n TYPE bigint",
    "and allows NULL": "ALTER TABLE app.log_1 ALTER id DROP NOT NULL",
    "and has one more column": "ALTER TABLE app.log_1 ADD z integer",
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
JOINED: dict[str, LiteralString] = {
    "one above, with its check": """
        ALTER TABLE app.b ADD id integer; ALTER TABLE app.b ADD x integer;
        ALTER TABLE app.b ADD CONSTRAINT x_ok CHECK (x > 0); ALTER TABLE app.b INHERIT app.a""",
}
DRIFTS: dict[str, LiteralString] = {
    **{f"detached {name}": f"ALTER TABLE app.log DETACH PARTITION app.log_1; {sql}" for name, sql in DETACHED.items()},
    **{f"left {name}": sql for name, sql in LEFT.items()},
    **{f"joined {name}": sql for name, sql in JOINED.items()},
}

database, expected = fixtures_of(SCHEMA + ROWS)


# A detached table is compared as if it were attached: that it lacks a check is known only when it is to be attached.
REFUSED = ("detached and has lost a column with its check", "detached and has lost a check")
RESTORED = {name: sql for name, sql in DRIFTS.items() if name not in REFUSED}


@pytest.mark.parametrize("drift", RESTORED.values(), ids=RESTORED.keys())
async def test_one_script_restores_the_tables_above(
    database: str, expected: Snapshot, sql: Any, drift: LiteralString
) -> None:
    rows = sql(database, IDS)
    for statement in drift.split(";"):
        sql(database, statement)

    _, failure, left = await repaired(database, expected)

    assert ("", []) == (failure, left)
    assert rows == sql(database, IDS)


@pytest.mark.parametrize("drift", [DRIFTS[name] for name in REFUSED], ids=REFUSED)
async def test_without_a_check_of_the_table_above_nothing_is_attached(
    database: str, expected: Snapshot, sql: Any, drift: LiteralString
) -> None:
    rows = sql(database, "SELECT array_agg(id) FROM app.log_1")
    for statement in drift.split(";"):
        sql(database, statement)

    _, failure, left = await repaired(database, expected)

    assert 'child table is missing constraint "n_ok"' in failure
    assert left
    assert rows == sql(database, "SELECT array_agg(id) FROM app.log_1")


@pytest.mark.parametrize("drift", RESTORED.values(), ids=RESTORED.keys())
async def test_a_pair_adopts_the_tables_above(
    make_database: MakeDatabase, template_of: Callable[..., str], drift: LiteralString
) -> None:
    assert await adopts_statements(lambda: make_database(template_of(SCHEMA)), drift)
