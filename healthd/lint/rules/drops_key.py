"""The key by which replication knows the rows of a table is dropped."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from healthd.lint.source import NAME, Rule, Source, Told, alterations, table
from healthd.model.attributes import Record
from healthd.model.names import Key
from healthd.model.snapshots import Difference

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
    for key in sorted(lost or ()):
        if not any(key in one.statement.text for one in source.statements):
            yield None, f"{key}, by which replication knows the rows of its table, goes with what is dropped"
    for one in source.statements if lost else ():
        if (match := INDEX.match(one.code)) and table(match[1]).rpartition(".")[2] in (lost or ()):
            yield one, f"{match[1]} is the index by which replication knows the rows of its table"


def _lost(effects: Sequence[Difference]) -> Iterator[str]:
    """Yield the names of the keys by which replication knew a row, and that are gone while their tables are not."""
    gone = {effect.key.path for effect in effects if effect.missing and effect.key.kind == "table"}
    gone |= {
        effect.key.path[:2]  # it has a new one
        for effect in effects
        if effect.unexpected and effect.key.kind in ("constraint", "index") and _is_key(effect.key, effect.actual)
    }
    for effect in effects:
        if not effect.missing or effect.key.kind not in ("constraint", "index") or effect.key.path[:2] in gone:
            continue
        if _is_key(effect.key, effect.expected):
            yield effect.key.path[-1]


def _is_key(key: Key, record: Record) -> bool:
    """Return whether a constraint or an index is one by which replication knows a row."""
    known: Any = record
    return bool(known.replica_identity or (key.kind == "constraint" and known.type == "primary key"))
