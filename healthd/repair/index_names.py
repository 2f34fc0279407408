"""The names of indexes: a schema has each once, also those of keys and of the indexes of partitions."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from itertools import count

from healthd.catalog import KINDS
from healthd.comparison.changed_tables import KEYS
from healthd.comparison.partitions import attached_names
from healthd.model.attributes import Record
from healthd.model.kinds import Path
from healthd.model.names import Key, quote
from healthd.model.scripts import Statement
from healthd.model.snapshots import NAME_OF, Difference

Objects = Mapping[Key, Record]


def index_of(key: Key, record: Record) -> Path | None:
    """Return the schema and the name of an index, or of that of a key; None for anything else."""
    has_index = key.kind == "index" or (key.kind == "constraint" and record.type in KEYS)
    return (key.path[0], key.path[2]) if has_index else None


def renaming(there: Path, name: str) -> str:
    """Return the SQL that gives an index another name; a key has the name of its index."""
    return f"ALTER INDEX {Key('', there).sql} RENAME TO {quote(name)};"


def aside(name: str, number: int = 0) -> str:
    """Return another name for what has this one."""
    return f"{name.encode()[:48].decode(errors='ignore')}_aside{number or ''}"


def together(differences: Iterable[Difference], objects: Objects) -> dict[Key, tuple[Difference, ...]]:
    """Return indexes of which some have the names of others, by each of them, in the order in which they give them up.

    In a circle, the last one has the name of the first one.
    """
    renamed = [(one, index_of(one.key, objects[one.key])) for one in differences if one.attribute == NAME_OF]
    there = {(index[0], one.actual): one for one, index in renamed if index}
    wanted = {index for _, index in renamed if index}
    found: dict[Key, tuple[Difference, ...]] = {}
    for name in sorted(there, key=lambda one: one in wanted):  # the ends of chains, and then what is in circles
        waiting = [there[name]]
        while (holder := there.get((name[0], waiting[-1].expected))) is not None and holder not in waiting:
            waiting.append(holder)
        if len(waiting) > 1 and waiting[0].key not in found:
            found |= dict.fromkeys((one.key for one in waiting), tuple(reversed(waiting)))
    return found


def given_up(group: tuple[Difference, ...], used: Container[Path]) -> Iterator[str]:
    """Yield the statements for such indexes: in a circle, one has another name for a while."""
    schema, first, last = group[0].key.path[0], group[0], group[-1]
    free = unused((schema, first.expected), used) if last.actual == first.expected else last.actual
    if free != last.actual:
        yield renaming((schema, last.actual), free)
    for one in group:
        yield renaming((schema, free if one is last else one.actual), one.expected)


def unused(index: Path, used: Container[Path]) -> str:
    """Return another name for an index, which nothing in its schema has."""
    return next(name for n in count() if (index[0], name := aside(index[1], n)) not in used)


def names_in_use(objects: Objects, differences: Iterable[Difference]) -> set[Path]:
    """Return the schemas and the names of all relations; of those that are renamed, the present ones too."""
    found = {key.path for key in objects if KINDS[key.kind].relkinds and len(key.path) == 2}
    indexes = {index for key, record in objects.items() if (index := index_of(key, record))}
    return found | indexes | {(one.key.path[0], one.actual) for one in differences if one.attribute == NAME_OF}


def attached(record: Record) -> Iterator[Path]:
    """Yield the schemas and the names of the indexes of partitions that are attached to an index."""
    return (Key.parse(f"index:{name}").path for name in attached_names(record))


def of_partitions(expected: Objects, actual: Objects, differences: Iterable[Difference]) -> Iterator[Statement]:
    """Yield the statements that give indexes of partitions other names where they have those of expected indexes.

    They get those that are expected of them, if these are certain.
    """
    differences = tuple(differences)
    wanted = dict(_wanted(expected, differences))
    if not wanted:
        return
    used = names_in_use({**actual, **expected}, differences)
    used |= {there for record in actual.values() for there in attached(record)}
    for root, record in actual.items():
        for there in attached(record):
            one = wanted.get(there)
            if one is not None and (one.attribute == NAME_OF or root in expected):  # otherwise it is dropped before
                name = _own_name(there, expected.get(root), record, used) or unused(there, used)
                used.add((there[0], name))
                yield Statement(renaming(there, name), (one.place,), key=root)


def as_present(actual: Objects, copy: Objects, script: Iterable[Statement]) -> Iterator[str]:
    """Yield the statements that give indexes of partitions in a copy the names that a script finds where it runs.

    Which partition has which of these names is of no consequence for the script.
    """
    text = "\n".join(one.sql for one in script)
    for root, record in actual.items():
        names, others = set(attached(record)), set(attached(copy.get(root)))
        for there, name in zip(sorted(others - names), sorted(names - others), strict=False):
            if there[0] == name[0] and f" INDEX {Key('', name).sql} RENAME TO " in text:
                yield renaming(there, name[1])


def _wanted(expected: Objects, differences: Iterable[Difference]) -> Iterator[tuple[Path, Difference]]:
    """Yield the names of the indexes that are created, or get their names back."""
    for one in differences:
        index = index_of(one.key, expected[one.key]) if one.key in expected else None
        if index and (one.missing or one.attribute == NAME_OF):
            yield index, one


def _own_name(there: Path, expected: Record | None, actual: Record, used: AbstractSet[Path]) -> str | None:
    """Return the only name that is expected of an attached index and that none has."""
    wanted, present = set(attached(expected)), set(attached(actual))
    lost = wanted - present
    certain = len(lost) == len(present - wanted) == 1 and lost.isdisjoint(used)
    return next((name for schema, name in lost if schema == there[0]), None) if certain else None
