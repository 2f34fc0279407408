"""A repair is played on a scratch server, and what happens there is said."""

from dataclasses import replace
from typing import Any, LiteralString

import pytest
from conftest import BINARIES
from objects import objects

from healthd.catalog import KINDS
from healthd.comparison import renames
from healthd.comparison.roles import comparable
from healthd.model.names import Key
from healthd.model.scripts import Script, Statement
from healthd.model.snapshots import NAME_OF, Difference, Snapshot, diff
from healthd.repair.made_rows import VALUES, rows
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


UNUSUAL = """
    CREATE TABLE parent (id integer PRIMARY KEY, name text);
    CREATE TABLE tree (id integer PRIMARY KEY, above integer REFERENCES tree); -- its key comes after tree_above_fkey
    CREATE TABLE child (parent integer REFERENCES parent, extra integer) INHERITS (parent);
    CREATE UNIQUE INDEX names ON parent (name);
    CREATE FOREIGN DATA WRAPPER unusual;
    CREATE SERVER unusual FOREIGN DATA WRAPPER unusual OPTIONS (token 'hush', host 'h');
    CREATE USER MAPPING FOR PUBLIC SERVER unusual OPTIONS (user 'u', password 'hush');
"""


@pytest.mark.parametrize(
    ("drift", "held"),
    [
        ("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'names'::regclass", 0),
        ("ALTER TABLE parent DISABLE TRIGGER ALL; ALTER TABLE child DISABLE TRIGGER ALL", 0),
        ("ALTER TABLE child NO INHERIT parent", 0),
        ("DROP USER MAPPING FOR PUBLIC SERVER unusual", 1),
        ("DROP SERVER unusual CASCADE", 2),
    ],
)
async def test_what_only_the_catalogs_can_say_is_rehearsed(
    database: str, sql: Any, drift: LiteralString, held: int
) -> None:
    expected, actual = await sides(database, sql, drift, UNUSUAL)

    rehearsal = await played(script(expected, actual), expected, actual)

    assert ("", (), held) == (rehearsal.problem, rehearsal.left, rehearsal.held)


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
    assert rehearsal.words.endswith(", with rows in 1 table: clean")


async def test_indexes_of_partitions_have_the_names_that_they_have_where_the_script_runs(
    database: str, sql: Any
) -> None:
    schema = """
        CREATE TABLE log (id integer, at integer) PARTITION BY LIST (id); CREATE TABLE one PARTITION OF log DEFAULT;
        CREATE INDEX log_id ON log (id); CREATE INDEX log_at ON log (at)"""
    drift = "DROP INDEX log_id; ALTER INDEX one_at_idx RENAME TO log_id"
    expected, actual = await sides(database, sql, drift, schema)
    found = script(expected, actual)

    assert "ALTER INDEX public.log_id RENAME TO one_at_idx;" == found[0].sql
    assert ("", ()) == ((rehearsal := await played(found, expected, actual)).problem, rehearsal.left)


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


async def test_a_text_that_another_version_printed_is_no_difference(database: str, sql: Any) -> None:
    expected, actual = await sides(database, sql, "DROP VIEW paid")
    view = Key("view", ("public", "paid"))
    text = "SELECT o.id, o.note FROM public.orders AS o WHERE o.status = 'paid';"
    expected = replace(expected, objects={**expected.objects, view: replace(expected.objects[view], definition=text)})
    found = script(expected, actual)

    here = await played(found, expected, actual)
    of_another = await played(found, expected, replace(actual, server_version=120000))

    assert 1 == len(here.left)
    assert ("", ()) == (of_another.problem, of_another.left)


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


async def test_rows_that_a_script_loses_are_named(database: str, sql: Any) -> None:
    expected, actual = await sides(database, sql, "DROP INDEX orders_note")
    cause = script(expected, actual)[0].causes
    for lossy, words in {
        "DELETE FROM public.orders WHERE id = 1;": "column:public.orders.id has lost its values",
        "UPDATE public.orders SET note = upper(note) || 'x';": "column:public.orders.note has lost its values",
        "ALTER TABLE public.orders RENAME TO others; CREATE TABLE public.orders (LIKE public.others);"
        "DROP TABLE public.others CASCADE;": "table:public.orders has lost its rows",
    }.items():
        rehearsal = await played((*script(expected, actual), Statement(lossy, cause)), expected, actual)

        assert "" == rehearsal.problem
        assert words in rehearsal.left


async def test_made_up_rows_that_do_not_fit_are_left_out(database: str, sql: Any) -> None:
    schema = "CREATE TABLE prices (price integer CONSTRAINT high CHECK (price > 1000))"
    expected, actual = await sides(database, sql, "ALTER TABLE prices DROP CONSTRAINT high", schema)

    rehearsal = await played(script(expected, actual), expected, actual)

    assert ("", (), 0) == (rehearsal.problem, rehearsal.left, rehearsal.filled)


