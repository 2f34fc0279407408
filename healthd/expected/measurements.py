"""What the statements of a migration lock, rewrite and scan of the relations that existed before it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from healthd.model.costs import short
from healthd.model.names import Key

# Weakest first, in the order of PostgreSQL's documentation of LOCK.
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
DOCUMENTED = "documented"  # from PostgreSQL's documentation, for a statement that runs transactions of its own
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Step:
    """One statement, by the line on which it begins, and what it did to relations that existed before the file.

    `locks` maps a relation to the strongest mode that the statement added to the locks that the file already held.
    `rewrites` are the relations that were rewritten, an index only when its table was not.
    `scans` are the relations that were read completely.
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
    """Return the relations that these statements rewrite."""
    return tuple(sorted({relation for step in steps for relation in step.rewrites}))


def in_words(locks: Mapping[str, str], rewrites: Iterable[str]) -> str:
    """Return what is locked and rewritten in a few words, the strongest lock first; empty when nothing is."""
    by_mode = {mode: [short(one) for one in locks if locks[one] == mode] for mode in reversed(MODES)}
    parts = [f"{mode} on {', '.join(names)}" for mode, names in by_mode.items() if names]
    names = [short(one) for one in rewrites]
    return "; ".join([*parts, *([f"rewrites {', '.join(names)}"] if names else [])])


def encode(step: Step) -> dict[str, Any]:
    """Return a step as JSON values."""
    return {
        "line": step.line,
        "locks": dict(step.locks),
        "rewrites": list(step.rewrites),
        "scans": list(step.scans),
        "known": step.known,
    }


def decode(entry: Mapping[str, Any]) -> Step:
    """Return a step; raise ValueError, KeyError or TypeError when it is not one."""
    locks = dict(entry["locks"])
    for relation in (*locks, *entry["rewrites"], *entry["scans"]):
        Key.parse(relation)
    if not set(locks.values()) <= set(MODES) or entry["known"] not in (MEASURED, DOCUMENTED, UNKNOWN):
        raise ValueError(entry)
    if type(entry["line"]) is not int or len(entry) != len(Step.__dataclass_fields__):
        raise ValueError(entry)
    return Step(entry["line"], locks, tuple(entry["rewrites"]), tuple(entry["scans"]), entry["known"])
