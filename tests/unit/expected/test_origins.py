"""The statement that made an object, or changed it last, is found from the lock file's effects and the files' text."""

from pathlib import Path
from typing import Any

import pytest

from healthd.catalog.tables import Table
from healthd.expected.files import Migration
from healthd.expected.lockfile import Locked, LockFile
from healthd.expected.origins import Origin, line_of, origins
from healthd.model.names import Key
from healthd.model.snapshots import Difference

TABLE = Table(False, None, (), None, "off")
T = Key("table", ("public", "t"))
TEXTS = {
    "0001_t": "-- The table t.\nCREATE TABLE public.other ();\nCREATE TABLE public.t ();\n",
    "0002_options": "ALTER TABLE other RENAME a TO b;\n\nALTER TABLE t SET (fillfactor = 70);",
    "0003_unlogged": "ALTER TABLE t SET UNLOGGED;",
}


def change(attribute: str | None, expected: Any, actual: Any, key: Key = T) -> Difference:
    return Difference(key, attribute, expected, actual)


EFFECTS = {
    "0001_t": (change(None, None, TABLE),),
    "0002_options": (change("options", None, "fillfactor=70"),),
    "0003_unlogged": (change("unlogged", False, True),),
}
LOCK = LockFile(180000, {}, tuple(Locked(one, "", None, True, EFFECTS[one], "missing") for one in TEXTS))
FILES = tuple(Migration(one, Path(f"sql/{one}.sql"), text, None, True, ()) for one, text in TEXTS.items())


def origin(text: str, attribute: str | None = None, applied: set[str] | None = None, lock: LockFile = LOCK) -> Any:
    place = Key.parse(text), attribute
    return origins([place], lock, FILES, applied).get(place)


def test_an_object_leads_to_the_statement_that_made_it() -> None:
    assert Origin("0001_t", "sql/0001_t.sql", 3) == origin("table:public.t")


def test_an_attribute_leads_to_the_statement_that_changed_it_last() -> None:
    assert Origin("0002_options", "sql/0002_options.sql", 3) == origin("table:public.t", "options")
    assert "0001_t" == origin("table:public.t", "row_security").migration


def test_a_migration_that_is_not_applied_made_nothing() -> None:
    assert "0001_t" == origin("table:public.t", "options", {"0001_t", "0003_unlogged"}).migration
    assert origin("table:public.t", "options", {"0003_unlogged"}) is None


def test_what_was_dropped_and_created_again_was_made_by_the_later_migration() -> None:
    last = Locked("0003_unlogged", "", None, True, (change(None, None, TABLE),), "missing")
    lock = LockFile(180000, {}, (*LOCK.migrations[:2], last))

    assert "0003_unlogged" == origin("table:public.t", "options", lock=lock).migration


@pytest.mark.parametrize("text", ["column:public.t.extra", "grant:table.public.t.somebody", "index:public.t.i"])
def test_what_no_migration_made_leads_to_its_table(text: str) -> None:
    assert Origin("0001_t", "sql/0001_t.sql", 3) == origin(text)


def test_a_migration_is_its_own_origin_and_other_things_have_none() -> None:
    assert Origin("0002_options", "sql/0002_options.sql", 1) == origin("migration:0002_options")
    assert origin("migration:0009_lost") is None
    assert origin("database:app") is None
    assert origin("table:public.lost") is None


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("table:public.machines", 3),
        ("column:public.machines.status", 5),
        ("column:public.machines.lost", 3),
        ("enum:app.Status", 4),
        ('function:public.f("(integer, text)")', 6),
        ("comment:table.public.machines", 3),
        ("column:public.inside.id", 8),
        ("schema:app", 1),
        ("table:public.lost", 1),
    ],
)
def test_the_line_is_that_of_the_first_statement_that_names_most_of_it(key: str, line: int) -> None:
    text = """-- machines
CREATE SCHEMA
app; /* machines */ CREATE TABLE public.Machines ();
CREATE TYPE app."Status" AS ENUM ();
ALTER TABLE machines ADD status text;
CREATE FUNCTION f(integer, text) RETURNS int RETURN 1;
SELECT 'nothing';
DO $$ BEGIN CREATE TABLE inside (id integer); END $$;
ALTER TABLE machines ADD status2 text;
"""
    # The schema's own statement begins on line 2.
    expected = 2 if key == "schema:app" else line
    named = Key("function", ("public", "f", "(integer, text)")) if key.startswith("function") else Key.parse(key)

    assert expected == line_of(text, named)


def test_a_statement_that_only_speaks_of_an_object_is_not_its_line() -> None:
    text = "INSERT INTO notes VALUES ('machines and status');\nALTER TABLE machines ADD status text;\n"

    assert 2 == line_of(text, Key.parse("column:public.machines.status"))
