"""Record how this server prints the texts that a file created, if the lock file is of another major version.

A text is recorded, together with the migration, only if the file is its only explanation: the objects that the file
touches were as expected before, and the server's text refers to the same objects as the lock file's. Objects that
were in doubt before remain so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from healthd import catalog
from healthd.catalog import KINDS
from healthd.catalog.scope import complete
from healthd.comparison.judgement import major
from healthd.comparison.roles import comparable, for_comparison
from healthd.comparison.server_texts import as_printed, same_text, speak_alike, text_of, texts_of, textual
from healthd.database.connection import LIMITS, SESSION
from healthd.database.snapshot.row_checks import objects_of
from healthd.expected.effects import of_kinds
from healthd.expected.lockfile import Locked, LockFile, fold
from healthd.model.attributes import Record
from healthd.model.kinds import Kind
from healthd.model.ledger import BOOKS, Printed, digest_of_text
from healthd.model.names import HANGING, Key
from healthd.model.snapshots import Difference, Snapshot, diff

if TYPE_CHECKING:
    from healthd.database.snapshot.transaction import Reading
    from healthd.migrations.engine.job import Job


class Recorder:
    """Records, during one run, how a server prints the texts of its files; not `active` before `meet` was called.

    `before` and `after` read; `kept` is called when the texts that `after` returned are in the ledger.
    """

    def __init__(self, lock_file: LockFile) -> None:
        self.active = False
        self._lock_file = lock_file
        self._sound: frozenset[Key] = frozenset()
        self._found: tuple[Printed, ...] = ()

    def meet(self, reading: Reading) -> None:
        """Read the state of a database before the run."""
        snapshot, ledger = reading.snapshot, reading.ledger
        if snapshot.unreadable or snapshot.locked or ledger.texts_grant:
            return
        self._version = snapshot.server_version
        self._lock_file = self._lock_file.on(self._version)
        self.active = major(self._lock_file) != self.major
        if not self.active:
            return
        self._applied = [one.id for one in ledger.applied]
        self._texts: dict[Key, list[Printed]] = {}
        self._remember(ledger.texts)
        self._expected = dict(self._lock_file.expected(self._applied, textual()).objects)
        half = {one.id for one in ledger.interrupted}
        moving = {one.key for locked in self._lock_file.migrations if locked.id in half for one in locked.effects}
        expected = self._lock_file.expected(self._applied, KINDS.keys() - snapshot.omitted)
        there, _ = as_printed(expected, ledger.texts, self._version)
        differences = [
            one
            for one in diff(*comparable(there, for_comparison(snapshot, ledger.owner), ledger.owner))
            if one.key.kind not in HANGING and one.key not in moving
        ]
        self._unclear = frozenset(one.key.kind for one in differences if _in_text(one))
        # If the text of a view differs, its columns may differ, too; for other kinds, dependent objects are the same.
        self._doubts = frozenset(one.key.path[:2] for one in differences if one.key.kind == "view" or not _in_text(one))
        named = frozenset(catalog.names(lambda kind: kind.referenced))
        self._names = frozenset(
            one.key.path[:2] for locked in self._lock_file.migrations for one in of_kinds(locked.effects, named)
        )

    @property
    def major(self) -> int:
        """Return the major version of the server."""
        return self._version // 10000

    def before(self, connection: Any, job: Job, noted: str | None = None) -> None:
        """Determine which of the objects that a file touches are as expected before it.

        For a file that continues, these are the objects that are as `noted` after its last step; they were as expected
        before its first step.
        """
        self._sound, self._found = frozenset(), ()
        keys, known = self._touched(job), json.loads(noted or "{}")
        there = read_objects(connection, keys, self._version)
        sound = {
            key
            for key in keys
            if (known.get(str(key)) == _trace(there.get(key)) if known else self._as_before(key, there.get(key)))
        }
        gone = {key.kind for key in keys - sound if key in self._expected} | (
            {kind for kind in self._unclear if KINDS[kind].copied}
        )
        self._sound = frozenset(key for key in sound if key in self._expected or key.kind not in gone)

    def note(self, connection: Any) -> str | None:
        """Return the state of these objects between two steps of a file."""
        if not self._sound:
            return None
        there = read_objects(connection, self._sound, self._version)
        return json.dumps({str(key): _trace(there.get(key)) for key in sorted(self._sound)})

    def after(self, connection: Any, job: Job) -> tuple[Printed, ...]:
        """Return how this server prints the texts that a file created; called in the transaction that marks it."""
        if not self._sound:
            return ()
        expected, makers = self._after(job), self._makers(job)
        there = read_objects(connection, self._sound, self._version)
        self._found = tuple(
            Printed(makers[key], key, name, digest_of_text(text), None if same_text(text, own) else own)
            for key in sorted(self._sound & expected.keys() & there.keys())
            for name, text in texts_of(expected[key])
            if (own := text_of(there[key], name)) is not None and speak_alike(text, own, self._names, self._doubts)
        )
        return self._found

    def kept(self, job: Job) -> None:
        """Update the expected state after a file was marked as applied, or as rolled back."""
        if self._locked(job) is not None:
            self._expected = dict(self._after(job))
        applied = {one for one in self._applied if one != job.migration.id}
        self._applied = [*applied, *((job.migration.id,) if job.operation == "apply" else ())]
        self._remember(self._found)
        self._sound, self._found = frozenset(), ()

    def _remember(self, texts: Iterable[Printed]) -> None:
        for one in texts:
            self._texts.setdefault(one.key, []).append(one)

    def _locked(self, job: Job) -> Locked | None:
        """Return a file's entry in the lock file; None if there is none, or if it is for another text."""
        found = next((one for one in self._lock_file.migrations if one.id == job.migration.id), None)
        if found is None or not job.resumable or found.digest != job.migration.digest:
            return None
        if job.operation == "apply":
            return found
        measured = found.rollback in ("exact", "differs") and found.rollback_digest == job.migration.rollback_digest
        return found if measured else None

    def _touched(self, job: Job) -> frozenset[Key]:
        """Return the objects with texts that a file, or its rollback, was measured to touch."""
        found = self._locked(job)
        return frozenset(one.key for one in of_kinds(found.effects, textual())) if found is not None else frozenset()

    def _as_before(self, key: Key, record: Record | None) -> bool:
        """Return whether an object is as expected before the file, and depends on nothing that is in doubt."""
        if key.path[:2] in self._doubts or key not in self._expected:
            return record is None and key.path[:2] not in self._doubts
        base = Snapshot(self._lock_file.server_version, {key: self._expected[key]})
        there, _ = as_printed(base, self._texts.get(key, ()), self._version)
        return record is not None and all(
            same_text(text, text_of(record, name)) for name, text in texts_of(there.objects[key])
        )

    def _after(self, job: Job) -> Mapping[Key, Record]:
        """Return the objects with texts that are expected after a file, or its rollback."""
        found, order = self._locked(job), [one.id for one in self._lock_file.migrations]
        assert found is not None
        applied = {one for one in self._applied if one != found.id}
        if job.operation == "apply" and order.index(found.id) > max(map(order.index, applied & set(order)), default=-1):
            objects = dict(self._expected)  # the usual case: no need to fold all effects again
            for effect in of_kinds(found.effects, textual()):
                fold(objects, effect)
            return objects
        applied |= {found.id} if job.operation == "apply" else set()
        objects = dict(self._lock_file.expected(applied, textual()).objects)
        left = found.rollback_differences if job.operation == "rollback" else ()
        return {key: record for key, record in objects.items() if str(key) not in left}

    def _makers(self, job: Job) -> Mapping[Key, str]:
        """Return, for each object that a file touches, the migration that last changed it, after the file."""
        if job.operation == "apply":
            return dict.fromkeys(self._sound, job.migration.id)
        left = [one for one in self._lock_file.migrations if one.id in self._applied and one.id != job.migration.id]
        return makers(left)


