"""The forms of operations that hold no strong lock on a table for as long as that is large."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from healthd.catalog.tables import PARENTAGE
from healthd.model.names import Key
from healthd.model.observations import Size
from healthd.model.snapshots import Difference
from healthd.repair.operations import ALTER, CREATE, VALIDATE, Change, Operation
from healthd.repair.sole_keys import present_key


def online(change: Change, operations: Iterable[Operation], sizes: Mapping[str, Size]) -> tuple[Operation, ...]:
    """Return these operations; on tables that have rows, or may have some, in the form that blocks nobody for long."""
    return tuple(_online(change, operations, sizes))


def has_rows(change: Change, key: Key, sizes: Mapping[str, Size]) -> bool:
    """Return whether an object belongs to a table that exists, is not created again, and is not known to be empty.

    The size of a table is that of its partitions too, but not of tables that inherit from it.
    """
    table = Key("table", key.path[:2])
    if table not in change.before.objects or table in change.made or table in change.gone:
        return False
    if str(table) not in sizes or sizes[str(table)].rows != 0:
        return True
    heirs = (record for key, record in change.before.objects.items() if key.kind == "table" and not record.bound)
    return any(table.sql in record.inherits for record in heirs)


def _online(change: Change, operations: Iterable[Operation], sizes: Mapping[str, Size]) -> Iterator[Operation]:
    around = replace(
        change.after.around,
        server_version=change.before.snapshot.server_version,
        taken=change.before.objects.keys(),
    )
    joining = {one.key.path for one in change.differences if one.attribute in PARENTAGE}
    for one in operations:
        record = change.after.objects.get(one.key)
        # These must be valid when their table joins another one.
        early = getattr(record, "type", "") in ("check", "foreign key") and one.key.path[:2] in joining
        # It takes the place of another key in one transaction: without a key, rows could come that forbid it.
        early = early or present_key(change, one.key) is not None
        if early or one.action not in (CREATE, ALTER) or record is None or not has_rows(change, one.key, sizes):
            yield one
            continue
        difference = Difference(one.key, one.attribute, record, None)
        now, later = change.kinds[one.key.kind].online(difference, one.statements, around)
        if now:
            yield replace(one, statements=now)
        if later:
            yield Operation(VALIDATE, one.key, one.attribute, later, one.cause)
