"""The lock file: what each migration was measured to do.

`lockfile_text` writes it, one JSON object a line, so that it can be reviewed; `lockfile_lines` reads it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from healthd.catalog import KINDS
from healthd.catalog.digests import NONE, Digest, change, digest_of, total
from healthd.expected.effects import of_kinds
from healthd.expected.files import Migration
from healthd.expected.measurements import Step, rewritten, strongest
from healthd.model.attributes import Record
from healthd.model.names import Key
from healthd.model.snapshots import Difference, Snapshot
from healthd.model.waivers import Waivers


@dataclass(frozen=True, slots=True)
class Locked:
    """One migration as it was replayed.

    `effects` are differences from before it to after it. `rollback` is the proven verdict: exact, differs
    (`rollback_differences` names the objects), fails, or missing. `steps` are the statements that were measured
    to lock, rewrite or read relations that existed before. `digests` is what the effects add to the digest of
    each kind, None when that has not been computed yet. `chain` is what the lock file contained as the digest of this
    record and of all records before it, "" in lock files of earlier versions.
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
    chain: str = field(default="", compare=False)

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

    @property
    def digest(self) -> str:
        """Return a digest of all its records: the last link of their chain; empty in lock files of earlier versions."""
        return self.migrations[-1].chain if self.migrations else ""

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
        counted.append(replace(migration, digests=without_none(digests)))
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


def without_none(digests: Mapping[str, Digest]) -> dict[str, Digest]:
    return {kind: one for kind, one in digests.items() if one != NONE}
