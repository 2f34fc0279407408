"""Which Python type fits which PostgreSQL type: what the driver does with values of the one in a column of the other.

tests/integration/contracts/test_types.py tests every cell on a server, and docs/reference/types.md is written
from the same table.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping


class Fit(enum.StrEnum):
    """What happens to values: all come back unchanged; some do, or as another type; none can be written."""

    FITS = "fits"
    CARE = "care"
    NEVER = "never"


POSTGRESQL = tuple(
    """boolean|smallint|integer|bigint|real|double precision|numeric|text|character varying|character|bytea|uuid|date
    |time without time zone|timestamp without time zone|timestamp with time zone|interval|json|jsonb|inet
    |enum""".replace("\n    ", "").split("|")
)

# One letter for each cell, in the order of POSTGRESQL: f fits, c with care, . never.
_TABLE = """
               b s i b r d n t v c b u d t t t i j j i e
               o m n i e o u e a h y u a i s s n s b n n
bool           f . . . . . . c c . . . . . . . . . . . .
int            . f f f c c c c c c . . . . . . . . . . .
float          . c c c c f c c c . . . . . . . . . . . .
decimal        . c c c c c f c c . . . . . . . . . . . .
str            c c c c c c c f f c c c c c c c c c c c f
text           . . . . . . . f f c . . . . . . . . . . .
bytes          . . . . . . . c c . f . . . . . . . . . .
uuid           . . . . . . . c c . . f . . . . . . . . .
date           . . . . . . . c c . . . f . c c . . . . .
time           . . . . . . . c c . . . . f . . c . . . .
naive_datetime . . . . . . . c c . . . c c f c . . . . .
aware_datetime . . . . . . . c c . . . c c c f . . . . .
timedelta      . . . . . . . c c . . . . c . . f . . . .
json           . . . . . . . c c . . . . . . . . f f . .
ip             . . . . . . . c c . . . . . . . . . . f .
"""
_WORDS = {"f": Fit.FITS, "c": Fit.CARE, ".": Fit.NEVER}

TABLE: Mapping[str, Mapping[str, Fit]] = {
    name: dict(zip(POSTGRESQL, (_WORDS[letter] for letter in letters), strict=True))
    for name, *letters in (line.split() for line in _TABLE.strip().splitlines()[2:])
}

# The types of a model's members: the rows of the table (text is a str that is cast to text, as SQLAlchemy does),
# a datetime with or without time zone, an enum of strings, any type.
PYTHON = frozenset({*TABLE, "datetime", "enum", "any"})

# The Python type in which the driver returns a column's values.
READ: Mapping[str, str] = {
    "boolean": "bool",
    "smallint": "int",
    "integer": "int",
    "bigint": "int",
    "real": "float",
    "double precision": "float",
    "numeric": "Decimal",
    "text": "str",
    "character varying": "str",
    "character": "str padded with spaces",
    "bytea": "bytes",
    "uuid": "UUID",
    "date": "date",
    "time without time zone": "time",
    "timestamp without time zone": "datetime without time zone",
    "timestamp with time zone": "datetime with time zone",
    "interval": "timedelta",
    "json": "decoded JSON",
    "jsonb": "decoded JSON",
    "inet": "IP address",
    "enum": "str",
}


def fit(python: str, postgresql: str, *, is_enum: bool = False) -> Fit | None:
    """Return how a Python type fits a column's type; None if one of them is not in the table.

    `python` is a word of PYTHON, or `list[WORD]`; `postgresql` is spelled as format_type prints it.
    """
    inner = re.fullmatch(r"list\[(.+)\]", python)
    if postgresql.endswith("[]"):
        if inner is None:
            return None if python == "any" else Fit.NEVER
        return fit(inner[1], postgresql.removesuffix("[]"), is_enum=is_enum)
    if inner is not None:  # an application that stores a list in a JSON column must wrap it
        python = "json"
    base = "enum" if is_enum else plain(postgresql)
    if python == "datetime":
        found = [TABLE[one].get(base) for one in ("naive_datetime", "aware_datetime")]
        return Fit.FITS if Fit.FITS in found else found[0]
    return TABLE.get("str" if python == "enum" else python, {}).get(base)


def plain(postgresql: str) -> str:
    """Return a type without its length, precision or scale."""
    return re.sub(r"\([\d,]+\)", "", postgresql)
