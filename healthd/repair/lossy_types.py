"""Values that another type of a column, or other attributes of its type, may have cost: no row can tell it any more."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from healthd.catalog.composites import added
from healthd.catalog.retyping import WHOLE
from healthd.model.observations import Size
from healthd.repair.online import has_rows
from healthd.repair.operations import ALTER, CREATE, Change, Operation


def of_type(change: Change, one: Operation, sizes: Mapping[str, Size]) -> Iterator[str]:
    """Yield what a reader should know before a column of a table with rows gets its type back."""
    if (one.action, one.key.kind, one.attribute) != (ALTER, "column", "type") or not has_rows(change, one.key, sizes):
        return
    expected, actual = (getattr(side.objects.get(one.key), "type", "") for side in (change.after, change.before))
    clocks = {_family(expected), _family(actual)} <= ON_A_CLOCK
    if (_is_zoned(expected) is not _is_zoned(actual) and clocks) or {expected, actual} in RANGES:
        yield (
            "The TimeZone of the session decides which times these are: "
            f"run this with the one with which {one.key.sql} became {actual}."
        )
    if _is_coarser(actual, expected):
        yield f"As {actual}, {one.key.sql} may have lost a part of its values: compare them with a backup."


def of_attributes(change: Change, one: Operation, sizes: Mapping[str, Size]) -> Iterator[str]:
    """Yield which attributes of a composite type are without values in the rows of tables."""
    key = one.key
    sides = (change.after, change.before)
    if key.kind != "composite" or one.action not in (ALTER, CREATE) or any(key not in side.objects for side in sides):
        return
    used = any(has_rows(change, other, sizes) for other in change.before.dependents(key) if other.kind in ROWS)
    for name in added(*(side.objects[key].attributes for side in sides)) if used else ():
        yield f"The values of {name} in {key.sql} are gone: restore them from a backup. Existing rows get NULL."


ROWS = ("column", "table")


def _is_coarser(actual: str, expected: str) -> bool:
    """Return whether ALTER COLUMN … TYPE rounds or shortens values of the expected type to the actual one unasked."""
    families = _family(expected), _family(actual)
    if families == (NUMBER, NUMBER):
        return _behind(actual) < _behind(expected) or (actual in FLOATING and _all(actual) < _all(expected))
    if families == (MOMENT, MOMENT):
        return _fraction(actual) < _fraction(expected)
    return families in LOSING


NUMBER, MOMENT, TEXTS = "number", "moment", ("text", "character varying", "character")
TIME, TIME_AND_ZONE = "time without time zone", "time with time zone"
ON_A_CLOCK = {MOMENT, "date", TIME, TIME_AND_ZONE}
RANGES = ({"tsrange", "tstzrange"}, {"tsmultirange", "tstzmultirange"})
LOSING = {
    *((MOMENT, other) for other in ("date", TIME, TIME_AND_ZONE)),
    *((other, TIME) for other in ("interval", TIME_AND_ZONE)),
    ("inet", "cidr"),
    ("json", "jsonb"),
    *((text, "name") for text in TEXTS),
}
DIGITS = {"smallint": 5, "integer": 10, "bigint": 19, "money": 19, "real": 6, "double precision": 15, "numeric": 99_999}
BEHIND = {**dict.fromkeys(WHOLE, 0), "money": 2}
FLOATING = ("real", "double precision")
NUMERIC = re.compile(r"numeric\((\d+),(-?\d+)\)")
FRACTION = re.compile(r"\((\d)\)")


def _family(type_: str) -> str:
    plain = re.sub(r"\([^()]*\)", "", type_)
    return NUMBER if plain in DIGITS else MOMENT if plain.startswith("timestamp ") else plain


def _is_zoned(type_: str) -> bool:
    return type_.removesuffix("[]").endswith(" with time zone")


def _fraction(type_: str) -> int:
    """Return how many digits of a second a type keeps."""
    found = FRACTION.search(type_)
    return int(found[1]) if found else 6


def _all(type_: str) -> int:
    """Return how many digits of a number a type keeps."""
    found = NUMERIC.match(type_)
    return int(found[1]) if found else DIGITS[type_]


def _behind(type_: str) -> int:
    """Return how many digits behind the point a type keeps; floating ones are limited only in all."""
    found = NUMERIC.match(type_)
    return int(found[2]) if found else BEHIND.get(type_, DIGITS["numeric"])
