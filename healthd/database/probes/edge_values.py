"""Boundary values of PostgreSQL's types that Python can represent."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address
from typing import Any
from uuid import UUID

_NUMBERS: dict[str, tuple[tuple[str, Any], ...]] = {
    "smallint": (("smallest", -(2**15)), ("largest", 2**15 - 1)),
    "integer": (("smallest", -(2**31)), ("largest", 2**31 - 1)),
    "bigint": (("smallest", -(2**63)), ("largest", 2**63 - 1)),
    "real": (("largest", 3.4028235e38), ("NaN", float("nan")), ("infinity", float("-inf"))),
    "double precision": (
        ("a sum that needs 17 digits", 0.1 + 0.2),
        ("largest", 1.7976931348623157e308),
        ("NaN", float("nan")),
        ("infinity", float("-inf")),
    ),
    "numeric": (
        ("many digits", Decimal("12345678901234567890.123456789")),
        ("a thousand digits", Decimal((1, (9,) * 1000, -500))),
        ("NaN", Decimal("NaN")),
    ),
    "boolean": (("true", True), ("false", False)),
    "uuid": (("all bits set", UUID(int=2**128 - 1)),),
    "bytea": (("every byte", bytes(range(256))), ("empty", b"")),
    "inet": (("largest", IPv4Address("255.255.255.255")), ("an IPv6 address", IPv6Address("2001:db8::ff00:42:8329"))),
}
_TIMES: dict[str, tuple[tuple[str, Any], ...]] = {
    "date": (
        ("first day", date(1, 1, 1)),
        ("a day with ambiguous digits", date(2003, 2, 1)),
        ("last day", date(9999, 12, 31)),
    ),
    "timestamp without time zone": (
        ("first", datetime.min),  # noqa: DTZ901 # the column has no zone
        ("microseconds", datetime(2003, 2, 1, 4, 5, 6, 789012)),  # noqa: DTZ001
        ("last", datetime.max),  # noqa: DTZ901
    ),
    "timestamp with time zone": (
        ("first", datetime(1, 1, 3, tzinfo=UTC)),  # in every time zone it is after the first of January
        ("microseconds", datetime(2003, 2, 1, 4, 5, 6, 789012, tzinfo=UTC)),
        ("last", datetime(9999, 12, 29, 23, 59, 59, 999999, tzinfo=UTC)),
        ("another time zone", datetime(2003, 2, 1, 4, 5, 6, tzinfo=timezone(timedelta(hours=5, minutes=45)))),
    ),
    "time without time zone": (("midnight", time(0, 0)), ("last microsecond", time(23, 59, 59, 999999))),
    "interval": (
        ("days and microseconds", timedelta(days=400, seconds=3, microseconds=4)),
        ("negative", timedelta(days=-3)),
        ("longest", timedelta.max),
    ),
}
_WORDS = (
    ("empty", ""),
    ("quotes and backslashes", "'\"\\%s"),
    ("non-ASCII letters", "Größe"),
    ("emoji", "🛠️"),
    ("63 bytes", "x" * 63),
    ("63 bytes of emoji", "🛠️" * 9),
)
_DEPTH = 100  # of nested JSON; Python's own parser fails at a thousand


def edge_values(type_: str, *, unicode: bool) -> Iterator[tuple[str, Any]]:
    """Yield (name of the case, value) for a column type as format_type prints it; nothing for unknown types.

    Without `unicode` (the server's encoding is not UTF8) only ASCII texts are used. An array contains all values of
    its element type at once, including NULL; arrays of JSON are not tested.
    """
    element = type_.removesuffix("[]")
    values = list(_of_one(element, unicode=unicode))
    if not values:
        return
    if element == type_:
        yield from values
    elif not isinstance(values[0][1], dict):
        yield "every value of its element type", [value for _, value in values] + [None]
        yield "empty", []
    yield "NULL", None


def _of_one(type_: str, *, unicode: bool) -> Iterator[tuple[str, Any]]:
    """Yield the values of a type that is not an array."""
    base, modifiers = _split(type_)
    size = modifiers[0] if modifiers else None
    if base in ("text", "character varying"):
        for case, value in _WORDS:
            if (unicode or value.isascii()) and (size is None or len(value) <= size):
                yield case, value
        if size is not None:
            yield f"{size} characters", "x" * size
    elif base in ("json", "jsonb"):
        yield "nested", {"list": [1, None, "ß" if unicode else "s"], "empty": {}}
        yield "more than 53 bits", {"number": 2**63 - 1}
        yield f"{_DEPTH} levels", {"deep": _nested(_DEPTH)}
    elif base == "numeric" and len(modifiers) == 2:
        precision, scale = modifiers
        yield "largest", Decimal((0, (9,) * precision, -scale))
        yield "smallest", Decimal((1, (9,) * precision, -scale))
    elif not modifiers:
        yield from _NUMBERS.get(base, ())
        yield from _TIMES.get(base, ())


def _nested(depth: int) -> list[Any]:
    """Return nested lists."""
    return [_nested(depth - 1)] if depth else []


def came_back(sent: Any, read: Any) -> bool:
    """Return whether a value came back as it was sent; NaN equals NaN here."""
    if isinstance(sent, (list, tuple)):
        alike = isinstance(read, (list, tuple)) and len(sent) == len(read)
        return alike and all(came_back(*pair) for pair in zip(sent, read, strict=True))
    return bool(sent == read or (sent != sent and read != read))  # only NaN differs from itself


def _split(type_: str) -> tuple[str, tuple[int, ...]]:
    """Return a type without its modifiers, and the modifiers."""
    match = re.fullmatch(r"(.*?)\(([\d,]+)\)(.*)", type_)
    if match is None:
        return type_, ()
    return match[1] + match[3], tuple(int(one) for one in match[2].split(",") if one)