def makers(migrations: Iterable[Locked]) -> dict[Key, str]:
    """Return, for each object with texts, the last of these migrations that touches it."""
    return {effect.key: one.id for one in migrations for effect in of_kinds(one.effects, textual())}


def read_objects(connection: Any, keys: Iterable[Key], server_version: int) -> dict[Key, Record]:
    """Return those of these objects that exist, as a connection's transaction sees them."""
    paths: dict[str, list[str]] = {}
    for key in keys:
        paths.setdefault(key.kind, []).append(SEPARATOR.join(key.path))
    objects: dict[Key, Record] = {}
    with connection.transaction(force_rollback=True):  # releases its locks and resets its settings
        for name, value in {**SESSION, **LIMITS}.items() if paths else ():
            connection.execute("SELECT pg_catalog.set_config(%s, %s, true)", (name, value))
        for name in paths:
            kind = KINDS[name]
            values = {"books": list(BOOKS), "migrator": None, "paths": paths[name]}
            rows = connection.execute(_query(kind, server_version).encode(), values).fetchall()
            objects |= objects_of(kind, rows)
    return objects


SEPARATOR = "\x1f"


def _query(kind: Kind, server_version: int) -> str:
    """Return the SQL that reads some objects of a kind, so that the server prints no text of the others."""
    query, parts = kind.sql(server_version), [f"p{number}" for number in range(max(kind.depth, 1))]
    path = f"ARRAY[{', '.join(parts)}]::pg_catalog.text[]" if kind.depth else parts[0]
    joined = f"pg_catalog.array_to_string({path}, E'\\x1f')"
    return f"{complete(query)}({', '.join(parts)}) WHERE {joined} = ANY (%(paths)s)"


def _trace(record: Record | None) -> str:
    """Return a digest of the texts of an object; empty if the object does not exist."""
    return "" if record is None else digest_of_text("\0".join(f"{name} {text}" for name, text in texts_of(record)))


def _in_text(one: Difference) -> bool:
    return KINDS[one.key.kind].deparsed(one.attribute) and None not in (one.expected, one.actual)
