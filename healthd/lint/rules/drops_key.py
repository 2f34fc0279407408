"""The key by which replication knows the rows of a table is dropped."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from healthd.lint.source import NAME, Rule, Source, Told, alterations, table
from healthd.model import Difference

RULE = Rule(
    "drops_key",
    "warning",
    "The key by which replication knows a row is dropped",
    why="""
Logical replication finds a row by the primary key, or by the index that REPLICA IDENTITY names.
Where the table is published, UPDATE and DELETE of the application fail from then on (55000): also where the publication
was made by somebody else and no migration speaks of it.""",
    instead="""
Make the new key first and put it in the place of the old one in one statement
(`DROP CONSTRAINT a_pkey, ADD CONSTRAINT a_pkey PRIMARY KEY USING INDEX b`), or say `REPLICA IDENTITY FULL` before.""",
)

NOTHING = re.compile(r"replica\s+identity\s+nothing\b", re.IGNORECASE)
KEEPS = re.compile(r"\bprimary\s+key\b|\breplica\s+identity\s+(?:full|using)\b", re.IGNORECASE)
DROPS = re.compile(r"\bdrop\s+constraint\s+(?:if\s+exists\s+)?(\"[^\"]+\"|[\w$]+)", re.IGNORECASE)
INDEX = re.compile(rf"drop\s+index\s+(?:concurrently\s+)?(?:if\s+exists\s+)?{NAME}", re.IGNORECASE)
CALLED = re.compile(r"\"?\w*_pk(?:ey)?\"?$|\"?pk_\w*\"?$", re.IGNORECASE)  # as PostgreSQL and people call them


def find(source: Source) -> Iterator[tuple[Told | None, str]]:
    """Yield each statement after which a table has no such key: by what was measured, else by the key's name."""
    every = [*alterations(source)]
    kept = {table(name) for _, name, rest in every if KEEPS.search(rest)}
    lost = None if source.effects is None else frozenset(_lost(source.effects))
    for one, name, rest in every:
        if NOTHING.search(rest):
            yield one, f"{name} has no replica identity any more: UPDATE and DELETE of a published table fail"
        for key in DROPS.findall(rest) if table(name) not in kept else ():
            if CALLED.match(key) if lost is None else table(key) in lost:
                yield one, f"{key} is the key by which replication knows a row of {name}"
    for one in source.statements if lost else ():
        if (match := INDEX.match(one.code)) and table(match[1]).rpartition(".")[2] in (lost or ()):
            yield one, f"{match[1]} is the index by which replication knows the rows of its table"


def _lost(effects: Sequence[Difference]) -> Iterator[str]:
    """Yield the names of the keys by which replication knew a row, and that are gone while their tables are not."""
    gone = {effect.key.path for effect in effects if effect.missing and effect.key.kind == "table"}
    for effect in effects:
        kind, was = effect.key.kind, effect.expected
        if not effect.missing or kind not in ("constraint", "index") or effect.key.path[:2] in gone:
            continue
        if was.replica_identity or (kind == "constraint" and was.type == "primary key"):
            yield effect.key.path[-1]
