"""The table of types, and its page in docs/, match what the driver really does."""

import psycopg
import pytest
from driver import DOCUMENT, SAMPLES, measure, page, table

from healthd.contracts.type_table import PYTHON, READ, TABLE, Fit, fit
from healthd.postgres.embedded import Server


@pytest.fixture(scope="module")
def measured(server: Server) -> dict[str, dict[str, str]]:
    with psycopg.connect(server.url()) as connection:
        return table(connection)


def test_every_cell_matches_the_driver(measured: dict[str, dict[str, str]]) -> None:
    assert measured == TABLE


def test_the_page_matches_the_driver(measured: dict[str, dict[str, str]]) -> None:
    assert page(measured) == DOCUMENT.read_text(encoding="utf-8")


def test_a_type_that_accepts_no_value_is_distinguished_from_one_that_accepts_some(server: Server) -> None:
    with psycopg.connect(server.url()) as connection:
        assert ("never", "care") == (measure(connection, "bytes", "integer"), measure(connection, "str", "integer"))


def test_every_row_and_column_is_known() -> None:
    assert SAMPLES.keys() == TABLE.keys()
    assert set(TABLE) < PYTHON
    assert READ.keys() == TABLE["int"].keys()


@pytest.mark.parametrize(
    ("python", "postgresql", "is_enum", "expected"),
    [
        ("str", "character varying(255)", False, Fit.FITS),
        ("decimal", "numeric(10,2)", False, Fit.FITS),
        ("datetime", "timestamp(3) with time zone", False, Fit.FITS),
        ("datetime", "timestamp without time zone", False, Fit.FITS),
        ("datetime", "date", False, Fit.CARE),
        ("datetime", "integer", False, Fit.NEVER),
        ("enum", "public.mood", True, Fit.FITS),
        ("int", "public.mood", True, Fit.NEVER),
        ("list[int]", "integer[]", False, Fit.FITS),
        ("list[bytes]", "integer[]", False, Fit.NEVER),
        ("list[int]", "jsonb", False, Fit.FITS),
        ("list[int]", "integer", False, Fit.NEVER),
        ("int", "integer[]", False, Fit.NEVER),
        ("int", "public.unheard_of", False, None),
        ("any", "integer[]", False, None),
        ("any", "integer", False, None),
    ],
)
def test_a_type_fits_or_not(python: str, postgresql: str, is_enum: bool, expected: Fit | None) -> None:
    assert expected == fit(python, postgresql, is_enum=is_enum)
