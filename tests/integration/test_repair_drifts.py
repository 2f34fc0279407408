"""Drifts that random changes found: one script repairs each of them, or holds back what rows forbid."""

from typing import Any

import pytest
from objects import Objects, fixtures_of, objects, reading
from pg_dump import changes, printed, run_psql

from healthd.catalog import KINDS
from healthd.comparison.causes import of_their_own
from healthd.comparison.passes import Given, compare
from healthd.comparison.unreported import is_recorded
from healthd.database import finding_details
from healthd.model.scripts import Script
from healthd.model.snapshots import Snapshot
from healthd.repair.safety import Known
from healthd.repair.script import repair
from healthd.repair.text import PREAMBLE, transactions

details: Any = finding_details


GIVEN = Given({}, {}, None, lambda snapshot: snapshot)


async def repaired(url: str, expected: Snapshot) -> tuple[Script, str, list[str]]:
    """Run the script for a database; return it, the error of psql, and what differs afterwards."""
    async with reading(url, expected) as reader:
        return await _repaired(url, expected, reader)


async def _repaired(url: str, expected: Snapshot, reader: Objects) -> tuple[Script, str, list[str]]:
    found = compare(expected, await reader.read(), GIVEN)
    differences = of_their_own(found.differences, found.expected.objects)

    def script(known: Known) -> Script:
        return repair(found.expected, found.aligned, differences, known, names=differences, migrator="postgres")

    queries = tuple(dict.fromkeys(one.rows for one in script(Known()) if one.rows))
    rows = await details._counts(reader.connection, queries)
    done = script(Known(rows))
    failure = run_psql("\n".join([*PREAMBLE, *transactions(done)]), url)
    after = compare(expected, await reader.read(), GIVEN)
    left = of_their_own(after.differences, after.expected.objects)
    return done, failure, [f"{one.key} {one.attribute}" for one in left if not is_recorded(one, KINDS)]


async def repairs(url: str, expected: Snapshot, sql: Any, drift: str, rows: str) -> None:
    """Check that one script repairs a drift: no difference, the same pg_dump, and all that a query of rows returned."""
    held, before = sql(url, rows), printed(url)
    sql(url, drift)

    _, failure, left = await repaired(url, expected)

    assert ("", []) == (failure, left)
    assert "" == changes(before, printed(url))
    assert held == sql(url, rows)


async def held_back(url: str, expected: Snapshot, sql: Any, drift: str, why: str, texts: str) -> Script:
    """Check that a part of the script is held back with this reason, and that all rows are as before; return it."""
    for statement in drift.split(";"):
        sql(url, statement)
    rows = sql(url, texts)

    script, failure, left = await repaired(url, expected)

    assert "" == failure
    assert left
    assert why in {one.held for one in script}
    assert rows == sql(url, texts)
    return script


SCHEMA = """
    CREATE TYPE status AS ENUM ('new', 'paid');
    CREATE TYPE place AS (street text, zip integer);
    CREATE TABLE customers (id integer PRIMARY KEY, home place, name text);
    CREATE TABLE orders (id integer PRIMARY KEY, customer integer REFERENCES customers, status status, past status[],
                         price numeric(8, 2), note text);
    CREATE STATISTICS pairs ON customer, status FROM orders;
    CREATE TABLE log (at date NOT NULL, n integer) PARTITION BY RANGE (at);
    CREATE TABLE log_2020 PARTITION OF log FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
    CREATE TABLE log_rest PARTITION OF log DEFAULT;
    CREATE TABLE base (n integer CHECK (n > 0), must text NOT NULL);
    CREATE TABLE child (extra integer) INHERITS (base);
    CREATE OPERATOR FAMILY numbers USING btree;
    ALTER OPERATOR FAMILY numbers USING btree
        ADD OPERATOR 1 < (integer, bigint), FUNCTION 1 (integer, bigint) btint48cmp(integer, bigint);
    INSERT INTO customers VALUES (1, ROW('a b', 7), 'Ann'), (2, NULL, 'Bob');
    INSERT INTO orders VALUES (1, 1, 'new', '{new,paid}', 1.5, 'x'), (2, 2, NULL, NULL, NULL, NULL);
    INSERT INTO base VALUES (1, 'x');
    INSERT INTO log VALUES ('2020-02-03', 1);
"""
database, expected = fixtures_of(SCHEMA)
ROWS = """
    SELECT c.*::text, o.id, o.customer, o.status::text, o.past::text, o.price FROM customers AS c, orders AS o
     ORDER BY c.id, o.id"""

