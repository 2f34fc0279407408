"""Renames: an object that is missing under its name but exists under another is one difference."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from healthd import catalog
from healthd.comparison.other_parents import is_of_other_parent
from healthd.comparison.view_columns import could_be_renamed
from healthd.model.attributes import MINOR, Attribute, Record, attributes
from healthd.model.kinds import Kind, Path
from healthd.model.names import HANGING, Key, quote
from healthd.model.snapshots import NAME_OF, Difference, Snapshot
from healthd.sqltext.tokens import listed, tokens

# Texts that the server stores as they were written: they do not follow a rename.
AS_WRITTEN = frozenset({"body", "settings", "text", "label"})

COMPARED = 10_000  # the maximum number of pairs in one schema or table; more are not the result of renames

Objects = dict[Key, Record]
Alike = Callable[[Key, Key, Mapping[str, str]], bool]  # whether an expected and an actual object are, by known renames
Paths = dict[tuple[str, ...], tuple[str, ...]]  # from the actual path to the expected one


def aligned(
    expected: Snapshot, actual: Snapshot, kinds: Mapping[str, Kind], earlier: Iterable[Difference] = ()
) -> tuple[Snapshot, tuple[Difference, ...]]:
    """Return the actual side under the expected names, and a difference for each object that has another name.

    An object was renamed if exactly one object is missing and exactly one unexpected object of its kind, in the same
    schema or table, is equal to it; a key or an index, also if it differs in what can be altered. Texts that differ
    only by the new names, and by those that a pass found `earlier`, count as expected.
    """
    objects, names, differences = dict(actual.objects), _names_of(earlier), list[Difference]()
    looking = True
    while looking:  # an object under its expected name may be what another one is in, or mentions
        looking = False
        for kind in _renamed_kinds(expected.objects, objects, kinds):
            found = dict(_pairs(kind, expected.objects, objects, names, kinds))
            now = {key: _name(there) for there, key in found.items()}
            names |= {name: _name(key) for key, name in now.items()}
            if found:
                looking = True
                paths = {there.path: key.path for there, key in found.items()}
                paths |= dict(_carried(paths, expected.objects, objects)) if kind == "column" else {}
                objects = under_other_paths(objects, kind, paths)
            differences += [
                Difference(key, NAME_OF, _name(key), name)
                for key, name in now.items()
                if not _follows(key, expected.objects, now)
            ]
    if not differences:
        return actual, ()
    return replace(actual, objects=with_expected_texts(expected.objects, objects, names)), tuple(differences)


def under_other_names(
    expected: Mapping[Key, Record], objects: Mapping[Key, Record], kind: str, found: Mapping[Key, Key]
) -> Objects:
    """Return the objects with other names for some of one kind (actual: expected key), and the texts that follow."""
    names = {_name(there): _name(key) for there, key in found.items()}
    renamed = under_other_paths(objects, kind, {there.path: key.path for there, key in found.items()})
    return with_expected_texts(expected, renamed, names)


def named_back(
    expected: Snapshot, actual: Snapshot, kind: str, found: Mapping[Key, Key]
) -> tuple[Snapshot, tuple[Difference, ...]]:
    """Return the actual side with the expected names of these objects of one kind, and a difference for each.

    `found` has the expected key of each by its actual key.
    """
    if not found:
        return actual, ()
    objects = under_other_names(expected.objects, actual.objects, kind, found)
    differences = (Difference(key, NAME_OF, _name(key), _name(there)) for there, key in found.items())
    return replace(actual, objects=objects), tuple(differences)


def together(expected: Snapshot, actual: Snapshot, differences: Iterable[Difference]) -> Snapshot:
    """Return the actual side with the expected texts where these differ by several new names, which passes found."""
    names = _names_of(differences)
    if len(names) > 1:
        return replace(actual, objects=with_expected_texts(expected.objects, dict(actual.objects), names))
    return actual


def _names_of(differences: Iterable[Difference]) -> dict[str, str]:
    found = tuple(one for one in differences if one.attribute == NAME_OF)
    passed_on = chained(found)
    return {one.actual: one.expected for one in found if one.key not in passed_on}


def chained(differences: Iterable[Difference]) -> frozenset[Key]:
    """Return the tables that have the name of another one, which has another one again: no circle.

    Texts have the expected names of both already, and would get those of others if they were replaced again.
    """
    found = {one.key: one for one in differences if one.attribute == NAME_OF and one.key.kind == "table"}
    back = {key: then for key, one in found.items() if (then := Key("table", (key.path[0], one.actual))) in found}
    ends = [key for key in found if key not in back]
    before = {then: key for key, then in back.items()}
    passed_on = set[Key]()
    while ends:
        if (key := before.get(ends.pop())) is not None:
            passed_on.add(key)
            ends.append(key)
    return frozenset(passed_on)


def with_expected_texts(expected: Mapping[Key, Record], objects: Objects, names: Mapping[str, str]) -> Objects:
    """Return the objects with the expected texts where these differ only by new names."""
    followed = dict(objects)
    for key, record in objects.items():
        other = expected.get(key)
        if other is None and getattr(record, "inherits", None):  # a new partition of a renamed table
            followed[key] = replace(record, inherits=tuple(_under(one, objects, names) for one in record.inherits))
        elif other is not None and other != record and type(other) is type(record):
            followed[key] = _spelled(other, record, names)
    return followed


def repair(difference: Difference, record: Record) -> str:
    """Return the SQL that gives an object its expected name."""
    kind = catalog.KINDS[difference.key.kind]
    return kind.renamed(kind.with_name(difference.key, difference.actual), record, difference.expected)


# ── which ───────────────────────────────────────────────────────────────────────────────────────────────


def _renamed_kinds(
    expected: Mapping[Key, Record], actual: Mapping[Key, Record], kinds: Mapping[str, Kind]
) -> Iterator[str]:
    """Yield the kinds that can be renamed and have both a missing and an unexpected object."""
    missing = {key.kind for key in expected.keys() - actual.keys()}
    extra = {key.kind for key in actual.keys() - expected.keys()}
    return (name for name, kind in kinds.items() if kind.renamable and name in missing & extra)


def _pairs(
    kind: str,
    expected: Mapping[Key, Record],
    actual: Mapping[Key, Record],
    names: Mapping[str, str],
    kinds: Mapping[str, Kind],
) -> Iterator[tuple[Key, Key]]:
    """Yield (the actual key, the expected key) where both are unambiguous."""
    missing = sorted(key for key in expected.keys() - actual.keys() if key.kind == kind)
    extra = sorted(key for key in actual.keys() - expected.keys() if key.kind == kind)
    places = defaultdict[Any, list[Key]](list)
    for key in extra:
        places[_place(key)].append(key)
    alikes = [_alike(kind, expected, actual)]
    if kind in ("constraint", "index"):  # it is renamed, and then altered, rather than built again
        alikes.append(_alike(kind, expected, actual, but=MINOR))
    for place, keys in groupby(sorted(missing, key=_place), key=_place):
        lost, found = list(keys), places[place]
        parents = [kinds[kind].parent(key, expected[key]) for key in lost]
        stays = [one is None or (one in expected and one in actual) for one in parents]
        lost = [key for key, there in zip(lost, stays, strict=True) if there]
        if len(lost) * len(found) > COMPARED:
            continue
        for alike in alikes:
            for there, key in _unambiguous(lost, found, names, alike):
                lost.remove(key)
                found.remove(there)
                yield there, key


def _unambiguous(
    lost: Sequence[Key], found: Sequence[Key], names: Mapping[str, str], alike: Alike
) -> list[tuple[Key, Key]]:
    """Return (the actual key, the expected key) where each is alike only the other."""
    could = {key: [one for one in found if alike(key, one, {**names, _name(one): _name(key)})] for key in lost}
    wanted = Counter(one for candidates in could.values() for one in candidates)
    return [(some[0], key) for key, some in could.items() if len(some) == 1 and wanted[some[0]] == 1]


def _alike(
    kind: str, expected: Mapping[Key, Record], actual: Mapping[Key, Record], *, but: Attribute | None = None
) -> Alike:
    """Return a function that compares an expected and an actual object, given the known renames.

    They may differ in attributes with the meaning `but`.
    """
    inner = inside(kind, expected), inside(kind, actual)

    def alike(key: Key, there: Key, names: Mapping[str, str]) -> bool:
        return (
            same_record(expected[key], actual[there], names, but=but)
            and (kind != "column" or _may_be_renamed(key, there, expected, actual))
            and same_inside(inner[0].get(key.path, {}), inner[1].get(there.path, {}), names)
        )

    return alike


def _may_be_renamed(key: Key, there: Key, expected: Mapping[Key, Record], actual: Mapping[Key, Record]) -> bool:
    """Return whether a column can have got another name: it is at the same place, and from no other table."""
    return (
        same_place(key, there, expected, actual)
        and could_be_renamed(key, there, expected, actual)
        and not is_of_other_parent(there, expected, actual)
    )


def inside(kind: str, objects: Mapping[Key, Record]) -> dict[tuple[str, ...], dict[Any, tuple[Any, ...]]]:
    """Return what identifies schemas and tables: the objects in a schema, and the columns of a table."""
    found = defaultdict[tuple[str, ...], dict[Any, tuple[Any, ...]]](dict)
    for key, record in objects.items():
        if kind in ("table", "foreign_table") and key.kind == "column":
            column = (record.type, record.not_null, record.identity, record.generated)
            found[key.path[:2]][key.path[2]] = column
        elif kind == "schema" and catalog.KINDS[key.kind].in_schema and catalog.KINDS[key.kind].types_at is None:
            found[key.path[:1]][key.kind, key.path[1:]] = ()
    return found


def same_inside(expected: Mapping[Any, Any], actual: Mapping[Any, Any], names: Mapping[str, str]) -> bool:
    return expected.keys() == actual.keys() and all(_same(one, actual[key], names) for key, one in expected.items())


def same_place(key: Key, there: Key, expected: Mapping[Key, Record], actual: Mapping[Key, Record]) -> bool:
    """Return whether two columns have the same position; inherited columns have the position of the parent's."""
    return _position(key, expected) == _position(there, actual)


