"""The only door to yoyo: its backend, made safe. `yoyo apply` and `healthd migrate` both come through here.

The migration, its mark, its log row and its content digest commit in one transaction on one connection, and
a session advisory lock, which the server frees when the process dies, keeps others out.
"""

from __future__ import annotations

import functools
import getpass
import json
import os
import socket
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yoyo import exceptions
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
from yoyo.connections import DatabaseURI
from yoyo.migrations import Migration as YoyoMigration

from healthd._version import __version__
from healthd.database.driver_errors import translate
from healthd.database.dsn import parameters, place
from healthd.errors import LockFileError, MigrationFailed
from healthd.expected import default_places, lockfile, session_settings
from healthd.expected.files import Migration, read_migration
from healthd.migrations import guards
from healthd.migrations.engine import ledger_tables, migration_lock, nontransactional
from healthd.migrations.engine.job import Job
from healthd.migrations.engine.lock_waits import (
    DEFAULT,
    Patience,
    Say,
    Watcher,
    to_stderr,
)
from healthd.migrations.engine.notices import Heard
from healthd.migrations.engine.sending import NOTHING, Part, failed, run
from healthd.migrations.engine.session import Session
from healthd.model.ledger import DIGESTS, PROGRESS, TEXTS
from healthd.model.migration_names import canonical, forms, hashed
from healthd.model.names import quote
from healthd.sqltext.ledger_loss import CURE, lost, takes_ledger
from healthd.sqltext.lock_releases import release
from healthd.sqltext.statements import trouble, unclosed

if TYPE_CHECKING:
    from healthd.migrations.engine.text_recorder import Recorder
    from healthd.model.ledger import Printed

# What a file has set must decide neither where nor as whom the books are kept.
RESET = "RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL"
# Fails, with these words, when the transaction is not the one that was begun.
XID = f"SELECT {migration_lock.IN_TRANSACTION.format('pg_catalog.pg_current_xact_id()::text')};"
# A try before may have left prepared statements: no transaction takes those back.
BEGIN = "DEALLOCATE ALL;BEGIN;"
ENDED = "the transaction has ended"
SAME_TRANSACTION = f"""SELECT CASE WHEN pg_catalog.pg_current_xact_id_if_assigned()::text IS NOT DISTINCT FROM '{{}}'
                                   THEN 1
                                   ELSE (pg_catalog.pg_backend_pid()::text || '{ENDED}')::int END;"""  # noqa: S608 # our own
# The next file must not meet what is left of this one in the session. That is what DISCARD ALL does, but for our lock:
# advisory locks are let go of, and ours is taken back, while the transaction holds it.
UNLOCK = f"SELECT pg_catalog.pg_advisory_unlock_all(); {migration_lock.HOLD}"
LIKE_NEW = "DISCARD TEMP; CLOSE ALL; DEALLOCATE ALL; UNLISTEN *; DISCARD SEQUENCES"
LOGGED = ("id", "migration_hash", "migration_id", "operation", "username", "hostname", "created_at_utc")
LOG = f"INSERT INTO {{logs}} ({', '.join(LOGGED)}) VALUES ({', '.join('%s' for _ in LOGGED)});"  # noqa: S608 # our own
MARK = """INSERT INTO {marks} (migration_hash, migration_id, applied_at_utc) VALUES (%s, %s, %s);
          INSERT INTO {digests} (migration_hash, migration_id, digest, rollback_digest, healthd_version)
          VALUES (%s, %s, %s, %s, %s);"""
LOOK_AGAIN_S = 10.0


