"""The SQL that changes one snapshot into another, in order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from healthd.catalog import KINDS
from healthd.model.kinds import Kind
from healthd.model.snapshots import Difference, Snapshot, diff
from healthd.repair.operations import Change, Operation
from healthd.repair.order import ordered


def changes(
    expected: Snapshot,
    actual: Snapshot,
    differences: Iterable[Difference] | None = None,
    kinds: Mapping[str, Kind] = KINDS,
    migrator: str | None = None,
) -> tuple[Operation, ...]:
    """Return the operations that change `actual` into `expected`, in their order; `differences`: only these."""
    found = diff(expected, actual, exact=True) if differences is None else differences
    change = Change(expected, actual, found, kinds, migrator)
    return ordered(change, change.operations())
