"""One cause, one finding: take out the differences that merely follow from another."""

from collections.abc import Iterable, Iterator, Mapping

from healthd.catalog.enums import renamed
from healthd.model import Difference, Key, Kind, literal


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
