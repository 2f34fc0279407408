"""A statement that cannot run inside a transaction block, in a transactional file."""

from __future__ import annotations

from collections.abc import Iterator

from healthd.lint.source import Linted, Rule, Source
from healthd.sqltext.classify import Outside, outside

RULE = Rule(
    "outside_transaction",
    "error",
    "A statement that cannot run inside a transaction block, in a transactional file",
    why="""
CREATE INDEX CONCURRENTLY, VACUUM, ALTER SYSTEM and similar statements fail inside a transaction block (25001).""",
    instead="""
Put the statement into a separate file, with `-- transactional: false` at its top.""",
)


def find(source: Source) -> Iterator[tuple[Linted | None, str]]:
    """Yield each statement that cannot run inside a transaction block."""
    for one in source.statements if source.transactional else ():
        if outside(one.code) is Outside.ALWAYS:
            yield one, "cannot run inside a transaction block: put `-- transactional: false` at the top of the file"
