"""What a table has only one of: its primary key, and the index that is its replica identity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from healthd.model.names import Key
from healthd.model.snapshots import Place
from healthd.repair.operations import ALTER, CREATE, DROP, Change, Operation

PRIMARY = "primary key"
IDENTITY = "replica_identity"


def present_key(change: Change, key: Key) -> Key | None:
    """Return the primary key of another name that a table has until it gets this one."""
    if key.kind != "constraint" or key not in change.made or change.after.objects[key].type != PRIMARY:
        return None
    objects = change.before.objects
    others = (one for one in change.before.own_parts(Key("table", key.path[:2])) if one.kind == "constraint")
    return next((one for one in others if one != key and objects[one].type == PRIMARY), None)


def of_sole_keys(change: Change, operations: Sequence[Operation]) -> Iterator[tuple[int, int]]:
    """Yield (this operation, one that must come after it).

    A primary key goes before another one comes, and a column can be NULL only when it is in no replica identity.
    """
    drops = {one.key: number for number, one in enumerate(operations) if one.action == DROP}
    optional = [
        (one.key.path[:2], number)
        for number, one in enumerate(operations)
        if one.action == ALTER and one.attribute == "not_null" and not change.after.objects[one.key].not_null
    ]
    for number, one in enumerate(operations):
        if one.action == CREATE and (there := present_key(change, one.key)) in drops:
            yield drops[there], number
        if optional and gives_identity(one):
            yield from ((number, then) for table, then in optional if table == one.key.path[:2])


def of_identity(one: Operation, places: Mapping[Key, Sequence[Place]]) -> Iterator[Place]:
    """Yield the differences in the replica identity of a table that an operation repairs, in it and in its indexes."""
    if gives_identity(one):
        for key, some in places.items():
            if key.kind in ("table", "constraint", "index") and key.path[:2] == one.key.path[:2]:
                yield from (place for place in some if place[1] == IDENTITY)


def gives_identity(one: Operation) -> bool:
    """Return whether an operation says what the replica identity of its table is."""
    return any(" REPLICA IDENTITY " in sql for sql in one.statements if sql.startswith("ALTER TABLE "))
