"""Columns that were dropped, added again, or renamed into the place of another one."""

import asyncio
from typing import Any

import pytest
from conftest import MakeDatabase, MakeTemplate, Sql
from objects import fixtures_of, objects
from pg_dump import run_psql
from story import write_sql

from healthd.config.settings import Target
from healthd.expected.lockfile import LockFile
from healthd.migrations.database_state import look
from healthd.model.snapshots import Snapshot
from healthd.repair.text import PREAMBLE, transactions
from integration.test_adoption import Project
from integration.test_repair_drifts import repaired

SCHEMA = """
    CREATE TABLE person (id integer PRIMARY KEY, name text, street text, city text, alias text);
    CREATE TABLE bill (id integer, total integer GENERATED ALWAYS AS (price * 2) STORED, price integer, note text);
"""
database, expected = fixtures_of(SCHEMA)


async def test_columns_are_added_in_their_expected_order(database: str, expected: Snapshot, sql: Any) -> None:
    sql(database, "ALTER TABLE person DROP street, DROP city, DROP alias")

    script, failure, left = await repaired(database, expected)

    assert ("", []) == (failure, left)
    assert expected.objects == (await objects(database)).objects
    assert not any("becomes" in note for one in script for note in one.notes)


async def test_a_column_that_is_computed_from_another_one_is_added_after_it(
    database: str, expected: Snapshot, sql: Any
) -> None:
    sql(database, "ALTER TABLE bill DROP total, DROP price, DROP note")

    script, failure, left = await repaired(database, expected)

    assert ("", []) == (failure, left)
    assert ["price", "total", "note"] == [one.key.path[2] for one in script if one.key is not None]
    (note,) = (note for one in script for note in one.notes if "SELECT *" in note)
    assert note.startswith("public.bill.total gets its place behind public.bill.price: ")


FILES = {
    "0001_tables": """
        CREATE TABLE person (id integer PRIMARY KEY, name text, street text, city text);
        CREATE TABLE item (id integer PRIMARY KEY, a text, b text, c integer, d text, gone text);
        ALTER TABLE item DROP COLUMN gone;
        CREATE INDEX item_b ON item (b);
        CREATE VIEW items AS SELECT d FROM item;
        CREATE TABLE base (id integer, v text);
        CREATE TABLE child (w integer) INHERITS (base);
        CREATE TABLE part (id integer, v text, w text) PARTITION BY LIST (id);
        CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1);
        CREATE TABLE part_2 (w text, v text, id integer);
        ALTER TABLE part ATTACH PARTITION part_2 FOR VALUES IN (2);
        INSERT INTO person VALUES (1, 'Ann', 'Main Street', 'Bern');
        INSERT INTO item VALUES (1, 'a', 'b', 3, 'd');
        INSERT INTO child VALUES (1, 'v', 5);
        INSERT INTO part VALUES (1, 'v', 'w'), (2, 'x', 'y');""",
    "0001_tables.rollback": "DROP TABLE part, child, base; DROP VIEW items; DROP TABLE item, person",
}
AGAIN = "ALTER TABLE person DROP street, DROP city;"


@pytest.fixture(scope="module")
def beginning(tmp_path_factory: pytest.TempPathFactory, make_template: MakeTemplate) -> tuple[Project, str]:
    """The files, and the template of a database to which they were applied."""
    folder = tmp_path_factory.mktemp("columns")
    write_sql(folder, FILES)
    project = Project(folder, LockFile(0, {}, ()))
    template, url = make_template()

    async def begin() -> None:
        await project.locked()
        await project.migrated(url)

    asyncio.run(begin())
    return project, template


@pytest.fixture
def migrated(make_database: MakeDatabase, beginning: tuple[Project, str]) -> str:
    return make_database(beginning[1])


@pytest.fixture
def project(beginning: tuple[Project, str]) -> Project:
    return beginning[0]


ADDED = {
    "one after the other": "ALTER TABLE person ADD city text; ALTER TABLE person ADD street text",
    "in one statement": "ALTER TABLE person ADD city text, ADD street text",
    "in one transaction": "BEGIN; ALTER TABLE person ADD city text; ALTER TABLE person ADD street text; COMMIT",
    "with another one behind": "ALTER TABLE person ADD city text, ADD street text, ADD more text",
    "with a default and NOT NULL": """
        ALTER TABLE person ADD city text NOT NULL DEFAULT 'x', ADD street text NOT NULL DEFAULT 'y';
        ALTER TABLE person ALTER city DROP NOT NULL, ALTER street DROP NOT NULL, ALTER street DROP DEFAULT,
                           ALTER city DROP DEFAULT""",
    "one of them changed, and a privilege": """
        ALTER TABLE person ADD city text, ADD street text; GRANT SELECT ON person TO PUBLIC;
        ALTER TABLE person ALTER street SET STATISTICS 10""",
}


@pytest.mark.parametrize("added", ADDED.values(), ids=ADDED)
async def test_columns_that_were_added_in_another_order_are_not_swapped(
    project: Project, migrated: str, sql: Sql, added: str
) -> None:
    for statement in (AGAIN + added).split(";"):
        sql(migrated, statement)

    assert [] == [one for one in await project.drift(migrated) if "swapped" in one]


SWAP = "ALTER TABLE person RENAME {0} TO x;ALTER TABLE person RENAME {1} TO {0};ALTER TABLE person RENAME x TO {1}"
ADD = "ALTER TABLE person ADD street text; ALTER TABLE person ADD city text;"
PRESENT = {
    "as they were created": "",
    "after they were added": AGAIN + ADD,
    "after they were added, before another one": AGAIN + ADD + "ALTER TABLE person ADD more text;",
    "after a column was dropped": "ALTER TABLE person DROP name;",
}


