"""An object is dropped that running programs may use."""

from __future__ import annotations

import re
from collections.abc import Iterator

from healthd.lint.source import NAME, Linted, Rule, Source, alterations, table

RULE = Rule(
    "drop_breaks",
    "warning",
    "An object is dropped that running programs may use",
    why="""
The version of the application that is running while the migration is applied may still use the object.""",
    instead="""
First deploy a release that no longer uses the object, then drop the object in a later migration.""",
)

DROPS = re.compile(
    rf"(drop\s+(?:table|materialized\s+view|view|type|schema)\b)(?:\s+if\s+exists)?(?:\s+{NAME})?", re.IGNORECASE
)
RENAMES = re.compile(rf"alter\b.*\brename\s+to\s+{NAME}", re.IGNORECASE | re.DOTALL)
COLUMN = re.compile(
    r"\bdrop\s+(?!constraint\b|default\b|not\b|identity\b|expression\b)(?:column\s+)?(?:if\s+exists\s+)?(\S+)",
    re.IGNORECASE,
)


def find(source: Source) -> Iterator[tuple[Linted | None, str]]:
    """Yield each DROP of a relation, type, schema or column by a migration; a rollback is allowed to drop them.

    A name that the file itself has given to an object is used by no program.
    """
    if source.is_rollback:
        return
    given = {table(match[1]) for one in source.every if (match := RENAMES.match(one.code))}
    for one in source.every:
        if (match := DROPS.match(one.code)) and table(match[2] or "").rpartition(".")[2] not in given:
            yield one, f"{' '.join(match[1].upper().split())}: running programs may still use it"
    for one, name, rest in alterations(source, inside=True):
        for match in COLUMN.finditer(rest):
            yield one, f"running programs may still use {name}.{match[1].rstrip(',;')}"