@pytest.mark.parametrize(
    "drift",
    [
        "ALTER TABLE prices DROP CONSTRAINT high",
        "ALTER TABLE prices DROP COLUMN known",
        "ALTER TABLE named DETACH PARTITION a_named",
    ],
)
async def test_where_made_up_rows_do_not_fit_only_their_table_stays_empty(
    database: str, sql: Any, drift: LiteralString
) -> None:
    schema = """
        CREATE TABLE prices (price integer CONSTRAINT high CHECK (price > 1000) NO INHERIT, known boolean NOT NULL);
        CREATE TABLE named (name text) PARTITION BY LIST (name);
        CREATE TABLE a_named PARTITION OF named FOR VALUES IN ('a'); CREATE TABLE other (id integer);
        CREATE INDEX others ON other (id)"""
    if "known" in drift:
        schema = schema.replace("1000", "0")
    expected, actual = await sides(database, sql, f"{drift}; DROP INDEX others", schema)

    rehearsal = await played(script(expected, actual), expected, actual)

    assert ("", ()) == (rehearsal.problem, rehearsal.left)
    assert 0 < rehearsal.filled


async def test_made_up_rows_fit_the_partition_that_their_table_is_or_is_to_be(database: str, sql: Any) -> None:
    schema = """
        CREATE TABLE days (day date, kind text) PARTITION BY RANGE (day);
        CREATE TABLE days_2025 PARTITION OF days FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')
            PARTITION BY LIST (kind);
        CREATE TABLE days_2025_b PARTITION OF days_2025 FOR VALUES IN ('b');
        CREATE TABLE days_2026 PARTITION OF days FOR VALUES FROM ('2026-01-01') TO (MAXVALUE)"""
    expected, actual = await sides(database, sql, "ALTER TABLE days DETACH PARTITION days_2026", schema)

    rehearsal = await played(script(expected, actual), expected, actual)

    assert ("", (), 2) == (rehearsal.problem, rehearsal.left, rehearsal.filled)


async def test_a_column_without_the_default_of_the_table_above_is_rehearsed(database: str, sql: Any) -> None:
    schema = (
        "CREATE TABLE above (a text DEFAULT 'of above'); CREATE TABLE below (a text); CREATE INDEX words ON below (a)"
    )
    expected, actual = await sides(database, sql, "ALTER TABLE below INHERIT above; DROP INDEX words", schema)

    rehearsal = await played(script(expected, actual), expected, actual)

    assert ("", ()) == (rehearsal.problem, rehearsal.left)


async def test_a_renamed_table_keeps_its_rows(database: str, sql: Any) -> None:
    expected, actual = await sides(database, sql, "ALTER TABLE orders RENAME COLUMN note TO words")
    both = comparable(expected, actual, None)
    names = [Difference(Key("column", ("public", "orders", "note")), NAME_OF, "note", "words")]
    aligned, _ = renames.aligned(*both, KINDS)
    found = repair(both[0], aligned, diff(both[0], aligned), Known(), names=names, migrator="postgres")

    rehearsal = await played(found, expected, actual)

    assert ("", (), 1) == (rehearsal.problem, rehearsal.left, rehearsal.filled)


NOT_EVERYWHERE = ("citext", "hstore", "unknown", "xml")
TYPES = (
    "numeric(2,2)", "numeric(10,2)", "varchar(1)", "char(1)", "char(3)", '"char"', "bit(1)", "bit(4)", "bit varying(2)",
    "integer[]", "text[][]", "public.mood", "public.mood[]", "public.yes", "int4multirange",
)  # fmt: skip


async def test_there_is_a_value_for_every_usual_type(database: str, sql: Any) -> None:
    sql(database, "CREATE TYPE mood AS ENUM ('well'); CREATE DOMAIN yes AS boolean CHECK (VALUE)")
    ((old,),) = sql(database, "SELECT pg_catalog.to_regtype('int4multirange') IS NULL")  # before PostgreSQL 14
    types = [*(name for name in VALUES if name not in NOT_EVERYWHERE), *TYPES[: -1 if old else None]]
    columns = ", ".join(f"c{number} {type_} NOT NULL" for number, type_ in enumerate(types))
    sql(database, f"CREATE TABLE public.many ({columns})")
    snapshot = await objects(database)
    table = Key("table", ("public", "many"))
    of_table = [key for key in snapshot.objects if key.kind == "column" and key.path[1] == "many"]

    for statement in rows(snapshot, table, of_table):
        sql(database, statement)

    assert [(2,)] == sql(database, "SELECT count(*) FROM many")
