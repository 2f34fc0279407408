"""How SQL gives a value another type: by a cast that exists, or else through its text."""

from __future__ import annotations

import re

NUMBER = [*"smallint integer bigint numeric real money".split(), "double precision"]
WHOLE = NUMBER[:3]
TEXT = [*"text character bpchar name citext".split(), "character varying", '"char"']
TIME = "date interval".split() + [
    f"{one} {zone} time zone" for one in ("time", "timestamp") for zone in ("with", "without")
]
FAMILIES = (
    NUMBER,
    TIME,
    ["integer", "boolean"],
    ["bit", "bit varying", "integer", "bigint"],
    ["json", "jsonb"],
    ["cidr", "inet"],
    ["macaddr", "macaddr8"],
)


def cast(value: str, to: str, of: str) -> str:
    """Return SQL for a value of type `of` as one of type `to`.

    To and from text the server casts everything, and within the families of its own types what fits; between all other
    types, as two enums with the same labels, it refuses.
    """
    there, here = plain(to), plain(of)
    scalars = there.removesuffix("[]"), here.removesuffix("[]")
    one_shape = there.endswith("[]") == here.endswith("[]")
    known = scalars[0] == scalars[1] or not {*scalars}.isdisjoint(TEXT) or any({*scalars} <= {*one} for one in FAMILIES)
    if (one_shape and known) or there in TEXT or here in TEXT:
        return f"{value}::{to}"
    array = "[]" if one_shape and there.endswith("[]") else ""
    whole = f"::numeric{array}" if scalars[0] in WHOLE else ""  # the text of a domain over numbers may have a point
    return f"{value}::text{array}{whole}::{to}"


def plain(name: str) -> str:
    """Return a type without its modifiers."""
    return re.sub(r"\([^()]*\)", "", name)
