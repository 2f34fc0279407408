"""Tables that are partitioned otherwise than expected: no statement changes that, and all of the table waits for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from healthd.comparison.partitions import holder
from healthd.model.attributes import Record
from healthd.model.names import Key
from healthd.repair.dependencies import ancestors, relation
from healthd.repair.index_names import index_of

Objects = Mapping[Key, Record]
REASON = "no statement changes whether or how a table is partitioned: create it again, and copy its rows"


def settled_first(key: Key, actual: Objects, expected: Objects) -> Key | None:
    """Return the table that must be created again before anything is done to an object; None if there is none.

    It is the table that only one side has partitioned, for itself, for what belongs to it, and for its partitions with
    what belongs to these.
    """
    path = holder(key, actual if key in actual else expected)
    if path is None:
        return None
    tables = (relation(actual, path), *sorted(ancestors(actual, relation(actual, path))))
    return next((one for one in tables if _is_divided_by_hand(one, actual, expected)), None)


def _is_divided_by_hand(table: Key, actual: Objects, expected: Objects) -> bool:
    """Return whether a table is partitioned and should not be, or the other way round."""
    sides = [side[table] for side in (actual, expected) if table in side]
    return len(sides) == 2 and len({getattr(one, "partitioned_by", None) is None for one in sides}) == 2


def index_settled_first(keys: Iterable[Key], actual: Objects, expected: Objects) -> Key | None:
    """Return the same for indexes and constraints with other names: a partition often has the expected ones."""
    found = (settled_first(key, actual, expected) for key in keys if key in actual and index_of(key, actual[key]))
    return next((one for one in found if one is not None), None)
