"""The edge values: each one is a value of its type, and comes back from a real server as it was sent."""

import math
import re
from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter

from healthd.catalog.enums import Enum
from healthd.database.connection import connect
from healthd.database.probes.edge_values import _NUMBERS, _TIMES, came_back, edge_values
from healthd.database.probes.round_trips import probe_values
from healthd.model.names import Key
from healthd.model.snapshots import Snapshot

TYPES = [
    *_NUMBERS,
    *_TIMES,
    "text",
    "character varying",
    "character varying(1)",
    "character varying(3)",
    "character varying(255)",
    "json",
    "jsonb",
    "numeric(10,2)",
    "numeric(3,3)",
    "numeric(38,0)",
]
ARRAYS = [f"{one}[]" for one in TYPES if not one.startswith("json")]


NO_ENUMS = Snapshot(180000, {})


@pytest.mark.parametrize("type_", TYPES + ARRAYS)
async def test_every_edge_value_survives_its_way(database: str, sql: Any, type_: str) -> None:
    sql(database, f"CREATE TABLE t (value {type_})")

    async with connect(database) as connection:
        trips = await probe_values(connection, NO_ENUMS)

    assert [case for case, _ in edge_values(type_, unicode=True)] == [trip.case for trip in trips]
    assert [] == [(trip.case, trip.trouble) for trip in trips if trip.trouble]
    assert trips


@pytest.mark.parametrize("type_", TYPES)
async def test_the_server_spells_the_type_in_the_same_way(server: Any, type_: str) -> None:
    async with connect(server.url()) as connection:
        numbers = [int(one) for one in re.findall(r"\d+", type_)]
        modifier = -1 if not numbers else numbers[0] + 4 if len(numbers) == 1 else (numbers[0] << 16) + numbers[1] + 4
        cursor = await connection.execute("SELECT format_type(%s::regtype, %s)", [type_, modifier])

        assert (type_,) == await cursor.fetchone()


@pytest.mark.parametrize(
    "type_",
    [
        "public.machinestatus",
        "public.machinestatus[]",
        "character(5)",
        "numeric(3,-2)",
        "tsvector[]",
        "timestamp(3) with time zone",
        "point",
        "",
        "x)",
    ],
)
def test_of_types_that_are_not_known_nothing_is_tried(type_: str) -> None:
    assert [] == list(edge_values(type_, unicode=True))


def test_a_text_has_the_length_that_its_column_takes() -> None:
    values = dict(edge_values("character varying(4)", unicode=True))
    assert values.pop("NULL") is None

    assert "xxxx" == values["4 characters"]
    assert all(len(value) <= 4 for value in values.values())
    assert "Größe" in dict(edge_values("character varying(5)", unicode=True)).values()


def test_without_unicode_only_ascii_is_tried() -> None:
    for type_ in TYPES:
        for _, value in edge_values(type_, unicode=False):
            assert str(value).isascii()


def test_the_largest_number_has_all_the_digits_that_its_column_takes() -> None:
    assert Decimal("99999999.99") == dict(edge_values("numeric(10,2)", unicode=True))["largest"]
    assert Decimal("-0.0099") == dict(edge_values("numeric(2,4)", unicode=True))["smallest"]


def test_texts_of_63_bytes_have_as_many() -> None:
    values = dict(edge_values("text", unicode=True))

    assert [63, 63] == [len(values[case].encode()) for case in ("63 bytes", "63 bytes of emoji")]


def test_an_array_holds_null_and_json_is_left_out() -> None:
    assert [True, False, None] == dict(edge_values("boolean[]", unicode=True))["every value of its element type"]
    assert ["NULL"] == [case for case, _ in edge_values("jsonb[]", unicode=True)]


@pytest.mark.parametrize(
    ("sent", "read"), [(math.nan, 1.0), ([math.nan], [None]), ([1], [1, 2]), ([1], None), (None, 0)]
)
def test_another_value_did_not_come_back(sent: Any, read: Any) -> None:
    assert not came_back(sent, read)
    assert came_back(sent, sent)
    assert came_back(read, read)


@pytest.mark.parametrize(
    "zone", ["Pacific/Kiritimati", "Etc/GMT+12", "America/New_York", "Asia/Kathmandu", "Europe/Berlin"]
)
async def test_moments_survive_wherever_the_server_is(database: str, sql: Any, zone: Any) -> None:
    sql(database, "CREATE TABLE t (a timestamptz, b timestamp, c timestamptz[])")
    ((name,),) = sql(database, "SELECT current_database()")
    sql(database, f"ALTER DATABASE {name} SET TimeZone = '{zone}'")

    async with connect(database) as connection:
        trips = await probe_values(connection, NO_ENUMS)

    assert {None} == {trip.trouble for trip in trips}


JSON = [
    (type_, case, value)
    for type_ in TYPES
    for case, value in edge_values(type_, unicode=True)
    if value is not None and type_ != "bytea" and value == value and value not in (math.inf, -math.inf)
]


@pytest.mark.parametrize(("type_", "case", "value"), JSON, ids=[f"{type_}: {case}" for type_, case, _ in JSON])
def test_what_a_model_holds_comes_back_from_json(type_: str, case: str, value: Any) -> None:
    model: TypeAdapter[Any] = TypeAdapter(type(value))

    assert value == model.validate_json(model.dump_json(model.validate_python(value)))


async def test_every_label_of_an_enum_is_tried(database: str, sql: Any) -> None:
    labels = ("active", "it's", 'say "x"', "back\\slash", "%s", "Größe", "🛠️", " ", "x" * 63)
    quoted = ", ".join("'" + label.replace("'", "''") + "'" for label in labels)
    sql(database, f'CREATE TYPE "My ""type""" AS ENUM ({quoted})')
    key = Key("enum", ("public", 'My "type"'))

    async with connect(database) as connection:
        trips = await probe_values(connection, Snapshot(180000, {key: Enum(labels)}))

    assert [f"label {label!r}" for label in labels] == [trip.case for trip in trips]
    assert {None} == {trip.trouble for trip in trips}


async def test_a_label_that_the_server_does_not_know_is_told_in_its_words(database: str, sql: Any) -> None:
    sql(database, "CREATE TYPE mood AS ENUM ('good')")
    key = Key("enum", ("public", "mood"))

    async with connect(database) as connection:
        good, bad = await probe_values(connection, Snapshot(180000, {key: Enum(("good", "bad"))}))

    assert good.trouble is None
    assert bad.trouble
    assert bad.trouble.startswith("22P02: invalid input value for enum")


async def test_one_bad_value_among_many_spoils_no_other(database: str, sql: Any) -> None:
    labels = [f"label {number}" for number in range(450)]
    quoted = ", ".join(f"'{label}'" for label in labels if label != "label 321")
    sql(database, f"CREATE TYPE many AS ENUM ({quoted})")
    snapshot = Snapshot(180000, {Key("enum", ("public", "many")): Enum(tuple(labels))})

    async with connect(database) as connection:
        trips = await probe_values(connection, snapshot)

    assert 450 == len(trips)
    assert ["label 'label 321'"] == [trip.case for trip in trips if trip.trouble]


async def test_each_type_is_tried_once_for_the_column_that_had_it_first(database: str, sql: Any) -> None:
    sql(database, "CREATE TABLE t (c integer, b integer, a integer)")

    async with connect(database) as connection:
        one = await probe_values(connection, NO_ENUMS)
        sql(database, "CREATE TABLE a (a integer)")
        other = await probe_values(connection, NO_ENUMS)

    assert {Key("column", ("public", "t", "c"))} == {trip.key for trip in one}
    assert one == other
