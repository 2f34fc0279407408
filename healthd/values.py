"""The values at the edges of PostgreSQL's types that an application can hold in Python."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

_NUMBERS: dict[str, tuple[tuple[str, Any], ...]] = {
    "smallint": (("smallest", -(2**15)), ("largest", 2**15 - 1)),
    "integer": (("smallest", -(2**31)), ("largest", 2**31 - 1)),
    "bigint": (("smallest", -(2**63)), ("largest", 2**63 - 1)),
    "double precision": (("a sum that needs 17 digits", 0.1 + 0.2), ("largest", 1.7976931348623157e308)),
    "numeric": (("many digits", Decimal("12345678901234567890.123456789")),),
    "boolean": (("true", True), ("false", False)),
    "uuid": (("all bits set", UUID(int=2**128 - 1)),),
    "bytea": (("every byte", bytes(range(256))), ("empty", b"")),
}
_TIMES: dict[str, tuple[tuple[str, Any], ...]] = {
    "date": (
        ("first day", date(1, 1, 1)),
        ("a day whose parts can be confused", date(2003, 2, 1)),
        ("last day", date(9999, 12, 31)),
    ),
    "timestamp without time zone": (("microseconds", datetime(2003, 2, 1, 4, 5, 6, 789012)),),  # noqa: DTZ001
    "timestamp with time zone": (
        ("microseconds", datetime(2003, 2, 1, 4, 5, 6, 789012, tzinfo=UTC)),
        ("another zone", datetime(2003, 2, 1, 4, 5, 6, tzinfo=timezone(timedelta(hours=5, minutes=45)))),
    ),
    "time without time zone": (("last microsecond", time(23, 59, 59, 999999)),),
    "interval": (
        ("days and microseconds", timedelta(days=400, seconds=3, microseconds=4)),
        ("negative", timedelta(days=-3)),
    ),
}
_WORDS = (
    ("empty", ""),
    ("quotes and backslashes", "'\"\\%s"),
    ("letters beyond ASCII", "Größe"),
    ("emoji", "🛠️"),
)


def edge_values(type_: str, *, unicode: bool) -> Iterator[tuple[str, Any]]:
    """Yield (name of the case, value) for a column type as format_type spells it; nothing for unknown types.

    Without `unicode` (the server's encoding is not UTF8) only ASCII texts are tried.
    """
    base, size = _split(type_)
    if base in ("text", "character varying"):
        for case, value in _WORDS:
            if (unicode or value.isascii()) and (size is None or len(value) <= size):
                yield case, value
        if size is not None:
            yield f"{size} letters", "x" * size
    elif base in ("json", "jsonb"):
        yield "nested", {"list": [1, None, "ß" if unicode else "s"], "empty": {}}
    elif base in _NUMBERS and size is None:
        yield from _NUMBERS[base]
    elif base in _TIMES and size is None:
        yield from _TIMES[base]


def _split(type_: str) -> tuple[str, int | None]:
    """Return a type without its length, and the length (-1 for any other modifier)."""
    match = re.fullmatch(r"(.*?)\(([\d,]+)\)(.*)", type_)
    if match is None:
        return type_, None
    return match[1] + match[3], int(match[2]) if match[2].isdigit() else -1
