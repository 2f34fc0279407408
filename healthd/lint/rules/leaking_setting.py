"""A setting that lasts beyond its file."""

from __future__ import annotations

from collections.abc import Iterator

from healthd.lint.source import Linted, Rule, Source
from healthd.sqltext.classify import setting_of

RULE = Rule(
    "leaking_setting",
    "warning",
    "A setting that lasts beyond its file",
    why="""
SET without LOCAL, and `set_config(…, false)`, last until the session ends.
In a runner that uses one session for several files, they change how later files run: for example, a `search_path`
decides in which schema their objects are created.
healthd resets the session after each file; other runners do not.""",
    instead="""
Use `SET LOCAL`, `set_config(…, true)`, or write the schema before each name.""",
)


def find(source: Source) -> Iterator[tuple[Linted | None, str]]:
    """Yield each statement of a transactional file that changes a setting for the rest of the session."""
    for one in source.every if source.transactional else ():
        if (found := setting_of(one.statement)) and found[1]:
            by_set = one.code[:3].lower() == "set"
            words = f"SET {found[0]} without LOCAL" if by_set else f"{found[0]}, set for the rest of the session,"
            yield one, f"{words} lasts longer than the file"
