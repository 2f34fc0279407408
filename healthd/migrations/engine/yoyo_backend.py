"""The only door to yoyo: its backend, made safe. `yoyo apply` and `healthd migrate` both use it.

The migration, its mark, its log row and its content digest commit in one transaction on one connection. A
session-level advisory lock, which the server releases when the process dies, excludes other runs.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yoyo import exceptions
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
from yoyo.connections import DatabaseURI
from yoyo.migrations import Migration as YoyoMigration

from healthd.database.driver_errors import translate
from healthd.database.dsn import Dsn
from healthd.database.passwords import PasswordCommand
from healthd.errors import MigrationFailed
from healthd.expected import session_settings
from healthd.expected.files import Migration, read_migration
from healthd.migrations.engine import (
    file_checks,
    given_settings,
    interrupted,
    ledger_rows,
    ledger_tables,
    migration_lock,
    nontransactional,
    recorded_texts,
)
from healthd.migrations.engine.file_checks import check
from healthd.migrations.engine.job import Job
from healthd.migrations.engine.kept_copies import Keeper
from healthd.migrations.engine.lock_waits import DEFAULT, Patience, Say, Watcher, to_stderr
from healthd.migrations.engine.notices import Heard
from healthd.migrations.engine.sending import NOTHING, Part, failed, run
from healthd.migrations.engine.session import LIKE_NEW, RESET, Session
from healthd.model.ledger import PROGRESS
from healthd.model.migration_names import canonical
from healthd.model.names import quote
from healthd.sqltext.ledger_loss import lost

if TYPE_CHECKING:
    from healthd.expected.lockfile import LockFile
    from healthd.migrations.engine.text_recorder import Recorder
    from healthd.model.ledger import Printed

# Fails, with this text, if the transaction is not the one that was begun.
XID = f"SELECT {migration_lock.IN_TRANSACTION.format('pg_catalog.pg_current_xact_id()::text')};"
# An earlier try may have left prepared statements, which a rollback does not remove.
BEGIN = "DEALLOCATE ALL;BEGIN;"
ENDED = "the transaction has ended"
SAME_TRANSACTION = f"""SELECT CASE WHEN pg_catalog.pg_current_xact_id_if_assigned()::text IS NOT DISTINCT FROM '{{}}'
                                   THEN 1
                                   ELSE (pg_catalog.pg_backend_pid()::text || '{ENDED}')::int END;"""  # noqa: S608 # our own
# The next file must not find anything that this file left in the session. This does what DISCARD ALL does, except for
# our lock: all advisory locks are released, and ours is acquired again while the transaction holds it.
UNLOCK = f"SELECT pg_catalog.pg_advisory_unlock_all(); {migration_lock.HOLD}"
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
        lock_file: LockFile | None = None,
        keeps: bool = True,
        command: PasswordCommand | None = None,
    ) -> None:
        self.command = command  # that prints the password
        self.patience, self.say, self.live = patience, say, live
        self.recorder = recorder  # None if there is no lock file, as with yoyo's own commands
        self._records = records
        self._keeper = Keeper(lock_file) if keeps else None  # of the files that are applied
        self.watcher: Watcher | None = None
        self.guarded = False  # the caller has compared its sessions with those of the replay
        self.heard: Heard | None = None  # the messages of the running file
        self.alone = False  # checked: no file other than the first one of this run is partly applied
        self._schema: str | None = None  # of the ledger, once determined
        self.missing: ledger_tables.Missing | None = None  # of the ledger's tables, once determined
        self.settings = ""  # the SQL that sets up a session
        self.lock_timeout = ""  # of this session, as the server prints it
        self.max_locks = 0  # the server's max_locks_per_transaction
        super().__init__(dburi, migration_table)

    # ── the session ─────────────────────────────────────────────────────────────────────────────────────

    def connect(self, dburi: Any) -> Any:
        """Open the one connection of this run, without preparing or probing anything."""
        arguments = {
            "user": dburi.username,
            "password": dburi.password,
            "host": dburi.hostname,
            "port": dburi.port,
            "dbname": dburi.database or None,
            **dburi.args,
        }
        self.schema = arguments.pop("schema", None)
        words = (f"{name}={_quoted(value)}" for name, value in arguments.items() if value is not None)
        self.dsn = replace(Dsn.of(" ".join(words)), command=self.command)
        connection = self.dial(patient=True)
        try:
            self._get_to_know(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def init_database(self) -> None:
        """Do nothing: stock yoyo creates and drops tables here to find out whether DDL is transactional."""

    def copy(self) -> Backend:
        """Return this backend: it uses one connection for everything."""
        return self

    def __exit__(self, *_raised: object) -> None:
        if self.watcher is not None:
            self.watcher.close()
        self.connection.close()

    @property
    def records(self) -> bool:
        """Return whether the texts that this server prints are recorded."""
        return self._records or self._active is not None

    @property
    def keeps(self) -> bool:
        """Return whether copies of the files are kept in the ledger."""
        return self._keeper is not None

    # ── the ledger ──────────────────────────────────────────────────────────────────────────────────────

    @property
    def ledger_schema(self) -> str:
        """Return the schema of the ledger, determined once: settings of the files do not change it."""
        if self._schema is None:
            self._schema = ledger_tables.schema_of(self)
        return self._schema

    def table(self, name: str) -> str:
        """Return the qualified name of a table of the ledger."""
        return f"{quote(self.ledger_schema)}.{quote(name)}"

    def __getattr__(self, name: str) -> Any:
        if name.endswith("_table_quoted"):  # yoyo uses these names, without the schema
            return self.table(getattr(self, name.removesuffix("_quoted")))
        return super().__getattr__(name)

    def list_tables(self, **_values: object) -> list[str]:
        """Return the tables in the schema of the ledger."""
        return sorted(ledger_tables.tables_of(self, self.ledger_schema))

    def get_applied_migration_hashes(self) -> list[str]:
        """Return the hashes of the applied migrations, for every Unicode form of their names, the oldest first."""
        marks = ledger_rows.marks(self, self.list_tables())
        return [other for mark, name in marks for other in dict.fromkeys((mark, *ledger_rows.hashes(mark, name)))]

    def applied_ids(self) -> frozenset[str]:
        """Return the ids of the applied migrations; for a row whose hash does not match its name, the hash."""
        marks = ledger_rows.marks(self, self.list_tables())
        return frozenset(canonical(name) if ledger_rows.hashes(mark, name) else mark for mark, name in marks)

    def unmark_one(self, migration: Any, log: bool = True) -> None:
        """Remove the mark of a migration, whichever Unicode form of its name the mark has."""
        self.ensure_internal_schema_updated()
        self._as_it_is_known(migration)
        super().unmark_one(migration, log=log)

    def _as_it_is_known(self, migration: Any) -> None:
        """Give a migration the name and the hash in the ledger, if the ledger has another Unicode form of its name."""
        if migration.id.isascii():
            return
        if found := ledger_rows.name_in_ledger(self, self.list_tables(), migration.id):
            migration.id, migration.hash = found

    def ensure_internal_schema_updated(self) -> None:
        """Create the missing tables of yoyo and healthd, in a transaction of their own."""
        if self._lacks_tables():
            with self.transaction():
                self._make_tables()
            self._made_tables()

    def _lacks_tables(self) -> bool:
        """Return whether tables of the ledger must still be created; raise if they cannot be created."""
        if self.missing is None:
            self.missing = ledger_tables.missing(self, self.ledger_schema)
        return bool(self.missing.create) and not self._internal_schema_updated

    def _make_tables(self) -> None:
        """Create the missing tables of the ledger in the open transaction."""
        assert self.missing is not None
        ledger_tables.make(self, self.missing)

    def _made_tables(self) -> None:
        """Record that the ledger is complete, and report which tables had been lost."""
        assert self.missing is not None
        self._internal_schema_updated = True
        for line in self.missing.again:
            self.say(line)

    # ── one runner at a time ────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def lock(self, timeout: float = 10) -> Iterator[None]:
        """Hold the migration lock for a block; raise LockTimeout with the holder after `timeout` seconds."""
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

    # ── the interface to yoyo ───────────────────────────────────────────────────────────────────────────

    def apply_one(self, migration: Any, force: bool = False, mark: bool = True) -> None:
        """Run a migration's file and mark it in one transaction; post-apply files (`mark` false) are only logged."""
        if Path(migration.path).name.startswith("."):  # yoyo does not ignore such files
            self.say(f"{migration.path}: the name begins with a dot, so it is not a migration, and was not run")
            return
        self._run(self._applying(migration, self._read(migration, force), mark=mark))

    def rollback_one(self, migration: Any, force: bool = False) -> None:
        """Run a migration's rollback file and unmark it in one transaction."""
        ours = self._read(migration, force)
        self._run(self._undoing(migration, ours))

    def job(self, migration: Any, operation: str) -> Job:
        """Return the file of a migration that is to be run."""
        ours = self._read(migration, force=False)
        if operation == "rollback":
            return self._undoing(migration, ours)
        return self._applying(migration, ours)

    def _applying(self, migration: Any, ours: Migration, *, mark: bool = True) -> Job:
        def books() -> str:
            row = self.get_log_data(migration, "apply")
            return ledger_rows.applied(self, row, migration, ours, mark=mark) + self._copy(migration, ours, mark=mark)

        return Job(ours, migration.hash, "apply", ours.apply, ours.path, books, resumable=mark)

    def _copy(self, migration: Any, ours: Migration, *, mark: bool = True) -> str:
        """Return the SQL that keeps a copy of the files of a marked migration; empty if that is not possible."""
        if self._keeper is None or self.missing is None or not mark:
            return ""
        return self._keeper.sql(self, migration, ours, self.missing.unkept)

    def _undoing(self, migration: Any, ours: Migration) -> Job:
        if ours.rollback is None:
            raise MigrationFailed(f"{ours.id} has no rollback; {NOTHING}", hint=f"write {ours.rollback_path.name}")

        def books() -> str:
            return ledger_rows.undone(self, self.get_log_data(migration, "rollback"), migration)

        return Job(ours, migration.hash, "rollback", ours.rollback, ours.rollback_path, books)

    def _read(self, migration: Any, force: bool) -> Migration:
        """Return a migration of yoyo as a migration of healthd."""
        if force:
            raise MigrationFailed(f"--force would leave a migration partly applied; {NOTHING}", hint="fix the file")
        path = Path(migration.path)
        if path.suffix != ".sql":
            raise MigrationFailed(
                f"{path.name} is Python, and healthd runs only SQL; {NOTHING}",
                hint="apply it with yoyo's own backend, postgresql+psycopg://",
            )
        self._as_it_is_known(migration)
        ours: Migration | None = getattr(migration, "ours", None)
        return ours or read_migration(path)

    def adopt(self, migration: Any, ours: Migration, *, mark: bool) -> None:
        """Record a migration that was applied without healthd; without `mark`, only its digest is added."""
        self._as_it_is_known(migration)
        if mark:
            self.mark_one(migration)
        ledger_rows.add_digests(self, migration, ours)
        if copy := self._copy(migration, ours):
            self.connection.execute(copy)

    def get_log_data(self, migration: Any = None, operation: str = "apply") -> Mapping[str, Any]:
        """Return yoyo's log row."""
        return ledger_rows.log_row(migration, operation)

    # ── running a file ──────────────────────────────────────────────────────────────────────────────────

    def _run(self, job: Job) -> None:
        """Send a file to the server and record it in the ledger."""
        check(job.text, job.path, transactional=job.migration.transactional)
        file_checks.refuse_ledger_loss(self, self.ledger_schema, job)
        self.heard = Heard(job.name)
        try:
            if not self.guarded:  # yoyo itself is run
                file_checks.refuse_elsewhere(self, job)
            given = given_settings.given(self) if session_settings.GIVES.search(job.text) else None
            fresh = self._lacks_tables() and self.missing is not None and PROGRESS in self.missing.create
            if not self.alone and not fresh:
                interrupted.refuse_others(self, job)
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
            given_settings.take_over(self, given)

    def _together(self, job: Job) -> None:
        """Send the entire file at once, so that only the server decides where its statements end.

        The ledger's tables are created in the transaction of the first file: if it fails, nothing is left behind.
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
        """Record the file in the ledger and commit, in one message."""
        try:
            first, texts = recorded_texts.around(self, self._active, job, first)
            run(self.connection, self.driver, f"{first} {job.books} {texts} {UNLOCK} COMMIT; {LIKE_NEW}", [])
        except self.driver.Error as error:
            if ENDED in (
                error.diag.message_primary or ""
            ):  # the full error message quotes the statement, so it always contains the text
                raise MigrationFailed(
                    f"{job.name} ends its own transaction: part of it was applied, and it is not marked as applied",
                    hint="remove BEGIN and COMMIT from the file, and revert its changes by hand",
                ) from error
            if self.connection.closed:
                raise MigrationFailed(
                    f"{job.name}: the connection was lost during the commit; {self._look_again(job, state)}",
                    hint="check with: healthd status",
                ) from error
            if gone := lost(error, job.name, state):
                raise gone from error
            raise failed(error, Part(job.name, "", state, max_locks=self.max_locks)) from error
        if self._active is not None:
            self._active.kept(job)

    def look_before(self, job: Job, noted: str | None = None) -> None:
        """Read the objects that a file is about to touch, if this server's texts are recorded."""
        recorded_texts.look_before(self, self._active, job, noted)

    def noted(self, job: Job) -> str | None:
        """Return what `look_before` needs when a file continues after the last applied step."""
        return recorded_texts.noted(self, self._active, job)

    def refuse_foreign_owner(self, owner: str) -> None:
        """Raise if this session may not give a role a new ledger."""
        ledger_tables.refuse_foreign_owner(self, owner)

    def give_ledger(self, owner: str) -> None:
        """Make a role the owner of the ledger in the open transaction: from then on it is the one that migrates."""
        ledger_tables.give(self, self.ledger_schema, owner)

    def record(self, found: Sequence[Printed]) -> None:
        """Record how this server prints texts of applied migrations."""
        if found:
            self.connection.execute(recorded_texts.record(self, found))

    @property
    def _active(self) -> Recorder | None:
        """Return the recorder, None if this server's texts are not recorded."""
        return self.recorder if self.recorder is not None and self.recorder.active else None

    def _look_again(self, job: Job, state: str) -> str:
        """Return the result of a commit without a response, read when the lock of the lost session is free."""
        with suppress(Exception), self.dial(patient=True) as other:
            migration_lock.acquire(other, time.monotonic() + LOOK_AGAIN_S)
            marked = False
            with suppress(self.driver.errors.UndefinedTable):  # the commit would have created the ledger
                query = f"SELECT 1 FROM {self.table(self.migration_table)} WHERE migration_hash = %s"  # noqa: S608
                marked = other.execute(query, (job.hash,)).fetchone() is not None
            return "it took effect, and is recorded in the ledger" if marked == (job.operation == "apply") else state
        return "it is unknown whether it took effect"


