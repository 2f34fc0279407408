"""A statement that releases the migration lock, or ends the session that holds it."""

from __future__ import annotations

from collections.abc import Iterator

from healthd.lint.source import Rule, Source, Told
from healthd.sqltext.lock_releases import release

RULE = Rule(
    "releases_lock",
    "error",
    "A statement that releases the migration lock",
    why="""
The migration lock is an advisory lock of the session: `pg_advisory_unlock_all()` and `DISCARD ALL` release it,
and a second runner may begin while the file still runs. healthd refuses such a file before it runs.
`pg_terminate_backend(pg_backend_pid())` ends the file's own session: it can never be applied.
In a file that is one transaction a lock of the transaction holds others back, and these are let pass.""",
    instead="""
Release the file's own locks by their keys: `pg_advisory_unlock(KEY)`.
`DISCARD ALL` is not needed: each file starts in a session like new.""",
)


def find(source: Source) -> Iterator[tuple[Told | None, str]]:
    """Yield the first statement that releases the lock."""
    if found := release(source.text, transactional=source.transactional):
        line, words, _ = found
        yield next(one for one in reversed(source.statements) if one.statement.line <= line), words
