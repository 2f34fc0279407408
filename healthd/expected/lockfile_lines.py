"""A lock file as it is read: what was changed by hand is detected, and lines are decoded when they are needed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from healthd.catalog.digests import Digest
from healthd.errors import LockFileChanged, LockFileError
from healthd.expected.codec import OUTDATED, Said, decode, read_line
from healthd.expected.conflict_markers import conflict_line
from healthd.expected.effects import Effects, Elsewhere, decode_all
from healthd.expected.lockfile import Locked, LockFile, Needed, without_none
from healthd.expected.lockfile_text import FORMAT, made, seal
from healthd.expected.measurements import decode as decode_step
from healthd.expected.measurements import rewritten, strongest
from healthd.model.attributes import Record
from healthd.model.migration_names import canonical
from healthd.model.names import Key
from healthd.model.snapshots import Difference

LOCKED = frozenset(
    "migration digest rollback_digest transactional rollback rollback_differences "
    "locks rewrites steps effects sha256 adds also".split()
)
RESOLVE = "resolve it with: healthd lock --resolve"
VERDICTS = frozenset({"exact", "differs", "fails", "missing"})
Counts = dict[str, int]  # of lines, by kind


def load(text: str | bytes, name: str = "schema.lock") -> LockFile:
    """Return the lock file with this text (UTF-8); raise LockFileError with the number of the line that is wrong.

    The effects are decoded when they are needed; here it is only verified that they were not changed.
    """
    content = text.encode() if isinstance(text, str) else text
    try:
        return _load(content, name)
    except LockFileError as error:
        if number := conflict_line(content):
            raise LockFileError(
                f"{name}, line {number}: contains an unresolved merge conflict", hint=RESOLVE
            ) from error
        raise


def _load(text: bytes, name: str) -> LockFile:
    lines = _Lines(name, text)
    entry, version, also, many, needed = lines.read(lambda entry: (entry, *_header(entry)))
    follow = lines.sealed(entry, many, also.values())
    base: dict[Key, Record] = {}
    for number, text_ in enumerate(follow[:many], 2):
        key, record = read_line(name, number, text_, lambda entry: decode(entry["base"], entry["is"]))
        if key in base:
            raise LockFileError(f"{name}, line {number}: {key} occurs twice", hint=OUTDATED)
        base[key] = record
    bases = _also(name, 2 + many, follow[many:], made(base), also)
    migrations: dict[str, tuple[Locked, Mapping[int, Locked]]] = {}
    while lines.more:
        entry, fields, counts, there = lines.read(lambda one: (one, *_locked(one, also)))
        number = lines.number
        if fields["id"] in migrations:
            raise LockFileError(f"{name}, line {number}: {fields['id']} occurs twice", hint=OUTDATED)
        many = sum(counts.values())
        follow = lines.sealed(entry, many, (counted for counted, _ in there.values()))
        one = Locked(**fields, effects=Effects(follow[:many], counts, number + 1, name))
        migrations[one.id] = one, _others(name, number + 1 + many, follow[many:], one, there) if there else {}
    return LockFile(
        version,
        base,
        tuple(one for one, _ in migrations.values()),
        {
            major: LockFile(
                major * 10000,
                {effect.key: effect.actual for effect in bases[major]},
                tuple(others.get(major, one) for one, others in migrations.values()),
            )
            for major in also
        },
        needed,
    )


class _Lines:
    """The lines of a lock file, one after the other; `number` is that of the last line that was read.

    The file may have megabytes: it is split into lines once, and a line is decoded when it is needed.
    """

    def __init__(self, name: str, text: bytes) -> None:
        if not text or text.isspace():
            raise LockFileError(f"{name} is empty", hint=OUTDATED)
        if b"\r" in text:
            text = text.replace(b"\r\n", b"\n")
        self._name, self._text = name, text if text.endswith(b"\n") else text + b"\n"
        self._lines = self._text.split(b"\n")
        self._lines.pop()
        self.number = self._start = 0

    @property
    def more(self) -> bool:
        return self.number < len(self._lines)

    def read(self, decode: Callable[[dict[str, Any]], Said]) -> Said:
        """Return the content of the next line."""
        line = self._lines[self.number]
        self.number += 1
        self._start += len(line) + 1
        return read_line(self._name, self.number, line, decode)

    def sealed(self, entry: Mapping[str, Any], many: int, also: Iterable[Counts]) -> Sequence[bytes]:
        """Return the lines that belong to the entry read last, if they are unchanged."""
        many += sum(sum(counts.values()) for counts in also)
        follow = self._lines[self.number : self.number + many]
        end = self._start + sum(map(len, follow)) + len(follow)
        cut = len(follow) < many
        if cut or seal(memoryview(self._text)[self._start : end]) != {"sha256": entry.get("sha256")}:
            whose = entry.get("migration", "an empty database")
            what = "incomplete" if cut else "modified"
            words = f"{self._name}, line {self.number}: the lines of {whose} that follow are {what}"
            raise (LockFileError if cut else LockFileChanged)(words, hint=OUTDATED)
        self.number += len(follow)
        self._start = end
        return follow


def _others(
    name: str,
    first_line: int,
    lines: Sequence[bytes],
    one: Locked,
    there: Mapping[int, tuple[Counts, Mapping[str, Digest]]],
) -> dict[int, Locked]:
    """Return the effects of a migration on each other major version; see `_also`."""
    changed = {major: counts for major, (counts, _) in there.items()}
    effects = _also(name, first_line, lines, one.effects, changed)
    return {
        major: replace(one, effects=effects[major], digests=without_none({**(one.digests or {}), **adds}))
        for major, (_, adds) in there.items()
    }


def _also(
    name: str, first_line: int, lines: Sequence[bytes], usual: Sequence[Difference], also: Mapping[int, Counts]
) -> dict[int, Elsewhere]:
    """Return the effects on each other major version; `lines` are theirs, one version after the other."""
    found, position = {}, 0
    for major, counts in also.items():
        many = sum(counts.values())
        found[major] = Elsewhere(usual, lines[position : position + many], counts, first_line + position, name)
        position += many
    return found


def verified(lock: LockFile) -> LockFile:
    """Return the lock file; raise LockFileError when one of its effects cannot be read."""
    for one in (lock, *lock.also.values()):
        for migration in one.migrations:
            effects = migration.effects
            if isinstance(effects, Elsewhere):
                for _ in effects.of_kinds(effects.kinds):
                    pass
            else:
                decode_all([effects])
    return lock


def _header(entry: dict[str, Any]) -> tuple[int, dict[int, Counts], int, tuple[Needed, ...]]:
    """Return the server's version, the number of lines of each other major version and of an empty database, and what
    the server needs.
    """
    if entry["healthd_lock"] != FORMAT:
        raise LockFileError(
            f"format {entry['healthd_lock']}, but this version of healthd reads format {FORMAT}", hint=OUTDATED
        )
    if type(entry["server"]) is not int or entry["server"] < 1:
        raise ValueError(entry["server"])
    also = {int(major): _counted(counts) for major, counts in entry["also"].items()}
    return entry["server"] * 10000, also, _counted({"": entry["base"]})[""], _needed(entry.get("needed", ()))


def _needed(entries: Any) -> tuple[Needed, ...]:
    found = tuple(Needed(kind, name, migration) for kind, name, migration in entries)
    if not all(isinstance(word, str) for one in found for word in (one.kind, one.name, one.migration)):
        raise TypeError("not kind, name and migration")
    return found


def _counted(counts: Any) -> Counts:
    """Return the number of lines of each kind."""
    if not isinstance(counts, dict):
        raise TypeError("not a count for each kind")
    for count in counts.values():  # a generator would be noticeably slower for ten thousand migrations
        if type(count) is not int or count < 0:
            raise ValueError(counts)
    return counts


def _locked(
    entry: dict[str, Any], majors: Collection[int]
) -> tuple[dict[str, Any], Counts, dict[int, tuple[Counts, dict[str, Digest]]]]:
    """Return the fields of a migration without its effects, the number of effects, and those on other versions."""
    if entry.keys() - {"chain"} != LOCKED:
        raise KeyError(entry.keys() ^ LOCKED)
    if not isinstance(entry["migration"], str) or not isinstance(entry["digest"], str):
        raise TypeError("not the name and the digest of a migration")
    if not isinstance(entry["rollback_differences"], list):
        raise TypeError("not a list")
    steps = tuple(map(decode_step, entry["steps"]))
    locks, rewrites = (strongest(steps), list(rewritten(steps))) if steps else ({}, [])
    if entry["locks"] != locks or entry["rewrites"] != rewrites:
        raise LockFileError("its locks and rewrites do not match its steps", hint=OUTDATED)
    if entry["rollback"] not in VERDICTS:
        raise LockFileError(f"invalid rollback verdict: {entry['rollback']!r}", hint=OUTDATED)
    also = {}
    for major, one in entry["also"].items():
        if int(major) not in majors:
            raise ValueError(major)
        also[int(major)] = _counted(one["lines"]), _digests(one["adds"])
    fields = {
        "id": canonical(entry["migration"]),
        "digest": entry["digest"],
        "rollback_digest": entry["rollback_digest"],
        "transactional": entry["transactional"],
        "rollback": entry["rollback"],
        "rollback_differences": tuple(entry["rollback_differences"]),
        "steps": steps,
        "digests": _digests(entry["adds"]),
        "chain": str(entry.get("chain", "")),
    }
    return fields, _counted(entry["effects"]), also


def _digests(adds: Any) -> dict[str, Digest]:
    return {str(kind): (int(count), int(number, 16)) for kind, (count, number) in adds.items()}
