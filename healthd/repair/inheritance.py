"""What tables that inherit, and partitions, have to do with the ones above them: defaults, constraints and rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from healthd.model.attributes import Record
from healthd.model.kinds import Statements
from healthd.model.names import Key, quote
from healthd.model.snapshots import Difference
from healthd.repair.dependencies import Dependencies


def ancestors(objects: Mapping[Key, Record], table: Key) -> frozenset[Key]:
    """Return all tables that a table inherits from, and those of which it is a partition."""
    found, waiting = set[Key](), [table]
    while waiting:
        above = {Key.parse(f"table:{one}") for one in getattr(objects.get(waiting.pop()), "inherits", ())}
        waiting += above - found
        found |= above
    return frozenset(found)


def overwritten(one: Difference, before: Dependencies, after: Dependencies) -> Iterator[tuple[Key, str]]:
    """Yield the columns below whose defaults this repair overwrites, each with the SQL that restores it.

    SET DEFAULT of a table is also one of all tables below.
    """
    old, new = before.objects.get(one.key), after.objects.get(one.key)
    if one.key.kind != "column" or one.attribute not in SETTING or old is None or new is None:
        return
    above = Key("table", one.key.path[:2])
    for table in before.heirs if old.default or new.default else ():
        column = Key("column", (*table.path, one.key.path[2]))
        record = after.objects.get(column) or before.objects.get(column)
        if record is not None and record.default != new.default and above in ancestors(before.objects, table):
            alter = f"ALTER TABLE {table.sql} ALTER COLUMN {quote(column.path[2])}"
            yield column, f"{alter} SET DEFAULT {record.default};" if record.default else f"{alter} DROP DEFAULT;"


SETTING = ("default", "type", "collation")  # the attributes of a column whose repair sets its default


def joined(table: Key, before: Dependencies, after: Dependencies) -> tuple[Statements, Statements]:
    """Return what to do before and after `inherits` of a table changes: the checks of the tables above it.

    A check that a table does not have is none while it joins, or would be its own, too. It keeps those of a table that
    it leaves as its own.
    """
    old, new = (side.objects[table].inherits for side in (before, after))
    first, last = list[str](), list[str]()
    for above in new:
        for name, check in _checks(after, above).items() if above not in old else ():
            there = Key("constraint", (*Key.parse(f"table:{above}").path, name)) in before.objects
            if there and Key("constraint", (*table.path, name)) not in after.objects:
                first.append(f"ALTER TABLE {above} DROP CONSTRAINT {quote(name)};")
                last.append(f"ALTER TABLE {above} ADD CONSTRAINT {quote(name)} {check};")
    for above in old:
        for name in _checks(before, above) if above not in new else ():
            if Key("constraint", (*table.path, name)) not in after.objects:
                last.append(f"ALTER TABLE {table.sql} DROP CONSTRAINT {quote(name)};")
    return tuple(first), tuple(last)


def _checks(side: Dependencies, table: str) -> dict[str, str]:
    """Return the check constraints that a table passes on, by their names."""
    parts = ((key, side.objects[key]) for key in side.own_parts(Key.parse(f"table:{table}")))
    checks = ((key, record) for key, record in parts if key.kind == "constraint" and record.type == "check")
    return {key.path[2]: one.definition for key, one in checks if not one.definition.endswith(" NO INHERIT")}
