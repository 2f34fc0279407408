"""A statement that may rewrite the whole table under ACCESS EXCLUSIVE."""

from __future__ import annotations

import re
from collections.abc import Iterator

from healthd.expected.measurements import short
from healthd.lint.source import Rule, Source, Told, alterations

RULE = Rule(
    "rewrites_table",
    "warning",
    "A statement that may rewrite the whole table under ACCESS EXCLUSIVE",
    why="""
Nobody reads or writes the table while each row is written anew, with every index. `healthd lock` measures
whether it really happens: a longer varchar, for one, needs no rewrite.""",
    instead="""
A new column, filled in batches, and swapped in a later migration; a default that is constant;
pg_repack for VACUUM FULL and CLUSTER.""",
)

FORMS = re.compile(
    r"""\b(?:alter\s+(?:column\s+)?\S+\s+(?:set\s+data\s+)?type\b
      | set\s+(?:logged|unlogged|tablespace|access\s+method)\b
      | add\s+(?:column\s+)?(?:if\s+not\s+exists\s+)?\S+\s+(?:(?:small|big)?serial\b
          | [^,;]*?\bdefault\s+[^,]*?\b
            (?:random|gen_random_uuid|uuid_generate_v\w+|uuidv[47]|clock_timestamp|nextval|timeofday)\s*\(
          | [^;]*?\bgenerated\s+always\s+as\s*\((?:.*)\)\s*stored | [^,;]*?\bas\s+identity\b))""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
WHOLE = re.compile(r"(?:vacuum\s+(?:\([^)]*\bfull\b|full\b)|cluster\b)", re.IGNORECASE)


def find(source: Source) -> Iterator[tuple[Told | None, str]]:
    """Yield each statement that was measured to rewrite, and where nothing was measured, each of a form that does."""
    for one in source.statements:
        step = source.measured(one)
        if names := [short(name) for name in step.rewrites if name.startswith(("table:", "view:"))] if step else []:
            yield one, f"rewrites all of {', '.join(names)} while nobody else may read it (measured)"
    yield from ((one, words) for one, words in _guessed(source) if source.measured(one) is None)


def _guessed(source: Source) -> Iterator[tuple[Told, str]]:
    for one, name, rest in alterations(source):
        if match := FORMS.search(rest):
            yield one, f"{' '.join(match[0].split())[:60]}: may rewrite all of {name} while nobody else may read it"
    for one in source.statements:
        if WHOLE.match(one.code):
            yield one, "rewrites the table while nobody else may read it"
