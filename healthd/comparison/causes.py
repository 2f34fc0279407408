"""One cause, one finding: take out the differences that merely follow from another."""

from collections.abc import Iterable, Iterator, Mapping

from healthd.catalog.enums import renamed
from healthd.model.attributes import Record
from healthd.model.kinds import Kind
from healthd.model.names import Key, literal
from healthd.model.snapshots import Difference


def causes(differences: Iterable[Difference], kinds: Mapping[str, Kind]) -> tuple[Difference, ...]:
    """Return the differences that nothing else among them explains.

    What stood in a lost table is lost with it; a default that names a renamed enum label is renamed with it.
    """
    differences = tuple(differences)
    lost = {one.key: one.actual is None for one in differences if one.attribute is None}
    spelled = tuple(_spelled(differences))
    return tuple(
        one for one in differences if parent_of(one, lost, kinds) is None and not _respelled(one, spelled, kinds)
    )


def parent_of(one: Difference, lost: Mapping[Key, bool], kinds: Mapping[str, Kind]) -> Key | None:
    """Return what an object belongs to, if that is lost, or new, together with it; `lost` tells which it is."""
    if one.attribute is not None:
        return None
    record = one.expected if one.expected is not None else one.actual
    parent = kinds[one.key.kind].parent(one.key, record)
    if getattr(record, "bound", None) is not None and (table := Key.parse(f"table:{record.inherits[0]}")) in lost:
        parent = table  # a partition goes with its table
    if parent is not None and parent.kind == "table" and parent not in lost:
        parent = Key("view", parent.path)  # views have triggers, materialized ones have indexes
    together = parent is not None and parent != one.key and lost.get(parent) == (one.actual is None)
    return parent if together else None


def of_their_own(differences: Iterable[Difference], objects: Mapping[Key, Record]) -> tuple[Difference, ...]:
    """Return the differences but for columns that differ as they do in a table that this one inherits from.

    `objects` are those that are expected.
    """
    differences = tuple(differences)
    columns = {(one.key.path, one.attribute): one for one in differences if one.key.kind == "column"}
    return tuple(
        one
        for one in differences
        if not any(_alike(one, columns.get((path, one.attribute))) for path in _above(one.key, objects))
    )


def _above(key: Key, objects: Mapping[Key, Record]) -> Iterator[tuple[str, ...]]:
    """Yield the paths of the column of this name in the tables that a column's own inherits from."""
    if key.kind == "column":
        *table, column = key.path
        for parent in getattr(objects.get(Key("table", tuple(table))), "inherits", ()):
            yield *Key.parse(f"table:{parent}").path, column


def _alike(one: Difference, other: Difference | None) -> bool:
    if other is None or one.attribute is None:  # a column that is lost, or new, is so in both or in neither
        return other is not None and (one.missing, one.unexpected) == (other.missing, other.unexpected)
    return (one.expected, one.actual) == (other.expected, other.actual)


def _spelled(differences: Iterable[Difference]) -> Iterator[tuple[str, str]]:
    """Yield (actual, expected) for each constant of an enum type that a renamed label respells."""
    for one in differences:
        if one.key.kind == "enum" and one.attribute == "labels":
            for actual, expected in renamed(one.expected, one.actual):
                yield f"{literal(actual)}::{one.key.sql}", f"{literal(expected)}::{one.key.sql}"


def _respelled(one: Difference, spelled: Iterable[tuple[str, str]], kinds: Mapping[str, Kind]) -> bool:
    """Return whether a text differs by nothing but labels that were renamed."""
    if one.attribute is None or not kinds[one.key.kind].deparsed(one.attribute):
        return False
    text = one.actual
    for actual, expected in spelled:
        text = text.replace(actual, expected) if text else text
    return bool(text == one.expected)
