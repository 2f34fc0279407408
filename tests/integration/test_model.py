"""Keys, quoting, and the difference of two snapshots."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some

from healthd.catalog import KINDS
from healthd.catalog.columns import Column
from healthd.catalog.enums import Enum
from healthd.catalog.tables import Table
from healthd.model.attributes import DEPARSED, MAJOR, attributes
from healthd.model.findings import Finding, Report
from healthd.model.names import RESERVED, Key, literal, quote
from healthd.model.severity import Severity
from healthd.model.snapshots import UNREADABLE, Difference, Snapshot, diff
from healthd.text import shown

# What PostgreSQL takes as a name: anything but the character of code zero, up to 63 bytes.
LETTERS = some.characters(exclude_characters="\0", exclude_categories=["Cs"])
NAMES = some.one_of(
    some.text(LETTERS, min_size=1, max_size=15),
    some.text("aZ_0$\". ():'\\%\n", min_size=1, max_size=8),
    some.sampled_from(['"', '""', ".", "a.b", "(", "()", "a(b)", ":", "a:b", " ", "\n", "ß", "🛠️", "select", "x" * 63]),
)


@pytest.fixture(scope="module")
def connection(server: Any) -> Iterator[psycopg.Connection]:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        yield connection


@settings(deadline=None)
@example(kind="aggregate", path=["0", "0", "("])
@example(kind="comment", path=["function", "a", "b", "("])
@given(kind=some.sampled_from(sorted(KINDS.keys() - {"function"})), path=some.lists(NAMES, min_size=1, max_size=3))
def test_a_key_is_what_it_prints_as(kind: str, path: list[str]) -> None:
    key = Key(kind, tuple(path))

    assert key == Key.parse(str(key))
    assert str(key) == f"{kind}:{key.sql}"


@settings(deadline=None)
@given(schema=NAMES, name=NAMES, types=some.lists(NAMES.map(quote)))
def test_the_key_of_a_function_is_what_it_prints_as(schema: str, name: str, types: list[str]) -> None:
    key = Key("function", (schema, name, f"({', '.join(types)})"))

    assert key == Key.parse(str(key))


def test_keys_are_written_as_sql_writes_names() -> None:
    assert "column:public.machines.status" == str(Key("column", ("public", "machines", "status")))
    assert 'table:"My ""app""".select_' == str(Key("table", ('My "app"', "select_")))
    assert 'table:public."select"' == str(Key("table", ("public", "select")))
    assert "function:public.f(integer, text)" == str(Key("function", ("public", "f", "(integer, text)")))
    assert "public.f(integer, text)" == Key("function", ("public", "f", "(integer, text)")).sql


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("owner:table.public.machines", ("table", "public", "machines")),
        ("comment:column.public.machines.status", ("column", "public", "machines", "status")),
        ("grant:table.public.machines.app", ("table", "public", "machines", "app")),
        ("owner:function.public.f(integer)", ("function", "public", "f", "(integer)")),
        ("grant:function.public.f(integer, text).app", ("function", "public", "f", "(integer, text)", "app")),
        ('grant:function.public.f("My (Type").app', ("function", "public", "f", '("My (Type")', "app")),
        ('owner:operator.app."###"(integer, integer)', ("operator", "app", "###", "(integer, integer)")),
    ],
)
def test_what_hangs_on_an_object_names_its_kind_first(text: str, path: tuple[str, ...]) -> None:
    key = Key(text.partition(":")[0], path)

    assert text == str(key)
    assert key == Key.parse(text)


