"""The text of a lock file, one JSON object a line, so that it can be reviewed.

Its first line, and the first line of each migration, hold the number of lines that belong to it, the SHA-256 of those
lines, and what they add to the digest of each kind. A round that finds the expected digests in a database therefore
does not read the other lines. The `chain` of a migration is a digest of its lines and of all lines before it.
For other major versions of PostgreSQL only the differences are stored (`on`).
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from healthd.catalog import KINDS
from healthd.catalog.digests import NONE, Digest
from healthd.expected.codec import encode, encode_difference, line, passing
from healthd.expected.effects import Effects, elsewhere
from healthd.expected.lockfile import Locked, LockFile, Needed, counted_out
from healthd.expected.measurements import encode as encode_step
from healthd.model.attributes import Record, attributes
from healthd.model.names import Key
from healthd.model.snapshots import Difference

FORMAT = 3
MEASUREMENT = 1  # to be increased with each change of what a replay measures: all files are then measured again


def dump(lock: LockFile) -> str:
    """Return the lock file's text."""
    first, *blocks = _blocks(counted_out(lock))
    first[0].update(_needed_entry(lock.needed))
    for (entry, _), one in zip(blocks, lock.migrations, strict=True):
        if one.chain:
            entry["chain"] = one.chain
    return "".join(line(entry) + follow for entry, follow in (first, *blocks))


def dump_of(lock: LockFile, place: int) -> str:
    """Return the lines of one migration, whose digests are known."""
    one, also = lock.migrations[place], {major: other.migrations[place] for major, other in sorted(lock.also.items())}
    entry, follow = _block(one, also)
    return line(entry | ({"chain": one.chain} if one.chain else {})) + follow


def linked(lock: LockFile) -> LockFile:
    """Return a lock file in which each migration has its link of the chain."""
    ones = zip(lock.migrations, chain(lock), strict=True)
    return replace(lock, migrations=tuple(replace(one, chain=link) for one, link in ones))


def chain(lock: LockFile) -> tuple[str, ...]:
    """Return for each migration the digest of its record and of all records before it.

    A record is what was measured of exactly these files, in this order, by this version of the measurement: a changed
    word in one of them changes its link and all later ones.
    """
    return tuple(_links([entry for entry, _ in _blocks(counted_out(lock))], lock))


def _links(entries: Sequence[Mapping[str, Any]], lock: LockFile) -> Iterator[str]:
    """Yield the links of a chain of first lines, which contain the digests of the lines that follow them."""
    first, *migrations = entries
    link = _link(MEASUREMENT, _queries(lock.server_version), first)
    for entry in migrations:
        needed = [[one.kind, one.name] for one in lock.needed if one.migration == entry["migration"]]
        yield (link := _link(link, entry, needed))


def _link(*parts: Any) -> str:
    return sha256(line({"parts": parts}).encode()).hexdigest()


@functools.cache
def _queries(server_version: int) -> str:
    """Return a digest of what is read of each kind: a record is not complete if a later version reads more."""
    texts = [(kind.name, kind.sql(server_version), list(attributes(kind.record))) for kind in KINDS.values()]
    return _link(texts)


def _blocks(lock: LockFile) -> list[tuple[dict[str, Any], str]]:
    """Return the first line and the other lines of an empty database, and of each migration."""
    base = [{"base": str(key), "is": encode(record)} for key, record in sorted(lock.base.items())]
    there = {major: list(elsewhere(made(lock.base), made(one.base))) for major, one in sorted(lock.also.items())}
    follow = "".join(map(line, base)) + _elsewhere({}, there)
    first = {
        "healthd_lock": FORMAT,
        "server": lock.server_version // 10000,
        "also": {str(major): _counts(entries) for major, entries in there.items()},
        "base": len(base),
        **seal(follow.encode()),
    }
    also = [
        {major: other.migrations[number] for major, other in sorted(lock.also.items())}
        for number in range(len(lock.migrations))
    ]
    return [(first, follow), *map(_block, lock.migrations, also)]


def _needed_entry(needed: tuple[Needed, ...]) -> dict[str, Any]:
    """Return the part of the first line that lists what the server needs; earlier versions ignore it."""
    return {"needed": [[one.kind, one.name, one.migration] for one in needed]} if needed else {}


def made(base: Mapping[Key, Record]) -> list[Difference]:
    return [Difference(key, None, None, record) for key, record in base.items()]


def _block(one: Locked, also: Mapping[int, Locked]) -> tuple[dict[str, Any], str]:
    counts, lines = _lines(one)
    there = {major: list(elsewhere(_lasting(one.effects), _lasting(other.effects))) for major, other in also.items()}
    follow = lines + _elsewhere({"migration": one.id}, there)
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
        "effects": counts,
        **seal(follow.encode()),
        "adds": _adds(one.digests or {}),
        "also": otherwise,
    }
    return first, follow


def _lines(one: Locked) -> tuple[Mapping[str, int], str]:
    """Return how many effects of each kind a migration has, and their lines; those that were read are as they were."""
    if type(one.effects) is Effects:
        return one.effects.counts, one.effects.text
    effects = [(effect.key.kind, encode_difference(effect)) for effect in _lasting(one.effects)]
    effects.sort(key=lambda entry: entry[0])
    return _counts(effects), "".join(line({"migration": one.id, **entry}) for _, entry in effects)


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