CLEAN = {
    "an enum in another schema, with another label": """
        CREATE SCHEMA aside; ALTER TYPE status SET SCHEMA aside; ALTER TYPE aside.status ADD VALUE 'lost'""",
    "an enum that became text": """
        DROP STATISTICS pairs; ALTER TABLE orders ALTER status TYPE text, ALTER past TYPE text[]; DROP TYPE status""",
    "attributes of another type": "ALTER TABLE customers ALTER home TYPE text; DROP TYPE place; "
    "CREATE TYPE place AS (street varchar, zip bigint); ALTER TABLE customers ALTER home TYPE place USING home::place",
    "attributes in another order": "ALTER TABLE customers ALTER home TYPE text; DROP TYPE place; "
    "CREATE TYPE place AS (zip integer, street text); ALTER TABLE customers ALTER home TYPE place USING"
    " CASE WHEN home IS NOT NULL THEN ROW(7, 'a b')::place END",
    "an attribute with another name": "ALTER TYPE place RENAME ATTRIBUTE zip TO code",
    "a column that a table without a file inherits": """
        CREATE TABLE log_2021 PARTITION OF log FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
        ALTER TABLE log RENAME n TO number""",
    "a column that came after a partition was detached": """
        ALTER TABLE log DETACH PARTITION log_2020; ALTER TABLE log ADD COLUMN more integer""",
    "a partition that was detached after its table changed": """
        ALTER TABLE log ALTER n SET STATISTICS 50; ALTER TABLE log DETACH PARTITION log_2020""",
    "an attribute that a column had which is dropped": """
        ALTER TABLE customers ADD COLUMN more place; ALTER TYPE place ADD ATTRIBUTE land text CASCADE""",
    "a type that a table has which is dropped": """
        CREATE TABLE more (status status, CHECK (status IS NOT NULL)); ALTER TYPE status ADD VALUE 'lost'""",
    "a column of a detached partition": """
        ALTER TABLE log DETACH PARTITION log_2020; ALTER TABLE log_2020 ALTER at TYPE text""",
    "swapped columns": """
        ALTER TABLE orders RENAME customer TO x; ALTER TABLE orders RENAME id TO customer;
        ALTER TABLE orders RENAME x TO id""",
    "a table with another name, and other columns": """
        ALTER TABLE orders RENAME TO bills; ALTER TABLE bills ADD COLUMN more integer, ALTER note TYPE varchar(9)""",
    "a partition with another name, and another option": """
        ALTER TABLE log_rest RENAME TO elsewhere; ALTER TABLE elsewhere SET (fillfactor = 70)""",
    "a table and a column with other names": """
        ALTER TABLE customers RENAME TO people; ALTER TABLE people RENAME name TO called;
        ALTER TABLE people ADD COLUMN more integer""",
    "other members of an operator family": """
        ALTER OPERATOR FAMILY numbers USING btree
            DROP OPERATOR 1 (integer, bigint), FUNCTION 1 (integer, bigint);
        ALTER OPERATOR FAMILY numbers USING btree
            ADD OPERATOR 1 > (integer, bigint), OPERATOR 2 <= (integer, bigint),
                FUNCTION 1 (bigint, integer) btint84cmp(bigint, integer)""",
    "a table that has left its parent": "ALTER TABLE child NO INHERIT base",
    "a table that has left its parent, without the check": """
        ALTER TABLE child NO INHERIT base; ALTER TABLE child DROP CONSTRAINT base_n_check""",
    "what the owner of a built-in object may do": """
        REVOKE EXECUTE ON FUNCTION pg_catalog.pg_sleep(double precision) FROM CURRENT_USER;
        REVOKE SELECT ON information_schema.tables FROM CURRENT_USER""",
}


@pytest.mark.parametrize("drift", CLEAN.values(), ids=CLEAN.keys())
async def test_a_drift_is_repaired_by_one_script(database: str, expected: Snapshot, sql: Any, drift: str) -> None:
    rows = sql(database, ROWS)
    sql(database, drift)

    _, failure, left = await repaired(database, expected)

    assert ("", []) == (failure, left)
    assert rows == sql(database, ROWS)


