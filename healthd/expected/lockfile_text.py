"""The text of a lock file, one JSON object a line, so that it can be reviewed.

Its first line, and the first line of each migration, hold the number of lines that belong to it, the SHA-256 of those
lines, and what they add to the digest of each kind. A round that finds the expected digests in a database therefore
does not read the other lines. For other major versions of PostgreSQL only the differences are stored (`on`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from healthd.catalog import KINDS
from healthd.catalog.digests import NONE, Digest
from healthd.expected.codec import encode, encode_difference, line, passing
from healthd.expected.effects import elsewhere
from healthd.expected.lockfile import Locked, LockFile, Needed, counted_out
from healthd.expected.measurements import encode as encode_step
from healthd.model.attributes import Record
from healthd.model.names import Key
from healthd.model.snapshots import Difference

FORMAT = 3


def dump(lock: LockFile) -> str:
    """Return the lock file's text."""
    lock = counted_out(lock)
    base = [{"base": str(key), "is": encode(record)} for key, record in sorted(lock.base.items())]
    there = {major: list(elsewhere(made(lock.base), made(one.base))) for major, one in sorted(lock.also.items())}
    follow = "".join(map(line, base)) + _elsewhere({}, there)
    first = {
        "healthd_lock": FORMAT,
        "server": lock.server_version // 10000,
        "also": {str(major): _counts(entries) for major, entries in there.items()},
        "base": len(base),
        **seal(follow.encode()),
        **_needed_entry(lock.needed),
    }
    also = [
        {major: other.migrations[number] for major, other in sorted(lock.also.items())}
        for number in range(len(lock.migrations))
    ]
    return "".join([line(first), follow, *map(_block, lock.migrations, also)])


def _needed_entry(needed: tuple[Needed, ...]) -> dict[str, Any]:
    """Return the part of the first line that lists what the server needs; earlier versions ignore it."""
    return {"needed": [[one.kind, one.name, one.migration] for one in needed]} if needed else {}


def made(base: Mapping[Key, Record]) -> list[Difference]:
    return [Difference(key, None, None, record) for key, record in base.items()]


def _block(one: Locked, also: Mapping[int, Locked]) -> str:
    effects = [(effect.key.kind, encode_difference(effect)) for effect in _lasting(one.effects)]
    effects.sort(key=lambda entry: entry[0])
    there = {major: list(elsewhere(_lasting(one.effects), _lasting(other.effects))) for major, other in also.items()}
    whose = {"migration": one.id}
    follow = "".join(line({**whose, **entry}) for _, entry in effects) + _elsewhere(whose, there)
    otherwise = {}
    for major, other in also.items():
        adds = {kind: digest for kind in KINDS if (digest := _digest(other, kind)) != _digest(one, kind)}
        if there[major] or adds:
            otherwise[str(major)] = {"lines": _counts(there[major]), "adds": _adds(adds)}
    first = {
        "migration": one.id,
        "digest": one.digest,
        "rollback_digest": one.rollback_digest,
        "transactional": one.transactional,
        "rollback": one.rollback,
        "rollback_differences": list(one.rollback_differences),
        "locks": one.locks,
        "rewrites": list(one.rewrites),
        "steps": [encode_step(step) for step in one.steps],
        "effects": _counts(effects),
        **seal(follow.encode()),
        "adds": _adds(one.digests or {}),
        "also": otherwise,
    }
    return line(first) + follow


def _lasting(effects: Iterable[Difference]) -> list[Difference]:
    return [effect for effect in effects if not passing(effect.key, effect.attribute)]


def _elsewhere(whose: Mapping[str, str], there: Mapping[int, list[tuple[str, dict[str, Any]]]]) -> str:
    """Return the lines of the other major versions."""
    return "".join(line({**whose, "on": major, **entry}) for major, entries in there.items() for _, entry in entries)


def _counts(entries: Iterable[tuple[str, Any]]) -> dict[str, int]:
    return dict(Counter(kind for kind, _ in entries))


def _digest(one: Locked, kind: str) -> Digest:
    return (one.digests or {}).get(kind, NONE)


def _adds(digests: Mapping[str, Digest]) -> dict[str, Any]:
    return {kind: [count, f"{number:016x}"] for kind, (count, number) in sorted(digests.items())}


def seal(lines: bytes | memoryview) -> dict[str, str]:
    """Return the SHA-256 of the lines that follow, by which a change by hand is detected."""
    return {"sha256": sha256(lines).hexdigest()}
