"""Columns of one table that have exchanged their names: every row is read with one in place of the other.

A different order of columns alone is not a swap: a database that was created by other statements has one, and so has a
table with a column that was dropped and created again. Renamed columns keep their other attributes, and the objects
that mention them (indexes, constraints, views) follow; where neither shows it, `history` does: the numbers of the
columns, and when each was last changed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from healthd.comparison.column_origins import Origins, origins
from healthd.comparison.other_parents import is_of_other_parent
from healthd.comparison.renames import same_record
from healthd.comparison.swapped_texts import followed, path_with, renamed_back, spoken_with
from healthd.model.attributes import Record
from healthd.model.names import Key, quote
from healthd.model.observations import TouchedColumn
from healthd.model.snapshots import SWAPPED, Difference, Snapshot
from healthd.sqltext.tokens import listed

Names = Mapping[str, str]  # from a column's actual name to its expected one
History = Mapping[Key, Sequence[TouchedColumn]]  # of a table's columns, in the order of their numbers


def suspects(expected: Snapshot, actual: Snapshot) -> tuple[Key, ...]:
    """Return the tables whose own columns are in a different order."""
    return tuple(
        key
        for key, record in expected.objects.items()
        if key.kind in ("table", "foreign_table")
        and record.bound is None  # a partition's columns have the names of its parent's
        and (other := actual.objects.get(key)) is not None
        and record.column_order != other.column_order
        and None not in (record.column_order, other.column_order)
        and not _is_of_other_parent(key, expected, actual)
    )


def _is_of_other_parent(table: Key, expected: Snapshot, actual: Snapshot) -> bool:
    """Return whether a table has its columns, or some of them, from one that should not be above it."""
    names = listed(actual.objects[table].column_order)
    columns = (Key("column", (*table.path, name)) for name in names)
    return any(is_of_other_parent(one, expected.objects, actual.objects) for one in columns)


def swapped_back(
    expected: Snapshot, actual: Snapshot, tables: Iterable[Key], history: History
) -> tuple[Snapshot, tuple[Difference, ...]]:
    """Return the actual side with the columns of these tables under their expected names, and what was swapped.

    The sides of a difference are the names, in the order of the columns. Both snapshots must be complete.
    """
    differences: list[Difference] = []
    for table in tables:
        for names in _swapped(table, expected.objects, actual.objects, history.get(table, ())):
            objects = renamed_back(table.path, names, expected.objects, actual.objects)
            order = [one for one in listed(actual.objects[table].column_order) if one in names]
            differences.append(Difference(table, SWAPPED, tuple(names[one] for one in order), tuple(order)))
            actual = replace(actual, objects=objects)
    return actual, tuple(differences)


def repair(difference: Difference, taken: Iterable[str]) -> str:
    """Return the statements that restore the names of columns; `taken` are the names of all columns."""
    alter = f"ALTER TABLE {difference.key.sql} RENAME COLUMN"
    return "\n".join(f"{alter} {quote(one)} TO {quote(other)};" for one, other in exchanged(difference, taken))


def exchanged(difference: Difference, taken: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the renames, from one name to another, that restore names which were exchanged, in their order."""
    names = dict(zip(difference.actual, difference.expected, strict=True))
    while names:
        free = next((one for one in names if names[one] not in names), None)
        if free is None:  # a cycle: one of them gets a temporary name
            free = next(iter(names))
            aside = _free_name({*taken, *difference.actual, *difference.expected}, free)
            yield free, aside
            names[aside] = names.pop(free)
        else:
            yield free, names.pop(free)


def message(difference: Difference) -> str:
    """Return one line with the columns, and their actual names."""
    names = dict(zip(difference.expected, difference.actual, strict=True))
    *first, last = map(quote, names)
    called = ", ".join(f"{quote(one)} is named {quote(there)}" for one, there in names.items())
    swapped = f"columns {', '.join(first)} and {last} are swapped"
    return f"{difference.key}: {swapped}: {called}; every row is read incorrectly"


def _free_name(taken: Iterable[str], name: str) -> str:
    base = name.encode()[:48].decode(errors="ignore")
    return next(one for n in range(10_000) if (one := f"{base}_aside{n or ''}") not in set(taken))


# ── which ───────────────────────────────────────────────────────────────────────────────────────────────


