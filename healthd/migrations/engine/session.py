"""The one connection of a run: its session settings, and how text is sent over it, with retries."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from healthd.database.connection import PATIENCE, TIMEOUT_S, printed_password
from healthd.database.driver_errors import limit_of, refused, translate, translated
from healthd.database.dsn import Dsn
from healthd.errors import DatabaseUnreachable, MigrationFailed
from healthd.expected import session_settings
from healthd.migrations.engine import migration_lock, shown_file
from healthd.migrations.engine.job import Job
from healthd.migrations.engine.lock_room import LOCKS
from healthd.migrations.engine.lock_waits import (
    AGAIN,
    LOCK_TIMEOUT_S,
    Patience,
    Retried,
    Say,
    Watcher,
    pause_s,
    timeout,
)
from healthd.migrations.engine.notices import Heard
from healthd.migrations.engine.sending import NOTHING, Part, send
from healthd.model.running import OURS

# If a client process is killed, its statement keeps running and its locks are held until the server checks.
NOTICE_DEATH = "SET client_connection_check_interval = '1s'"

RETRY_S = 0.05  # if the connection limit is reached

# The settings of a file must not influence where, or with which role, the ledger is written.
RESET = "RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL"
# What a file may have left in the session, but for its settings and advisory locks.
LIKE_NEW = "DISCARD TEMP; CLOSE ALL; DEALLOCATE ALL; UNLISTEN *; DISCARD SEQUENCES"


class Session:
    """The connection of a run; `LedgerSession`, `FileRun` and yoyo's backend define what is only declared here."""

    # defined by yoyo's backend
    driver: Any  # psycopg
    connection: Any  # the driver's connection of this run: `_connection`
    _connection: Any
    execute: Callable[..., Any]
    transaction: Callable[[], Any]
    format_sql: Callable[..., str]
    migration_table: str
    log_table: str
    version_table: str
    version_table_quoted: str
    create_lock_table_sql: str
    TRANSACTION_STATUS_IDLE: Any
    # defined by what is built on this class
    table: Callable[[str], str]  # of the ledger, as a qualified name
    lacks_tables: Callable[[], bool]
    keep: Callable[[Job, str, str], None]
    look_before: Callable[[Job, str | None], None]
    noted: Callable[[Job], str | None]

    dsn: Dsn
    schema: str | None  # of the ledger, if the URL names one
    patience: Patience
    say: Say
    live: Say | None
    watcher: Watcher | None = None
    heard: Heard | None = None  # the messages of the running file
    settings: str = ""  # the SQL that sets up a session
    application: str = ""  # the application_name of this session; empty if its connection string names another one
    lock_timeout: str = ""  # of this session, as the server prints it
    max_locks: int = 0  # the server's max_locks_per_transaction
    counts: bool = True  # the server counts the rows that a transaction writes
    worn: bool = False  # a file may have left something in the session that no statement removes
    numbers: Mapping[int, str] = {}  # the names of the tables that `watched_run` counts, once they are known
    watched: Any = None  # what `ledger_guard` compares, once it is known
    alone: bool = False  # checked: no file other than the first one of this run is partly applied
    _filler: Any = None  # the driver's cursor that inserts values

    @property
    def records(self) -> bool:
        """Return whether the texts that this server prints are recorded."""
        raise NotImplementedError

    @property
    def keeps(self) -> bool:
        """Return whether copies of the files are kept in the ledger."""
        raise NotImplementedError

    def _get_to_know(self, connection: Any) -> None:
        """Refuse a connection pooler, and determine the settings of the session."""
        migration_lock.refuse_pooler(connection, self.dial)
        names = ("application_name", "lock_timeout", LOCKS, "track_counts", *session_settings.PINNED)
        asked = ", ".join(f"pg_catalog.current_setting('{name}', true)" for name in names)
        name, own, locks, counts, *found = connection.execute(f"SELECT {asked}").fetchone()
        self.application = name if name.startswith(OURS) else ""
        self.max_locks, self.counts = int(locks), counts == "on"
        seconds = self.patience.lock_timeout_s
        if seconds is None and own == "0":
            seconds = LOCK_TIMEOUT_S
        pinned = zip(session_settings.PINNED.items(), found, strict=True)
        values = {
            "lock_timeout": None if seconds is None else timeout(seconds),
            "search_path": self.schema,
            **{name: value for (name, value), is_now in pinned if session_settings.pins(name, is_now)},
        }
        self._refuse_silence(connection, session_settings.SILENT.keys() & values.keys())
        self.settings = "".join(
            self.filled("SELECT pg_catalog.set_config(%s, %s, false);", (name, value), connection)
            for name, value in values.items()
            if value is not None
        )
        with suppress(self.driver.Error):  # PostgreSQL 13 lacks it, and some systems do not support it
            connection.execute(NOTICE_DEATH)
            self.settings += f"{NOTICE_DEATH};"

    def _refuse_silence(self, connection: Any, silent: Collection[str]) -> None:
        """Raise if this role may not change a setting by which triggers do not fire."""
        for name in sorted(silent):
            value = session_settings.FIRING[name]
            try:
                connection.execute("SELECT pg_catalog.set_config(%s, %s, false)", (name, value))
            except self.driver.errors.InsufficientPrivilege as error:
                role = connection.info
                cure = session_settings.gives(role.user, role.dbname, name, value)
                raise MigrationFailed(
                    f"{self.dsn.place}: {session_settings.silence(name)}; {NOTHING}", hint=f"as a superuser: {cure}"
                ) from error

    def dial(self, *, patient: bool = False) -> Any:
        """Return a new connection to the database; the files are UTF-8, and the server converts them.

        If the connection limit is reached, a `patient` caller retries for a few seconds: a server still counts a
        session for a moment after it was closed.
        """
        until = time.monotonic() + PATIENCE * TIMEOUT_S
        while True:
            try:
                return self._dial()
            except self.driver.Error as error:
                if self.dsn.command is not None and refused(error):
                    break
                if not patient or not limit_of(error) or time.monotonic() > until:
                    raise translate(error, self.dsn) from error
            time.sleep(RETRY_S)
        with translated(self.dsn):
            return self._dial(again=True)

    def _dial(self, *, again: bool = False) -> Any:
        """Connect; this runs in a thread, which has no loop for the command that prints the password."""
        command = self.dsn.command
        password = None if command is None else asyncio.run(printed_password(self.dsn, again=again))
        words = self.dsn.complete(password=password)
        return self.driver.connect(words, autocommit=True, prepare_threshold=None, client_encoding="utf8")

    def init_connection(self, connection: Any) -> None:
        """Apply the settings of a session at its start."""
        connection.execute(self.settings or "SELECT")
        (self.lock_timeout,) = connection.execute("SELECT current_setting('lock_timeout')").fetchone()

    def start_like_new(self) -> None:
        """Continue on a new connection if an earlier file may have left something in this one."""
        if not self.worn:
            return
        self.worn = False
        if self.watcher is not None:
            self.watcher.close()
            self.watcher = None
        try:
            new = self.dial()
        except DatabaseUnreachable:  # perhaps the role may have one connection only
            self.connection.close()
            new = self._dial_and_lock()
        else:
            with translated(self.dsn):
                migration_lock.hand_over(self.connection, new)
        self._connection = new
        self.init_connection(new)

    def _dial_and_lock(self) -> Any:
        """Return a new connection with the migration lock, which another runner may have had in between."""
        new, self.alone = self.dial(patient=True), False
        try:
            migration_lock.acquire(new, time.monotonic() + PATIENCE * TIMEOUT_S)
        except migration_lock.Held as error:
            new.close()
            hint = "run it again when that run has finished; or raise the role's CONNECTION LIMIT"
            raise MigrationFailed(f"{self.dsn.place}: {error}; {NOTHING}", hint=hint) from error
        return new

    def rollback(self) -> None:
        """Roll back; if that fails, close the connection, which has the same effect."""
        self._in_transaction = False
        if not self.connection.closed:
            try:
                self.connection.execute(f"ROLLBACK; RESET application_name; {self.settings}")
            except self.driver.Error:
                self.connection.close()

    def rollback_only(self) -> None:
        """Roll back without resetting the settings of the file."""
        if self.connection.info.transaction_status != self.TRANSACTION_STATUS_IDLE:
            self.connection.execute("ROLLBACK")

    def one(self, query: str, values: Any = None) -> Any:
        """Return the first value of the first row, None if there is no row."""
        row = self.connection.execute(query, values).fetchone()
        return None if row is None else row[0]

    def filled(self, query: str, values: Any, connection: Any = None) -> str:
        """Return a query with its values inserted by the driver, so that it can be sent with others in one message."""
        connection = connection or self.connection
        if self._filler is None or self._filler.connection is not connection:
            self._filler = self.driver.ClientCursor(connection)
        text: str = self._filler.mogrify(query, values)
        return text

    def send(self, part: Part, *, before: str = "", meanwhile: Callable[[], object] | None = None) -> str:
        """Send the text of a file, see `sending.send`; if it takes long, blocking sessions are reported."""
        if self.watcher is None:
            self.watcher = Watcher(self.dial, self.one("SELECT pg_backend_pid()"), self.say, self.live)
            self.watcher.start()
        self.watcher.since = time.monotonic()
        hear = self.heard.hear if self.heard else None
        try:
            part = replace(part, max_locks=self.max_locks)
            return send(self.connection, self.driver, part, before=before, meanwhile=meanwhile, hear=hear)
        finally:
            self.watcher.since = None
            for notice in self.heard.reported(part.text, part.line) if self.heard else ():
                self.say(notice)

    def patiently(self, job: Job, work: Callable[[], None]) -> None:
        """Run something atomic of a file; repeat it as long as only locks of other sessions block it."""
        start, attempt = time.monotonic(), 0
        while True:
            began = time.monotonic()
            if self.watcher is not None:
                self.watcher.blockers = ""
            try:
                return work()
            except MigrationFailed as error:
                if error.sqlstate not in AGAIN or self.connection.closed:
                    raise
                self.rollback_only()
                attempt += 1
                pause, waited = pause_s(attempt), time.monotonic() - start
                blockers = self.watcher.blockers if self.watcher is not None else ""
                if waited + pause > self.patience.max_wait_s:
                    tried = f"tried {attempt} time{'s' * (attempt > 1)} in {waited:.0f} s"
                    who = f"; blocked by {blockers}" if blockers else ""
                    hint = error.hint or "end the blocking session, or increase --max-wait"
                    raise MigrationFailed(f"{error}; {tried}{who}", hint=hint, sqlstate=error.sqlstate) from error
                words = f"{job.name}: {AGAIN[error.sqlstate]}, attempt {attempt + 1} in {pause:.1f} s"
                self.say(Retried.of(words, time.monotonic() - began + pause))
                shown_file.show(self, job, waits=True)
                time.sleep(pause)
                shown_file.show(self, job)
