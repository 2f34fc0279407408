"""What the statements of a migration lock, rewrite and read of what was there before: records and words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from healthd.model.names import Key

# Weakest first, as PostgreSQL's documentation of LOCK has them.
MODES = (
    "ACCESS SHARE",
    "ROW SHARE",
    "ROW EXCLUSIVE",
    "SHARE UPDATE EXCLUSIVE",
    "SHARE",
    "SHARE ROW EXCLUSIVE",
    "EXCLUSIVE",
    "ACCESS EXCLUSIVE",
)
# How a statement's locks are known.
MEASURED = "measured"  # read from pg_locks, in its transaction
DOCUMENTED = "documented"  # of a statement that has transactions of its own: PostgreSQL's documentation says so
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Step:
    """One statement, by the line on which it begins, and what it did to relations that were there before the file.

    `locks` maps a relation to the strongest mode that the statement added to what the file held already.
    `rewrites` are relations whose files were written anew, an index only when its table was not.
    `scans` are those that were read from end to end.
    """

    line: int
    locks: Mapping[str, str] = field(default_factory=dict)
    rewrites: tuple[str, ...] = ()
    scans: tuple[str, ...] = ()
    known: str = MEASURED


def strongest(steps: Iterable[Step]) -> dict[str, str]:
    """Return the strongest mode in which these statements lock each relation."""
    found: dict[str, str] = {}
    for step in steps:
        for relation, mode in step.locks.items():
            if relation not in found or MODES.index(mode) > MODES.index(found[relation]):
                found[relation] = mode
    return dict(sorted(found.items()))


def rewritten(steps: Iterable[Step]) -> tuple[str, ...]:
    """Return the relations that these statements write anew."""
    return tuple(sorted({relation for step in steps for relation in step.rewrites}))


def in_words(locks: Mapping[str, str], rewrites: Iterable[str]) -> str:
    """Return what is locked and rewritten in a few words, the strongest first; empty when nothing is."""
    by_mode = {mode: [short(one) for one in locks if locks[one] == mode] for mode in reversed(MODES)}
    parts = [f"{mode} on {', '.join(names)}" for mode, names in by_mode.items() if names]
    names = [short(one) for one in rewrites]
    return "; ".join([*parts, *([f"rewrites {', '.join(names)}"] if names else [])])


def short(relation: str) -> str:
    """Return the name of a relation, with its kind where that is no table and without the schema that is the usual."""
    kind, _, name = relation.partition(":")
    name = name.removeprefix("public.")
    return name if kind == "table" else f"{kind.replace('_', ' ')} {name}"


def encode(step: Step) -> dict[str, Any]:
    """Return a step as JSON knows it."""
    return {
        "line": step.line,
        "locks": dict(step.locks),
        "rewrites": list(step.rewrites),
        "scans": list(step.scans),
        "known": step.known,
    }


def decode(entry: Mapping[str, Any]) -> Step:
    """Return a step; raise ValueError, KeyError or TypeError when it is none."""
    locks = dict(entry["locks"])
    for relation in (*locks, *entry["rewrites"], *entry["scans"]):
        Key.parse(relation)
    if not set(locks.values()) <= set(MODES) or entry["known"] not in (MEASURED, DOCUMENTED, UNKNOWN):
        raise ValueError(entry)
    if type(entry["line"]) is not int or len(entry) != len(Step.__dataclass_fields__):
        raise ValueError(entry)
    return Step(entry["line"], locks, tuple(entry["rewrites"]), tuple(entry["scans"]), entry["known"])
