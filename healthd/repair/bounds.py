"""Which rows a partition has: a condition on its key, and a value that it may have."""

from __future__ import annotations

import re

from healthd.model.names import literal
from healthd.sqltext.tokens import NAME


def condition(strategy: str, bound: str, table: str = "") -> str:
    """Return the condition that holds for the rows within a bound; "" if it is not known.

    That is so if the key is an expression, or several columns that are not hashed; a hash needs the name of the `table`
    that has the key.
    """
    if (hashed := HASHED.fullmatch(strategy)) and (part := PART.fullmatch(bound)) and table:
        what = ", ".join([f"{literal(table)}::pg_catalog.regclass", *part.groups(), hashed[1]])
        return f"pg_catalog.satisfies_hash_partition({what})"
    key, is_within = KEY.fullmatch(strategy), BOUND.fullmatch(bound)
    if key is None or is_within is None:
        return ""
    column, (low, high, values) = key[1], is_within.groups()
    if values is not None:
        found = [one for each in VALUE.findall(values) if (one := each.strip())]
        named = [one for one in found if one != "NULL"]
        among = f"{column} IN ({', '.join(named)})"
        return among if named == found else f"({among} OR {column} IS NULL)" if named else f"{column} IS NULL"
    limits = [f"{column} >= {low}"] if low != "MINVALUE" else []
    limits += [f"{column} < {high}"] if high != "MAXVALUE" else []
    return " AND ".join([f"{column} IS NOT NULL", *limits])


def value(strategy: str, bound: str) -> tuple[str, str] | None:
    """Return the column of a partition key and a value within a bound, as SQL; None if there is no such value."""
    key, is_within = KEY.fullmatch(strategy), BOUND.fullmatch(bound)
    if key is None or is_within is None:
        return None
    low, _, values = is_within.groups()
    if values is not None:
        return key[1], VALUE.findall(values)[0].strip()
    return (key[1], low) if low != "MINVALUE" else None


ONE = r"(?:'(?:[^']|'')*'|[^',()]+)"
VALUE = re.compile(ONE)
HASHED = re.compile(rf"HASH \(({NAME}(?:, {NAME})*)\)")
PART = re.compile(r"FOR VALUES WITH \(modulus (\d+), remainder (\d+)\)")
KEY = re.compile(rf"(?:RANGE|LIST) \(({NAME})\)")
BOUND = re.compile(rf"FOR VALUES (?:FROM \(({ONE})\) TO \(({ONE})\)|IN \(({ONE}(?:, {ONE})*)\))", re.DOTALL)
