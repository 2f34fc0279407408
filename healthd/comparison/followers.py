"""What follows a table that is renamed, and so tells which one it is: what somebody has named does not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from healthd.catalog.columns import NAMED_NOT_NULL, not_null_name
from healthd.comparison.mentions import qualified
from healthd.model.attributes import Record
from healthd.model.kinds import Path
from healthd.model.names import Key, quote
from healthd.model.snapshots import Snapshot


def testimony(expected: Snapshot, actual: Snapshot, names: Mapping[Key, Key]) -> frozenset[bool]:
    """Return whether tables have the names of others, as all that follows them says it; nothing if nothing does.

    `names` has the expected key of each table by its actual key, if it is so.
    """
    return frozenset((*_of_columns(expected, actual, names), *_of_others(expected, actual, names)))


def _of_columns(expected: Snapshot, actual: Snapshot, names: Mapping[Key, Key]) -> Iterator[bool]:
    """Yield what the names of NOT NULL say."""
    if min(expected.server_version, actual.server_version) < NAMED_NOT_NULL:
        return
    paths = {key.path for key in names.values()}
    wanted, present = _not_nulls(expected, paths), _not_nulls(actual, paths)
    for there, key in names.items():
        for column, name in wanted[key.path].items():
            if name not in wanted[there.path].values():
                yield from _told(present[there.path].get(column) == name, present[key.path].get(column) == name)


def _not_nulls(side: Snapshot, tables: set[Path]) -> Mapping[Path, Mapping[str, str]]:
    """Return the names of NOT NULL by column, for each of these tables."""
    found = defaultdict[Path, dict[str, str]](dict)
    for key, record in side.objects.items():
        if key.kind == "column" and key.path[:2] in tables and record.not_null:
            found[key.path[:2]][key.path[2]] = not_null_name(key, record)
    return found


def _of_others(expected: Snapshot, actual: Snapshot, names: Mapping[Key, Key]) -> Iterator[bool]:
    """Yield what foreign keys of other tables, views and owned sequences say."""
    tables = {key.path for key in names.values()}
    for one, record in expected.objects.items():
        text = _naming(record)
        if text is None or one not in actual.objects or one.path[:2] in tables:
            continue
        if not any(quote(table[1]) in text for table in tables):
            continue
        wanted, present = qualified(text), qualified(_naming(actual.objects[one]) or "")
        for there, key in names.items():
            if key.path in wanted and there.path not in wanted:
                yield from _told(there.path in present, key.path in present)


def _naming(record: Record) -> str | None:
    """Return the text in which an object names tables that the server knows by their numbers."""
    if getattr(record, "owned_by", None):
        return str(record.owned_by)
    refers = hasattr(record, "materialized") or getattr(record, "type", None) == "foreign key"
    return str(record.definition) if refers else None


def _told(other: bool, own: bool) -> Iterator[bool]:
    if other != own:
        yield other