@pytest.mark.parametrize(
    "text", ["", "table", "table:", 'table:"', 'table:"a', "table:a.", "table:.a", "table:a..b", "table:f()"]
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not the name of an object"):
        Key.parse(text)


@settings(max_examples=300, deadline=None)
@given(name=NAMES)
def test_the_server_reads_a_quoted_name_as_the_name(connection: psycopg.Connection, name: str) -> None:
    row = connection.execute("SELECT parse_ident(%s)", [quote(name)]).fetchone()

    assert ([name],) == row


@settings(deadline=None)
@given(text=some.text(LETTERS))
def test_the_server_reads_a_literal_as_the_text(connection: psycopg.Connection, text: str) -> None:
    row = connection.execute(f"SELECT {literal(text)}".encode()).fetchone()

    assert (text,) == row


def test_every_word_that_the_server_reserves_is_quoted(connection: psycopg.Connection) -> None:
    reserved = {
        word for (word,) in connection.execute("SELECT word FROM pg_get_keywords() WHERE catcode IN ('R', 'T')")
    }

    assert set() == reserved - RESERVED
    assert all(quote(word) == f'"{word}"' for word in reserved)


def test_every_word_can_name_everything_when_it_is_quoted(connection: psycopg.Connection) -> None:
    words = [word for (word,) in connection.execute("SELECT word FROM pg_get_keywords() ORDER BY word")]

    for word in words:
        name, table = quote(word), quote(f"{word}_")
        connection.execute(
            f"""CREATE SCHEMA {name};
                CREATE TYPE {name}.{name} AS ENUM ('a');
                CREATE TABLE {name}.{table} ({name} text CONSTRAINT {name} CHECK ({name} <> ''));
                ALTER TABLE {name}.{table} ALTER COLUMN {name} TYPE varchar USING {name}::varchar;
                CREATE FUNCTION {name}.{name}() RETURNS text LANGUAGE sql AS 'SELECT ''a''::text';
                DROP SCHEMA {name} CASCADE""".encode()
        )


ENUM = Key("enum", ("public", "status"))
TABLE = Key("table", ("public", "machines"))
COLUMN = Key("column", ("public", "machines", "status"))

ENUMS = some.builds(Enum, some.lists(some.sampled_from("abc"), unique=True).map(tuple))
COLUMNS = some.builds(
    Column,
    type=some.sampled_from(["text", "integer"]),
    not_null=some.booleans(),
    default=some.sampled_from([None, "1"]),
    identity=some.just("none"),
    generated=some.just("none"),
    collation=some.none(),
)
SNAPSHOTS = some.builds(
    Snapshot,
    server_version=some.just(180000),
    objects=some.one_of(
        some.fixed_dictionaries({}, optional={ENUM: ENUMS, COLUMN: COLUMNS}),
        some.dictionaries(some.sampled_from("abcd").map(lambda name: Key("enum", ("public", name))), ENUMS),
    ),
    unreadable=some.dictionaries(some.sampled_from(["enum", "column"]), some.just("why"), max_size=1),
)


@settings(deadline=None)
@given(SNAPSHOTS)
def test_a_snapshot_differs_from_itself_only_in_what_could_not_be_read(snapshot: Snapshot) -> None:
    assert snapshot.unreadable.keys() == {one.key.kind for one in diff(snapshot, snapshot)}
    assert all(one.attribute == UNREADABLE for one in diff(snapshot, snapshot))


@settings(deadline=None)
@given(SNAPSHOTS, SNAPSHOTS)
def test_the_difference_the_other_way_round_is_the_same_with_its_sides_changed(one: Snapshot, other: Snapshot) -> None:
    turned = [replace(each, expected=each.actual, actual=each.expected) for each in diff(other, one)]

    assert turned == list(diff(one, other))
    assert list(diff(one, other)) == sorted(diff(one, other), key=lambda each: (each.key, each.attribute or ""))


@settings(deadline=None)
@given(SNAPSHOTS, SNAPSHOTS)
def test_no_difference_means_the_same(one: Snapshot, other: Snapshot) -> None:
    same = one.objects == other.objects and not one.unreadable and not other.unreadable

    assert same == (diff(one, other) == ())


def test_each_attribute_that_differs_is_a_difference() -> None:
    column = Column("text", False, None, "none", "none", None)
    one = Snapshot(180000, {COLUMN: column})
    other = Snapshot(180000, {COLUMN: replace(column, type="integer", not_null=True)})

    assert (
        Difference(COLUMN, "not_null", False, True),
        Difference(COLUMN, "type", "text", "integer"),
    ) == diff(one, other)


def test_a_whole_object_is_one_difference_that_knows_its_side() -> None:
    (lost,) = diff(Snapshot(180000, {ENUM: Enum(("a",))}), Snapshot(180000, {}))
    (found,) = diff(Snapshot(180000, {}), Snapshot(180000, {ENUM: Enum(("a",))}))

    assert (True, False) == (lost.missing, lost.unexpected)
    assert (False, True) == (found.missing, found.unexpected)


def test_a_lost_default_is_no_lost_column() -> None:
    difference = Difference(COLUMN, "default", "1", None)

    assert not difference.missing
    assert not Difference(COLUMN, "default", None, "1").unexpected


def test_a_kind_that_could_not_be_read_hides_its_objects_and_is_told_once() -> None:
    expected = Snapshot(180000, {ENUM: Enum(("a",)), TABLE: Table(False, None, (), None, "off")})
    actual = Snapshot(180000, {}, {"enum": "42501: permission denied"})

    assert (
        Difference(Key("enum", ("*",)), UNREADABLE, None, "42501: permission denied"),
        Difference(TABLE, None, expected.objects[TABLE], None),
    ) == diff(expected, actual)


def test_attributes_say_what_a_difference_in_them_means() -> None:
    assert DEPARSED == attributes(Column)["default"]
    assert MAJOR == attributes(Column)["type"]
    assert ["labels"] == list(attributes(Enum))


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_every_kind_answers_for_each_of_its_attributes_and_for_one_that_could_not_be_read(kind: Any) -> None:
    for name in attributes(kind.record):
        difference = Difference(Key(kind.name, ("a",) * kind.depth), name, "x", "y")
        assert kind.severity(difference) in (None, Severity.WARNING, Severity.CRITICAL)
        assert kind.deparsed(name) in (True, False)
    assert not kind.deparsed(UNREADABLE)
    assert not kind.deparsed(None)


def test_the_worst_finding_decides_and_the_numbers_are_exit_codes() -> None:
    def report(*severities: Severity) -> Report:
        findings = tuple(Finding("schema_mismatch", TABLE, "", severity) for severity in severities)
        return Report(target="t", started_at=None, duration_s=0.0, findings=findings)  # type: ignore[arg-type] # no instant is looked at

    assert Severity.OK == report().severity
    assert Severity.CRITICAL == report(Severity.WARNING, Severity.CRITICAL).severity
    assert Severity.UNKNOWN == report(Severity.CRITICAL, Severity.UNKNOWN, Severity.WARNING).severity
    assert [0, 1, 2, 3] == [Severity.OK, Severity.WARNING, Severity.CRITICAL, Severity.UNKNOWN]
    assert "critical" == str(Severity.CRITICAL)


def test_values_are_shown_as_people_read_them() -> None:
    assert ["none", "yes", "no", "a, b", "none", "3"] == list(map(shown, (None, True, False, ("a", "b"), (), 3)))
