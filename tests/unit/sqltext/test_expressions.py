"""Expressions: what takes a name for a name, and what a process pays for them at its start."""

import re
import string
import sys
from collections.abc import Iterator
from importlib import import_module
from pkgutil import walk_packages
from re import _constants as codes
from re import _parser as parser
from typing import Any

import pytest

import healthd
from healthd.sqltext.nontransactional import NAME

WIDE = 0x1000  # characters; the compiler looks at each of them where case is ignored


@pytest.mark.parametrize("flags", [0, re.IGNORECASE])
def test_a_name_has_letters_digits_and_what_is_not_ascii(flags: int) -> None:
    name = re.compile(NAME, flags)

    assert {*string.ascii_letters, *string.digits, *"_$"} == {chr(code) for code in range(128) if name.match(chr(code))}
    assert name.fullmatch("".join(map(chr, range(128, sys.maxunicode + 1))))
    assert name.fullmatch('"a ""b"""')
    assert not name.fullmatch('""')


def patterns(value: object) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict):
        yield from patterns(tuple(value.values()))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from patterns(one)


def wide(parsed: Any) -> Iterator[tuple[int, int]]:
    """Yield the ranges of characters in an expression that are wide."""
    for one in parsed:
        if isinstance(one, tuple) and len(one) == 2 and one[0] is codes.RANGE and one[1][1] - one[1][0] > WIDE:
            yield one[1]
        elif isinstance(one, list | tuple | parser.SubPattern):
            yield from wide(one)


def test_no_expression_takes_long_to_compile() -> None:
    """Each of 19 expressions with a wide range took 10 ms, which every command paid at its start."""
    found = {}
    for module in (one for one in walk_packages(healthd.__path__, "healthd.") if not one.name.endswith("__")):
        for name, value in vars(import_module(module.name)).items():
            for one in patterns(value):
                if one.flags & re.IGNORECASE and list(wide(parser.parse(one.pattern, one.flags))):
                    found[f"{module.name}.{name}"] = one.pattern

    assert {} == found
    assert [(0x80, 0x10FFFF)] == list(wide(parser.parse(r"a|(?:[b\x80-\U0010ffff]+)", re.IGNORECASE)))
