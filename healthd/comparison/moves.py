"""Objects that were moved to another schema, with everything that moved along."""

import re
from collections import defaultdict
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from healthd import catalog
from healthd.comparison.renames import AS_WRITTEN, COMPARED, inside, same_inside, same_record, under_other_paths
from healthd.comparison.unexpected_texts import spelled
from healthd.model.attributes import Record, attributes
from healthd.model.kinds import Kind
from healthd.model.names import Key, quote
from healthd.model.snapshots import PLACE_OF, SCHEMA_OF, Difference, Snapshot

Inside = dict[tuple[str, ...], dict[Any, tuple[Any, ...]]]
Places = dict[tuple[str, ...], tuple[str, ...]]  # from the actual path to the expected one


def moved_back(
    expected: Snapshot, actual: Snapshot, kinds: Mapping[str, Kind], apart_from: frozenset[str] = frozenset()
) -> tuple[Snapshot, tuple[Difference, ...]]:
    """Return the actual side in the expected schemas, and a difference for each object that is in another schema.

    An object was moved if it is missing in one schema, exactly one object of its kind and name is unexpected in another
    schema, and the two are equal; an enum may have other labels as well. Texts that contain its actual schema count as
    expected. A table may have another name as well, if no other table has the same columns. Between two schemas of
    `apart_from`, nothing moves.
    """
    objects = dict(actual.objects)
    origins: dict[Key, Key] = {}
    places: Places = {}
    apart = _apart(expected.objects, objects)
    looking = True
    while looking:  # an object in its schema again may be what another one uses or mentions
        looking = False
        for kind in (name for name, one in kinds.items() if one.movable):
            pairs = _pairs(kind, expected.objects, objects, apart[kind])
            if found := {there: path for there, path in pairs if not apart_from.issuperset((there[0], path[0]))}:
                looking = True
                places |= found
                objects = _spelled(expected.objects, under_other_paths(objects, kind, found), places)
                apart = _apart(expected.objects, objects)
                origins |= {Key(kind, path): Key(kind, there) for there, path in found.items()}
    differences = [
        Difference(key, SCHEMA_OF, key.path[0], there.path[0])
        if key.path[1:] == there.path[1:]
        else Difference(key, PLACE_OF, key.sql, there.sql)
        for key, there in origins.items()
        if not _follows(key, expected.objects, origins, kinds)
    ]
    return (replace(actual, objects=objects), tuple(differences)) if differences else (actual, ())


def repair(difference: Difference, taken: Container[tuple[str, ...]] = ()) -> str:
    """Return the SQL that moves an object back to its schema; on its way, it has no name that is `taken`."""
    key = difference.key
    if difference.attribute == PLACE_OF:
        return "\n".join(_steps(key, Key.parse(f"{key.kind}:{difference.actual}"), taken))
    there = Key(key.kind, (difference.actual, *key.path[1:]))
    return f"ALTER {catalog.words(there)} SET SCHEMA {quote(difference.expected)};"


def _steps(key: Key, there: Key, taken: Container[tuple[str, ...]]) -> Iterator[str]:
    """Yield the statements that give an object another schema and another name."""
    (schema, name), (before, old) = key.path[:2], there.path[:2]
    way = old  # the name that it has when it comes to the other schema
    if (before, name) not in taken:
        way = name
    elif (schema, old) in taken:
        way = next(
            one
            for n in count()
            if (one := f"{name.encode()[:48].decode(errors='ignore')}_aside{n or ''}")
            and (before, one) not in taken
            and (schema, one) not in taken
        )
    if way != old:
        yield f"ALTER {catalog.words(there)} RENAME TO {quote(way)};"
    yield f"ALTER {catalog.words(Key(key.kind, (before, way, *key.path[2:])))} SET SCHEMA {quote(schema)};"
    if way != name:
        yield f"ALTER {catalog.words(Key(key.kind, (schema, way, *key.path[2:])))} RENAME TO {quote(name)};"


@dataclass(frozen=True, slots=True)
class _Apart:
    """The objects of one kind that only one side has."""

    missing: list[Key] = field(default_factory=list)
    unexpected: list[Key] = field(default_factory=list)


def _apart(expected: Mapping[Key, Record], actual: Mapping[Key, Record]) -> Mapping[str, _Apart]:
    """Return the objects that only one side has, by kind."""
    found = defaultdict[str, _Apart](_Apart)
    for key in expected.keys() - actual.keys():
        found[key.kind].missing.append(key)
    for key in actual.keys() - expected.keys():
        found[key.kind].unexpected.append(key)
    return found