FORBIDDEN = {
    "a reference to nothing": (
        "ALTER TABLE orders DROP CONSTRAINT orders_customer_fkey; UPDATE orders SET customer = 9 WHERE id = 1",
        "1 row: refer to nothing in public.customers: with them it fails",
    ),
    "a reference to nothing that was never validated": (
        """ALTER TABLE orders DROP CONSTRAINT orders_customer_fkey; UPDATE orders SET customer = 9 WHERE id = 1;
           ALTER TABLE orders
             ADD CONSTRAINT orders_customer_fkey FOREIGN KEY (customer) REFERENCES customers NOT VALID""",
        "1 row: refer to nothing in public.customers: with them it fails",
    ),
    "a value that is no label": (
        "ALTER TABLE orders ALTER past TYPE text[]; UPDATE orders SET past = '{new,lost}' WHERE id = 1",
        "1 row: the type public.status would change values of public.orders.past",
    ),
    "a value of a label that is not expected": (
        "ALTER TYPE status ADD VALUE 'lost'; UPDATE orders SET status = 'lost' WHERE id = 2",
        "1 row: the type public.status would change values of public.orders.status",
    ),
    "a text that is no number": (
        "ALTER TABLE orders ALTER price TYPE text; UPDATE orders SET price = 'much' WHERE id = 2",
        "at least 1 row: the type numeric(8,2) would change values of public.orders.price",
    ),
    "an attribute with values": (
        "ALTER TYPE place ADD ATTRIBUTE land text; UPDATE customers SET home.land = 'x' WHERE id = 1",
        "1 row: an attribute of public.place would be dropped with its values in public.customers.home",
    ),
    "a column that must have a value": (
        "ALTER TABLE base DROP COLUMN must",
        "1 row: it fails with them: add it without NOT NULL, fill it, then SET NOT NULL",
    ),
    "a row that belongs to another partition": (
        "ALTER TABLE log DETACH PARTITION log_2020; INSERT INTO log_rest VALUES ('2020-05-06', 1)",
        "1 row: of public.log_rest belong to it: with them it fails",
    ),
    "a row outside of the bounds": (
        "ALTER TABLE log DETACH PARTITION log_2020; INSERT INTO log_2020 VALUES ('2021-05-06', 1)",
        "1 row: outside of its bounds: with them it fails",
    ),
    "a default of a type that values forbid": (
        "ALTER TABLE orders ALTER status TYPE text, ALTER status SET DEFAULT 'x'; UPDATE orders SET status = 'x'",
        "2 rows: the type public.status would change values of public.orders.status",
    ),
    "an array that became a boolean": (
        "ALTER TABLE orders ALTER past TYPE boolean USING true",
        "2 rows: the type public.status would change values of public.orders.past",
    ),
    "a type that changes as well": (
        "ALTER TABLE customers ALTER home TYPE text; ALTER TYPE place ADD ATTRIBUTE land text",
        "composite:public.place must be settled first",
    ),
}


@pytest.mark.parametrize(("drift", "why"), FORBIDDEN.values(), ids=FORBIDDEN.keys())
async def test_what_rows_forbid_is_held_back_and_psql_ends_well(
    database: str, expected: Snapshot, sql: Any, drift: str, why: str
) -> None:
    for statement in drift.split(";"):
        sql(database, statement)
    before = sql(database, "SELECT o.*::text, c.*::text FROM orders AS o, customers AS c")

    script, failure, left = await repaired(database, expected)

    assert "" == failure
    assert left
    assert why in {one.held for one in script}
    announced = {f"{key} {attribute}" for one in script if one.held for key, attribute in one.causes}
    assert {*left} <= announced
    assert before == sql(database, "SELECT o.*::text, c.*::text FROM orders AS o, customers AS c")


RENAMED = {
    "a table": "ALTER TABLE orders RENAME TO bills",
    "a column": "ALTER TABLE orders RENAME customer TO buyer",
    "a schema": "ALTER TABLE orders SET SCHEMA aside",
    "swapped columns": """
        ALTER TABLE orders RENAME customer TO x; ALTER TABLE orders RENAME id TO customer;
        ALTER TABLE orders RENAME x TO id""",
    "the table that is referred to": "ALTER TABLE customers RENAME TO people",
}


@pytest.mark.parametrize("names", RENAMED.values(), ids=RENAMED.keys())
async def test_rows_of_a_renamed_object_are_counted_under_its_present_name(database: str, sql: Any, names: str) -> None:
    sql(database, "CREATE SCHEMA aside")
    expected = await objects(database)
    sql(
        database, "ALTER TABLE orders DROP CONSTRAINT orders_customer_fkey; UPDATE orders SET customer = 9 WHERE id = 1"
    )
    sql(database, names)

    script, failure, left = await repaired(database, expected)

    assert ("", ["constraint:public.orders.orders_customer_fkey None"]) == (failure, left)
    assert "1 row: refer to nothing in public.customers: with them it fails" in {one.held for one in script}
    assert [(9,)] == sql(database, "SELECT customer FROM orders WHERE id = 1")
