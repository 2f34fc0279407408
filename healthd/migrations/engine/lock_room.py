"""The size of a server's lock table: until its end, a transaction holds a lock on everything it creates or drops."""

from __future__ import annotations

import math

from healthd import catalog
from healthd.expected.effects import of_kinds
from healthd.expected.lockfile import Locked

LOCKS = "max_locks_per_transaction"
INDEXED = frozenset({"primary key", "unique", "exclusion"})
# The lock table may grow into shared memory that is unused: never beyond twice its size, and a few thousand more.
SPARE = 4000


def locks(one: Locked) -> int:
    """Return how many locks a migration holds at least at the end of its transaction; 0 if it is not transactional."""
    if not one.transactional:
        return 0
    relations = frozenset(catalog.names(lambda kind: kind.relkinds))
    effects = of_kinds(one.effects, relations | {"column", "constraint"})
    whole = [(effect.key, effect.actual or effect.expected) for effect in effects if effect.attribute is None]
    found = sum(1 for key, record in whole if key.kind in relations or getattr(record, "type", "") in INDEXED)
    tables = {key.path for key, _ in whole if key.kind == "table"}
    stored_apart = {key.path[:2] for key, record in whole if key.kind == "column" and _unlimited(record.type)}
    added = {f"{key.kind}:{'.'.join(key.path)}" for key, _ in whole}
    before = sum(1 for name in one.locks if name not in added)
    return found + before + 2 * len(tables & stored_apart)  # the TOAST table and its index


def fits(one: Locked, max_locks: int, sessions: int) -> bool:
    """Return whether the locks of a migration fit by a quick estimate: no effect takes more than three locks."""
    return 3 * len(one.effects) + len(one.locks) <= least(max_locks, sessions)


def _unlimited(type_name: str) -> bool:
    """Return whether values of a type may be so long that the table gets a TOAST table."""
    return type_name in ("text", "character varying", "jsonb", "json", "bytea", "xml") or type_name.endswith("[]")


def least(max_locks: int, sessions: int) -> int:
    """Return how many locks a server can certainly hold."""
    return max_locks * sessions


def most(max_locks: int, processes: int) -> int:
    """Return how many locks a server can hold at most."""
    return 2 * max_locks * processes + SPARE


def full_lock_table(now: int, *, wanted: float) -> str:
    """Return the hint for a lock table that is too small; `now` and `wanted` are values of the setting."""
    number = rounded_up(wanted)
    return (
        f"increase {LOCKS} from {now} to about {number} (ALTER SYSTEM SET {LOCKS} = {number}; "
        "then restart the server), or split the file"
    )


def rounded_up(number: float) -> int:
    """Return the next power of two."""
    return 1 << (math.ceil(number) - 1).bit_length()
