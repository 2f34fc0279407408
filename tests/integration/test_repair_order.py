"""Drifts whose repair depends on the order of its statements, or on settings of the database."""

from collections.abc import Callable
from typing import Any, LiteralString

import pytest
from conftest import MakeDatabase
from objects import objects
from story import EXTENSION

from integration.test_repair_drifts import repaired

DRIFTS: dict[str, tuple[str, LiteralString]] = {
    "an extension in a schema that is dropped": (
        f"CREATE SCHEMA inside; CREATE EXTENSION {EXTENSION} SCHEMA inside",
        f"CREATE SCHEMA other; ALTER EXTENSION {EXTENSION} SET SCHEMA other",
    ),
    "tables that refer to each other and are unlogged": (
        "CREATE TABLE t (id integer PRIMARY KEY); CREATE TABLE c (id integer REFERENCES t)",
        "ALTER TABLE c SET UNLOGGED; ALTER TABLE t SET UNLOGGED",
    ),
    "tables that refer to each other and are logged": (
        "CREATE UNLOGGED TABLE t (id integer PRIMARY KEY); CREATE UNLOGGED TABLE c (id integer REFERENCES t)",
        "ALTER TABLE t SET LOGGED; ALTER TABLE c SET LOGGED",
    ),
    "an event trigger that does not allow to drop anything": (
        "CREATE TABLE t (id integer NOT NULL)",
        """
        CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION $$no$$; END';
        ALTER TABLE t ADD more integer; CREATE EVENT TRIGGER refuses ON sql_drop EXECUTE FUNCTION refuse()""",
    ),
    "an identity whose sequence has limits of its own": (
        "CREATE TABLE t (k integer GENERATED ALWAYS AS IDENTITY (MINVALUE 5 MAXVALUE 50 INCREMENT 3 CYCLE))",
        "ALTER TABLE t ALTER k DROP IDENTITY",
    ),
    "backslashes where they mean something by default": (
        r"CREATE TABLE t (b bytea DEFAULT '\x00ff', s text DEFAULT 'a\b')",
        """
        ALTER TABLE t ALTER b DROP DEFAULT, ALTER s DROP DEFAULT;
        DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET standard_conforming_strings = off', current_database());
        END $$""",
    ),
    "a database that is read-only by default": (
        "CREATE TABLE t (id integer PRIMARY KEY)",
        """
        ALTER TABLE t ADD more integer;
        DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database());
        END $$""",
    ),
}


@pytest.mark.parametrize(("schema", "drift"), DRIFTS.values(), ids=DRIFTS.keys())
async def test_one_script_repairs(
    schema: str, drift: LiteralString, make_database: MakeDatabase, template_of: Callable[..., str], sql: Any
) -> None:
    url = make_database(template_of(schema))
    expected = await objects(url)
    sql(url, drift)

    _, failure, left = await repaired(url, expected)

    assert ("", []) == (failure, left)


@pytest.mark.parametrize(
    ("schema", "drift"),
    [
        ("CREATE TABLE t (e text, UNIQUE NULLS NOT DISTINCT (e))", "ALTER TABLE t DROP CONSTRAINT t_e_key"),
        ("CREATE TABLE t (e text); CREATE UNIQUE INDEX one ON t (e) NULLS NOT DISTINCT", "DROP INDEX one"),
    ],
)
async def test_rows_with_null_forbid_a_key_for_which_they_are_the_same(
    schema: str, drift: LiteralString, make_database: MakeDatabase, template_of: Callable[..., str], sql: Any
) -> None:
    url = make_database()
    if sql(url, "SELECT current_setting('server_version_num')::int < 150000")[0][0]:
        pytest.skip("PostgreSQL 15 and later")
    sql(url, schema)
    expected = await objects(url)
    sql(url, f"{drift}; INSERT INTO t VALUES (NULL), (NULL)")

    script, failure, _ = await repaired(url, expected)

    assert "" == failure
    assert {"1 row: the same values more than once: with them it fails"} == {one.held for one in script}


@pytest.mark.parametrize(
    ("expected_type", "drift"),
    [
        ("tstzrange", "ALTER TABLE t ALTER at TYPE tsrange USING at::text::tsrange"),
        ("timestamptz[]", "ALTER TABLE t ALTER at TYPE timestamp[]"),
    ],
)
async def test_the_time_zone_that_decides_is_named(
    expected_type: str, drift: LiteralString, make_database: MakeDatabase, template_of: Callable[..., str], sql: Any
) -> None:
    url = make_database(template_of(f"CREATE TABLE t (at {expected_type}); INSERT INTO t DEFAULT VALUES"))
    expected = await objects(url)
    sql(url, drift)

    script, failure, left = await repaired(url, expected)

    assert ("", []) == (failure, left)
    assert any("TimeZone of the session" in note for one in script for note in one.notes)
