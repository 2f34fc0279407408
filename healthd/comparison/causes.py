"""One cause, one finding: remove the differences that only follow from another difference."""

from collections.abc import Iterable, Iterator, Mapping

from healthd.catalog.enums import renamed
from healthd.model.attributes import Record
from healthd.model.kinds import Kind
from healthd.model.names import Key, literal
from healthd.model.snapshots import Difference


def causes(differences: Iterable[Difference], kinds: Mapping[str, Kind]) -> tuple[Difference, ...]:
    """Return the differences that no other difference explains.

    The objects of a missing table are missing with it; a default that contains a renamed enum label changes with it.
    """
    differences = tuple(differences)
    lost = {one.key: one.actual is None for one in differences if one.attribute is None}
    spelled = tuple(_spelled(differences))
    bounds = {one.key for one in differences if one.attribute == "bound"}
    return tuple(
        one
        for one in differences
        if parent_of(one, lost, kinds) is None
        and not _respelled(one, spelled, kinds)
        and not (one.key in bounds and _is_of_bound(one))
    )


def _is_of_bound(one: Difference) -> bool:
    """Return whether a table inherits from another one only because it is its partition."""
    return one.attribute == "inherits" and not (one.expected and one.actual)


def parent_of(one: Difference, lost: Mapping[Key, bool], kinds: Mapping[str, Kind]) -> Key | None:
    """Return what an object belongs to, if that is missing, or new, as well; `lost`: whether a key is missing."""
    if one.attribute is not None:
        return None
    record = one.expected if one.expected is not None else one.actual
    parent = kinds[one.key.kind].parent(one.key, record)
    if getattr(record, "bound", None) is not None and (table := Key.parse(f"table:{record.inherits[0]}")) in lost:
        parent = table  # a partition is dropped with its table
    if parent is not None and parent.kind == "table" and parent not in lost:
        parent = Key("view", parent.path)  # views have triggers, materialized ones have indexes
    together = parent is not None and parent != one.key and lost.get(parent) == (one.actual is None)
    return parent if together else None


def of_their_own(differences: Iterable[Difference], objects: Mapping[Key, Record]) -> tuple[Difference, ...]:
    """Return the differences, except those of columns that differ in the same way in a parent table.

    `objects` are the expected objects. What is done to a parent does not reach a table that is detached from it.
    """
    differences = tuple(differences)
    apart = {one.key.path for one in differences if one.attribute in ("bound", "inherits")}
    columns = {(one.key.path, one.attribute): one for one in differences if one.key.kind == "column"}
    return tuple(
        one
        for one in differences
        if one.key.path[:2] in apart
        or not any(_alike(one, columns.get((path, one.attribute))) for path in _above(one.key, objects))
    )


def _above(key: Key, objects: Mapping[Key, Record]) -> Iterator[tuple[str, ...]]:
    """Yield the paths of the columns of the same name in the parents of a column's table."""
    if key.kind == "column":
        *table, column = key.path
        record = objects.get(Key("table", tuple(table))) or objects.get(Key("foreign_table", tuple(table)))
        for parent in getattr(record, "inherits", ()):
            yield *Key.parse(f"table:{parent}").path, column


def _alike(one: Difference, other: Difference | None) -> bool:
    if other is None or one.attribute is None:  # a column that is missing, or new, is so in both or in neither
        return other is not None and (one.missing, one.unexpected) == (other.missing, other.unexpected)
    return (one.expected, one.actual) == (other.expected, other.actual)


def _spelled(differences: Iterable[Difference]) -> Iterator[tuple[str, str]]:
    """Yield (actual, expected) for each constant of an enum type that a renamed label changes."""
    for one in differences:
        if one.key.kind == "enum" and one.attribute == "labels":
            for actual, expected in renamed(one.expected, one.actual):
                yield f"{literal(actual)}::{one.key.sql}", f"{literal(expected)}::{one.key.sql}"


def _respelled(one: Difference, spelled: Iterable[tuple[str, str]], kinds: Mapping[str, Kind]) -> bool:
    """Return whether a text differs only by labels that were renamed."""
    if one.attribute is None or not kinds[one.key.kind].deparsed(one.attribute):
        return False
    text, bound = one.actual, one.attribute == "bound"  # a bound has no casts
    for actual, expected in spelled:
        old, new = (side.rpartition("::")[0] if bound else side for side in (actual, expected))
        text = text.replace(old, new) if text else text
    return bool(text == one.expected)
