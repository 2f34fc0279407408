"""A running migration as JSON values, and as lines for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from healthd.model.running import RunningMigration
from healthd.report.lines import Line
from healthd.text import printable


def running_document(running: RunningMigration | None) -> dict[str, Any] | None:
    """Return what is known of a running migration as JSON values; None if nothing is."""
    if running is None:
        return None
    index = running.index
    return {
        "pid": running.pid,
        "application": running.application,
        "user": running.user,
        "file": running.file,
        "statement": running.statement,
        "statements": running.statements,
        "connected_at": running.connected_at.isoformat() if running.connected_at else None,
        "statement_at": running.statement_at.isoformat() if running.statement_at else None,
        "waits": running.waits,
        "waits_for": running.waits_for,
        "blockers": list(running.blockers),
        "blocker_count": running.blocker_count,
        "index": None if index is None else {"phase": index.phase, "share": index.share, "words": index.words},
        "grant": running.grant,
    }


def running_lines(running: RunningMigration | None) -> Iterator[Line]:
    """Yield what is known of a running migration, for people."""
    if running is not None:
        yield from (Line((f"    {printable(words)}",)) for words in running.details)