def _position(column: Key, objects: Mapping[Key, Record]) -> int | None:
    table = _table_of(column, objects)
    names = listed(getattr(table, "column_order", None) or "")
    return names.index(column.path[2]) if column.path[2] in names else None


def _table_of(column: Key, objects: Mapping[Key, Record]) -> Record | None:
    keys = (Key(kind, column.path[:2]) for kind in catalog.KINDS["column"].within)
    return next((objects[key] for key in keys if key in objects), None)


def _carried(paths: Paths, expected: Mapping[Key, Record], actual: Mapping[Key, Record]) -> Iterator[tuple[Path, Path]]:
    """Yield the columns of unexpected tables that follow a renamed column of a parent, with their expected names."""
    renamed = dict(paths)
    tables = [(key, getattr(record, "inherits", ())) for key, record in actual.items() if key not in expected]
    found = True
    while found:
        found = False
        for key, parents in tables:
            for (*table, name), (*_, wanted) in list(renamed.items()):
                there = (*key.path, name)
                if Key("", tuple(table)).sql in parents and there not in renamed and Key("column", there) in actual:
                    renamed[there] = (*key.path, wanted)
                    found = True
                    yield there, renamed[there]


def _follows(key: Key, expected: Mapping[Key, Record], renamed: Mapping[Key, str]) -> bool:
    """Return whether a column was renamed along with the column of a parent table."""
    if key.kind != "column":
        return False
    table = _table_of(key, expected)
    parents = (Key.parse(f"column:{one}") for one in getattr(table, "inherits", ()))
    return any(renamed.get(Key("column", (*one.path, key.path[2]))) == renamed[key] for one in parents)


