"""A terminal gets columns, wrapped lines and colours; SQL stays as it is, and so does everything elsewhere."""

import io

import click
import pytest

from healthd.cli.screen import Screen, screen_of, shown
from healthd.model.severity import Severity
from healthd.report.lines import Line, plain

SQL = "    ALTER TYPE public.order_status ADD VALUE 'sent'  AFTER 'paid'; -- a line longer than the terminal is wide"
MESSAGE = "enum order_status: missing 'sent', which contract shop needs"
LINES = (
    Line(
        ("shop-1", "CRITICAL", "enum_mismatch", "enum order_status: missing 'sent', which contract shop needs"),
        Severity(2),
    ),
    Line((SQL,), exact=True),
    Line(("shop-10", "WARNING", "unexpected_object", "table extra: not in sql/"), Severity.WARNING),
    Line(("shop-2", "ok"), Severity.OK),
    Line(("    what to do: healthd explain enum_mismatch unexpected_object",)),
)


class Stream(io.StringIO):
    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "90")


def test_columns_are_aligned_and_the_message_is_wrapped_below_itself() -> None:
    assert [
        "shop-1   CRITICAL  enum_mismatch      enum order_status: missing 'sent', which contract",
        "                                      shop needs",
        SQL,
        "shop-10  WARNING   unexpected_object  table extra: not in sql/",
        "shop-2   ok",
        "    what to do: healthd explain enum_mismatch unexpected_object",
    ] == shown(LINES, Screen(87, coloured=False)).split("\n")


def test_a_message_that_does_not_fit_next_to_its_columns_begins_on_its_own_line() -> None:
    text = shown(LINES, Screen(50, coloured=False)).split("\n")

    assert [
        "shop-1   CRITICAL  enum_mismatch",
        "    enum order_status: missing 'sent', which",
        "    contract shop needs",
        SQL,
    ] == text[:4]
    assert [] == [line for line in text if len(line) > 50 and line != SQL]


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_colours_add_nothing_but_colours_and_wrapping_loses_no_word(width: int) -> None:
    coloured, bare = (shown(LINES, Screen(width, coloured=one)) for one in (True, False))

    assert coloured != bare
    assert bare == click.unstyle(coloured)
    assert plain(LINES).split() == bare.split()


def test_the_severity_has_its_colour() -> None:
    text = shown(LINES, Screen(90, coloured=True))

    assert f"shop-1   {click.style('CRITICAL', fg='red', bold=True)}  enum_mismatch" in text
    assert f"shop-10  {click.style('WARNING', fg='yellow', bold=False)}   unexpected_object" in text
    assert f"shop-2   {click.style('ok', fg='green', bold=False)}" in text


@pytest.mark.parametrize(
    ("terminal", "environment", "expected"),
    [
        (False, {}, None),
        (False, {"NO_COLOR": "1"}, None),
        (False, {"FORCE_COLOR": ""}, None),
        (False, {"FORCE_COLOR": "1"}, Screen(90, coloured=True)),
        (True, {}, Screen(90, coloured=True)),
        (True, {"COLUMNS": "7"}, Screen(20, coloured=True)),
        (True, {"NO_COLOR": ""}, Screen(90, coloured=True)),
        (True, {"NO_COLOR": "1"}, Screen(90, coloured=False)),
        (True, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, Screen(90, coloured=False)),
        (True, {"TERM": "dumb"}, Screen(90, coloured=False)),
    ],
)
def test_the_environment_decides_where_colours_are(
    terminal: bool, environment: dict[str, str], expected: Screen | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert expected == screen_of(Stream(terminal))
