"""Objects that were moved to another schema, with everything that moved along."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from healthd import catalog
from healthd.comparison.renames import AS_WRITTEN, inside, same_inside, same_record, under_other_paths
from healthd.model.attributes import Record, attributes
from healthd.model.kinds import Kind
from healthd.model.names import Key, quote
from healthd.model.snapshots import SCHEMA_OF, Difference, Snapshot

Places = dict[tuple[str, ...], tuple[str, ...]]  # from the actual path to the expected one


def moved_back(
    expected: Snapshot, actual: Snapshot, kinds: Mapping[str, Kind]
) -> tuple[Snapshot, tuple[Difference, ...]]:
    """Return the actual side in the expected schemas, and a difference for each object that is in another schema.

    An object was moved if it is missing in one schema, exactly one object of its kind and name is unexpected in another
    schema, and the two are equal. Texts that contain its actual schema count as expected.
    """
    objects = dict(actual.objects)
    schemas: dict[Key, str] = {}
    places: Places = {}
    looking = True
    while looking:  # an object in its schema again may be what another one uses or mentions
        looking = False
        for kind in (name for name, one in kinds.items() if one.movable):
            if found := dict(_pairs(kind, expected.objects, objects)):
                looking = True
                places |= found
                objects = _spelled(expected.objects, under_other_paths(objects, kind, found), places)
                schemas |= {Key(kind, path): there[0] for there, path in found.items()}
    told = [
        Difference(key, SCHEMA_OF, key.path[0], there)
        for key, there in schemas.items()
        if not _follows(key, expected.objects, schemas, kinds)
    ]
    return (replace(actual, objects=objects), tuple(told)) if told else (actual, ())


def repair(difference: Difference) -> str:
    """Return the SQL that moves an object back to its schema."""
    there = Key(difference.key.kind, (difference.actual, *difference.key.path[1:]))
    return f"ALTER {catalog.words(there)} SET SCHEMA {quote(difference.expected)};"


def _pairs(
    kind: str, expected: Mapping[Key, Record], actual: Mapping[Key, Record]
) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Yield (the actual path, the expected path) where both are unambiguous."""
    lost, found = defaultdict[Any, list[Key]](list), defaultdict[Any, list[Key]](list)
    for key in expected.keys() - actual.keys():
        if key.kind == kind and Key("schema", key.path[:1]) in actual:
            lost[key.path[1:]].append(key)
    if not lost:
        return
    for key in actual.keys() - expected.keys():
        if key.kind == kind and Key("schema", key.path[:1]) in expected:
            found[key.path[1:]].append(key)
    inner = inside(kind, expected), inside(kind, actual)
    for name, keys in lost.items():
        if len(keys) == len(found[name]) == 1:
            (key,), (there,) = keys, found[name]
            names = {there.path[0]: key.path[0]}
            if same_record(expected[key], actual[there], names) and same_inside(
                inner[0].get(key.path, {}), inner[1].get(there.path, {}), names
            ):
                yield there.path, key.path


def _follows(key: Key, expected: Mapping[Key, Record], schemas: Mapping[Key, str], kinds: Mapping[str, Kind]) -> bool:
    """Return whether a sequence was moved along with the table that uses it."""
    if key.kind != "sequence":
        return False
    parent = kinds[key.kind].parent(key, expected[key])
    return parent is not None and schemas.get(Key("table", parent.path[:2])) == schemas[key]


def _spelled(expected: Mapping[Key, Record], objects: Mapping[Key, Record], places: Places) -> dict[Key, Record]:
    """Return the objects, with the expected texts where these differ only by the schema of a moved object."""
    names = {_spelling(there): _spelling(path) for there, path in places.items()}
    one = re.compile(rf'(?<![\w$."])({"|".join(map(re.escape, names))})(?![\w$"])')

    def back(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(back, value))
        return one.sub(lambda match: names[match[1]], value) if isinstance(value, str) else value

    return {key: _as_expected(expected.get(key), record, back) for key, record in objects.items()}


def _as_expected(expected: Record | None, actual: Record, back: Any) -> Record:
    if expected is None or expected == actual or type(expected) is not type(actual):
        return actual
    follow = {
        name: value
        for name in attributes(type(expected))
        if name not in AS_WRITTEN
        and (value := getattr(expected, name)) != (other := getattr(actual, name))
        and value == back(other)
    }
    return replace(actual, **follow) if follow else actual


def _spelling(path: tuple[str, ...]) -> str:
    return ".".join(map(quote, path[:2]))
