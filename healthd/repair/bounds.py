"""Which rows a partition has: a condition on its key, a value that it may have, and if another one has them, too."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import product

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


def overlap(one: str, other: str, types: Sequence[str]) -> str:
    """Return the condition under which no table can have partitions with both of these bounds; "" if it is not known.

    It is TRUE or FALSE where no server must be asked. `types` are those of the columns of the key, as SQL with their
    collations, "" for an expression.
    """
    if one == other:
        return TRUE
    if "DEFAULT" in (one, other):  # its rows are asked for
        return FALSE
    if (part := PART.fullmatch(one)) and (there := PART.fullmatch(other)):
        return _same_part(*map(int, part.groups()), *map(int, there.groups()))
    if (values := LISTED.fullmatch(one)) and (others := LISTED.fullmatch(other)) and len(types) == 1:
        return _any(_compared("=", *pair, types[0]) for pair in product(_each(values[1]), _each(others[1])))
    if (limits := LIMITED.fullmatch(one)) and (there := LIMITED.fullmatch(other)):
        low, high, low_there, high_there = map(_each, (*limits.groups(), *there.groups()))
        return _both(_less(low, high_there, types), _less(low_there, high, types))
    return UNKNOWN


TRUE, FALSE, UNKNOWN = "true", "false", ""


def _same_part(modulus: int, remainder: int, other: int, remainder_there: int) -> str:
    """Return whether two parts of a hash overlap; one modulus must be a factor of the other."""
    small, large = sorted((modulus, other))
    return TRUE if large % small or (remainder - remainder_there) % small == 0 else FALSE


def _less(low: Sequence[str], high: Sequence[str], types: Sequence[str]) -> str:
    """Return the condition that a lower limit is below an upper one, which may have several columns."""
    if not low or not high or not types:
        return FALSE
    if "MINVALUE" in (low[0], high[0]) or "MAXVALUE" in (low[0], high[0]):  # so are all that follow
        return TRUE if low[0] != high[0] and (low[0] == "MINVALUE" or high[0] == "MAXVALUE") else FALSE
    below = _compared("<", low[0], high[0], types[0])
    equal = _both(_compared("=", low[0], high[0], types[0]), _less(low[1:], high[1:], types[1:]))
    return _any((below, equal))


def _compared(operator: str, one: str, other: str, type_: str) -> str:
    """Return the condition that compares two values of a type."""
    if one == other:
        return TRUE if operator == "=" else FALSE
    if "NULL" in (one, other) or (operator == "=" and LITERAL.match(type_)):
        return FALSE
    if (below := _is_below(one, other, type_)) is not None:
        return TRUE if operator == "<" and below else FALSE
    return f"{one}::{type_} {operator} {other}::{type_}" if type_ else UNKNOWN


def _is_below(one: str, other: str, type_: str) -> bool | None:
    """Return how two different values are ordered in all databases: integers, and times of the same form; else None."""
    if type_ in ("smallint", "integer", "bigint") and INTEGER.fullmatch(one) and INTEGER.fullmatch(other):
        return int(one.strip("'")) < int(other.strip("'"))
    forms = TIME.fullmatch(one), TIME.fullmatch(other)
    if forms[0] and forms[1] and len(one) == len(other) and forms[0][1] == forms[1][1]:
        return one < other
    return None


def _any(conditions: Iterable[str]) -> str:
    """Return conditions with OR; what is not known does not matter if another one holds."""
    left = [one for one in dict.fromkeys(conditions) if one != FALSE]
    if TRUE in left:
        return TRUE
    return UNKNOWN if UNKNOWN in left else " OR ".join(left) or FALSE


def _both(*conditions: str) -> str:
    """Return conditions with AND; what is not known does not matter if another one does not hold."""
    left = [one for one in conditions if one != TRUE]
    if FALSE in left:
        return FALSE
    return UNKNOWN if UNKNOWN in left else " AND ".join(f"({one})" for one in left) or TRUE


def _each(values: str) -> list[str]:
    return [one.strip() for one in VALUE.findall(values) if one.strip()]


ONE = r"(?:'(?:[^']|'')*'|[^',()]+)"
VALUE = re.compile(ONE)
HASHED = re.compile(rf"HASH \(({NAME}(?:, {NAME})*)\)")
PART = re.compile(r"FOR VALUES WITH \(modulus (\d+), remainder (\d+)\)")
KEY = re.compile(rf"(?:RANGE|LIST) \(({NAME})\)")
BOUND = re.compile(rf"FOR VALUES (?:FROM \(({ONE})\) TO \(({ONE})\)|IN \(({ONE}(?:, {ONE})*)\))", re.DOTALL)
MANY = rf"{ONE}(?:, {ONE})*"
LISTED = re.compile(rf"FOR VALUES IN \(({MANY})\)", re.DOTALL)
LIMITED = re.compile(rf"FOR VALUES FROM \(({MANY})\) TO \(({MANY})\)", re.DOTALL)
LITERAL = re.compile(r"(?:text|character varying(?:\(\d+\))?|uuid|boolean|smallint|integer|bigint)\Z")  # one form each
INTEGER = re.compile(r"-?\d+|'-?\d+'")
TIME = re.compile(r"'\d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d([+-]\d\d)?)?'")
