"""Which types lose a part of the values of others without an error."""

from typing import Any

import pytest

from healthd.repair import lossy_types

details: Any = lossy_types


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ("numeric", "integer"),
        ("numeric(8,2)", "bigint"),
        ("numeric(8,4)", "numeric(8,2)"),
        ("numeric", "numeric(10,2)"),
        ("numeric(20,2)", "double precision"),
        ("numeric(8,4)", "money"),
        ("double precision", "real"),
        ("double precision", "integer"),
        ("bigint", "double precision"),
        ("timestamp without time zone", "timestamp(0) without time zone"),
        ("timestamp(6) with time zone", "timestamp(3) without time zone"),
        ("timestamp with time zone", "date"),
        ("time with time zone", "time without time zone"),
        ("interval", "time without time zone"),
        ("inet", "cidr"),
        ("json", "jsonb"),
        ("character varying(80)", "name"),
    ],
)
def test_some_types_round_or_shorten_values(expected: str, actual: str) -> None:
    assert details._is_coarser(actual, expected)


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ("integer", "bigint"),
        ("bigint", "integer"),  # a number that is too long is an error
        ("integer", "numeric"),
        ("smallint", "real"),
        ("numeric(8,2)", "double precision"),
        ("numeric(8,2)", "numeric(6,2)"),
        ("date", "timestamp without time zone"),
        ("timestamp(3) without time zone", "timestamp without time zone"),
        ("text", "character varying(10)"),  # as is a text that is too long
        ("app.level", "text"),
    ],
)
def test_others_keep_them_or_fail(expected: str, actual: str) -> None:
    assert not details._is_coarser(actual, expected)
