"""The statements that restore schemas and names, also if several objects have exchanged theirs."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping

from healthd.catalog import KINDS
from healthd.comparison import moves, renames, swapped_columns
from healthd.model.attributes import Record
from healthd.model.kinds import Path
from healthd.model.names import Key, quote
from healthd.model.scripts import Statement
from healthd.model.snapshots import NAME_OF, PLACE_OF, SCHEMA_OF, SWAPPED, Difference

NAMES = (SCHEMA_OF, PLACE_OF, NAME_OF, SWAPPED)


def restored_names(
    objects: Mapping[Key, Record], differences: Iterable[Difference], expected: Container[Key] | None = None
) -> Iterator[Statement]:
    """Yield the statements that restore schemas and names, in the order of the passes that found them.

    The names of indexes of tables that are not `expected` are made free.
    """
    differences = tuple(differences)
    occupied = _occupied(objects, differences, expected)
    for cycle in _cycles(tuple(one for one in differences if one.attribute in NAMES)):
        one = cycle[0]
        if one.attribute in (SCHEMA_OF, PLACE_OF):
            sql = moves.repair(one)
        elif one.attribute == SWAPPED:
            taken = (key.path[-1] for key in objects if key.kind == "column" and key.path[:2] == one.key.path)
            sql = swapped_columns.repair(one, taken)
        elif len(cycle) > 1:
            sql = "\n".join(_exchanged(cycle, objects))
        elif of_type := _type_of_table(one.key, objects):
            sql = f"ALTER TYPE {of_type} RENAME ATTRIBUTE {quote(one.actual)} TO {quote(one.expected)} CASCADE;"
        else:
            record = objects[one.key]
            there = occupied.get((one.key.path[0], one.expected)) if _has_index(one.key, record) else None
            sql = "\n".join((*_made_free(there), renames.repair(one, record)))
        yield Statement(sql, tuple(one.place for one in cycle), key=one.key)


def _occupied(
    objects: Mapping[Key, Record], differences: Iterable[Difference], expected: Container[Key] | None
) -> Mapping[Path, Key]:
    """Return the indexes and constraints of tables that nobody expects, by their names in their schema."""
    named = (one.key for one in differences if one.attribute == NAME_OF)
    if expected is None or not any(_has_index(key, objects[key]) for key in named):
        return {}
    return {
        (key.path[0], key.path[2]): key
        for key, record in objects.items()
        if _has_index(key, record) and Key("table", key.path[:2]) not in expected
    }


def _type_of_table(key: Key, objects: Mapping[Key, Record]) -> str | None:
    """Return the type whose attribute a column is: no column of a typed table can be renamed by itself."""
    return getattr(objects.get(Key("table", key.path[:2])), "of_type", None) if key.kind == "column" else None


def _made_free(there: Key | None) -> Iterator[str]:
    """Yield the statement that gives another name to an index that has the expected name of another one."""
    if there is not None:
        yield f"ALTER INDEX {Key('', (there.path[0], there.path[2])).sql} RENAME TO {quote(aside(there.path[2]))};"


def _has_index(key: Key, record: Record) -> bool:
    return key.kind == "index" or (key.kind == "constraint" and record.type in ("primary key", "unique", "exclusion"))


def aside(name: str) -> str:
    """Return another name for what has this one."""
    return f"{name.encode()[:48].decode(errors='ignore')}_aside"


def _cycles(differences: tuple[Difference, ...]) -> Iterator[tuple[Difference, ...]]:
    """Yield objects that have exchanged their names together, everything else alone, in the order of the first ones."""
    named = {one.key: one for one in differences if one.attribute == NAME_OF}
    done = set[Key]()
    for one in differences:
        if one.attribute != NAME_OF:
            yield (one,)
        elif one.key not in done:
            cycle = [one]
            while (following := named.get(_present(cycle[-1]))) is not None and following not in cycle:
                cycle.append(following)
            found = tuple(cycle) if following is one else (one,)
            done |= {each.key for each in found}
            yield found


def _exchanged(cycle: tuple[Difference, ...], objects: Mapping[Key, Record]) -> Iterator[str]:
    """Yield the statements for objects of which each has the name of the next one: the first name becomes free."""
    first, last = cycle[0], cycle[-1]
    kind = KINDS[first.key.kind]
    free = aside(first.expected)
    yield kind.renamed(first.key, objects[last.key], free)
    for one in cycle[:-1]:
        yield renames.repair(one, objects[one.key])
    yield kind.renamed(kind.with_name(last.key, free), objects[last.key], last.expected)


def _present(difference: Difference) -> Key:
    """Return the key that a renamed object has now."""
    return KINDS[difference.key.kind].with_name(difference.key, difference.actual)
