"""A setting that outlives its file."""

from __future__ import annotations

import re
from collections.abc import Iterator

from healthd.lint.source import Rule, Source, Told

RULE = Rule(
    "leaking_setting",
    "warning",
    "A setting that outlives its file",
    why="""
SET without LOCAL lasts for the session, so a runner that uses one session changes how later files are read:
a `search_path` decides where their objects go. healthd resets the session after each file; others do not.""",
    instead="""
`SET LOCAL`, or the schema before each name.""",
)

SETS = re.compile(r"set\s+(?!local\b|transaction\b|constraints\b)(?:session\s+)?([\w.]+)", re.IGNORECASE)


def find(source: Source) -> Iterator[tuple[Told | None, str]]:
    """Yield each SET of a transactional file that is not LOCAL."""
    for one in source.statements if source.transactional else ():
        if match := SETS.match(one.code):
            yield one, f"SET {match[1]} without LOCAL lasts longer than the file"