def _afterwards(error: MigrationFailed, job: Job) -> MigrationFailed:
    """Return the error about a post-apply file: it cannot be resumed, because it always runs from its beginning."""
    cure = (error.hint or "fix the cause").removesuffix(", then: healthd resume").removesuffix(", then run it again")
    again = f"it runs again from its beginning after the next migration; to run it now: psql -f {job.path}"
    return MigrationFailed(str(error), hint=f"{cure}; {again}", sqlstate=error.sqlstate)


def _quoted(value: Any) -> str:
    text = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{text}'"


@contextmanager
def opened(
    dsn: str | Dsn,
    *,
    wait_s: float,
    patience: Patience = DEFAULT,
    say: Say = to_stderr,
    live: Say | None = None,
    recorder: Recorder | None = None,
    records: bool = False,
    lock_file: LockFile | None = None,
    keeps: bool = True,
) -> Iterator[Backend]:
    """Open a backend and hold the migration lock for a block; convert errors of yoyo and the driver to healthd's.

    Copies of the files are kept in the ledger, with their records in the lock file, unless `keeps` is false.
    """
    known = Dsn.of(dsn)
    uri = DatabaseURI("postgresql+healthd", None, None, None, None, None, dict(known.parameters))
    backend = Backend(
        uri,
        "_yoyo_migration",
        patience=patience,
        say=say,
        live=live,
        recorder=recorder,
        records=records,
        lock_file=lock_file,
        keeps=keeps,
        command=known.command,
    )
    backend.guarded = True
    try:
        with backend, backend.lock(timeout=wait_s):
            yield backend
    except exceptions.LockTimeout as error:
        raise MigrationFailed(
            f"{known.place}: {error}; nothing was changed", hint="wait until it has finished, or increase --wait"
        ) from error
    except backend.driver.Error as error:
        raise translate(error, known) from error


def yoyo_migration(migration: Migration) -> YoyoMigration:
    """Return a migration as a yoyo migration with its file's name; healthd reads the file, so yoyo never parses it."""
    theirs = YoyoMigration(migration.path.stem, str(migration.path), str(migration.path.parent))
    theirs.ours = migration
    return theirs
