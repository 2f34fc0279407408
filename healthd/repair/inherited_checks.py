"""How a table leaves the ones above it and joins others, with the checks that it has from them.

PostgreSQL remembers whether a check is a table's own, inherited, or both, and no statement changes that: a check that a
table has when it joins another one is its own, too. A partition has none of its own that its table has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from healthd.catalog.tables import PARENTAGE, joining, kept_parents, leaving
from healthd.model.attributes import Record
from healthd.model.kinds import Statements
from healthd.model.names import Key, quote
from healthd.model.snapshots import Difference
from healthd.repair.dependencies import Dependencies, ancestors, relation
from healthd.repair.detached_parts import without_parts


def left(table: Key, before: Dependencies, after: Dependencies) -> Statements:
    """Return what takes a table from the ones above it, and the checks that it would keep as its own."""
    statements = tuple(leaving(table.sql, after.objects[table], before.objects[table]))
    if before.objects[table].bound is not None:
        statements = tuple(sql for one in statements for sql in without_parts(one, table, before, after))
    lost = (key for key, one in _left_checks(table, before, after) if not _has_own(key, one, after))
    drops = (f"ALTER TABLE {table.sql} DROP CONSTRAINT IF EXISTS {quote(key.path[2])};" for key in lost)
    return (*statements, *drops)


def kept_checks(table: Key, before: Dependencies, after: Dependencies) -> Iterator[Key]:
    """Yield the checks that a table is to have as its own, and has as soon as it leaves the one above it."""
    yield from (key for key, one in _left_checks(table, before, after) if _has_own(key, one, after))


def _has_own(key: Key, check: Record, side: Dependencies) -> bool:
    """Return whether a side has a check of a table above as one of the table's own."""
    own = side.objects.get(key)
    return own is not None and own == replace(check, on=own.on, partitions=own.partitions)


def _left_checks(table: Key, before: Dependencies, after: Dependencies) -> Iterator[tuple[Key, Record]]:
    """Yield the checks that become a table's own when it leaves others above it, as those have them."""
    kept = kept_parents(after.objects[table], before.objects[table])
    gone = (one for one in before.objects[table].inherits if one not in kept)
    still = {check.path[2] for check in _checks(before, before, kept)}
    for check in _checks(before, before, gone):
        own = _own(check, table)
        if own not in before.objects and check.path[2] not in still:
            yield own, before.objects[check]


def joined(table: Key, before: Dependencies, after: Dependencies) -> Statements:
    """Return what gives a table others above it; a partition has their checks before, and loses them as its own."""
    old, new = before.objects[table], after.objects[table]
    missing = (one for one in new_checks(table, before, after) if one in before.objects and new.bound is not None)
    alter = f"ALTER TABLE {table.sql} ADD CONSTRAINT"
    checks = [
        f"{alter} {quote(one.path[2])} {after.objects[one].definition};"
        for one in missing
        if not _has_own(_own(one, table), after.objects[one], before)
    ]
    return (*checks, *joining(table.sql, new, old))


def is_merged(check: Key, before: Dependencies, after: Dependencies) -> bool:
    """Return whether a constraint of a table is that of a table above it as soon as it is its partition."""
    table = relation(after.objects, check.path[:2])
    if check.kind != "constraint" or getattr(after.objects.get(table), "bound", None) is None:
        return False
    above = _checks(after, before, after.objects[table].inherits)
    return any(_has_own(check, after.objects[one], before) for one in above if one.path[2] == check.path[2])


def new_checks(table: Key, before: Dependencies, after: Dependencies) -> Iterator[Key]:
    """Yield the checks of tables above that a table gets when it joins them, and is not to have as its own."""
    new = after.objects[table]
    kept = kept_parents(new, before.objects[table])
    checks = _checks(after, before, (one for one in new.inherits if one not in kept))
    return (one for one in checks if _own(one, table) not in after.objects)


def recreated_checks(one: Difference, before: Dependencies, after: Dependencies) -> Iterator[Key]:
    """Yield the checks of tables above that must not exist while a table joins them, or loses a check of its own.

    A check that a table has when it joins another one is its own, too. It cannot lose that while it inherits the check.
    """
    table = relation(after.objects, one.key.path[:2])
    new, old = after.objects.get(table), before.objects.get(table)
    if new is None or old is None or new.bound is not None:
        return
    if one.attribute in PARENTAGE:
        yield from (check for check in new_checks(table, before, after) if check in before.objects)
    elif one.unexpected and one.key.kind == "constraint" and old.bound is None:
        for check in _checks(before, before, kept_parents(new, old)):
            if check.path[2] == one.key.path[2]:
                yield check


def _own(check: Key, table: Key) -> Key:
    return Key("constraint", (*table.path, check.path[2]))


def _checks(side: Dependencies, before: Dependencies, parents: Iterable[str]) -> Iterator[Key]:
    """Yield the checks that tables pass on, and those that pass through them now."""
    tables = [relation(side.objects, Key.parse(f"table:{one}").path) for one in parents]
    for table in dict.fromkeys(each for one in tables for each in (one, *sorted(ancestors(before.objects, one)))):
        for key in side.own_parts(table):
            record = side.objects[key]
            check = key.kind == "constraint" and record.type == "check"
            if check and not record.definition.endswith(" NO INHERIT"):
                yield key
