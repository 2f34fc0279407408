"""The lock file: what each migration was measured to do, one JSON object a line, so that it can be reviewed.

Its first line, and the first line of each migration, hold the number of lines that belong to it, the SHA-256 of those
lines, and what they add to the digest of each kind. A round that finds the expected digests in a database therefore
does not read the other lines. For other major versions of PostgreSQL only the differences are stored (`on`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from healthd.catalog import KINDS
from healthd.catalog.digests import NONE, Digest, change, digest_of, total
from healthd.errors import LockFileChanged, LockFileError
from healthd.expected.codec import OUTDATED, Said, decode, encode, encode_difference, line, passing, read_line
from healthd.expected.effects import Effects, Elsewhere, elsewhere, of_kinds
from healthd.expected.files import Migration
from healthd.expected.measurements import Step, rewritten, strongest
from healthd.expected.measurements import decode as decode_step
from healthd.expected.measurements import encode as encode_step
from healthd.model.attributes import Record
from healthd.model.migration_names import canonical
from healthd.model.names import Key
from healthd.model.snapshots import Difference, Snapshot
from healthd.model.waivers import Waivers

FORMAT = 3
LOCKED = frozenset(
    "migration digest rollback_digest transactional rollback rollback_differences "
    "locks rewrites steps effects sha256 adds also".split()
)
VERDICTS = frozenset({"exact", "differs", "fails", "missing"})
Counts = dict[str, int]  # of lines, by kind


@dataclass(frozen=True, slots=True)
class Locked:
    """One migration as it was replayed.

    `effects` are differences from before it to after it. `rollback` is the proven verdict: exact, differs
    (`rollback_differences` names the objects), fails, or missing. `steps` are the statements that were measured
    to lock, rewrite or read relations that existed before. `digests` is what the effects add to the digest of
    each kind, None when that has not been computed yet.
    """

    id: str
    digest: str
    rollback_digest: str | None
    transactional: bool
    effects: Sequence[Difference]
    rollback: str
    rollback_differences: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    digests: Mapping[str, Digest] | None = None

    @property
    def locks(self) -> Mapping[str, str]:
        """Return the strongest mode in which it locks each relation."""
        return strongest(self.steps)

    @property
    def rewrites(self) -> tuple[str, ...]:
        """Return the relations that it rewrites."""
        return rewritten(self.steps)


@dataclass(frozen=True, slots=True)
class Needed:
    """A role or a tablespace that a migration names and that no file creates."""

    kind: str
    name: str
    migration: str  # the first one that names it


@dataclass(frozen=True, slots=True)
class LockFile:
    """What `sql/` defines: an empty database (`base`) and the effects of each migration, in order.

    `server_version` is the major version of the server that it was replayed on, times 10000. `also` has, by major
    version, what the same files create on other servers. `needed` had to be created for the replay; lock files of
    earlier versions do not contain it. `waivers` are not part of the file: `store.read_lock` adds them, because
    whoever compares a database with the one must know the other.
    """

    server_version: int
    base: Mapping[Key, Record]
    migrations: tuple[Locked, ...]
    also: Mapping[int, LockFile] = field(default_factory=dict)
    needed: tuple[Needed, ...] = ()
    waivers: Waivers = field(default_factory=Waivers)

    def on(self, server_version: int) -> LockFile:
        """Return what the files create on a server of this version; if it was not replayed, what they create here."""
        return self.also.get(server_version // 10000, self)

    def expected(self, applied: Iterable[str] | None = None, kinds: Collection[str] = KINDS) -> Snapshot:
        """Return the snapshot that a database must equal after these migrations; None means all of them.

        It contains only these kinds; the others are listed as `omitted`.
        """
        chosen = None if applied is None else frozenset(applied)
        objects = {key: record for key, record in self.base.items() if key.kind in kinds}
        for migration in self.migrations:
            if chosen is None or migration.id in chosen:
                for effect in of_kinds(migration.effects, kinds):
                    fold(objects, effect)
        return Snapshot(self.server_version, objects, omitted=frozenset(KINDS.keys() - kinds))

    def digests(self, applied: Iterable[str]) -> Mapping[str, Digest]:
        """Return the digest of each kind in a database that has these migrations and nothing else.

        Effects of two migrations on one object add up only in their order: a set of migrations that omits one of
        them may have another digest than its snapshot, but never the digest of another snapshot.
        """
        chosen = frozenset(applied)
        counted = counted_out(self)
        parts = [one.digests or {} for one in counted.migrations if one.id in chosen]
        return dict.fromkeys(KINDS, (0, 0)) | total([digest_of(self.base), *parts])

    def without(self, applied: Iterable[str]) -> tuple[Locked, ...]:
        """Return the migrations that are not among these."""
        chosen = frozenset(applied)
        return tuple(one for one in self.migrations if one.id not in chosen)


def counted_out(lock: LockFile) -> LockFile:
    """Return the lock file with what each migration adds to the digests, which a replay does not compute."""
    if lock.also:
        also = {major: counted_out(one) for major, one in lock.also.items()}
        return replace(counted_out(replace(lock, also={})), also=also)
    if all(one.digests is not None for one in lock.migrations):
        return lock
    objects = dict(lock.base)
    counted = []
    for migration in lock.migrations:
        before = {key: objects.get(key) for key in {effect.key for effect in migration.effects}}
        for effect in migration.effects:
            fold(objects, effect)
        digests = total(change(key, record, objects.get(key)) for key, record in before.items())
        counted.append(replace(migration, digests=_without_none(digests)))
    return replace(lock, migrations=tuple(counted))


def fold(objects: dict[Key, Record], effect: Difference) -> None:
    """Apply an effect to objects."""
    if effect.attribute is not None:
        if effect.key in objects:
            objects[effect.key] = replace(objects[effect.key], **{effect.attribute: effect.actual})
    elif effect.actual is None:
        objects.pop(effect.key, None)
    else:
        objects[effect.key] = effect.actual


def dump(lock: LockFile) -> str:
    """Return the lock file's text."""
    lock = counted_out(lock)
    base = [{"base": str(key), "is": encode(record)} for key, record in sorted(lock.base.items())]
    there = {major: list(elsewhere(_made(lock.base), _made(one.base))) for major, one in sorted(lock.also.items())}
    follow = "".join(map(line, base)) + _elsewhere({}, there)
    first = {
        "healthd_lock": FORMAT,
        "server": lock.server_version // 10000,
        "also": {str(major): _counts(entries) for major, entries in there.items()},
        "base": len(base),
        **_seal(follow.encode()),
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


def _made(base: Mapping[Key, Record]) -> list[Difference]:
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
        **_seal(follow.encode()),
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


def _seal(lines: bytes | memoryview) -> dict[str, str]:
    """Return the SHA-256 of the lines that follow, by which a change by hand is detected."""
    return {"sha256": sha256(lines).hexdigest()}


def load(text: str | bytes, name: str = "schema.lock") -> LockFile:
    """Return the lock file with this text (UTF-8); raise LockFileError with the number of the line that is wrong.

    The effects are decoded when they are needed; here it is only verified that they were not changed.
    """
    lines = _Lines(name, text.encode() if isinstance(text, str) else text)
    entry, version, also, many, needed = lines.read(lambda entry: (entry, *_header(entry)))
    follow = lines.sealed(entry, many, also.values())
    base: dict[Key, Record] = {}
    for number, text_ in enumerate(follow[:many], 2):
        key, record = read_line(name, number, text_, lambda entry: decode(entry["base"], entry["is"]))
        if key in base:
            raise LockFileError(f"{name}, line {number}: {key} occurs twice", hint=OUTDATED)
        base[key] = record
    bases = _also(name, 2 + many, follow[many:], _made(base), also)
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
        if cut or _seal(memoryview(self._text)[self._start : end]) != {"sha256": entry.get("sha256")}:
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
        major: replace(one, effects=effects[major], digests=_without_none({**(one.digests or {}), **adds}))
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
            for _ in effects.of_kinds(effects.kinds) if isinstance(effects, Elsewhere) else effects:
                pass
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
    if entry.keys() != LOCKED:
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
    }
    return fields, _counted(entry["effects"]), also


def _without_none(digests: Mapping[str, Digest]) -> dict[str, Digest]:
    return {kind: one for kind, one in digests.items() if one != NONE}


def _digests(adds: Any) -> dict[str, Digest]:
    return {str(kind): (int(count), int(number, 16)) for kind, (count, number) in adds.items()}


def disagreements(lock: LockFile, migrations: Iterable[Migration]) -> Iterator[str]:
    """Yield, a line each, where the files differ from those that the lock file was made from."""
    files = {one.id: one for one in migrations}
    locked = {one.id: one for one in lock.migrations}
    for name, file in files.items():
        if name not in locked:
            yield f"{name}: not in the lock file"
        elif file.digest != locked[name].digest:
            yield f"{name}: its content differs from the lock file"
        elif file.rollback_digest != locked[name].rollback_digest:
            yield f"{name}: its rollback differs from the lock file"
    for name in locked:
        if name not in files:
            yield f"{name}: in the lock file, but its file is missing"
    if files.keys() == locked.keys() and list(files) != list(locked):
        yield "the order of the migrations differs from the lock file"
