"""The replica identity of a table is dropped."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from healthd.lint.source import NAME, Linted, Rule, Source, alterations, table
from healthd.model.attributes import Record
from healthd.model.names import Key
from healthd.model.snapshots import Difference

RULE = Rule(
    "drops_key",
    "warning",
    "The replica identity of a table is dropped",
    why="""
Logical replication identifies a row by the primary key, or by the index that REPLICA IDENTITY names.
If the table is published, every UPDATE and DELETE by the application fails from then on (55000).
This also applies to a publication that somebody else created and that no migration mentions.""",
    instead="""
Build the index of the new key first and replace the key in one statement
(`DROP CONSTRAINT a_pkey, ADD CONSTRAINT a_pkey PRIMARY KEY USING INDEX b`),
or set `REPLICA IDENTITY FULL` before.""",
)

NOTHING = re.compile(r"replica\s+identity\s+nothing\b", re.IGNORECASE)
KEEPS = re.compile(r"\bprimary\s+key\b|\breplica\s+identity\s+(?:full|using)\b", re.IGNORECASE)
DROPS = re.compile(r"\bdrop\s+constraint\s+(?:if\s+exists\s+)?(\"[^\"]+\"|[\w$]+)", re.IGNORECASE)
INDEX = re.compile(rf"drop\s+index\s+(?:concurrently\s+)?(?:if\s+exists\s+)?{NAME}", re.IGNORECASE)
CALLED = re.compile(r"\"?\w*_pk(?:ey)?\"?$|\"?pk_\w*\"?$", re.IGNORECASE)  # PostgreSQL's and other common names


def find(source: Source) -> Iterator[tuple[Linted | None, str]]:
    """Yield each statement that leaves a table without such a key: as measured, otherwise judged by the key's name."""
    every = [*alterations(source)]
    kept = {table(name) for _, name, rest in every if KEEPS.search(rest)}
    lost = None if source.effects is None else frozenset(_lost(source.effects))
    for one, name, rest in every:
        if NOTHING.search(rest):
            yield one, f"leaves {name} without a replica identity: if it is published, UPDATE and DELETE fail"
        for key in DROPS.findall(rest) if table(name) not in kept else ():
            if CALLED.match(key) if lost is None else table(key) in lost:
                yield one, f"{key} is the replica identity of {name}: if it is published, UPDATE and DELETE fail"
    for key in sorted(lost or ()):
        if not any(key in one.statement.text for one in source.statements):
            yield None, f"{key}, the replica identity of its table, is dropped as a dependent object"
    for one in source.statements if lost else ():
        if (match := INDEX.match(one.code)) and table(match[1]).rpartition(".")[2] in (lost or ()):
            yield one, f"{match[1]} is the index that is the replica identity of its table"


def _lost(effects: Sequence[Difference]) -> Iterator[str]:
    """Yield the names of the replica identities that are dropped while their tables are kept."""
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
    """Return whether logical replication can identify a row by this constraint or index."""
    known: Any = record
    return bool(known.replica_identity or (key.kind == "constraint" and known.type == "primary key"))
