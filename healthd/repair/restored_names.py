"""The statements that restore schemas and names, also if several objects have exchanged theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from healthd.catalog import KINDS
from healthd.comparison import moves, renames, swapped_columns, swapped_labels
from healthd.comparison.rotated_tables import there_of
from healthd.model.attributes import Record
from healthd.model.kinds import Path
from healthd.model.names import HANGING, Key, place_of, quote
from healthd.model.scripts import Statement
from healthd.model.snapshots import NAME_OF, PLACE_OF, SCHEMA_OF, SWAPPED, Difference
from healthd.repair import index_names
from healthd.repair.index_names import aside, index_of
from healthd.text import some

NAMES = (SCHEMA_OF, PLACE_OF, NAME_OF, SWAPPED)


def restored_names(objects: Mapping[Key, Record], differences: Iterable[Difference]) -> Iterator[Statement]:
    """Yield the statements that restore schemas and names, in the order of the passes that found them."""
    differences = tuple(one for one in differences if one.attribute in NAMES)
    indexes = index_names.together(differences, objects)
    open_question = unsettled(differences)
    used = _taken(objects, differences)
    for cycle in _in_order(_cycles(differences, indexes)):
        one = cycle[0]
        if one.attribute in (SCHEMA_OF, PLACE_OF):
            sql = moves.repair(one, used)
        elif one.attribute == SWAPPED and one.key.kind == "enum":
            sql = swapped_labels.repair(one, objects[one.key].labels)
        elif one.attribute == SWAPPED:
            taken = (key.path[-1] for key in objects if key.kind == "column" and key.path[:2] == one.key.path)
            sql = swapped_columns.repair(one, taken)
        elif one.key in indexes:
            sql = "\n".join(index_names.given_up(cycle, index_names.names_in_use(objects, differences)))
        elif len(cycle) > 1:
            sql = "\n".join(_exchanged(cycle, objects))
        elif of_type := _type_of_table(one.key, objects):
            sql = f"ALTER TYPE {of_type} RENAME ATTRIBUTE {quote(one.actual)} TO {quote(one.expected)} CASCADE;"
        else:
            sql = renames.repair(one, objects[one.key])
        held = next((why for each in cycle if (why := _doubt(each) or open_question(each.key))), "")
        yield Statement(sql, tuple(one.place for one in cycle), held=held, key=one.key)


def unsettled(differences: Iterable[Difference]) -> Callable[[Key], str]:
    """Return a function that says why nothing is done to an object of a table that could be another one."""
    tables: dict[Path, Key] = {}
    for one in differences:
        for table in (one.key, *one.rivals) if one.rivals else ():
            tables.setdefault(table.path, one.key)

    def why(key: Key) -> str:
        return f"{table} must be settled first" if (table := tables.get(place_of(key))) is not None else ""

    return why


def _doubt(one: Difference) -> str:
    """Return why a name is not restored; empty if it is certain."""
    others = some(tuple(rival.sql for rival in one.rivals))
    return f"{others} may be it as well, under another name: look at the rows of both" if others else ""


def _taken(objects: Mapping[Key, Record], differences: Iterable[Difference]) -> frozenset[Path]:
    """Return schema and name of all relations, if an object needs a name on its way to another place."""
    differences = tuple(differences)
    if all(one.attribute != PLACE_OF for one in differences):
        return frozenset()
    there = (there_of(one).path for one in differences if one.attribute in (SCHEMA_OF, PLACE_OF, NAME_OF))
    indexes = (index for key, record in objects.items() if (index := index_of(key, record)))
    return frozenset((*there, *indexes, *(key.path for key in objects if key.kind not in HANGING)))


def _in_order(groups: Iterable[tuple[Difference, ...]]) -> Iterator[tuple[Difference, ...]]:
    """Yield all groups; what has a name that another one gets comes before that."""
    groups = tuple(groups)
    having = {there_of(one): group for group in groups for one in group if one.attribute != SWAPPED}
    done = set[Difference]()
    for group in groups:
        waiting = [group]
        while found := [
            first
            for one in waiting[-1]
            if (first := having.get(one.key)) is not None and first not in waiting and first[0] not in done
        ]:
            waiting.append(found[0])
        for each in reversed(waiting):
            if each[0] not in done:
                done.add(each[0])
                yield each


def _type_of_table(key: Key, objects: Mapping[Key, Record]) -> str | None:
    """Return the type whose attribute a column is: no column of a typed table can be renamed by itself."""
    return getattr(objects.get(Key("table", key.path[:2])), "of_type", None) if key.kind == "column" else None


def _cycles(
    differences: tuple[Difference, ...], indexes: Mapping[Key, tuple[Difference, ...]]
) -> Iterator[tuple[Difference, ...]]:
    """Yield objects that have exchanged their names together, everything else alone, in the order of the first ones.

    `indexes` are those that have the names of others, by each of them.
    """
    named = {one.key: one for one in differences if one.attribute == NAME_OF}
    done = set[Key]()
    for one in differences:
        if one.attribute != NAME_OF:
            yield (one,)
        elif one.key not in done and one.key in indexes:
            done |= {each.key for each in indexes[one.key]}
            yield indexes[one.key]
        elif one.key not in done:
            cycle = [one]
            while (following := named.get(there_of(cycle[-1]))) is not None and following not in cycle:
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
