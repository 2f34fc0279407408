"""An enum label that is added and used in one transaction."""

from __future__ import annotations

from collections.abc import Iterator

from healthd.lint.source import Rule, Source, Told
from healthd.sqltext.classify import used_label

RULE = Rule(
    "enum_value_used",
    "error",
    "An enum label that is added and used in one transaction",
    why="""
PostgreSQL refuses to use a label before the transaction that added it is committed (55P04).""",
    instead="""
Add the label in a migration of its own, and use it in the next.""",
)


def find(source: Source) -> Iterator[tuple[Told | None, str]]:
    """Yield the first use of a label that the file has added."""
    if source.transactional and (used := used_label(source.text)):
        line, label = used
        yield next(one for one in source.statements if one.statement.line == line), f"uses {label!r}, added above"
