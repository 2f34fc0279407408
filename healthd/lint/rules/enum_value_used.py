"""An enum label is added and used in the same transaction."""

from __future__ import annotations

from collections.abc import Iterator

from healthd.lint.source import Linted, Rule, Source
from healthd.sqltext.classify import used_label

RULE = Rule(
    "enum_value_used",
    "error",
    "An enum label is added and used in the same transaction",
    why="""
A new label cannot be used before the transaction that added it is committed (55P04).""",
    instead="""
Add the label in a separate migration, and use it in the next one.""",
)


def find(source: Source) -> Iterator[tuple[Linted | None, str]]:
    """Yield the first use of a label that the same file adds."""
    if source.transactional and (used := used_label(source.text)):
        line, label = used
        yield next(one for one in source.statements if one.statement.line == line), f"uses {label!r}, added above"
