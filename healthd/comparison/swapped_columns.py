"""Columns of one table whose names changed places: every row is read with one in the place of the other.

Columns that stand in another order are no swap: a database that was made by other statements, and a column that was
dropped and made again, have them. Names that changed places carry along what else is known of a column, and what
speaks of it (indexes, constraints, views); where nothing tells, `history` does: when each column was last touched.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from healthd.comparison.renames import column_names, same_record
from healthd.comparison.swapped_texts import followed, path_with, renamed_back, spoken_with
from healthd.model.attributes import Record
from healthd.model.names import Key, quote
from healthd.model.observations import TouchedColumn
from healthd.model.snapshots import SWAPPED, Difference, Snapshot

Names = Mapping[str, str]  # from the name that a column has to the one that is expected of it
History = Mapping[Key, Sequence[TouchedColumn]]  # of a table's columns, in the order of their numbers


def suspects(expected: Snapshot, actual: Snapshot) -> tuple[Key, ...]:
    """Return the tables whose columns stand in another order, and say so for themselves."""
    return tuple(
        key
        for key, record in expected.objects.items()
        if key.kind in ("table", "foreign_table")
        and record.bound is None  # a partition's columns are called as its parent's
        and (other := actual.objects.get(key)) is not None
        and record.column_order != other.column_order
        and None not in (record.column_order, other.column_order)
    )


def swapped_back(
    expected: Snapshot, actual: Snapshot, tables: Iterable[Key], history: History
) -> tuple[Snapshot, tuple[Difference, ...]]:
    """Return the actual side with the columns of these tables under their own names, and what was swapped.

    The sides of a difference are the names, in the order in which the columns stand. Both snapshots are whole.
    """
    told: list[Difference] = []
    for table in tables:
        for names in _swapped(table, expected.objects, actual.objects, history.get(table, ())):
            objects = renamed_back(table.path, names, expected.objects, actual.objects)
            order = [one for one in column_names(actual.objects[table].column_order) if one in names]
            told.append(Difference(table, SWAPPED, tuple(names[one] for one in order), tuple(order)))
            actual = replace(actual, objects=objects)
    return actual, tuple(told)


def repair(difference: Difference, taken: Iterable[str]) -> str:
    """Return the transaction that gives columns their names back; `taken` are the names of all columns."""
    alter = f"ALTER TABLE {difference.key.sql} RENAME COLUMN"
    names = dict(zip(difference.actual, difference.expected, strict=True))
    steps, aside = [], ""
    while names:
        free = next((one for one in names if names[one] not in names), None)
        if free is None:  # a circle: one of them steps aside
            free = next(iter(names))
            aside = _free_name({*taken, *difference.actual, *difference.expected}, free)
            steps.append(f"{alter} {quote(free)} TO {quote(aside)};")
            names[aside] = names.pop(free)
        else:
            steps.append(f"{alter} {quote(free)} TO {quote(names.pop(free))};")
    return "\n".join(["BEGIN;", *steps, "COMMIT;"])


def message(difference: Difference) -> str:
    """Return one line that names the columns, and which is called what."""
    names = dict(zip(difference.expected, difference.actual, strict=True))
    *first, last = map(quote, names)
    called = ", ".join(f"{quote(one)} is called {quote(there)}" for one, there in names.items())
    return f"{difference.key}: columns {', '.join(first)} and {last} are swapped: {called}; every row is read wrongly"


def _free_name(taken: Iterable[str], name: str) -> str:
    base = name.encode()[:48].decode(errors="ignore")
    return next(one for n in range(10_000) if (one := f"{base}_aside{n or ''}") not in set(taken))


# ── which ───────────────────────────────────────────────────────────────────────────────────────────────


def _swapped(
    table: Key, expected: Mapping[Key, Record], actual: Mapping[Key, Record], history: Sequence[TouchedColumn]
) -> Iterator[Names]:
    """Yield the columns of a table that changed places by name, each group once."""
    wanted, there = column_names(expected[table].column_order), column_names(actual[table].column_order)
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
    """Yield the circles and the chains of names, each from one name to the next."""
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
    """Return whether the names of these columns changed places, and not the columns."""

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
    circle = len(stayed) == len(names)  # a chain may as well be a column that was dropped, and another one made
    return circle and not stands_as_made(history, names)


def _spoken(table: Key, names: Names, expected: Mapping[Key, Record], actual: Mapping[Key, Record]) -> Iterator[bool]:
    """Yield, for what speaks of these columns, whether it followed other names (true) or kept theirs (false)."""
    back = {own: name for name, own in names.items()}
    for key, record in expected.items():
        if key.kind == "column" or key == table or not spoken_with(key, record, table.path, names):
            continue
        moved = Key(key.kind, path_with(key, table.path, back))
        kept, went = actual.get(key), actual.get(moved)
        if went is not None and followed(record, went, names) and (moved != key or went != record):
            yield True
        elif kept == record and (moved != key or not followed(record, record, names)):
            yield False


def stands_as_made(history: Sequence[TouchedColumn], names: Names) -> bool:
    """Return whether these columns were made in the order in which they stand, so that none was renamed.

    `history` is of all columns of the table, those that were dropped too, in the order of their numbers.
    """
    mine = [one for one in history if one.name in names]
    if any(one.untouched for one in mine):
        return True
    for gone in (one for one in history if one.name is None):  # dropped after one was touched, and before another
        if any(one.at < gone.at for one in mine) and any(gone.at < one.at for one in mine):
            return True
    start = next((position for position, one in enumerate(history) if one.name in names), 0)
    later = [one for one in history[start:] if one.name is not None]
    in_order = all(one.at < two.at for one, two in pairwise(later))
    return bool(mine) and in_order and not any(one.untouched or one.migrated_table for one in later)
