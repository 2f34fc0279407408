"""The only door to yoyo: its backend, made safe. `yoyo apply` and `healthd migrate` both use it.

The migration, its mark, its log row and its content digest commit in one transaction on one connection. A
session-level advisory lock, which the server releases when the process dies, excludes other runs.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
from healthd.expected.files import Migration, read_migration
from healthd.migrations.engine import ledger_rows, migration_lock
from healthd.migrations.engine.file_run import FileRun
from healthd.migrations.engine.job import Job
from healthd.migrations.engine.kept_copies import Keeper
from healthd.migrations.engine.lock_waits import DEFAULT, Patience, Say, to_stderr
from healthd.migrations.engine.sending import NOTHING
from healthd.model.ledger import PROGRESS

if TYPE_CHECKING:
    from healthd.expected.lockfile import LockFile
    from healthd.migrations.engine.text_recorder import Recorder


class Backend(FileRun, PostgresqlPsycopgBackend):  # type: ignore[misc] # yoyo ships no types
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
    def keeps(self) -> bool:
        """Return whether copies of the files are kept in the ledger."""
        return self._keeper is not None

    def __getattr__(self, name: str) -> Any:
        if name.endswith("_table_quoted"):  # yoyo uses these names, without the schema
            return self.table(getattr(self, name.removesuffix("_quoted")))
        return super().__getattr__(name)

    def unmark_one(self, migration: Any, log: bool = True) -> None:
        """Remove the mark of a migration, whichever Unicode form of its name the mark has."""
        self.ensure_internal_schema_updated()
        self.as_it_is_known(migration)
        super().unmark_one(migration, log=log)

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
        self.run_file(self._applying(migration, self._read(migration, force), mark=mark))

    def rollback_one(self, migration: Any, force: bool = False) -> None:
        """Run a migration's rollback file and unmark it in one transaction."""
        ours = self._read(migration, force)
        self.run_file(self._undoing(migration, ours))

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
        self.as_it_is_known(migration)
        ours: Migration | None = getattr(migration, "ours", None)
        return ours or read_migration(path)

    def adopt(self, migration: Any, ours: Migration, *, mark: bool) -> None:
        """Record a migration that was applied without healthd; without `mark`, only its digest is added."""
        self.as_it_is_known(migration)
        if mark:
            self.mark_one(migration)
        ledger_rows.add_digests(self, migration, ours)
        if copy := self._copy(migration, ours):
            self.connection.execute(copy)

    def get_log_data(self, migration: Any = None, operation: str = "apply") -> Mapping[str, Any]:
        """Return yoyo's log row."""
        return ledger_rows.log_row(migration, operation)


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
