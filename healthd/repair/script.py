"""The SQL that changes one snapshot into another: one script, in an order that works."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from healthd.catalog import KINDS
from healthd.catalog.foreign_data_wrappers import is_of_secrets
from healthd.model.kinds import Kind
from healthd.model.names import Key
from healthd.model.scripts import Script, Statement
from healthd.model.snapshots import UNREADABLE, Difference, Place, Snapshot, diff
from healthd.repair.costs import of_guard, of_own_names, weighing
from healthd.repair.divided_tables import index_settled_first
from healthd.repair.index_names import of_partitions
from healthd.repair.online import online
from healthd.repair.operations import CREATE, DROP, Change, Operation
from healthd.repair.order import created_with, edges, ordered
from healthd.repair.present_names import present
from healthd.repair.restored_names import NAMES, restored_names, unsettled
from healthd.repair.safety import Judged, Known, judged, raising
from healthd.repair.sole_keys import of_identity
from healthd.repair.taken_names import Freed, freed
from healthd.sqltext.classify import is_validation, runs_alone


def changes(
    expected: Snapshot,
    actual: Snapshot,
    differences: Iterable[Difference] | None = None,
    kinds: Mapping[str, Kind] = KINDS,
    migrator: str | None = None,
) -> tuple[Operation, ...]:
    """Return the operations that change `actual` into `expected`, in their order, whatever they lose."""
    found = diff(expected, actual, exact=True) if differences is None else differences
    change = Change(expected, actual, found, kinds, migrator, certain=True)
    operations = change.operations()
    return tuple(operations[number] for number in ordered(change, operations, edges(change, operations)))


def each_once(statements: Iterable[str]) -> tuple[str, ...]:
    """Return these statements in their order, each once, without the comments among them."""
    return tuple(dict.fromkeys(one for one in statements if not one.startswith("--")))


def repair(
    expected: Snapshot,
    actual: Snapshot,
    differences: Iterable[Difference],
    known: Known,
    *,
    names: Iterable[Difference] = (),
    kinds: Mapping[str, Kind] = KINDS,
    migrator: str | None = None,
) -> Script:
    """Return the script that repairs these differences and loses nothing; see `drafted`."""
    return drafted(expected, actual, differences, names=names, kinds=kinds, migrator=migrator).script(known)


@dataclass(frozen=True, slots=True)
class Draft:
    """A script before the rows and the sizes of tables are known; most of the work is done."""

    change: Change
    operations: tuple[Operation, ...]
    names: tuple[Difference, ...]
    restored: tuple[Statement, ...]
    freed: Freed

    def script(self, known: Known) -> Script:
        """Return the script."""
        sizes = of_own_names(known.sizes, self.names)
        change, operations = self.change, online(self.change, self.operations, sizes)
        follow = edges(change, operations)
        asked = present(change.before, (*self.freed.names, *self.names))
        undecided = {**self._undecided(), **known.undecided}
        safe = judged(change, operations, follow, replace(known, sizes=sizes, asked=asked, undecided=undecided))
        places = defaultdict[Key, list[Place]](list)
        for one in change.differences:
            places[one.key].append(one.place)
        order = ordered(change, operations, follow)
        first = [number for number in order if _would_run(operations[number])]
        before = _statements(change, (safe[number] for number in first), places)
        statements = _statements(change, (safe[number] for number in order if number not in first), places)
        weigh = weighing(change, sizes)
        done = (weigh(one) for one in _once((*before, *self.restored, *statements)))
        found = (replace(one, causes=tuple(map(self.freed.place, one.causes))) for one in done)
        return tuple(replace(one, rows=asked(one.rows)) if one.rows else one for one in found)

    def _undecided(self) -> Mapping[Place, str]:
        """Return what cannot be done while it is not certain which table is which, with the reason."""
        if not any(one.rivals for one in self.names):
            return {}
        open_question = unsettled(self.names)
        sides = self.change.before, self.change.after
        found: dict[Place, str] = {}
        for one in self.change.differences:
            needed = (key for side in sides if one.key in side.objects for key in side.needs(one.key))
            if why := next((why for key in (one.key, *needed) if (why := open_question(key))), ""):
                found[one.place] = why
        return found


def drafted(
    expected: Snapshot,
    actual: Snapshot,
    differences: Iterable[Difference],
    *,
    names: Iterable[Difference] = (),
    kinds: Mapping[str, Kind] = KINDS,
    migrator: str | None = None,
) -> Draft:
    """Return the draft of the script that repairs these differences.

    `actual` has renamed, moved and swapped objects under their expected names; `names` are these differences.
    """
    wanted = tuple(one for one in names if one.attribute in NAMES)
    free = freed(expected, actual, (*differences, *wanted))
    actual = free.actual
    found = [one for one in dict.fromkeys(free.differences) if one.attribute not in (*NAMES, UNREADABLE)]
    change = Change(expected, actual, found, kinds, migrator)
    restored = restored_names({**actual.objects, **expected.objects}, wanted) if wanted else ()
    partitions = of_partitions(expected.objects, actual.objects, free.differences)
    given = (*free.statements(), *partitions, *restored)
    safe = tuple(_held_with_its_table(one, actual, expected) for one in given)
    return Draft(change, change.operations(), wanted, safe, free)


def _held_with_its_table(one: Statement, actual: Snapshot, expected: Snapshot) -> Statement:
    """Return a statement that restores a name; it is held back if its table must be created again."""
    table = index_settled_first((key for key, _ in one.causes), actual.objects, expected.objects)
    return replace(one, held=f"{table} must be settled first") if table else one


def _would_run(one: Operation) -> bool:
    """Return whether an operation drops what runs for all that a script does, so that it must be first."""
    return one.action == DROP and one.key.kind == "event_trigger"


def _statements(change: Change, safe: Iterable[Judged], places: Mapping[Key, Sequence[Place]]) -> Iterator[Statement]:
    for one in safe:
        key = one.operation.key
        cause = tuple(dict.fromkeys((one.operation.cause, *_also(change, one.operation, places))))
        checked = [guard for guard in one.guards if guard.table]
        for guard in checked:
            yield Statement(raising(guard), cause, held=one.held, rows=guard.query, costs=of_guard(guard), key=key)
        asked = [guard for guard in one.guards if not guard.table]
        for guard in asked[1:]:
            yield Statement("", cause, (guard.question,), one.held, rows=guard.query, key=key)
        notes = (*one.notes, *(guard.question for guard in asked[:1] if guard.counts))
        rows = asked[0].query if asked else _asked(one.operation)
        for sql in one.operation.statements:
            if sql.startswith("--"):
                notes = (*notes, *(line.removeprefix("--").strip() for line in sql.splitlines()))
            else:
                alone = runs_alone(sql) or is_validation(sql)
                held = one.held or (UNKNOWN if is_of_secrets(sql) else "")
                yield Statement(sql, cause, notes, held, alone, rows, key=key)
                notes, rows = (), ""
        if notes:
            yield Statement("", cause, notes, one.held, key=key)


UNKNOWN = "it is about a secret, which healthd does not know: set it yourself"


def _also(change: Change, one: Operation, places: Mapping[Key, Sequence[Place]]) -> Iterator[Place]:
    """Yield the differences that an operation repairs besides the one that it is for."""
    yield from of_identity(one, places)
    if one.action in (DROP, CREATE):  # what is created again is as expected in all attributes
        gone = change.before.parts(one.key) if one.action == DROP and one.key in change.made else ()
        for key in (one.key, *created_with(change, one), *gone):
            yield from places.get(key, ())
    elif one.key.kind == "composite":  # the columns of a typed table are those of its type
        typed = {key.path for key in change.before.dependents(one.key) if key.kind == "table"}
        yield from (
            place for key, some in places.items() if key.kind == "column" and key.path[:2] in typed for place in some
        )
    elif one.key.kind == "column" and one.attribute == "identity":  # its sequence goes with it
        there = change.before.around.counters.get(one.key.path, one.key)
        for key in (there, *created_with(change, one)):
            yield from places.get(key, ())
    elif one.key.kind == "column" and one.attribute == "type":  # a default may not be valid for the other type
        yield from (place for place in places.get(one.key, ()) if place[1] in ("type", "default", "collation"))


def _asked(one: Operation) -> str:
    """Return the query that tells whether a column is added to a table with rows."""
    added = one.action == CREATE and one.key.kind == "column"
    return f"SELECT FROM {Key('table', one.key.path[:2]).sql}" if added else ""


def _once(statements: Iterable[Statement]) -> Iterator[Statement]:
    """Yield each statement once, at its first place, with all that it is for."""
    found: dict[tuple[str, bool, tuple[str, ...]], Statement] = {}
    for one in statements:
        same = (one.sql, bool(one.held), () if one.sql else one.notes)
        if same in found:
            found[same] = replace(found[same], causes=tuple(dict.fromkeys((*found[same].causes, *one.causes))))
        else:
            found[same] = one
    yield from found.values()
