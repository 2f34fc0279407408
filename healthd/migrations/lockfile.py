"""The lock file: what each migration was measured to do, a JSON object a line, so that a review reads it.

Its first line, and the first one of each migration, say how many lines belong to it, the SHA-256 of those lines, and
what they add to the digest of each kind: so a round that finds the digests of a database as they should be need not
read the other lines at all.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, TypeVar

from healthd.catalog import KINDS
from healthd.digest import Digest, change, digest_of, total
from healthd.errors import LockFileChanged, LockFileError
from healthd.migrations.files import Migration
from healthd.model import Difference, Key, Record, Snapshot, attributes

FORMAT = 2
OUTDATED = "write it anew with: healthd lock"
Said = TypeVar("Said")
VERDICTS = frozenset({"exact", "differs", "fails", "missing"})


@dataclass(frozen=True, slots=True)
class Locked:
    """One migration as it was replayed.

    `effects` are differences from before it to after it. `rollback` is the proven verdict: exact, differs
    (`rollback_differences` names the objects), fails, or missing. `locks` and `rewrites` are those measured
    on relations that were there before, empty when they were not measured. `digests` is what the effects add to
    the digest of each kind, None when nobody has counted yet.
    """

    id: str
    digest: str
    rollback_digest: str | None
    transactional: bool
    effects: Sequence[Difference]
    rollback: str
    rollback_differences: tuple[str, ...] = ()
    locks: tuple[str, ...] = ()
    rewrites: tuple[str, ...] = ()
    digests: Mapping[str, Digest] | None = None


@dataclass(frozen=True, slots=True)
class LockFile:
    """What `sql/` builds: an empty database (`base`) and what each migration makes of it, in order.

    `server_version` is the major of the server that it was replayed on, times 10000.
    """

    server_version: int
    base: Mapping[Key, Record]
    migrations: tuple[Locked, ...]

    def expected(self, applied: Iterable[str] | None = None, kinds: Collection[str] = KINDS) -> Snapshot:
        """Return the snapshot that a database must equal after these migrations; None means all of them.

        Only of these kinds; the others are told as `omitted`.
        """
        chosen = None if applied is None else frozenset(applied)
        objects = {key: record for key, record in self.base.items() if key.kind in kinds}
        for migration in self.migrations:
            if chosen is None or migration.id in chosen:
                for effect in of_kinds(migration.effects, kinds):
                    _fold(objects, effect)
        return Snapshot(self.server_version, objects, omitted=frozenset(KINDS.keys() - kinds))

    def digests(self, applied: Iterable[str]) -> Mapping[str, Digest]:
        """Return the digest of each kind in a database that has these migrations and nothing else.

        Effects of two migrations on one object add up in their order alone: a set of migrations that leaves out
        one of those may have another digest than its snapshot, but never one that another snapshot has.
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
    """Return the lock file with what each migration adds to the digests, which a replay does not count."""
    if all(one.digests is not None for one in lock.migrations):
        return lock
    objects = dict(lock.base)
    counted = []
    for migration in lock.migrations:
        before = {key: objects.get(key) for key in {effect.key for effect in migration.effects}}
        for effect in migration.effects:
            _fold(objects, effect)
        digests = total(change(key, record, objects.get(key)) for key, record in before.items())
        counted.append(replace(migration, digests={kind: one for kind, one in digests.items() if one != (0, 0)}))
    return replace(lock, migrations=tuple(counted))


def _fold(objects: dict[Key, Record], effect: Difference) -> None:
    if effect.attribute is not None:
        if effect.key in objects:
            objects[effect.key] = replace(objects[effect.key], **{effect.attribute: effect.actual})
    elif effect.actual is None:
        objects.pop(effect.key, None)
    else:
        objects[effect.key] = effect.actual


class Effects(Sequence[Difference]):
    """The effects of a migration as the lock file has them, a line each: read when somebody asks for them."""

    def __init__(self, lines: Sequence[str], counts: Mapping[str, int], first_line: int, name: str) -> None:
        self._lines, self._counts, self._first_line, self._name = lines, counts, first_line, name

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[Difference]:
        return self.of_kinds(self._counts)

    def of_kinds(self, kinds: Collection[str]) -> Iterator[Difference]:
        """Yield the effects on objects of these kinds; raise LockFileError for a line that cannot be read."""
        position = 0
        for kind, count in self._counts.items():
            if kind in kinds or kind not in KINDS:
                for number in range(position, position + count):
                    yield _read(self._name, self._first_line + number, self._lines[number], _difference)
            position += count

    def __getitem__(self, position: Any) -> Any:
        return tuple(self)[position]

    def __eq__(self, other: object) -> bool:
        return tuple(self) == tuple(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment] # as a list's: it stands for its content