def _swapped(
    table: Key, expected: Mapping[Key, Record], actual: Mapping[Key, Record], history: Sequence[TouchedColumn]
) -> Iterator[Names]:
    """Yield the columns of a table that have exchanged their names, each group once."""
    wanted, there = listed(expected[table].column_order), listed(actual[table].column_order)
    common = [one for one in wanted if one in there], [one for one in there if one in wanted]
    pairs = [(wanted, there), common] if len(wanted) == len(there) else [common]
    for one, other in pairs:
        moved = {name: own for own, name in zip(one, other, strict=True) if own != name}
        found = [
            names
            for names in _groups(moved)
            if any(name in wanted for name in names) and _is_swap(table, names, expected, actual, history)
        ]
        if found:
            yield from found
            return


def _groups(moved: Names) -> Iterator[Names]:
    """Yield the cycles and the chains of names, each from one name to the next."""
    left = dict(moved)
    heads = [one for one in moved if one not in moved.values()]
    while left:
        name = heads.pop() if heads else next(iter(left))
        group: dict[str, str] = {}
        while name in left:
            group[name] = left.pop(name)
            name = group[name]
        yield group


def _is_swap(
    table: Key,
    names: Names,
    expected: Mapping[Key, Record],
    actual: Mapping[Key, Record],
    history: Sequence[TouchedColumn],
) -> bool:
    """Return whether the names of these columns were exchanged, and not the columns themselves."""

    def column(side: Mapping[Key, Record], name: str) -> Record:
        return side.get(Key("column", (*table.path, name)))

    if not all(same_record(column(expected, own), column(actual, name), names) for name, own in names.items()):
        return False
    stayed = [one for one in names if one in names.values()]
    if not all(same_record(column(expected, one), column(actual, one), {}) for one in stayed):
        return True
    spoken = set(_spoken(table, names, expected, actual))
    if spoken:
        return True in spoken
    if len(stayed) != len(names):  # a chain may also be a column that was dropped and another that was created
        return False
    order = [] if expected[table].inherits else listed(expected[table].column_order)  # a parent's are not among them
    known = origins(order, history)
    return not stands_as_made(history, names) if known is None else _are_renamed(known, history, names)


def _spoken(table: Key, names: Names, expected: Mapping[Key, Record], actual: Mapping[Key, Record]) -> Iterator[bool]:
    """Yield, for each object that mentions these columns, whether it followed the renames (true) or not (false)."""
    back = {own: name for name, own in names.items()}
    for key, record in expected.items():
        if key.kind == "column" or key == table or not spoken_with(key, expected, table.path, names):
            continue
        moved = Key(key.kind, path_with(key, table.path, back))
        kept, went = actual.get(key), actual.get(moved)
        if went is not None and followed(record, went, names) and (moved != key or not same_record(record, went, {})):
            yield True
        elif kept == record and (moved != key or not followed(record, record, names)):
            yield False


def _are_renamed(known: Origins, history: Sequence[TouchedColumn], names: Names) -> bool:
    """Return whether the names of these columns were exchanged, from what each of them once was.

    Those that were added by hand may have been added in this order, unless each was changed since the last one was
    added, or they were changed in another order.
    """
    were = {name: was for name in names if (was := known.get(name)) is not None}
    if were:
        return all(name != was for name, was in were.items())
    mine = [one for one in history if one.name in names]
    if any(one.kept for one in mine):
        return False
    there = [one for one in history if one.name is not None]
    late = all(one.late or any(two.at < one.at for two in there[there.index(one) + 1 :]) for one in mine)
    return late or not all(one.at < two.at for one, two in pairwise(mine))


def stands_as_made(history: Sequence[TouchedColumn], names: Names) -> bool:
    """Return whether these columns were created in their present order, so that none was renamed.

    `history` covers all columns of the table, including dropped ones, in the order of their numbers.
    """
    mine = [one for one in history if one.name in names]
    if any(one.untouched for one in mine):
        return True
    for gone in (one for one in history if one.name is None):  # dropped after one was changed, and before another
        if any(one.at < gone.at for one in mine) and any(gone.at < one.at for one in mine):
            return True
    start = next((position for position, one in enumerate(history) if one.name in names), 0)
    later = [one for one in history[start:] if one.name is not None]
    in_order = all(one.at < two.at for one, two in pairwise(later))
    return bool(mine) and in_order and not any(one.untouched or one.migrated_table for one in later)
