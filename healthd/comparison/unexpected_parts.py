"""The parts of unexpected objects: set aside where there are thousands, because no pass concludes anything from them.

The columns of a table that is not expected are compared with nothing, unless the table may be an expected one under
another name or in another schema: then an object of its kind is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from healthd.comparison.causes import parent_of
from healthd.model.attributes import Record
from healthd.model.kinds import Kind
from healthd.model.names import Key
from healthd.model.snapshots import Difference

MANY = 1000  # unexpected objects; fewer are not worth it

T = TypeVar("T")


def parts(differences: Iterable[Difference], kinds: Mapping[str, Kind]) -> dict[Key, Record]:
    """Return the parts of unexpected objects that cannot be expected ones; none if there are few."""
    whole = [one for one in differences if one.attribute is None]
    unexpected = {one.key: one for one in whole if one.unexpected}
    if len(unexpected) < MANY:
        return {}
    lost = {one.key: one.missing for one in whole}
    sought = {one.key.kind for one in whole if one.missing}
    found: dict[Key, bool] = {}

    def is_part(one: Difference) -> bool:
        if (known := found.get(one.key)) is not None:
            return known
        parent = parent_of(one, lost, kinds)
        inherits = any(_inherits(record) for record in (one.actual, parent and unexpected[parent].actual))
        if parent is None or inherits or (parent.kind == "schema" and one.key.kind in sought):
            part = False
        else:
            part = parent.kind not in sought or is_part(unexpected[parent])
        found[one.key] = part
        return part

    return {key: one.actual for key, one in unexpected.items() if is_part(one)}


def _inherits(record: Record | None) -> bool:
    """Return whether a table follows another one: the passes for partitions need its parts."""
    return bool(getattr(record, "inherits", ()))


def without(objects: Mapping[Key, T], left_out: Mapping[Key, T]) -> Mapping[Key, T]:
    """Return the objects but those."""
    return {key: one for key, one in objects.items() if key not in left_out} if left_out else objects
