"""A statement that PostgreSQL refuses in a transaction where the table has partitions, or the subscription a slot."""

from __future__ import annotations

from collections.abc import Iterator

from healthd.lint.source import Rule, Source, Told
from healthd.sqltext.classify import Outside, outside

RULE = Rule(
    "may_be_refused",
    "warning",
    "A statement that PostgreSQL may refuse in a transaction",
    why="""
REINDEX and CLUSTER of a partitioned table, DROP SUBSCRIPTION with a slot and ALTER SUBSCRIPTION with a refresh fail
with 25001 in a transaction; of others of their kind nothing is refused. Where `healthd lock` has run the file, it is
known, and the rule is silent.""",
    instead="""
Put the statement into a file of its own, with `-- transactional: false` at its top: that runs either way.""",
)


def find(source: Source) -> Iterator[tuple[Told | None, str]]:
    """Yield what may be refused, in a file that no replay has run."""
    for one in source.statements if source.transactional and source.steps is None else ():
        if outside(one.code) is Outside.PERHAPS:
            yield one, "may be refused in a transaction: with partitions, or a slot, it is"
