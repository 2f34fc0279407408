"""A table or column is renamed while running programs use the old name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from healthd.lint.source import Linted, Rule, Source, alterations

RULE = Rule(
    "rename_breaks",
    "warning",
    "A table or column is renamed while running programs use the old name",
    why="""
As soon as the migration is committed, the old name no longer exists,
and the version of the application that is still running fails.""",
    instead="""
Keep the old name until no program uses it any more: create a view under the old name,
or add a new column and keep both columns equal with a trigger.""",
)

RENAMES = re.compile(r"rename\s+(?!constraint\b)(?:column\s+)?(?:\S+\s+)?to\s+(\S+)", re.IGNORECASE)


def find(source: Source) -> Iterator[tuple[Linted | None, str]]:
    """Yield each rename of a table or a column by a migration."""
    for one, name, rest in alterations(source, inside=True) if not source.is_rollback else ():
        if match := RENAMES.match(rest):
            yield one, f"running programs may still use the old name: {name} … TO {match[1]}"
