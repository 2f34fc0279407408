"""The lock file: what each migration was measured to do, a JSON object a line, so that a review reads it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from healthd.catalog import KINDS
from healthd.errors import LockFileError
from healthd.migrations.files import Migration
from healthd.model import Difference, Key, Record, Snapshot, attributes

FORMAT = 1
OUTDATED = "write it anew with: healthd lock"
VERDICTS = frozenset({"exact", "differs", "fails", "missing"})


@dataclass(frozen=True, slots=True)
class Locked:
    """One migration as it was replayed.

    `effects` are differences from before it to after it. `rollback` is the proven verdict: exact, differs
    (`rollback_differences` names the objects), fails, or missing. `locks` and `rewrites` are those measured
    on relations that were there before, empty when they were not measured.
    """

    id: str
    digest: str
    rollback_digest: str | None
    transactional: bool
    effects: tuple[Difference, ...]
    rollback: str
    rollback_differences: tuple[str, ...] = ()
    locks: tuple[str, ...] = ()
    rewrites: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LockFile:
    """What `sql/` builds: an empty database (`base`) and what each migration makes of it, in order.

    `server_version` is the major of the server that it was replayed on, times 10000.
    """

    server_version: int
    base: Mapping[Key, Record]
    migrations: tuple[Locked, ...]

    def expected(self, applied: Iterable[str] | None = None) -> Snapshot:
        """Return the snapshot that a database must equal after these migrations; None means all of them."""
        chosen = None if applied is None else frozenset(applied)
        objects = dict(self.base)
        for migration in self.migrations:
            if chosen is None or migration.id in chosen:
                for effect in migration.effects:
                    _fold(objects, effect)
        return Snapshot(self.server_version, objects)

    def without(self, applied: Iterable[str]) -> tuple[Locked, ...]:
        """Return the migrations that are not among these."""
        chosen = frozenset(applied)
        return tuple(one for one in self.migrations if one.id not in chosen)


def _fold(objects: dict[Key, Record], effect: Difference) -> None:
    if effect.attribute is not None:
        if effect.key in objects:
            objects[effect.key] = replace(objects[effect.key], **{effect.attribute: effect.actual})
    elif effect.actual is None:
        objects.pop(effect.key, None)
    else:
        objects[effect.key] = effect.actual


def dump(lock: LockFile) -> str:
    """Return the lock file's text."""
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in _lines(lock))


def _lines(lock: LockFile) -> Iterator[dict[str, Any]]:
    yield {"healthd_lock": FORMAT, "server": lock.server_version // 10000}
    for key, record in sorted(lock.base.items()):
        yield {"base": str(key), "is": _encode(record)}
    for one in lock.migrations:
        effects = [effect for effect in one.effects if not _passing(effect.key, effect.attribute)]
        yield {
            "migration": one.id,
            "digest": one.digest,
            "rollback_digest": one.rollback_digest,
            "transactional": one.transactional,
            "rollback": one.rollback,
            "rollback_differences": list(one.rollback_differences),
            "locks": list(one.locks),
            "rewrites": list(one.rewrites),
            "effects": len(effects),
        }
        for effect in effects:
            yield {"migration": one.id, **_effect(effect)}


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
    """Return the lock file with this text; raise LockFileError with the number of the line that is wrong."""
    if not text.strip():
        raise LockFileError(f"{name} is empty", hint=OUTDATED)
    reader = _Reader()
    # Not splitlines(): it also splits at U+2028 and others, which JSON leaves as they are.
    for number, line in enumerate(text.removesuffix("\n").split("\n"), 1):
        try:
            reader.read(number, json.loads(line))
        except LockFileError as error:
            raise LockFileError(f"{name}, line {number}: {error}", hint=error.hint) from error
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise LockFileError(f"{name}, line {number}: not a line of a lock file", hint=OUTDATED) from error
    for number, one, wanted in reader.headers.values():
        if wanted != len(reader.effects[one.id]):
            raise LockFileError(
                f"{name}, line {number}: {one.id} has {wanted} effects, but {len(reader.effects[one.id])} follow",
                hint=OUTDATED,
            )
    migrations = (replace(one, effects=tuple(reader.effects[one.id])) for _, one, _ in reader.headers.values())
    return LockFile(reader.server_version, reader.base, tuple(migrations))


class _Reader:
    """What the lines read so far have said."""

    def __init__(self) -> None:
        self.server_version = 0
        self.base: dict[Key, Record] = {}
        self.headers: dict[str, tuple[int, Locked, int]] = {}
        self.effects: dict[str, list[Difference]] = {}

    def read(self, number: int, entry: dict[str, Any]) -> None:
        """Take in one line; raise LockFileError, or what a strange line leads to."""
        if number == 1:
            self.server_version = _server_version(entry)
        elif "base" in entry:
            key, record = _decode(entry["base"], entry["is"])
            if key in self.base:
                raise LockFileError(f"{key} is there twice", hint=OUTDATED)
            self.base[key] = record
        elif "digest" in entry:
            one, wanted = _locked(entry)
            if one.id in self.headers:
                raise LockFileError(f"{one.id} is there twice", hint=OUTDATED)
            self.headers[one.id] = number, one, wanted
            self.effects[one.id] = []
        else:
            self.effects[entry["migration"]].append(_difference(entry))


def _server_version(entry: dict[str, Any]) -> int:
    if entry["healthd_lock"] != FORMAT:
        raise LockFileError(f"format {entry['healthd_lock']}, but this version reads {FORMAT}", hint=OUTDATED)
    if type(entry["server"]) is not int or entry["server"] < 1:
        raise ValueError(entry["server"])
    return entry["server"] * 10000


def _locked(entry: dict[str, Any]) -> tuple[Locked, int]:
    """Return a migration without its effects, and how many follow."""
    fields = {key: _frozen(value) for key, value in entry.items()}
    if not all(isinstance(fields[name], str) for name in ("migration", "digest")):
        raise TypeError("not the name and the digest of a migration")
    if not all(isinstance(fields[name], tuple) for name in ("rollback_differences", "locks", "rewrites")):
        raise TypeError("not a list")
    one, wanted = Locked(id=fields.pop("migration"), **fields | {"effects": ()}), fields["effects"]
    if one.rollback not in VERDICTS:
        raise LockFileError(f"no such verdict on a rollback: {one.rollback!r}", hint=OUTDATED)
    return one, wanted


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