def _pairs(
    kind: str, expected: Mapping[Key, Record], actual: Mapping[Key, Record], apart: _Apart
) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Yield (the actual path, the expected path) where both are unambiguous."""
    lost, found = defaultdict[Any, list[Key]](list), defaultdict[Any, list[Key]](list)
    for key in apart.missing:
        if Key("schema", key.path[:1]) in actual:
            lost[key.path[1:]].append(key)
    if not lost:
        return
    # A schema that nobody expects may be a missing one under another name.
    anywhere = not any(key.kind == "schema" and key not in actual for key in expected)
    for key in apart.unexpected:
        if anywhere or Key("schema", key.path[:1]) in expected:
            found[key.path[1:]].append(key)
    inner = inside(kind, expected), inside(kind, actual)
    for name, keys in lost.items():
        if len(keys) == len(found[name]) == 1:
            (key,), (there,) = keys, found[name]
            names = {there.path[0]: key.path[0]}
            same = same_record(expected[key], actual[there], names) or _is_relabelled(expected[key], actual[there])
            if same and same_inside(inner[0].get(key.path, {}), inner[1].get(there.path, {}), names):
                yield there.path, key.path
    yield from _elsewhere(apart, expected, actual, inner)


def _is_relabelled(expected: Record, actual: Record) -> bool:
    """Return whether two enums share a label: their columns keep their values while the other labels change."""
    return not frozenset(getattr(expected, "labels", ())).isdisjoint(getattr(actual, "labels", ()))


def _elsewhere(
    apart: _Apart, expected: Mapping[Key, Record], actual: Mapping[Key, Record], inner: tuple[Inside, Inside]
) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Yield (the actual path, the expected path) of tables that have another schema and another name."""
    lost = [key for key in apart.missing if inner[0].get(key.path)]
    found = [key for key in apart.unexpected if inner[1].get(key.path)]
    if not lost or len(lost) * len(found) > COMPARED:
        return
    could = {key: [one for one in found if _is_elsewhere(key, one, expected, actual, inner)] for key in lost}
    wanted = [one for candidates in could.values() for one in candidates]
    for key, candidates in could.items():
        if len(candidates) == 1 and wanted.count(candidates[0]) == 1:
            yield candidates[0].path, key.path


def _is_elsewhere(
    key: Key, there: Key, expected: Mapping[Key, Record], actual: Mapping[Key, Record], inner: tuple[Inside, Inside]
) -> bool:
    if key.path[0] == there.path[0] or key.path[1] == there.path[1] or Key("schema", key.path[:1]) not in actual:
        return False
    names = {there.path[0]: key.path[0], there.path[1]: key.path[1]}
    same = same_record(expected[key], actual[there], names)
    return same and same_inside(inner[0][key.path], inner[1][there.path], names)


def _follows(key: Key, expected: Mapping[Key, Record], origins: Mapping[Key, Key], kinds: Mapping[str, Kind]) -> bool:
    """Return whether a sequence was moved along with the table that uses it."""
    if key.kind != "sequence":
        return False
    parent = kinds[key.kind].parent(key, expected[key])
    table = origins.get(Key("table", parent.path[:2])) if parent is not None else None
    return table is not None and table.path[0] == origins[key].path[0]


def _spelled(expected: Mapping[Key, Record], objects: Mapping[Key, Record], places: Places) -> dict[Key, Record]:
    """Return the objects, with the expected texts where these differ only by the schema of a moved object."""
    names = {_spelling(there): _spelling(path) for there, path in places.items()}
    quoted = {_doubled(old): _doubled(new) for old, new in names.items() if "'" in old}  # as a part of a string
    names |= quoted
    # A query also mentions a table by its bare name.
    names |= {quote(there[1]): quote(path[1]) for there, path in places.items() if there[1] != path[1]}
    one = re.compile(rf'(?<![\w$."])({"|".join(map(_exactly, names))})(?![\w$"])')

    def back(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(back, value))
        return one.sub(lambda match: names[match[1]], value) if isinstance(value, str) else value

    sure = (*map(_spelling, places), *quoted)
    certain = re.compile(rf'(?<![\w$."])({"|".join(map(_exactly, sure))})(?![\w$"])')

    def known(text: str) -> str:
        return certain.sub(lambda match: names[match[1]], text)

    # A text that differs for other reasons as well, as a rename, has the expected schemas all the same.
    return {key: spelled(as_expected(expected.get(key), record, back), known) for key, record in objects.items()}


def as_expected(expected: Record | None, actual: Record, back: Any) -> Record:
    """Return an actual object with the expected texts where `back` makes them the same."""
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
    """Return schema and name as texts write them: the sign of an operator has no quotes."""
    if len(path) == 3 and SIGN.fullmatch(path[1]):
        return f"{quote(path[0])}.{path[1]}"
    return ".".join(map(quote, path[:2]))


def _doubled(name: str) -> str:
    return name.replace("'", "''")


def _exactly(name: str) -> str:
    """Return the pattern for a name; a sign must not be the beginning of another one."""
    return re.escape(name) + (f"(?!{SIGN.pattern})" if SIGN.fullmatch(name[-1]) else "")


SIGN = re.compile(r"[-+*/<>=~!@#%^&|`?]+")
