"""A statement that PostgreSQL refuses inside a transaction block in some cases: partitions, or a replication slot."""

from __future__ import annotations

from collections.abc import Iterator

from healthd.lint.source import Linted, Rule, Source
from healthd.sqltext.classify import Outside, outside

RULE = Rule(
    "may_be_refused",
    "warning",
    "A statement that PostgreSQL may refuse inside a transaction block",
    why="""
REINDEX and CLUSTER of a partitioned table, DROP SUBSCRIPTION with a replication slot and ALTER SUBSCRIPTION with
a refresh fail inside a transaction block (25001). The same statements succeed on a table that is not partitioned,
and on a subscription without a slot or without a refresh.
The rule reports nothing about a file that `healthd lock` has run.""",
    instead="""
Put the statement into a separate file, with `-- transactional: false` at its top: it then runs in both cases.""",
)


def find(source: Source) -> Iterator[tuple[Linted | None, str]]:
    """Yield each statement that may be refused, in a file that no replay has run."""
    for one in source.statements if source.transactional and source.steps is None else ():
        if outside(one.code) is Outside.PERHAPS:
            yield one, "fails inside a transaction block if the table is partitioned or the subscription has a slot"
