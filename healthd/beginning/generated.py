"""The SQL that creates everything that a snapshot has, in a database that has nothing."""

from __future__ import annotations

from collections.abc import Iterable

from healthd.model.snapshots import Difference, Snapshot
from healthd.repair.script import changes, each_once
from healthd.sqltext.classify import runs_alone

SESSION = (
    "SELECT pg_catalog.set_config('search_path', '', true);",
    "SET LOCAL check_function_bodies = off;  -- a body may mention what is created further below",
)


def generated(actual: Snapshot, empty: Snapshot) -> str:
    """Return the text of a migration that creates, in an empty database, what `actual` has."""
    return "\n".join((*SESSION, "", *_statements(actual, empty, None))) + "\n"


def addition(actual: Snapshot, built: Snapshot, differences: Iterable[Difference]) -> str:
    """Return the SQL that a migration lacks, which builds something else; empty if it cannot be part of one."""
    found = _statements(actual, built, tuple(differences))
    return "" if any(map(runs_alone, found)) else "".join(f"{one}\n" for one in found)


def _statements(expected: Snapshot, actual: Snapshot, differences: Iterable[Difference] | None) -> tuple[str, ...]:
    return each_once(sql for one in changes(expected, actual, differences) for sql in one.statements)
