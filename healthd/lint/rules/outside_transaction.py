"""A statement that PostgreSQL refuses in a transaction, in a file that is one."""

from __future__ import annotations

from collections.abc import Iterator

from healthd.lint.source import Rule, Source, Told
from healthd.sqltext.classify import Outside, outside

RULE = Rule(
    "outside_transaction",
    "error",
    "A statement that PostgreSQL refuses in a transaction, in a file that is one",
    why="""
CREATE INDEX CONCURRENTLY, VACUUM, ALTER SYSTEM and their like fail with 25001 in a transaction.""",
    instead="""
Put the statement into a file of its own, with `-- transactional: false` at its top.""",
)


def find(source: Source) -> Iterator[tuple[Told | None, str]]:
    """Yield what cannot run in a transaction."""
    for one in source.statements if source.transactional else ():
        if outside(one.code) is Outside.ALWAYS:
            yield one, "cannot run in a transaction: put `-- transactional: false` at the top of the file"
