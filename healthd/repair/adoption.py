"""The migration pair that makes the files agree with a database: a repair the other way round, and its undoing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from healthd.catalog import KINDS
from healthd.model.kinds import Kind
from healthd.model.names import Key
from healthd.model.snapshots import NAME_OF, PLACE_OF, SCHEMA_OF, UNREADABLE, Difference, Place, Snapshot
from healthd.repair.dependencies import Dependencies
from healthd.repair.late_views import late
from healthd.repair.operations import Operation
from healthd.repair.restored_names import NAMES, restored_names
from healthd.repair.script import changes, each_once
from healthd.repair.taken_names import freed
from healthd.sqltext.classify import runs_alone
from healthd.text import printable


@dataclass(frozen=True, slots=True)
class Adoption:
    """The statements of a migration and of its rollback, in their order."""

    apply: tuple[str, ...]
    rollback: tuple[str, ...]

    @property
    def transactional(self) -> bool:
        """Return whether every statement can run in a transaction."""
        return not any(map(runs_alone, (*self.apply, *self.rollback)))

    def files(self, title: str, causes: Iterable[str]) -> tuple[str, str]:
        """Return the text of the migration and of its rollback; `causes` are the differences, in words."""
        head = [f"-- {title}.", "--", *(f"-- {printable(line)}" for cause in causes for line in cause.splitlines())]
        head += ["-- adopted: true"] + ([] if self.transactional else ["-- transactional: false"])
        undo = [f"-- Undo: {title[:1].lower()}{title[1:]}."]
        return _text(head, self.apply, self.transactional), _text(undo, self.rollback, self.transactional)


def adoption(
    expected: Snapshot, actual: Snapshot, differences: Sequence[Difference], kinds: Mapping[str, Kind] = KINDS
) -> Adoption:
    """Return the SQL that gives `expected` these differences, and the SQL that removes them again.

    `actual` has renamed, moved and swapped objects under their expected names. The migration does everything under
    the expected names and renames at its end; only new views of renamed columns come after that. Its rollback renames
    first. The role that migrates is CURRENT_USER.
    """
    free = freed(expected, actual, differences)
    actual, differences = free.actual, free.differences
    names = [one for one in differences if one.attribute in NAMES]
    found = tuple(_with_parts(expected, actual, differences, kinds))
    given = [inverse(one) for one in reversed(names)]
    objects = {**actual.objects, **expected.objects}
    objects |= {one.key: expected.objects[known.key] for one, known in zip(given, reversed(names), strict=True)}
    there, back = changes(actual, expected, map(inverse, found), kinds), changes(expected, actual, found, kinds)
    renamed, undone = restored_names(objects, given), restored_names({**actual.objects, **expected.objects}, names)
    last = late(expected, actual, names, kinds)
    first, then = (tuple(_texts(one for one in there if (one.key in last) == is_last)) for is_last in (False, True))
    return Adoption(
        each_once((*first, *(one.sql for one in renamed), *free.last(), *then)),
        each_once((*(one.sql for one in (*free.statements(), *undone)), *_texts(back))),
    )


def only_adopted(
    actual: Snapshot, adopted: Iterable[Difference], reported: Iterable[Difference], kinds: Mapping[str, Kind] = KINDS
) -> Snapshot:
    """Return the actual side without what is reported as new and not adopted: where the pair runs, it is not there."""
    new = {one.key for one in adopted if one.unexpected}
    others = {one.key for one in reported if one.unexpected and one.key in actual.objects} - new
    side = Dependencies(actual, kinds)
    mine, theirs = ({part for key in keys for part in side.parts(key)} for keys in (new, others))
    gone = (others | theirs) - new - mine
    return replace(actual, objects={key: one for key, one in actual.objects.items() if key not in gone})


def _texts(operations: Iterable[Operation]) -> Iterator[str]:
    return (sql for one in operations for sql in one.statements)


def _with_parts(
    expected: Snapshot, actual: Snapshot, differences: Iterable[Difference], kinds: Mapping[str, Kind]
) -> Iterator[Difference]:
    """Yield the differences without names, and for an object that only one side has, those of all its parts."""
    sides = Dependencies(expected, kinds), Dependencies(actual, kinds)
    seen: set[Place] = set()
    for one in differences:
        if one.attribute in (*NAMES, UNREADABLE):
            continue
        parts: Iterable[Key] = ()
        if one.attribute is None:
            parts = sides[one.unexpected].parts(one.key)
        absent = (
            Difference(part, None, expected.objects.get(part), actual.objects.get(part))
            for part in parts
            if not (part in expected.objects and part in actual.objects)
        )
        for found in (one, *absent):
            if found.place not in seen:
                seen.add(found.place)
                yield found


def inverse(one: Difference) -> Difference:
    """Return a difference as it is seen from the other side, where a renamed or moved object has its other name."""
    seen = replace(one, expected=one.actual, actual=one.expected)
    if one.attribute == NAME_OF:
        return replace(seen, key=KINDS[one.key.kind].with_name(one.key, one.actual))
    if one.attribute == SCHEMA_OF:
        return replace(seen, key=Key(one.key.kind, (one.actual, *one.key.path[1:])))
    if one.attribute == PLACE_OF:
        return replace(seen, key=Key.parse(f"{one.key.kind}:{one.actual}"))
    return seen


ROUTINE = re.compile(r"CREATE (?:OR REPLACE )?(?:FUNCTION|PROCEDURE)\b")


def _text(head: Iterable[str], statements: Sequence[str], transactional: bool) -> str:
    # A body may mention what a later statement creates.
    unchecked = f"SET {'LOCAL ' * transactional}check_function_bodies = off;"
    bodies = (unchecked,) if any(map(ROUTINE.match, statements)) else ()
    return "\n".join((*head, "", *bodies, *statements)) + "\n"