# ── names ───────────────────────────────────────────────────────────────────────────────────────────────


def _name(key: Key) -> str:
    return key.path[catalog.KINDS[key.kind].name_at]


def _place(key: Key) -> tuple[str, ...]:
    """Return a path without the name."""
    return catalog.KINDS[key.kind].with_name(key, "").path


def under_other_paths(objects: Mapping[Key, Record], kind: str, paths: Paths) -> Objects:
    """Return the objects of a database with other paths for these objects of one kind."""
    depth = len(next(iter(paths)))
    types = {}
    if kind == "schema" or catalog.KINDS[kind].is_type:
        types = {".".join(map(quote, new)): ".".join(map(quote, old)) for new, old in paths.items()}
    end = r"\." if kind == "schema" else r"(?![\w$.\"])"
    spelled = re.compile(rf'(?<![\w$."])({"|".join(map(re.escape, types))}){end}') if types else None

    def inner(key: Key) -> Key:
        path, own = key.path, catalog.KINDS[key.kind]
        if key.kind in HANGING:
            there = inner(Key(path[0], path[1:]))
            return Key(key.kind, (there.kind, *there.path))
        if spelled and own.types_at is not None:
            texts, at = path[own.types_at :], own.types_at
            path = (*path[:at], *(spelled.sub(lambda one: one[0].replace(one[1], types[one[1]]), one) for one in texts))
        start = 0 if key.kind == kind else own.within.get(kind)
        end = len(path) - own.role_last
        if start is None or start + depth > end or (old := paths.get(path[start : start + depth])) is None:
            return Key(key.kind, path)
        return Key(key.kind, (*path[:start], *old, *path[start + depth :]))

    return {inner(key): record for key, record in objects.items()}


