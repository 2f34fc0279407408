"""A setting that lasts beyond its file."""

from __future__ import annotations

import re
from collections.abc import Iterator

from healthd.lint.source import Linted, Rule, Source

RULE = Rule(
    "leaking_setting",
    "warning",
    "A setting that lasts beyond its file",
    why="""
SET without LOCAL lasts until the session ends. In a runner that uses one session for several files, it changes
how later files run: for example, a `search_path` decides in which schema their objects are created.
healthd resets the session after each file; other runners do not.""",
    instead="""
Use `SET LOCAL`, or write the schema before each name.""",
)

SETS = re.compile(r"set\s+(?!local\b|transaction\b|constraints\b)(?:session\s+)?([\w.]+)", re.IGNORECASE)


def find(source: Source) -> Iterator[tuple[Linted | None, str]]:
    """Yield each SET of a transactional file that is not LOCAL."""
    for one in source.statements if source.transactional else ():
        if match := SETS.match(one.code):
            yield one, f"SET {match[1]} without LOCAL lasts longer than the file"
