"""Evidence from literals: two snapshots, and any other input of a check."""

from typing import Any

from healthd.catalog import KINDS
from healthd.comparison.causes import causes
from healthd.model.findings import Evidence
from healthd.model.names import Key
from healthd.model.snapshots import Snapshot, diff


def snapshot(objects: dict[str, Any], version: int = 180000, unreadable: dict[str, str] | None = None) -> Snapshot:
    """Return a snapshot of objects, given by their printed keys."""
    return Snapshot(version, {Key.parse(text): record for text, record in objects.items()}, unreadable or {})


def evidence(expected: Snapshot | None = None, actual: Snapshot | None = None, **more: Any) -> Evidence:
    """Return the evidence of a round with these snapshots."""
    expected = expected or snapshot({})
    actual = actual or expected
    return Evidence("t", expected, actual, causes(diff(expected, actual), KINDS), kinds=KINDS, **more)