class Backend(Session, PostgresqlPsycopgBackend):  # type: ignore[misc] # yoyo ships no types
    """yoyo's backend for `postgresql+healthd://`; one instance serves one run."""

    _internal_schema_updated: bool
    _is_locked: bool

    def __init__(
        self,
        dburi: Any,
        migration_table: str,
        *,
        patience: Patience = DEFAULT,
        say: Say = to_stderr,
        live: Say | None = None,
        recorder: Recorder | None = None,
        records: bool = False,
    ) -> None:
        self.patience, self.say, self.live = patience, say, live
        self.recorder = recorder  # None where nobody knows the lock file, as under yoyo's own commands
        self._records = records
        self.watcher: Watcher | None = None
        self.guarded = False  # whoever opened it has compared its sessions with the replay's
        self.heard: Heard | None = None  # what the file that is run raises
        self.alone = False  # no other file than the first one that we run is half-way
        self._schema: str | None = None  # of the ledger, once it was looked for
        self.missing: ledger_tables.Missing | None = None  # of the ledger's tables, once they were looked for
        self.settings = ""  # what makes a session ours
        self.lock_timeout = ""  # of ours, as the server says it
        self.max_locks = 0  # the server's max_locks_per_transaction
        super().__init__(dburi, migration_table)

    # ── the session ─────────────────────────────────────────────────────────────────────────────────────

    def connect(self, dburi: Any) -> Any:
        """Open the one connection of this run; nothing is prepared and nothing is probed."""
        arguments = {
            "user": dburi.username,
            "password": dburi.password,
            "host": dburi.hostname,
            "port": dburi.port,
            "dbname": dburi.database or None,
            **dburi.args,
        }
        self.schema = arguments.pop("schema", None)
        self.dsn = " ".join(f"{name}={_quoted(value)}" for name, value in arguments.items() if value is not None)
        connection = self.dial()
        try:
            self._get_to_know(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def init_database(self) -> None:
        """Do nothing: stock yoyo creates and drops tables here to find out what PostgreSQL can do."""

    def copy(self) -> Backend:
        """Return this backend: one connection does everything."""
        return self

    def __exit__(self, *_raised: object) -> None:
        if self.watcher is not None:
            self.watcher.close()
        self.connection.close()

    @property
    def records(self) -> bool:
        """Return whether it is recorded how this server prints what files make."""
        return self._records or (self.recorder is not None and self.recorder.active)

    # ── the ledger ──────────────────────────────────────────────────────────────────────────────────────

    @property
    def ledger_schema(self) -> str:
        """Return the schema of the ledger, which is looked for once: what files set does not move it."""
        if self._schema is None:
            self._schema = ledger_tables.schema_of(self)
        return self._schema

    def table(self, name: str) -> str:
        """Return a table of the ledger as SQL names it."""
        return f"{quote(self.ledger_schema)}.{quote(name)}"

    def __getattr__(self, name: str) -> Any:
        if name.endswith("_table_quoted"):  # yoyo names its tables so, and would leave their schema out
            return self.table(getattr(self, name.removesuffix("_quoted")))
        return super().__getattr__(name)

    def list_tables(self, **_values: object) -> list[str]:
        """Return the tables beside the ledger's."""
        return sorted(ledger_tables.tables_of(self, self.ledger_schema))

    def get_applied_migration_hashes(self) -> list[str]:
        """Return the hashes of what is applied, in every form of its name, the oldest first."""
        return [other for mark, name in self._marks() for other in dict.fromkeys((mark, *_hashes(mark, name)))]

    def applied_ids(self) -> frozenset[str]:
        """Return the ids of what is applied; of a row that is no name's, its hash."""
        return frozenset(canonical(name) if _hashes(mark, name) else mark for mark, name in self._marks())

    def _marks(self) -> list[tuple[str, str]]:
        """Return hash and name of what is applied, the oldest first; looking makes no tables."""
        if self.migration_table not in self.list_tables():
            return []
        rows = self.execute(
            f"SELECT migration_hash, migration_id FROM {self.migration_table_quoted} ORDER BY applied_at_utc"  # noqa: S608
        ).fetchall()
        return [(mark, name or "") for mark, name in rows]

    def unmark_one(self, migration: Any, log: bool = True) -> None:
        """Take the mark of a migration away, in whatever form of its name it was made."""
        self.ensure_internal_schema_updated()
        self._as_it_is_known(migration)
        super().unmark_one(migration, log=log)

    def _as_it_is_known(self, migration: Any) -> None:
        """Give a migration the name and the hash that the ledger has of it, where that has another form of its name."""
        if migration.id.isascii():
            return
        there = self.list_tables()
        names = {hashed(name): name for name in forms(migration.id)}
        known: set[str] = set()
        for table in (self.migration_table, PROGRESS):
            if table in there:  # before the first file there is none
                query = f"SELECT migration_hash FROM {self.table(table)} WHERE migration_hash = ANY(%(hashes)s)"  # noqa: S608
                known |= {row[0] for row in self.connection.execute(query, {"hashes": list(names)}).fetchall()}
        for mark, name in names.items():
            if mark in known:
                migration.id, migration.hash = name, mark
                return

    def ensure_internal_schema_updated(self) -> None:
        """Make yoyo's tables and ours when they are not there, in a transaction of their own; otherwise only look."""
        if self._lacks_tables():
            with self.transaction():
                self._make_tables()
            self._made_tables()

    def _lacks_tables(self) -> bool:
        """Return whether tables of the ledger are still to be made; raise when that could not be done."""
        if self.missing is None:
            self.missing = ledger_tables.missing(self, self.ledger_schema)
        return bool(self.missing.create) and not self._internal_schema_updated

    def _make_tables(self) -> None:
        """Make what the ledger lacks in the transaction that is open."""
        assert self.missing is not None
        ledger_tables.make(self, self.missing)

    def _made_tables(self) -> None:
        """Remember that the ledger lacks nothing any more, and say what it lacked."""
        assert self.missing is not None
        self._internal_schema_updated = True
        for line in self.missing.again:
            self.say(line)

    # ── one runner at a time ────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def lock(self, timeout: float = 10) -> Iterator[None]:
        """Hold the migration lock for a block; raise LockTimeout, naming the holder, after `timeout` seconds."""
        if self._is_locked:
            yield
            return
        deadline = time.monotonic() + timeout
        try:
            there = self.list_tables()
            migration_lock.acquire_alone(self.connection, deadline, self.table(PROGRESS) if PROGRESS in there else None)
            self._is_locked = True
            if self.lock_table in there:
                migration_lock.respect_row(self.connection, self.lock_table_quoted, deadline, self.say)
            yield
        except migration_lock.Held as error:
            raise exceptions.LockTimeout(str(error)) from error
        finally:
            if self._is_locked:
                self._is_locked = False
                migration_lock.release(self.connection)

    # ── what yoyo asks for ──────────────────────────────────────────────────────────────────────────────

    def apply_one(self, migration: Any, force: bool = False, mark: bool = True) -> None:
        """Run a migration's file and mark it, together or not at all; post-apply files (`mark` no) are only logged."""
        if Path(migration.path).name.startswith("."):  # yoyo has not been told that such a file is none
            self.say(f"{migration.path}: begins with a dot, so it is no migration and was not run")
            return
        self._run(self._applying(migration, self._read(migration, force), mark=mark))

    def rollback_one(self, migration: Any, force: bool = False) -> None:
        """Run a migration's rollback file and unmark it, together or not at all."""
        ours = self._read(migration, force)
        self._run(self._undoing(migration, ours))

    def job(self, migration: Any, operation: str) -> Job:
        """Return what is to be run of a migration."""
        ours = self._read(migration, force=False)
        if operation == "rollback":
            return self._undoing(migration, ours)
        return self._applying(migration, ours)

    def _applying(self, migration: Any, ours: Migration, *, mark: bool = True) -> Job:
        def books() -> str:
            log, values = self._log(migration, "apply")
            if mark:
                known = (migration.hash, migration.id)
                now = datetime.now(UTC).replace(tzinfo=None)
                log += MARK.format(marks=self.table(self.migration_table), digests=self.table(DIGESTS))
                values += (*known, now, *known, ours.digest, ours.rollback_digest, __version__)
            return self.filled(log, values)

        return Job(ours, migration.hash, "apply", ours.apply, ours.path, books, resumable=mark)

    def _undoing(self, migration: Any, ours: Migration) -> Job:
        if ours.rollback is None:
            raise MigrationFailed(f"{ours.id} has no rollback; {NOTHING}", hint=f"write {ours.rollback_path.name}")

        def books() -> str:
            log, values = self._log(migration, "rollback")
            forget = f"DELETE FROM {self.table(self.migration_table)} WHERE migration_hash = ANY(%s);"  # noqa: S608 # our own
            hashes = [hashed(name) for name in forms(migration.id)]
            return self.filled(log + forget, (*values, hashes))  # the digest goes with the mark

        return Job(ours, migration.hash, "rollback", ours.rollback, ours.rollback_path, books)

    def _read(self, migration: Any, force: bool) -> Migration:
        """Return a migration of yoyo's as one of ours."""
        if force:
            raise MigrationFailed(f"--force would leave a migration half-way; {NOTHING}", hint="mend the file")
        path = Path(migration.path)
        if path.suffix != ".sql":
            raise MigrationFailed(
                f"{path.name} is Python, and only SQL is run; {NOTHING}",
                hint="apply it with yoyo's own backend, postgresql+psycopg://",
            )
        self._as_it_is_known(migration)
        ours: Migration | None = getattr(migration, "ours", None)
        return ours or read_migration(path)

    def adopt(self, migration: Any, ours: Migration, *, mark: bool) -> None:
        """Keep the books of a migration that was applied without us; one that has a `mark` lacks our digest only."""
        self._as_it_is_known(migration)
        if mark:
            self.mark_one(migration)
        self.connection.execute(
            f"""INSERT INTO {self.table(DIGESTS)}
                       (migration_hash, migration_id, digest, rollback_digest, healthd_version)
                VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING""",  # noqa: S608 # our own constant
            (migration.hash, migration.id, ours.digest, ours.rollback_digest, __version__),
        )

    def _log(self, migration: Any, operation: str) -> tuple[str, tuple[Any, ...]]:
        data = self.get_log_data(migration, operation)
        return LOG.format(logs=self.table(self.log_table)), tuple(data[name] for name in LOGGED)

    def get_log_data(self, migration: Any = None, operation: str = "apply") -> Mapping[str, Any]:
        """Return yoyo's log row; a uid without a name, as containers have, and a slow DNS are no reason to fail."""
        return {
            "id": str(uuid.uuid4()),
            "migration_id": migration.id if migration else None,
            "migration_hash": migration.hash if migration else None,
            "username": _user(),
            "hostname": socket.gethostname(),
            "created_at_utc": datetime.now(UTC).replace(tzinfo=None),
            "operation": operation,
        }

    # ── running a file ──────────────────────────────────────────────────────────────────────────────────

    def _run(self, job: Job) -> None:
        """Send a file to the server and keep the books about it."""
        check(job.text, job.path, transactional=job.migration.transactional)
        self._refuse_ledger_loss(job)
        self.heard = Heard(job.name)
        try:
            self._refuse_elsewhere(job)
            given = self._given() if session_settings.GIVES.search(job.text) else None
            fresh = self._lacks_tables() and self.missing is not None and PROGRESS in self.missing.create
            if not self.alone and not fresh:
                nontransactional.refuse_others(self, job)
            self.alone = True
            if job.migration.transactional:
                self.patiently(job.name, lambda: self._together(job))
            else:
                self.ensure_internal_schema_updated()
                nontransactional.run(self, job)
        except BaseException as error:
            self.rollback()
            if isinstance(error, MigrationFailed) and not job.resumable:
                raise _afterwards(error, job) from error
            raise
        finally:
            for notice in self.heard.rest():
                self.say(notice)
            self.heard = None
        if given is not None:
            self._take_over(given)

    def _refuse_elsewhere(self, job: Job) -> None:
        """Raise, for who runs yoyo itself, when a file would put things elsewhere than the lock file beside it says."""
        path = job.path.with_name("schema.lock")
        if self.guarded or job.operation != "apply" or not path.exists():
            return
        try:
            known = default_places.measured(lockfile.load(path.read_bytes(), path.name), [job.migration])
        except LockFileError as error:
            self.say(f"{job.name}: not compared with the replay: {error}")
            return
        row = self.connection.execute(session_settings.SESSION, (default_places.touched(known),)).fetchone()
        guards.refuse_elsewhere(place(self.dsn), tuple(default_places.elsewhere(known, session_settings.Session(*row))))

    def _given(self) -> dict[str, str]:
        """Return what a new session would be given by the database and the role."""
        rows = self.connection.execute(session_settings.GIVEN).fetchall()
        return session_settings.given(
            rows, [name for (name,) in self.connection.execute(session_settings.CLIENTS).fetchall()]
        )

    def _take_over(self, before: Mapping[str, str]) -> None:
        """Give this session what the last file gives to new ones: the next file is to meet one like new."""
        values, lost = session_settings.changed(before, self._given())
        values |= dict(self.connection.execute(session_settings.DEFAULT, (lost,)).fetchall()) if lost else {}
        for name, value in values.items():
            with suppress(self.driver.Error):  # what only a new session can have, or only a superuser gives
                change = self.filled("SELECT pg_catalog.set_config(%s, %s, false);", (name, value))
                self.connection.execute(change)
                self.settings += change

    def _refuse_ledger_loss(self, job: Job) -> None:
        """Raise for a file that would take the ledger away."""
        schema, role = self.ledger_schema, self.connection.info.user
        for one, words in takes_ledger(job.text, schema=schema, role=role):
            raise MigrationFailed(f"{job.name}, line {one.line}: {words}; {NOTHING}", hint=CURE)

    def _together(self, job: Job) -> None:
        """Send the whole file at once, so that nobody decides where its statements end.

        The first one of all brings the ledger's tables with it: where it fails, nothing is left.
        """
        lacks = self._lacks_tables()
        self.look_before(job)
        if lacks:
            self.connection.execute(BEGIN)
            self._make_tables()
        part = Part(job.name, job.text)
        transaction = self.send(part, before=XID if lacks else f"{BEGIN}{XID}", meanwhile=lambda: job.books)
        self.keep(job, f"{RESET}; {self.settings} {SAME_TRANSACTION.format(int(transaction))}", NOTHING)
        if lacks:
            self._made_tables()

    def keep(self, job: Job, first: str, state: str) -> None:
        """Keep the books and commit, in one message."""
        try:
            first, texts = self._texts(job, first)
            run(self.connection, self.driver, f"{first} {job.books} {texts} {UNLOCK} COMMIT; {LIKE_NEW}", [])
        except self.driver.Error as error:
            if ENDED in (
                error.diag.message_primary or ""
            ):  # the whole error quotes the statement, and so has it always
                raise MigrationFailed(
                    f"{job.name} ends its own transaction: part of it is in, and it is not marked",
                    hint="take BEGIN and COMMIT out of the file, and undo by hand what it did",
                ) from error
            if self.connection.closed:
                raise MigrationFailed(
                    f"{job.name}: the connection was lost at the very end; {self._look_again(job, state)}",
                    hint="healthd status",
                ) from error
            if gone := lost(error, job.name, state):
                raise gone from error
            raise failed(error, Part(job.name, "", state, max_locks=self.max_locks)) from error
        if self.recorder is not None and self.recorder.active:
            self.recorder.kept(job)

    def look_before(self, job: Job, noted: str | None = None) -> None:
        """Look at what a file is about to touch, where it is recorded how this server prints that."""
        if self.recorder is not None and self.recorder.active:
            try:
                self.recorder.before(self.connection, job, noted)
            except self.driver.Error as error:
                self._unrecorded(job, error)

    def noted(self, job: Job) -> str | None:
        """Return what `look_before` wants to know when a file goes on after the step that is in."""
        if self.recorder is None or not self.recorder.active:
            return None
        try:
            return self.recorder.note(self.connection)
        except self.driver.Error as error:
            self._unrecorded(job, error)
            return None

    def _texts(self, job: Job, first: str) -> tuple[str, str]:
        """Return what is still to be sent before the books, and the SQL that records how this server prints."""
        if self.recorder is None or not self.recorder.active:
            return first, ""
        run(self.connection, self.driver, first, [])
        try:
            found = self.recorder.after(self.connection, job)
        except self.driver.Error as error:
            self._unrecorded(job, error)
            return "", ""
        return "", self._record(found)

    def record(self, found: Sequence[Printed]) -> None:
        """Record how this server prints texts of what is applied."""
        if found:
            self.connection.execute(self._record(found))

    def _record(self, found: Sequence[Printed]) -> str:
        if not found:
            return ""
        rows = [
            {
                "hashes": [hashed(name) for name in forms(one.migration)],
                "object": str(one.key),
                "attribute": one.attribute,
                "digest": one.digest,
                "text": one.text,
            }
            for one in found
        ]
        query = ledger_tables.RECORD.format(texts=self.table(TEXTS), marks=self.table(self.migration_table))
        major = self.connection.info.server_version // 10000
        return self.filled(query, (major, __version__, json.dumps(rows)))

    def _unrecorded(self, job: Job, error: Exception) -> None:
        """Say that a look failed, unless it was the connection: then the file fails."""
        if self.connection.closed:
            raise error
        self.say(f"{job.name}: how this server prints what it makes is not recorded: {error}")

    def _look_again(self, job: Job, state: str) -> str:
        """Return what became of a commit without an answer: asked again once the lock of the lost session is free."""
        with suppress(Exception), self.dial() as other:
            migration_lock.acquire(other, time.monotonic() + LOOK_AGAIN_S)
            marked = False
            with suppress(self.driver.errors.UndefinedTable):  # the ledger would have come with it
                query = f"SELECT 1 FROM {self.table(self.migration_table)} WHERE migration_hash = %s"  # noqa: S608
                marked = other.execute(query, (job.hash,)).fetchone() is not None
            return "all of it is in, and the books say so" if marked == (job.operation == "apply") else state
        return "whether it is in is not known"


def _hashes(mark: str, name: str) -> tuple[str, ...]:
    """Return the hashes of all forms of a name; none when the mark is not of this name."""
    return tuple(map(hashed, forms(name))) if mark == hashed(name) else ()


def check(text: str, path: Path, *, transactional: bool) -> None:
    """Raise MigrationFailed for a file that could only run in part."""
    if quote := unclosed(text):
        words = f"{quote[1]} begins here, and never ends"
        raise MigrationFailed(f"{path.name}, line {quote[0]}: {words}; {NOTHING}", hint="close it")
    if found := trouble(text, transactional=transactional) or release(text, transactional=transactional):
        line, words, cure = found
        raise MigrationFailed(f"{path.name}, line {line}: {words}; {NOTHING}", hint=cure)


def _afterwards(error: MigrationFailed, job: Job) -> MigrationFailed:
    """Return the error about a post-apply file: there is nothing to resume, for it always runs from its beginning."""
    cure = (
        (error.hint or "repair what made it fail")
        .removesuffix(", then: healthd resume")
        .removesuffix(", then run it again")
    )
    again = f"it runs again from its beginning after the next migration, or at once: psql -f {job.path}"
    return MigrationFailed(str(error), hint=f"{cure}; {again}", sqlstate=error.sqlstate)


@functools.cache
def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def _quoted(value: Any) -> str:
    text = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{text}'"


@contextmanager
def opened(
    dsn: str,
    *,
    wait_s: float,
    patience: Patience = DEFAULT,
    say: Say = to_stderr,
    live: Say | None = None,
    recorder: Recorder | None = None,
    records: bool = False,
) -> Iterator[Backend]:
    """Open a backend and hold the migration lock for a block; raise our errors for yoyo's and the driver's."""
    known = parameters(dsn)
    uri = DatabaseURI("postgresql+healthd", None, None, None, None, None, known)
    backend = Backend(uri, "_yoyo_migration", patience=patience, say=say, live=live, recorder=recorder, records=records)
    backend.guarded = True
    try:
        with backend, backend.lock(timeout=wait_s):
            yield backend
    except exceptions.LockTimeout as error:
        raise MigrationFailed(
            f"{place(dsn)}: {error}; nothing was changed", hint="wait for it, or --wait longer"
        ) from error
    except backend.driver.Error as error:
        raise translate(error, dsn) from error


def yoyo_migration(migration: Migration) -> YoyoMigration:
    """Return a migration as yoyo knows it, by its file's name; its file is read by us, so yoyo never parses it."""
    theirs = YoyoMigration(migration.path.stem, str(migration.path), str(migration.path.parent))
    theirs.ours = migration
    return theirs
