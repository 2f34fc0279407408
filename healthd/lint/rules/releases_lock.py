"""A statement that releases the migration lock, or ends the session that holds it."""

from __future__ import annotations

from collections.abc import Iterator

from healthd.lint.source import Linted, Rule, Source
from healthd.sqltext.lock_releases import release

RULE = Rule(
    "releases_lock",
    "error",
    "A statement that releases the migration lock",
    why="""
The migration lock is a session-level advisory lock. `pg_advisory_unlock_all()` and `DISCARD ALL` release it,
and a second runner can then start while the file is still running.
`pg_terminate_backend(pg_backend_pid())` terminates the file's own session, so the file can never be applied.
healthd refuses such a file before it runs.
The rule does not apply to a transactional file: a transaction-level lock keeps other runners out until it ends.""",
    instead="""
Release the file's own locks by key: `pg_advisory_unlock(KEY)`.
`DISCARD ALL` is not needed: the session is reset before each file.""",
)


def find(source: Source) -> Iterator[tuple[Linted | None, str]]:
    """Yield the first statement that releases the migration lock or terminates its session."""
    if found := release(source.text, transactional=source.transactional):
        line, words, _ = found
        yield next(one for one in reversed(source.statements) if one.statement.line <= line), words
