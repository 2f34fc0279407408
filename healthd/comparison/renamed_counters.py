"""Sequences that were renamed together with the column that they count, or renamed and changed as well."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from healthd.catalog import KINDS
from healthd.comparison.renames import named_back, same_place, same_record
from healthd.model.attributes import Record
from healthd.model.names import Key, literal
from healthd.model.snapshots import NAME_OF, Difference, Snapshot
from healthd.sqltext.tokens import tokens

Objects = Mapping[Key, Record]
Path = tuple[str, ...]


def counters_back(
    expected: Snapshot, actual: Snapshot, earlier: Iterable[Difference]
) -> tuple[Snapshot, tuple[Difference, ...]]:
    """Return the actual side with such sequences under their expected names, and a difference for each.

    A sequence says which column owns it, and the default of the column says which sequence that is: if both have other
    names, neither looks as expected before the other does. The column has the expected name, or is otherwise the same
    as the missing one at its place. `earlier` are the renames that other passes found.
    """
    found = dict(_pairs(expected.objects, actual.objects, _renamed(earlier)))
    if not found:
        return actual, ()
    named, differences = named_back(expected, actual, "sequence", found)
    columns = {key: _with_default(record, found) for key, record in named.objects.items() if key.kind == "column"}
    return replace(named, objects={**named.objects, **columns}), differences


def _renamed(earlier: Iterable[Difference]) -> Mapping[Key, Key]:
    """Return the expected keys of tables and columns that were renamed, by the keys that they had."""
    return {
        KINDS[one.key.kind].with_name(one.key, one.actual): one.key
        for one in earlier
        if one.attribute == NAME_OF and one.key.kind in ("table", "column")
    }


def _pairs(expected: Objects, actual: Objects, renamed: Mapping[Key, Key]) -> Iterator[tuple[Key, Key]]:
    """Yield (the actual key, the expected key) of sequences that count the same column, each its only one."""
    missing, extra = _counters(expected, actual, {}), _counters(actual, expected, renamed)
    for table in missing.keys() & extra.keys():
        for column, sequence in _only(missing[table]):
            for there, found in _only(extra[table]):
                if sequence.path[0] == found.path[0] and _is_same(expected, column, actual, there, (sequence, found)):
                    yield found, sequence


def _counters(objects: Objects, others: Objects, renamed: Mapping[Key, Key]) -> Mapping[Path, list[tuple[Key, Key]]]:
    """Return the columns that sequences count which only one side has, with these, by the path of their table."""
    found = defaultdict[Path, list[tuple[Key, Key]]](list)
    for key in sorted(objects.keys() - others.keys()):
        if key.kind == "sequence" and (owned := objects[key].owned_by):
            column = _column(Key.parse(f"column:{owned}"), renamed)
            if column in objects and _counts(key, objects[column]):
                found[column.path[:2]].append((column, key))
    return found


def _only(counters: Sequence[tuple[Key, Key]]) -> Iterator[tuple[Key, Key]]:
    """Yield the columns that one sequence counts, with that."""
    of = dict(counters)
    many = Counter(column for column, _ in counters)
    return ((column, sequence) for column, sequence in of.items() if many[column] == 1)


def _column(owned: Key, renamed: Mapping[Key, Key]) -> Key:
    """Return the expected key of a column that a sequence names as its owner."""
    table = Key("table", owned.path[:2])
    column = Key("column", (*renamed.get(table, table).path, owned.path[2]))
    return renamed.get(column, column)


def _counts(sequence: Key, column: Record) -> bool:
    """Return whether a column takes its values from a sequence."""
    named = sequence.path[1] in tokens(column.default or "") or literal(sequence.sql) in (column.default or "")
    return named or column.identity != "none"


def _is_same(expected: Objects, column: Key, actual: Objects, there: Key, names: tuple[Key, Key]) -> bool:
    """Return whether an expected and an actual column are the same one; `names` are those of their sequences."""
    if column == there:
        return bool((expected[column].identity == "none") == (actual[there].identity == "none"))
    if column in actual or there in expected or not same_place(column, there, expected, actual):
        return False
    own, other = names
    return same_record(expected[column], _with_default(actual[there], {other: own}), {other.path[1]: own.path[1]})


def _with_default(record: Record, names: Mapping[Key, Key]) -> Record:
    """Return a column whose default has the expected names of sequences, quoted as a part of a string."""
    default = getattr(record, "default", None)
    for there, key in names.items():
        default = default and default.replace(literal(there.sql), literal(key.sql))
    return record if default == getattr(record, "default", None) else replace(record, default=default)
