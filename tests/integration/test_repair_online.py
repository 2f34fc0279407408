"""A repair takes no strong lock for as long as a table is large, where PostgreSQL has such a form; each is played."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from objects import Objects, fixtures_of, reading
from pg_dump import run_psql

from healthd.comparison.roles import comparable
from healthd.database.relation_sizes import read_sizes
from healthd.model.scripts import Script
from healthd.model.snapshots import Snapshot, diff
from healthd.repair.safety import Known
from healthd.repair.script import repair
from healthd.repair.text import PREAMBLE, transactions

SCHEMA = """
    CREATE TABLE u (id integer PRIMARY KEY);
    CREATE TABLE t (id integer NOT NULL, n integer, "Note; x" text NOT NULL, at date NOT NULL);
    CREATE TABLE p (id integer NOT NULL, n integer) PARTITION BY RANGE (id);
    CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (99);
    INSERT INTO u SELECT generate_series(1, 9);
    INSERT INTO t SELECT i, i, i, '2026-01-01' FROM generate_series(1, 9) AS i;
    INSERT INTO p SELECT i, i FROM generate_series(1, 9) AS i;
"""
ROWS = "SELECT count(*), sum(id), sum(n) FROM t UNION ALL SELECT count(*), sum(id), sum(n) FROM p"
KEY = "ADD CONSTRAINT k {} USING INDEX k{};"
BUILT = "CREATE UNIQUE INDEX CONCURRENTLY k ON public.t USING btree "

FORMS = {
    "check": (
        "ALTER TABLE t ADD CONSTRAINT k CHECK (n > 0)",
        "ALTER TABLE t DROP CONSTRAINT k",
        ["ADD CONSTRAINT k CHECK ((n > 0)) NOT VALID;", "VALIDATE CONSTRAINT k;"],
    ),
    "another check": (
        "ALTER TABLE t ADD CONSTRAINT k CHECK (n > 0)",
        "ALTER TABLE t DROP CONSTRAINT k, ADD CONSTRAINT k CHECK (n > 1) NOT VALID",
        ["DROP CONSTRAINT k;", "ADD CONSTRAINT k CHECK ((n > 0)) NOT VALID;", "VALIDATE CONSTRAINT k;"],
    ),
    "check of partitions": (
        "ALTER TABLE p ADD CONSTRAINT k CHECK (n > 0)",
        "ALTER TABLE p DROP CONSTRAINT k",
        ["ADD CONSTRAINT k CHECK ((n > 0)) NOT VALID;", "VALIDATE CONSTRAINT k;"],
    ),
    "check that was never validated": (
        "ALTER TABLE t ADD CONSTRAINT k CHECK (n > 0)",
        "ALTER TABLE t DROP CONSTRAINT k, ADD CONSTRAINT k CHECK (n > 0) NOT VALID",
        ["VALIDATE CONSTRAINT k;"],
    ),
    "foreign key": (
        "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (n) REFERENCES u ON DELETE CASCADE DEFERRABLE",
        "ALTER TABLE t DROP CONSTRAINT k",
        [
            "ADD CONSTRAINT k FOREIGN KEY (n) REFERENCES public.u(id) ON DELETE CASCADE DEFERRABLE NOT VALID;",
            "VALIDATE CONSTRAINT k;",
        ],
    ),
    "primary key with its foreign key": (
        """ALTER TABLE t ADD CONSTRAINT k PRIMARY KEY (id, n) INCLUDE (at);
           ALTER TABLE p ADD CONSTRAINT f FOREIGN KEY (id, n) REFERENCES t""",
        "ALTER TABLE t DROP CONSTRAINT k CASCADE",
        [BUILT + "(id, n) INCLUDE (at);", KEY.format("PRIMARY KEY", "")],
    ),
    "unique": (
        'ALTER TABLE t ADD CONSTRAINT k UNIQUE ("Note; x") WITH (fillfactor = 70) DEFERRABLE INITIALLY DEFERRED',
        "ALTER TABLE t DROP CONSTRAINT k",
        [
            BUILT + "(\"Note; x\") WITH (fillfactor='70');",
            KEY.format("UNIQUE", " DEFERRABLE INITIALLY DEFERRED"),
        ],
    ),
    "unique without duplicate nulls": (
        "ALTER TABLE t ADD CONSTRAINT k UNIQUE NULLS NOT DISTINCT (n) INCLUDE (id)",
        "ALTER TABLE t DROP CONSTRAINT k",
        [BUILT + "(n) INCLUDE (id) NULLS NOT DISTINCT;", KEY.format("UNIQUE", "")],
    ),
    "key that is the replica identity": (
        "ALTER TABLE t ADD CONSTRAINT k UNIQUE (id); ALTER TABLE t REPLICA IDENTITY USING INDEX k, CLUSTER ON k",
        "ALTER TABLE t DROP CONSTRAINT k",
        [BUILT + "(id);", KEY.format("UNIQUE", ""), "REPLICA IDENTITY USING INDEX k;", "CLUSTER ON k;"],
    ),
    "not null": (
        "",
        'ALTER TABLE t ALTER "Note; x" DROP NOT NULL',
        [
            'ADD CONSTRAINT "Note; x_is_not_null" CHECK ("Note; x" IS NOT NULL) NOT VALID;',
            'VALIDATE CONSTRAINT "Note; x_is_not_null";',
            'ALTER COLUMN "Note; x" SET NOT NULL;',
            'DROP CONSTRAINT "Note; x_is_not_null";',
        ],
    ),
    "not null of partitions": (
        "ALTER TABLE p ALTER n SET NOT NULL",
        "ALTER TABLE p ALTER n DROP NOT NULL",
        ["CHECK (n IS NOT NULL) NOT VALID;", "VALIDATE CONSTRAINT n_is_not_null;", "SET NOT NULL;", "DROP CONSTRAINT"],
    ),
    "index": (
        "CREATE INDEX k ON t (at DESC) WHERE n > 0",
        "DROP INDEX k",
        ["CREATE INDEX CONCURRENTLY k ON public.t USING btree (at DESC) WHERE (n > 0);"],
    ),
    "index of partitions": (
        "CREATE INDEX k ON p (n)",
        "DROP INDEX k",
        ["CREATE INDEX k ON public.p USING btree (n);"],
    ),
    "key of partitions": (
        "ALTER TABLE p ADD CONSTRAINT k PRIMARY KEY (id)",
        "ALTER TABLE p DROP CONSTRAINT k",
        ["ALTER TABLE public.p ADD CONSTRAINT k PRIMARY KEY (id);"],
    ),
    "exclusion": (
        "ALTER TABLE t ADD CONSTRAINT k EXCLUDE (id WITH =)",
        "ALTER TABLE t DROP CONSTRAINT k",
        ["ALTER TABLE public.t ADD CONSTRAINT k EXCLUDE USING btree (id WITH =);"],
    ),
}


database, known = fixtures_of(SCHEMA)


@pytest.fixture
async def reader(database: str, known: Snapshot) -> AsyncIterator[Objects]:
    """What reads the database on one connection."""
    async with reading(database, known) as reader:
        yield reader


async def script(reader: Objects, expected: Snapshot) -> Script:
    """Return the script for a database, with the sizes of what it locks."""
    sides = comparable(expected, await reader.read(), None)
    first = repair(*sides, diff(*sides), Known(), migrator="postgres")
    sizes = await read_sizes(reader.connection, {cost.relation for one in first for cost in one.costs})
    return repair(*sides, diff(*sides), Known(sizes=sizes), migrator="postgres")


def text(found: Script) -> str:
    return "\n".join([*PREAMBLE, *transactions(found)])


def in_order(parts: list[str], found: Script) -> bool:
    statements = iter(one.sql for one in found)
    return all(any(part in statement for statement in statements) for part in parts)


@pytest.mark.parametrize("form", FORMS)
async def test_a_form_repairs_and_keeps_the_rows(form: str, database: str, reader: Objects, sql: Any) -> None:
    schema, drift, parts = FORMS[form]
    if "NULLS NOT DISTINCT" in schema and reader.connection.info.server_version < 150000:
        pytest.skip("PostgreSQL 15 and later")
    sql(database, schema or "SELECT")
    expected, rows = await reader.read(), sql(database, ROWS)
    sql(database, drift)

    found = await script(reader, expected)

    assert in_order(parts, found)
    assert "" == run_psql(text(found), database)
    assert () == diff(expected, await reader.read())
    assert rows == sql(database, ROWS)


async def test_a_table_is_not_empty_if_another_inherits_from_it(database: str, reader: Objects, sql: Any) -> None:
    sql(database, "CREATE TABLE e (n integer CONSTRAINT c CHECK (n > 0)); CREATE TABLE h () INHERITS (e)")
    expected = await reader.read()
    sql(database, "ALTER TABLE e DROP CONSTRAINT c; INSERT INTO h VALUES (1)")

    found = await script(reader, expected)

    assert in_order(["ADD CONSTRAINT c CHECK ((n > 0)) NOT VALID;", "VALIDATE CONSTRAINT c;"], found)
    assert "" == run_psql(text(found), database)
    assert () == diff(expected, await reader.read())


async def test_an_empty_table_needs_no_other_form(database: str, reader: Objects, sql: Any) -> None:
    sql(database, "CREATE TABLE e (id integer PRIMARY KEY, n integer NOT NULL CONSTRAINT c CHECK (n > 0))")
    expected = await reader.read()
    sql(database, "ALTER TABLE e DROP CONSTRAINT e_pkey, DROP CONSTRAINT c, ALTER n DROP NOT NULL")

    found = await script(reader, expected)

    assert {
        "ALTER TABLE public.e ADD CONSTRAINT c CHECK ((n > 0));",
        "ALTER TABLE public.e ADD CONSTRAINT e_pkey PRIMARY KEY (id);",
        "ALTER TABLE public.e ALTER COLUMN n SET NOT NULL;",
    } == {one.sql for one in found}
    assert "" == run_psql(text(found), database)
    assert () == diff(expected, await reader.read())


FAILS = {
    "check": ("ALTER TABLE t ADD CONSTRAINT k CHECK (n > 0)", "ALTER TABLE t DROP CONSTRAINT k", "n = -1"),
    "foreign key": (
        "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (n) REFERENCES u",
        "ALTER TABLE t DROP CONSTRAINT k",
        "n = 99",
    ),
    "key": ("ALTER TABLE t ADD CONSTRAINT k UNIQUE (id)", "ALTER TABLE t DROP CONSTRAINT k", "id = 2"),
    "index": ("CREATE UNIQUE INDEX k ON t (id)", "DROP INDEX k", "id = 2"),
    "not null": ("", 'ALTER TABLE t ALTER "Note; x" DROP NOT NULL', '"Note; x" = NULL'),
}


@pytest.mark.parametrize("form", FAILS)
async def test_what_fails_in_the_middle_is_repaired_by_the_next_script(
    form: str, database: str, reader: Objects, sql: Any
) -> None:
    schema, drift, damage = FAILS[form]
    sql(database, schema or "SELECT")
    expected, kept = await reader.read(), sql(database, "SELECT * FROM t ORDER BY at, id, n")
    sql(database, f"{drift}; UPDATE t SET {damage} WHERE id = 3")

    failures = [run_psql(text(await script(reader, expected)), database) for _ in range(2)]

    assert ["ERROR" in failure for failure in failures] == [True, True]
    sql(
        database,
        """UPDATE t SET n = "Note; x"::integer, id = "Note; x"::integer WHERE "Note; x" = '3';
                     UPDATE t SET "Note; x" = '3' WHERE id = 3""",
    )
    assert "" == run_psql(text(await script(reader, expected)), database)
    assert () == diff(expected, await reader.read())
    assert kept == sql(database, "SELECT * FROM t ORDER BY at, id, n")


async def test_a_validation_comes_when_the_strong_lock_is_released(database: str, reader: Objects, sql: Any) -> None:
    sql(database, FORMS["check"][0])
    expected = await reader.read()
    sql(database, FORMS["check"][1] + "; COMMENT ON TABLE t IS 'a'")

    *_, transaction, _, validation, _ = transactions(await script(reader, expected))

    assert transaction.startswith("BEGIN;\n")
    assert transaction.endswith("\nCOMMIT;")
    assert "COMMENT ON TABLE public.t IS NULL;" in transaction
    assert validation.endswith("\nALTER TABLE public.t VALIDATE CONSTRAINT k;")
