"""The conditions match exactly the values that the driver or a model cannot read, value by value."""

import json
import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql as compose
from pydantic import TypeAdapter, ValidationError

from healthd.contracts.row_conditions import DEEPEST, TROUBLES, Column, Question, questions
from healthd.model.contracts import Contract, Member, Model
from healthd.model.names import Key

HELD: dict[str, Any] = {
    "bool": bool,
    "int": int,
    "float": float,
    "decimal": Decimal,
    "str": str,
    "uuid": UUID,
    "date": date,
    "time": time,
    "datetime": datetime,
    "timedelta": timedelta,
    "json": dict[str, Any] | list[Any] | str | float,
}
DATES = ("0001-01-01", "2003-02-01", "9999-12-31", "infinity", "-infinity", "0044-03-15 BC", "10000-01-01")
MOMENTS = (*DATES, "9999-12-31 23:59:59.999999", "2003-02-01 04:05:06")
NUMBERS = ("0", "-7", "1.5", "NaN", "Infinity", "-Infinity", "1e30")
TEXTS = ("", "12", "1.5", "{}", '{"a": [1, null]}', "{a}", str(UUID(int=7)), "2003-02-01", "tomorrow's", "Größe")

# A column's type, the word for a model's, and values that rows may hold.
CASES = [
    ("date", "date", DATES),
    ("timestamp without time zone", "datetime", MOMENTS),
    ("timestamp without time zone", "date", ("2003-02-01", "2003-02-01 04:05:06")),
    ("timestamp with time zone", "datetime", tuple(f"{one} UTC" if one[0].isdigit() and "BC" not in one else one
                                                   for one in MOMENTS)),
    ("time without time zone", "time", ("00:00", "23:59:59.999999", "24:00")),
    ("interval", "timedelta", ("1 day", "-3 days", "999999998 days", "1000000000 days", "170000000 years")),
    ("real", "float", NUMBERS),
    ("double precision", "float", NUMBERS),
    ("double precision", "int", NUMBERS[:-1]),
    ("numeric", "decimal", NUMBERS[:4]),
    ("numeric", "int", NUMBERS[:4]),
    ("integer", "int", ("0", "-2147483648", "2147483647")),
    ("text", "str", TEXTS),
    ("text", "json", TEXTS[:-1]),
    ("text", "uuid", TEXTS),
    ("text", "float", TEXTS),
    ("uuid", "uuid", (str(UUID(int=0)),)),
    ("boolean", "bool", ("true", "false")),
    ("jsonb", "json", ("[" * 50 + "]" * 50, '{"a": 1}', "[" * 3000 + "]" * 3000, '{"a":' * 3000 + "1" + "}" * 3000)),
    ("json", "json", ('{"a": 1}', "[]", '"a"')),
]  # fmt: skip


def asked(type_: str, member: Member, version: int = 180000, **column: Any) -> tuple[Question, ...]:
    """Return the conditions for one column that one model reads."""
    key = Key("column", ("public", "t", "value"))
    contract = Contract("shop@7", models={"shop:Thing": Model("public.t", {"value": member})})
    return questions([contract], {key: Column(key, type_, **column)}, version)


def is_finite(number: float | Decimal) -> bool:
    return number.is_finite() if isinstance(number, Decimal) else math.isfinite(number)


def survives(connection: psycopg.Connection[Any], type_: str, python: str, value: str) -> bool:
    """Return whether the driver reads a value, the model accepts it, and JSON preserves it."""
    try:
        with connection.transaction(force_rollback=True):
            row = connection.execute(compose.SQL("SELECT %s::text::{}").format(compose.SQL(type_)), [value]).fetchone()
            assert row
            model: TypeAdapter[Any] = TypeAdapter(HELD[python])
            read = row[0]
            if type_ == "text" and python == "json":
                read = json.loads(read)
            held = model.validate_python(read)
            if isinstance(held, (float, Decimal)) and not is_finite(held):
                return False  # NaN, or an infinity: null in JSON
            return bool(model.validate_json(model.dump_json(held)) == held)
    except (psycopg.DataError, ValidationError, ValueError, OverflowError, RecursionError):
        return False


@pytest.mark.parametrize(("type_", "python", "values"), CASES, ids=lambda one: one if isinstance(one, str) else "")
def test_a_value_is_reported_exactly_if_the_driver_or_the_model_cannot_read_it(
    server: Any, type_: str, python: str, values: tuple[str, ...]
) -> None:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        version = connection.info.server_version
        if type_ == "text" and python != "str" and version < 160000:
            pytest.skip("this server cannot try a text")
        wanted = {value: survives(connection, type_, python, value) for value in values}
        found = {
            value: not any(
                connection.execute(
                    f"SELECT {one.on('s.value').replace('%', '%%')} FROM (SELECT %s::{type_} AS value) AS s".encode(),
                    [value],
                ).fetchone()
                == (True,)
                for one in asked(type_, Member("value", python), version)
            )
            for value in values
        }

    assert wanted == found


def test_without_a_declaration_in_the_model_there_is_no_condition() -> None:
    assert () == asked("timestamp without time zone", Member("value"))
    assert () == asked("text", Member("value", "str", optional=True))
    assert () == asked("tsvector", Member("value", "str"))


def test_there_is_a_condition_for_null_if_the_model_does_not_accept_none() -> None:
    (one,) = asked("uuid", Member("value", "uuid", optional=False))

    assert ("null", "s.c1 IS NULL") == (one.trouble, one.on("s.c1"))
    assert ("Thing.value (shop@7)",) == one.who


def test_there_are_conditions_for_enum_values_in_enum_and_text_columns_only() -> None:
    member = Member("value", "enum", values=("a", "it's"))

    assert ["{}::text <> ALL (ARRAY['a', 'it''s']::text[])"] == [one.condition for one in asked("text", member)]
    assert ["unknown_value"] == [one.trouble for one in asked("public.mood", member, is_enum=True)]
    assert () == asked("character(5)", member)


def test_the_elements_of_an_array_have_the_conditions_of_values() -> None:
    (one,) = asked("double precision", Member("value", "list[float]"), is_array=True)

    assert one.condition.startswith("EXISTS (SELECT FROM pg_catalog.unnest({}) AS v(value) WHERE v.value::text IN")


def test_a_list_in_json_is_json() -> None:
    assert ["deep"] == [one.trouble for one in asked("jsonb", Member("value", "list[str]"))]


def test_texts_are_not_parsed_if_the_server_does_not_support_it() -> None:
    assert () == asked("text", Member("value", "uuid"), 150000)


def test_two_models_share_one_condition() -> None:
    key = Key("column", ("public", "t", "value"))
    member = Member("value", "int", optional=False)
    contracts = [Contract(name, models={"m:A": Model("public.t", {"x": member})}) for name in ("one", "two")]

    (one,) = questions(contracts, {key: Column(key, "integer")}, 180000)

    assert ("A.x (one)", "A.x (two)") == one.who


def test_every_problem_class_has_a_description() -> None:
    assert all(one.words for one in TROUBLES.values())
    assert str(DEEPEST) in TROUBLES["deep"].words