@pytest.mark.parametrize("present", PRESENT.values(), ids=PRESENT)
@pytest.mark.parametrize("names", [("street", "city"), ("city", "street")])
@pytest.mark.parametrize("together", [False, True], ids=["three transactions", "one transaction"])
async def test_names_that_were_exchanged_are_swapped(
    project: Project, migrated: str, sql: Sql, present: str, names: tuple[str, str], *, together: bool
) -> None:
    for statement in present.split(";"):
        sql(migrated, statement)
    for statement in [SWAP.format(*names)] if together else SWAP.format(*names).split(";"):
        sql(migrated, statement)

    assert any("columns street and city are swapped" in one for one in await project.drift(migrated))


async def test_names_that_were_exchanged_around_a_drop_are_swapped(project: Project, migrated: str, sql: Sql) -> None:
    first, second, third = SWAP.format("street", "city").split(";")
    for statement in (first, second, "ALTER TABLE person DROP name", third):
        sql(migrated, statement)

    assert any("columns street and city are swapped" in one for one in await project.drift(migrated))


async def test_names_that_were_exchanged_when_the_columns_were_added_are_swapped(
    project: Project, migrated: str, sql: Sql
) -> None:
    sql(migrated, f"{AGAIN}{ADD}{SWAP.format('city', 'street')}")

    assert any("columns street and city are swapped" in one for one in await project.drift(migrated))


async def test_a_column_of_a_partitioned_table_that_was_added_again_is_not_swapped(
    project: Project, migrated: str, sql: Sql
) -> None:
    sql(migrated, "ALTER TABLE part DROP v")
    sql(migrated, "ALTER TABLE part ADD v text")

    assert [] == await project.drift(migrated)


REPLACED = {
    "of another type": ("item", "ALTER TABLE item DROP b; ALTER TABLE item RENAME c TO b", {"c": "b"}, "b"),
    "of the same type": ("item", "ALTER TABLE item DROP a; ALTER TABLE item RENAME b TO a", {"b": "a"}, "a"),
    "behind it": ("item", "ALTER TABLE item DROP b; ALTER TABLE item RENAME a TO b", {"a": "b"}, "b"),
    "one after the other": (
        "item",
        "ALTER TABLE item DROP a; ALTER TABLE item RENAME b TO a; ALTER TABLE item RENAME d TO b",
        {"b": "a", "d": "b"},
        "a",
    ),
    "of a partitioned table": ("part", "ALTER TABLE part DROP v; ALTER TABLE part RENAME w TO v", {"w": "v"}, "v"),
    "of a table that has left its parent": (
        "child",
        "ALTER TABLE child NO INHERIT base; ALTER TABLE child DROP v; ALTER TABLE child RENAME w TO v",
        {"w": "v"},
        "v",
    ),
    "to a name of its own": ("item", "ALTER TABLE item DROP a; ALTER TABLE item RENAME b TO x", {"b": "x"}, "a"),
}


@pytest.mark.parametrize(("table", "drift", "names", "dropped"), REPLACED.values(), ids=REPLACED)
async def test_a_column_that_got_the_name_of_a_dropped_one_keeps_its_values(
    project: Project, migrated: str, sql: Sql, table: str, drift: str, names: dict[str, str], dropped: str
) -> None:
    values = f"SELECT to_jsonb(t) - '{dropped}' FROM {table} AS t ORDER BY 1"
    before = sql(migrated, values)
    for statement in drift.split(";"):
        sql(migrated, statement)

    verdict = (await look(Target("x", migrated), project.files)).verdict
    failure = run_psql("\n".join([*PREAMBLE, *transactions(verdict.script)]), migrated)

    renamed = [f"column:public.{table}.{name} is renamed to {now}" for name, now in names.items()]
    messages = [one.message.split(";")[0] for one in verdict.findings if one.key.kind == "column"]
    assert sorted([*renamed, f"column:public.{table}.{dropped} is missing"]) == sorted(messages)
    assert ("", []) == (failure, await project.drift(migrated))
    assert before == sql(migrated, values)


UNCERTAIN = {
    "another type": "ALTER TABLE item ALTER b TYPE integer USING 7; ALTER TABLE item DROP c",
    "a new column": "ALTER TABLE item DROP b, DROP c; ALTER TABLE item ADD b integer",
}


@pytest.mark.parametrize("drift", UNCERTAIN.values(), ids=UNCERTAIN)
async def test_a_column_that_has_the_type_of_a_missing_one_is_not_taken_for_it(
    project: Project, migrated: str, sql: Sql, drift: str
) -> None:
    for statement in ("DROP INDEX item_b", *drift.split(";")):
        sql(migrated, statement)

    assert not any("is renamed" in one for one in await project.drift(migrated))


async def test_a_column_got_the_name_of_a_dropped_one_while_others_were_swapped(
    project: Project, migrated: str, sql: Sql
) -> None:
    sql(migrated, "ALTER TABLE item RENAME a TO x; ALTER TABLE item RENAME b TO a; ALTER TABLE item RENAME x TO b")
    sql(migrated, "ALTER TABLE item DROP c; ALTER TABLE item RENAME d TO c")

    *renamed, swapped = sorted(await project.drift(migrated))
    assert ["column:public.item.c is missing", "column:public.item.d is renamed to c"] == renamed
    assert swapped.startswith("table:public.item: columns a and b are swapped")
