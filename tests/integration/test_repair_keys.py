"""Drifts of keys and indexes whose names are in the way of others, and of tables that have exchanged theirs."""

from collections.abc import Callable
from typing import Any, LiteralString

import pytest
from conftest import MakeDatabase
from objects import objects

from integration.test_repair_drifts import held_back, repaired, repairs

IDENTITY = """
    CREATE TABLE t (id integer, u integer, CONSTRAINT t_pkey PRIMARY KEY (id), CONSTRAINT t_u UNIQUE (u));
    CREATE TABLE k (t integer REFERENCES t (id), u integer REFERENCES t (u));
    ALTER TABLE t REPLICA IDENTITY USING INDEX t_pkey;
    INSERT INTO t VALUES (1, 2); INSERT INTO k VALUES (1, 2)"""

CLEAN: dict[str, tuple[str, LiteralString, str]] = {
    "a primary key of another name that is no replica identity": (
        "CREATE TABLE t (id integer PRIMARY KEY); ALTER TABLE t REPLICA IDENTITY USING INDEX t_pkey",
        "ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD CONSTRAINT t_other PRIMARY KEY (id)",
        "TABLE t",
    ),
    "a primary key of another name with other options": (
        "CREATE TABLE t (id integer PRIMARY KEY WITH (fillfactor = 70))",
        "ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD CONSTRAINT t_other PRIMARY KEY (id)",
        "TABLE t",
    ),
    "a replica identity of another name, and foreign keys that refer to it": (
        IDENTITY,
        """
        ALTER TABLE k DROP CONSTRAINT k_t_fkey; ALTER TABLE t DROP CONSTRAINT t_pkey;
        CREATE UNIQUE INDEX t_other ON t (id); ALTER TABLE t ADD PRIMARY KEY USING INDEX t_other;
        ALTER TABLE k ADD CONSTRAINT k_t_fk FOREIGN KEY (t) REFERENCES t (id) NOT VALID""",
        "SELECT * FROM t, k",
    ),
    "a primary key of another column": (
        IDENTITY,
        """
        ALTER TABLE t ALTER u SET NOT NULL; ALTER TABLE k DROP CONSTRAINT k_t_fkey;
        ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD CONSTRAINT t_other PRIMARY KEY (u)""",
        "SELECT * FROM t, k",
    ),
    "another index as replica identity": (
        IDENTITY,
        "ALTER TABLE t ALTER u SET NOT NULL; ALTER TABLE t REPLICA IDENTITY USING INDEX t_u",
        "SELECT * FROM t, k",
    ),
    "a replica identity that nobody expects": (
        "CREATE TABLE t (id integer PRIMARY KEY)",
        "ALTER TABLE t RENAME CONSTRAINT t_pkey TO t_other; ALTER TABLE t REPLICA IDENTITY USING INDEX t_other",
        "TABLE t",
    ),
}


@pytest.mark.parametrize(("schema", "drift", "rows"), CLEAN.values(), ids=CLEAN.keys())
async def test_one_script_repairs(
    schema: str,
    drift: LiteralString,
    rows: str,
    make_database: MakeDatabase,
    template_of: Callable[..., str],
    sql: Any,
) -> None:
    url = make_database(template_of(schema))

    await repairs(url, await objects(url), sql, drift, rows)


async def test_a_primary_key_stays_while_rows_forbid_the_expected_one(
    make_database: MakeDatabase, template_of: Callable[..., str], sql: Any
) -> None:
    url = make_database(template_of("CREATE TABLE t (id integer PRIMARY KEY, u integer)"))
    drift = """
        ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD CONSTRAINT t_other PRIMARY KEY (u);
        INSERT INTO t VALUES (1, 1), (1, 2)"""

    await held_back(url, await objects(url), sql, drift, "it cannot be created again yet", "TABLE t")

    assert [("t_other",)] == sql(
        url, "SELECT conname FROM pg_constraint WHERE contype = 'p' AND conrelid = 't'::regclass"
    )


async def test_the_statement_for_a_replica_identity_is_for_all_that_is_said_of_it(
    make_database: MakeDatabase, template_of: Callable[..., str], sql: Any
) -> None:
    url = make_database(template_of(IDENTITY))
    expected = await objects(url)
    sql(url, "ALTER TABLE t ALTER u SET NOT NULL; ALTER TABLE t REPLICA IDENTITY USING INDEX t_u")

    script, _, _ = await repaired(url, expected)

    (one,) = (one for one in script if "REPLICA IDENTITY" in one.sql)
    assert {"constraint:public.t.t_pkey", "constraint:public.t.t_u"} == {str(key) for key, _ in one.causes}


async def test_a_table_that_has_lost_its_replica_identity_is_repaired_by_the_statement_for_its_index(
    make_database: MakeDatabase, template_of: Callable[..., str], sql: Any
) -> None:
    url = make_database(template_of(IDENTITY))
    expected = await objects(url)
    sql(url, "ALTER TABLE t REPLICA IDENTITY DEFAULT")

    script, failure, left = await repaired(url, expected)

    assert ("", []) == (failure, left)
    assert {"table:public.t", "constraint:public.t.t_pkey"} == {str(key) for key, _ in script[0].causes}


RENAMED: dict[str, tuple[str, LiteralString]] = {
    "replica identity": (
        "ALTER TABLE t REPLICA IDENTITY USING INDEX t_pkey",
        "ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD CONSTRAINT t_other PRIMARY KEY (id)",
    ),
    "options": ("", "ALTER TABLE t RENAME CONSTRAINT t_pkey TO t_other; ALTER INDEX t_other SET (fillfactor = 70)"),
    "the replica identity of one of two": (
        """
        CREATE UNIQUE INDEX one ON t (id); CREATE UNIQUE INDEX two ON t (id);
        ALTER TABLE t REPLICA IDENTITY USING INDEX one""",
        """
        ALTER TABLE t RENAME CONSTRAINT t_pkey TO t_other;
        ALTER INDEX two RENAME TO three; ALTER INDEX one RENAME TO two""",
    ),
}


@pytest.mark.parametrize(("more", "drift"), RENAMED.values(), ids=RENAMED.keys())
async def test_a_key_is_renamed_that_differs_in_what_can_be_altered(
    more: str, drift: LiteralString, make_database: MakeDatabase, template_of: Callable[..., str], sql: Any
) -> None:
    url = make_database(template_of(f"CREATE TABLE t (id integer PRIMARY KEY); {more}"))
    expected = await objects(url)
    sql(url, drift)

    script, failure, left = await repaired(url, expected)

    assert ("", []) == (failure, left)
    assert "ALTER TABLE public.t RENAME CONSTRAINT t_other TO t_pkey;" == script[0].sql
    assert not any("DROP" in one.sql or "CREATE" in one.sql for one in script)
