"""What pending files need and the server lacks: `plan` shows it, and no run starts without it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from healthd import catalog
from healthd.database.probes.surroundings import Surroundings
from healthd.expected.effects import of_kinds
from healthd.expected.extensions import created, packages_of, unavailable
from healthd.expected.files import Migration
from healthd.expected.lockfile import Locked, LockFile
from healthd.migrations.engine import lock_room
from healthd.model.names import quote

SQL = {
    "role": "CREATE ROLE {} NOLOGIN;",
    "schema": "CREATE SCHEMA {};",
    "tablespace": "CREATE TABLESPACE {} LOCATION '/a/directory/on/the/server';",
}


@dataclass(frozen=True, slots=True)
class Lack:
    """Something that a migration needs and the server lacks; `cure` is SQL, or else words."""

    migration: str
    kind: str  # extension, role, tablespace, schema, language, locks
    name: str
    words: str
    cure: str

    def document(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {"migration": self.migration, "kind": self.kind, "name": self.name, "cure": self.cure}


def lacks(pending: Sequence[Migration], lock: LockFile, there: Surroundings) -> tuple[Lack, ...]:
    """Return what these migrations, which are about to be applied in this order, need and the server lacks."""
    known = {(one.id, one.digest): one for one in lock.migrations}
    measured = [one for migration in pending if (one := known.get((migration.id, migration.digest)))]
    found = (*_extensions(pending, measured, there), *_made_for_the_replay(lock, measured, there))
    return (*found, *_schemas(measured, there), *_room(measured, there))


def _extensions(pending: Sequence[Migration], measured: Sequence[Locked], there: Surroundings) -> Iterator[Lack]:
    """Yield the extensions that are not available on the server: found in the text, or only in a replay."""
    if there.available is None:
        return
    available = {**there.available, **dict.fromkeys(there.installed, ())}
    reported = set[str]()
    for one, names in unavailable(created(pending), available):
        for name in names:
            reported.add(name)
            yield _extension(one.migration.id, name, f" ({one.where})")
    for locked in measured:
        for name in (key.path[0] for key in _added(locked, "extension")):
            if name not in available and name not in reported:
                yield _extension(locked.id, name, "")


def _extension(migration: str, name: str, where: str) -> Lack:
    words = f"extension {name}{where}, which is not available on the server"
    return Lack(migration, "extension", name, words, f"install {packages_of([name])} on the server")


def _made_for_the_replay(lock: LockFile, measured: Sequence[Locked], there: Surroundings) -> Iterator[Lack]:
    has = {"role": there.roles, "tablespace": there.tablespaces}
    ids = {one.id for one in measured}
    for one in lock.needed:
        if one.migration in ids and one.name not in has.get(one.kind, {one.name}):
            yield _missing(one.migration, one.kind, one.name)


def _schemas(measured: Sequence[Locked], there: Surroundings) -> Iterator[Lack]:
    """Yield the schemas in which something is created, but which neither a file nor the database has."""
    has, inside = set(there.schemas), catalog.names(lambda kind: kind.in_schema)
    for locked in measured:
        if any(True for _ in _added(locked, "extension")):
            return  # its own schema is one of its members, which the effects do not show
        has.update(key.path[0] for key in _added(locked, "schema"))
        for name in sorted({key.path[0] for key in _added(locked, *inside)} - has):
            has.add(name)
            yield _missing(locked.id, "schema", name)


def _missing(migration: str, kind: str, name: str) -> Lack:
    return Lack(migration, kind, name, f"{kind} {name}, which does not exist", SQL[kind].format(quote(name)))


def _room(measured: Sequence[Locked], there: Surroundings) -> Iterator[Lack]:
    """Yield the migrations that certainly hold more locks at once than the server can."""
    for one in measured:
        if lock_room.fits(one, there.max_locks, there.sessions):
            continue
        if (number := lock_room.locks(one)) > lock_room.most(there.max_locks, there.sessions + there.workers):
            words = f"at least {number} locks at once, for which the server's lock table is too small"
            cure = lock_room.full_lock_table(there.max_locks, wanted=1.25 * number / there.sessions)
            yield Lack(one.id, "locks", lock_room.LOCKS, words, cure)


def tight(measured: Iterable[Locked], there: Surroundings) -> Iterator[str]:
    """Yield, in words, the migrations for whose locks the server's lock table may be too small."""
    most = lock_room.most(there.max_locks, there.sessions + there.workers)
    for one in measured:
        if lock_room.fits(one, there.max_locks, there.sessions):
            continue
        number = lock_room.locks(one)
        if lock_room.least(there.max_locks, there.sessions) < number <= most:
            cure = lock_room.full_lock_table(there.max_locks, wanted=1.25 * number / there.sessions)
            yield (
                f"{one.id} takes at least {number} locks at once, for which the server's lock table may be too small: "
                f"{cure}"
            )


def _added(locked: Locked, *kinds: str) -> Iterator[Any]:
    found = of_kinds(locked.effects, frozenset(kinds))
    return (one.key for one in found if one.attribute is None and one.expected is None)