# ── texts ───────────────────────────────────────────────────────────────────────────────────────────────


def _under(table: str, objects: Mapping[Key, Record], names: Mapping[str, str]) -> str:
    """Return the expected name of a table, if it was renamed."""
    key = Key.parse(f"table:{table}")
    old = Key("table", tuple(names.get(part, part) for part in key.path))
    return old.sql if key not in objects and old in objects else table


def _spelled(expected: Record, actual: Record, names: Mapping[str, str]) -> Record:
    """Return a record with the expected texts where these differ only by new names."""
    follow = {
        name: one
        for name in attributes(type(expected))
        if (one := getattr(expected, name)) != (other := getattr(actual, name))
        and name not in AS_WRITTEN
        and _same(one, other, names)
    }
    return replace(actual, **follow) if follow else actual


def same_record(expected: Record, actual: Record, names: Mapping[str, str], *, but: Attribute | None = None) -> bool:
    """Return whether two records are the same, except for new names and attributes that are never differences.

    They may differ in attributes with the meaning `but`, too.
    """
    if type(expected) is not type(actual):
        return False
    for name, noted in attributes(type(expected)).items():
        one, other = getattr(expected, name), getattr(actual, name)
        if one == other or noted.severity is None or noted == but:
            continue
        if name in AS_WRITTEN or not _same(one, other, names):
            return False
    return True


def _same(expected: Any, actual: Any, names: Mapping[str, str]) -> bool:
    """Return whether a value differs only by new names."""
    if expected == actual:
        return True
    if isinstance(expected, tuple) and isinstance(actual, tuple):
        pairs = zip(expected, actual, strict=False)
        return len(expected) == len(actual) and all(_same(one, other, names) for one, other in pairs)
    if not isinstance(expected, str) or not isinstance(actual, str):
        return False
    wanted, there = list(_tokens(expected, names)), list(_tokens(actual, names))
    return len(wanted) == len(there) and all(one[0] in other for one, other in zip(wanted, there, strict=True))


def _tokens(text: str, names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield each token of a text, with its expected name; redundant aliases are omitted."""
    pairs = [(word, names.get(word, word)) for word in tokens(text)]
    for position, pair in enumerate(pairs):
        before = pairs[position - 1] if position else ("", "")
        after = pairs[position + 1] if position + 1 < len(pairs) else ("", "")
        if pair[0] == "AS" and before[1] == after[1]:
            continue  # notes AS notes
        if position > 1 and before[0] == "AS" and pair[1] == pairs[position - 2][1]:
            continue
        if re.match(r"\w", pair[0]) and pair[1] == before[1] and not pair[0].isdigit():
            continue  # FROM public.machines machines
        yield pair
