"""A run of one file: the file, its mark, its log row and its content digest commit in one transaction."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from healthd.errors import MigrationFailed
from healthd.expected import session_settings
from healthd.migrations.engine import (
    file_checks,
    given_settings,
    interrupted,
    ledger_guard,
    migration_lock,
    nontransactional,
    recorded_texts,
    shown_file,
)
from healthd.migrations.engine.file_checks import check
from healthd.migrations.engine.job import Job
from healthd.migrations.engine.ledger_session import LedgerSession
from healthd.migrations.engine.notices import Heard
from healthd.migrations.engine.progress import GIVEN_UP
from healthd.migrations.engine.sending import NOTHING, Part, failed, run
from healthd.migrations.engine.session import LIKE_NEW, RESET
from healthd.model.ledger import PROGRESS
from healthd.sqltext.classify import stays_in_session
from healthd.sqltext.ledger_loss import lost

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthd.migrations.engine.text_recorder import Recorder
    from healthd.model.ledger import Printed

# Fails, with this text, if the transaction is not the one that was begun.
_NOW = "pg_catalog.pg_current_xact_id()::text || ' ' || {}"
XID = f"SELECT {migration_lock.IN_TRANSACTION.format(_NOW)};"
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


class FileRun(LedgerSession):
    """The connection of a run, on which one file after the other is run."""

    recorder: Recorder | None = None  # None if there is no lock file, as with yoyo's own commands
    checked: bool = False  # the caller has checked the texts of its files
    guarded: bool = False  # the caller has compared its sessions with those of the replay
    _records: bool = False  # even if the recorder does not

    @property
    def records(self) -> bool:
        """Return whether the texts that this server prints are recorded."""
        return self._records or self._active is not None

    def run_file(self, job: Job) -> None:
        """Send a file to the server and record it in the ledger."""
        if not self.checked:
            check(job.text, job.path, transactional=job.migration.transactional)
        self.start_like_new()
        file_checks.refuse_ledger_loss(self, self.ledger_schema, job)
        self.heard = Heard(job.name)
        try:
            if not self.guarded:  # yoyo itself is run
                file_checks.refuse_elsewhere(self, job)
            given = given_settings.given(self) if session_settings.GIVES.search(job.text) else None
            fresh = self.lacks_tables() and self.missing is not None and PROGRESS in self.missing.create
            if not self.alone and not fresh:
                interrupted.refuse_others(self, job)
            self.alone = True
            if job.migration.transactional:
                self.patiently(job, lambda: self._guarded(job))
            else:
                self.ensure_internal_schema_updated()
                self.worn = stays_in_session(job.text)
                nontransactional.run(self, job)
        except BaseException as error:
            self.rollback()
            if not job.migration.transactional:
                self._give_up()
            if isinstance(error, MigrationFailed) and not job.resumable:
                raise _afterwards(error, job) from error
            raise
        finally:
            for notice in self.heard.rest():
                self.say(notice)
            self.heard = None
        if given is not None:
            given_settings.take_over(self, given)

    def _give_up(self) -> None:
        """Record that this session no longer runs the file of which a part was applied."""
        if not self.connection.closed:
            with suppress(self.driver.Error):  # the table may not exist
                self.connection.execute(GIVEN_UP.format(table=self.table(PROGRESS)))

    def _guarded(self, job: Job) -> None:
        """Send the file; if the ledger was written meanwhile, begin again and compare its rows."""
        if self.counts:
            try:
                return self._together(job, exactly=False)
            except ledger_guard.Touched:
                self.rollback()
        return self._together(job, exactly=True)

    def _together(self, job: Job, *, exactly: bool) -> None:
        """Send the entire file at once, so that only the server decides where its statements end.

        The ledger's tables are created in the transaction of the first file: if it fails, nothing is left behind.
        """
        self.start_like_new()  # after an earlier attempt
        self.worn = stays_in_session(job.text)
        lacks = self.lacks_tables()
        self.look_before(job)
        if lacks:
            self.connection.execute(BEGIN)
            self.make_tables()
        known = ledger_guard.rows(self) if exactly else None
        part, watched = Part(job.name, job.text), ledger_guard.watched(self)
        before = f"{'' if lacks else BEGIN}{shown_file.named(self, job)}{XID.format(watched.state)}"
        sent = self.send(part, before=before, meanwhile=lambda: job.books)
        transaction, state = sent.split(" ", 1)
        first = f"{RESET}; {self.settings} {SAME_TRANSACTION.format(int(transaction))}"
        if known is None:
            first += ledger_guard.same(watched, state)
        else:
            self._compare(job, first, known)
        self.keep(job, first, NOTHING)
        if lacks:
            self.made_tables()

    def _compare(self, job: Job, first: str, known: ledger_guard.Rows) -> None:
        """Raise if the open transaction has changed the rows of the ledger, or has removed its tables."""
        try:
            run(self.connection, self.driver, first, [])
            ledger_guard.refuse_written(self, job, known, NOTHING)
        except self.driver.Error as error:
            raise lost(error, job.name, NOTHING) or failed(error, Part(job.name, "", NOTHING)) from error

    def keep(self, job: Job, first: str, state: str) -> None:
        """Record the file in the ledger and commit, in one message."""
        try:
            first, texts = recorded_texts.around(self, self._active, job, first)
            run(self.connection, self.driver, f"{first} {job.books} {texts} {UNLOCK} COMMIT; {LIKE_NEW}", [])
        except self.driver.Error as error:
            # The full error message quotes the statement, so it always contains these texts.
            words = error.diag.message_primary or ""
            if ledger_guard.TOUCHED in words:
                raise ledger_guard.Touched from error
            if ENDED in words:
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

    def record(self, found: Sequence[Printed]) -> None:
        """Record how this server prints texts of applied migrations."""
        if found:
            self.connection.execute(recorded_texts.record(self, found))


def _afterwards(error: MigrationFailed, job: Job) -> MigrationFailed:
    """Return the error about a post-apply file: it cannot be resumed, because it always runs from its beginning."""
    cure = (error.hint or "fix the cause").removesuffix(", then: healthd resume").removesuffix(", then run it again")
    again = f"it runs again from its beginning after the next migration; to run it now: psql -f {job.path}"
    return MigrationFailed(str(error), hint=f"{cure}; {again}", sqlstate=error.sqlstate)
