"""Partitions that are in the way of one that is to be attached: no two of a table may have the same rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from healthd.catalog.tables import PARENTAGE
from healthd.model.names import Key
from healthd.repair.bounds import FALSE, TRUE, UNKNOWN, overlap
from healthd.repair.operations import Change
from healthd.sqltext.tokens import NAME, elements


def overlapping(change: Change, key: Key) -> Iterator[tuple[Key, str]]:
    """Yield the partitions of a table that may overlap one which it is to get, with the condition under which they do.

    Where that is not known it is not assumed: nearly all of them are expected, and overlap no expected one.
    """
    record = change.after.objects[key]
    if record.bound is None or not record.inherits:
        return
    types = _types(change, record.inherits[0])
    for other in change.before.heirs(Key.parse(f"table:{record.inherits[0]}")):
        there = change.before.objects[other]
        if other != key and there.inherits == record.inherits and there.bound is not None:
            condition = overlap(record.bound, there.bound, types)
            if condition not in (FALSE, UNKNOWN):
                yield other, condition


def staying(change: Change, key: Key) -> Iterator[tuple[Key, str]]:
    """Yield those of them that the script does not detach or drop."""
    leaving = {one.key for one in change.differences if one.attribute in PARENTAGE} | change.gone.keys()
    yield from (one for one in overlapping(change, key) if one[0] not in leaving)


def in_the_way(change: Change, key: Key) -> str:
    """Return why a partition cannot be attached; "" if it can, or if the server must be asked."""
    others = [other for other, condition in staying(change, key) if condition == TRUE]
    return meaning(others) if others else ""


def meaning(others: Sequence[Key]) -> str:
    """Return what it means that such partitions stay."""
    names = ", ".join(sorted(one.sql for one in others))
    if len(others) == 1:
        return f"partition {names} overlaps its bounds: detach it first"
    return f"partitions {names} overlap its bounds: detach them first"


def _types(change: Change, table: str) -> tuple[str, ...]:
    """Return the types of the columns of a partition key, with their collations; "" for an expression."""
    above = Key.parse(f"table:{table}")
    key = DIVIDED.fullmatch(getattr(change.after.objects.get(above), "partitioned_by", None) or "")
    return tuple(_type(change, above, one) for one in elements(key[1])) if key else ()


def _type(change: Change, table: Key, element: str) -> str:
    column = Key.parse(f"column:{table.sql}.{element}") if re.fullmatch(NAME, element) else None
    record = change.after.objects.get(column) if column else None
    if record is None:
        return ""
    return f"{record.type} COLLATE {record.collation}" if record.collation else str(record.type)


DIVIDED = re.compile(r"\w+ \((.*)\)", re.DOTALL)
