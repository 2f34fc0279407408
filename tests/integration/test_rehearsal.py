"""A repair is played on a scratch server, and what happens there is said."""

from typing import Any

from conftest import BINARIES
from objects import objects

from healthd.comparison.roles import comparable
from healthd.model.names import Key
from healthd.model.scripts import Script, Statement
from healthd.model.snapshots import Snapshot, diff
from healthd.repair.safety import Known
from healthd.repair.script import repair
from healthd.replay.rehearsal import Rehearsal, rehearse

SCHEMA = """
    CREATE TYPE status AS ENUM ('new', 'paid');
    CREATE TABLE orders (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, status status DEFAULT 'new', note text);
    CREATE INDEX orders_note ON orders (note);
    CREATE VIEW paid AS SELECT id, note FROM orders WHERE status = 'paid';
    CREATE FUNCTION number(o orders) RETURNS integer LANGUAGE sql AS 'SELECT 1';
    REVOKE EXECUTE ON FUNCTION number(orders) FROM PUBLIC;
"""


async def sides(url: str, sql: Any, drift: str, schema: str = SCHEMA) -> tuple[Snapshot, Snapshot]:
    sql(url, schema)
    expected = await objects(url)
    sql(url, drift)
    return expected, await objects(url)


def script(expected: Snapshot, actual: Snapshot) -> Script:
    both = comparable(expected, actual, None)
    return repair(*both, diff(*both), Known(), migrator="postgres")


async def played(found: Script, expected: Snapshot, actual: Snapshot) -> Rehearsal:
    return await rehearse(found, expected, actual, migrator="postgres", postgres_bin=BINARIES, say=lambda _: None)


async def test_a_script_that_repairs_everything_is_clean(database: str, sql: Any) -> None:
    drift = """
        DROP VIEW paid;
        ALTER TABLE orders ALTER note TYPE varchar(20), ADD CHECK (id > 0);
        ALTER TYPE status ADD VALUE 'lost';
        DROP INDEX orders_note;
        GRANT EXECUTE ON FUNCTION number(orders) TO PUBLIC"""
    expected, actual = await sides(database, sql, drift)

    rehearsal = await played(script(expected, actual), expected, actual)

    assert ("", ()) == (rehearsal.problem, rehearsal.left)
    assert rehearsal.words.startswith("Rehearsed on PostgreSQL ")
    assert rehearsal.words.endswith(", without rows: clean")


async def test_what_a_script_leaves_is_named(database: str, sql: Any) -> None:
    expected, actual = await sides(database, sql, "DROP INDEX orders_note; DROP VIEW paid")
    half = tuple(
        Statement("SELECT 1;", one.causes) if one.sql.startswith("CREATE VIEW") else one
        for one in script(expected, actual)
    )

    rehearsal = await played(half, expected, actual)

    assert ("view:public.paid is missing",) == rehearsal.left
    assert rehearsal.words.endswith("afterwards view:public.paid is missing")


async def test_what_a_script_breaks_is_named(database: str, sql: Any) -> None:
    expected, actual = await sides(database, sql, "DROP INDEX orders_note")
    more = (*script(expected, actual), Statement("DROP VIEW public.paid;", ((Key("view", ("x", "y")), None),)))

    assert ("view:public.paid is missing",) == (await played(more, expected, actual)).left


async def test_a_statement_that_fails_is_quoted_with_the_words_of_the_server(database: str, sql: Any) -> None:
    expected, actual = await sides(database, sql, "DROP INDEX orders_note")
    wrong = (Statement("DROP TABLE public.nothing;", ((Key("view", ("x", "y")), None),)), *script(expected, actual))

    rehearsal = await played(wrong, expected, actual)

    assert "on a scratch server the script fails: " in rehearsal.problem
    assert 'table "nothing" does not exist (DROP TABLE public.nothing;)' in rehearsal.problem
    assert rehearsal.words.startswith("Not rehearsed: ")


async def test_what_is_held_back_is_not_played_and_not_expected(database: str, sql: Any) -> None:
    expected, actual = await sides(database, sql, "DROP TABLE orders CASCADE")

    assert () == (await played(script(expected, actual), expected, actual)).left


async def test_roles_exist_only_where_the_database_is(database: str, sql: Any) -> None:
    sql(database, "DROP ROLE IF EXISTS rehearsed; CREATE ROLE rehearsed")
    drift = "GRANT SELECT ON orders TO rehearsed; ALTER VIEW paid OWNER TO rehearsed"
    expected, actual = await sides(database, sql, drift)

    rehearsal = await played(script(expected, actual), expected, actual)

    assert ("", ()) == (rehearsal.problem, rehearsal.left)


async def test_a_server_that_cannot_be_started_is_no_error(database: str, sql: Any, tmp_path: Any) -> None:
    expected, actual = await sides(database, sql, "DROP INDEX orders_note")
    found = script(expected, actual)

    rehearsal = await rehearse(found, expected, actual, migrator="postgres", postgres_bin=tmp_path, say=lambda _: None)

    assert str(tmp_path) in rehearsal.words
    assert rehearsal.words.startswith("Not rehearsed: ")