def of_kinds(effects: Iterable[Difference], kinds: Collection[str]) -> Iterator[Difference]:
    """Yield the effects on objects of these kinds."""
    if isinstance(effects, Effects):
        return effects.of_kinds(kinds)
    return (one for one in effects if one.key.kind in kinds)


def dump(lock: LockFile) -> str:
    """Return the lock file's text."""
    lock = counted_out(lock)
    base = _lines({"base": str(key), "is": _encode(record)} for key, record in sorted(lock.base.items()))
    first = {"healthd_lock": FORMAT, "server": lock.server_version // 10000, "base": len(lock.base), **_seal(base)}
    return "".join([_line(first), base, *(_block(one) for one in lock.migrations)])


def _block(one: Locked) -> str:
    lasting = (effect for effect in one.effects if not _passing(effect.key, effect.attribute))
    sorted_effects = sorted(lasting, key=lambda effect: effect.key.kind)
    effects = _lines({"migration": one.id, **_effect(effect)} for effect in sorted_effects)
    first = {
        "migration": one.id,
        "digest": one.digest,
        "rollback_digest": one.rollback_digest,
        "transactional": one.transactional,
        "rollback": one.rollback,
        "rollback_differences": list(one.rollback_differences),
        "locks": list(one.locks),
        "rewrites": list(one.rewrites),
        "effects": Counter(effect.key.kind for effect in sorted_effects),
        **_seal(effects),
        "adds": {kind: [count, f"{number:016x}"] for kind, (count, number) in sorted((one.digests or {}).items())},
    }
    return _line(first) + effects


def _seal(lines: str) -> dict[str, str]:
    """Return the SHA-256 of the lines that follow: what somebody changes in them by hand is noticed."""
    return {"sha256": sha256(lines.encode()).hexdigest()}


def _lines(entries: Iterable[Mapping[str, Any]]) -> str:
    return "".join(map(_line, entries))


def _line(entry: Mapping[str, Any]) -> str:
    return json.dumps(entry, ensure_ascii=False) + "\n"


def _effect(effect: Difference) -> dict[str, Any]:
    if effect.attribute is not None:
        return {
            "changed": str(effect.key),
            "attribute": effect.attribute,
            "was": effect.expected,
            "is": effect.actual,
        }
    if effect.expected is None:
        return {"added": str(effect.key), "is": _encode(effect.actual)}
    return {"removed": str(effect.key), "was": _encode(effect.expected)}


def encode_objects(objects: Mapping[Key, Record]) -> dict[str, Any]:
    """Return objects as JSON knows them, sorted by key."""
    return {str(key): _encode(record) for key, record in sorted(objects.items())}


def decode_objects(objects: Mapping[str, Any]) -> dict[Key, Record]:
    """Return the objects that `encode_objects` wrote; raise LockFileError when they are not ours."""
    return dict(_decode(text, values) for text, values in objects.items())


def _encode(record: Record) -> dict[str, Any]:
    known = attributes(type(record)).items()
    return {name: None if noted.passing else getattr(record, name) for name, noted in known}


def _passing(key: Key, attribute: str | None) -> bool:
    return attribute is not None and attributes(KINDS[key.kind].record)[attribute].passing


def _decode(text: str, values: Any) -> tuple[Key, Record]:
    try:
        key = Key.parse(text)
        record = KINDS[key.kind].record
        wanted = {field.name for field in dataclasses.fields(record)}
        if wanted != values.keys():
            raise LockFileError(f"{text} has other attributes than this version of healthd reads", hint=OUTDATED)
        return key, record(**{name: _frozen(value) for name, value in values.items()})
    except (ValueError, KeyError, AttributeError) as error:
        raise LockFileError(f"not an object that this version of healthd knows: {text}", hint=OUTDATED) from error


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def load(text: str, name: str = "schema.lock") -> LockFile:
    """Return the lock file with this text; raise LockFileError with the number of the line that is wrong.

    The effects are read when somebody asks for them; that they are those that were written is looked at here.
    """
    if not text.strip():
        raise LockFileError(f"{name} is empty", hint=OUTDATED)
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    first, version = _read(name, 1, lines[0], lambda entry: (entry, _server_version(entry)))
    base_lines = _sealed(name, lines, 0, first, [first.get("base")])
    base: dict[Key, Record] = {}
    for number, line in enumerate(base_lines, 2):
        key, record = _read(name, number, line, lambda entry: _decode(entry["base"], entry["is"]))
        if key in base:
            raise LockFileError(f"{name}, line {number}: {key} is there twice", hint=OUTDATED)
        base[key] = record
    migrations: dict[str, Locked] = {}
    position = 1 + len(base_lines)
    while position < len(lines):
        number = position + 1
        entry, one = _read(name, number, lines[position], lambda entry: (entry, _locked(entry)))
        if one.id in migrations:
            raise LockFileError(f"{name}, line {number}: {one.id} is there twice", hint=OUTDATED)
        counts = entry["effects"]
        effects = _sealed(name, lines, position, entry, counts.values())
        migrations[one.id] = replace(one, effects=Effects(effects, counts, number + 1, name))
        position += 1 + len(effects)
    return LockFile(version, base, tuple(migrations.values()))


def verified(lock: LockFile) -> LockFile:
    """Return the lock file; raise LockFileError when one of its effects cannot be read."""
    for one in lock.migrations:
        for _ in one.effects:
            pass
    return lock


def _read(name: str, number: int, line: str, read: Callable[[Any], Said]) -> Said:
    """Return what one line says; raise LockFileError with its number."""
    try:
        return read(json.loads(line))
    except LockFileError as error:
        raise LockFileError(f"{name}, line {number}: {error}", hint=error.hint) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise LockFileError(f"{name}, line {number}: not a line of a lock file", hint=OUTDATED) from error


def _sealed(
    name: str, lines: Sequence[str], position: int, entry: Mapping[str, Any], counts: Iterable[Any]
) -> Sequence[str]:
    """Return the lines that belong to the one at this position, as many as were counted and as they were written."""
    counts = list(counts)
    if any(type(count) is not int or count < 0 for count in counts):
        raise LockFileError(f"{name}, line {position + 1}: not a line of a lock file", hint=OUTDATED)
    follow = lines[position + 1 : position + 1 + sum(counts)]
    if entry.get("sha256") != sha256("".join(f"{line}\n" for line in follow).encode()).hexdigest():
        whose = entry.get("migration", "an empty database")
        words = f"{name}, line {position + 1}: the lines after it are not those that were locked of {whose}"
        cut = len(follow) < sum(counts)
        raise (LockFileError if cut else LockFileChanged)(words, hint=OUTDATED)
    return follow


def _server_version(entry: dict[str, Any]) -> int:
    if entry["healthd_lock"] != FORMAT:
        raise LockFileError(f"format {entry['healthd_lock']}, but this version reads {FORMAT}", hint=OUTDATED)
    if type(entry["server"]) is not int or entry["server"] < 1:
        raise ValueError(entry["server"])
    return entry["server"] * 10000


def _locked(entry: dict[str, Any]) -> Locked:
    """Return a migration without its effects."""
    fields = {key: _frozen(value) for key, value in entry.items()}
    if not all(isinstance(fields[name], str) for name in ("migration", "digest")):
        raise TypeError("not the name and the digest of a migration")
    if not all(isinstance(fields[name], tuple) for name in ("rollback_differences", "locks", "rewrites")):
        raise TypeError("not a list")
    if not isinstance(entry["effects"], dict):
        raise TypeError("not a count for each kind")
    if fields["rollback"] not in VERDICTS:
        raise LockFileError(f"no such verdict on a rollback: {fields['rollback']!r}", hint=OUTDATED)
    digests = {str(kind): (int(count), int(number, 16)) for kind, (count, number) in fields.pop("adds").items()}
    del fields["sha256"]
    return Locked(id=fields.pop("migration"), **fields | {"effects": (), "digests": digests})


def _difference(entry: dict[str, Any]) -> Difference:
    if "changed" in entry:
        key, name = Key.parse(entry["changed"]), entry["attribute"]
        if key.kind not in KINDS or name not in attributes(KINDS[key.kind].record):
            raise LockFileError(f"this version of healthd knows no {name} of {key}", hint=OUTDATED)
        return Difference(key, name, _frozen(entry["was"]), _frozen(entry["is"]))
    if "added" in entry:
        key, record = _decode(entry["added"], entry["is"])
        return Difference(key, None, None, record)
    key, record = _decode(entry["removed"], entry["was"])
    return Difference(key, None, record, None)


def disagreements(lock: LockFile, migrations: Iterable[Migration]) -> Iterator[str]:
    """Yield, a line each, where the files are not those that the lock file was made from."""
    files = {one.id: one for one in migrations}
    locked = {one.id: one for one in lock.migrations}
    for name, file in files.items():
        if name not in locked:
            yield f"{name}: not in the lock file"
        elif file.digest != locked[name].digest:
            yield f"{name}: its content is not what was locked"
        elif file.rollback_digest != locked[name].rollback_digest:
            yield f"{name}: its rollback is not what was locked"
    for name in locked:
        if name not in files:
            yield f"{name}: in the lock file, but its file is gone"
    if files.keys() == locked.keys() and list(files) != list(locked):
        yield "the order of the migrations is not what was locked"
