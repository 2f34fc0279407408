"""Run a non-transactional file step by step, so that the database records its progress at any moment.

A step and its progress commit together wherever the server allows it. A statement that cannot run in a transaction
block is recorded before it is sent, and again when it has finished; in between, the catalogs show its state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext

from healthd.errors import MigrationFailed
from healthd.migrations.engine import ledger_guard, migration_lock, progress, shown_file
from healthd.migrations.engine.interrupted import Outlook, look
from healthd.migrations.engine.job import Job
from healthd.migrations.engine.lock_waits import timeout
from healthd.migrations.engine.progress import Row
from healthd.migrations.engine.recovery import Outcome, judge, left_over, note, untouched
from healthd.migrations.engine.sending import NOTHING, Part, failed, restated
from healthd.migrations.engine.session import RESET, Session
from healthd.migrations.engine.step_progress import (
    applied_before,
    as_ourselves,
    asking,
    key,
    part_of,
    progress_words,
    row_sql,
    write,
)
from healthd.model.ledger import PROGRESS
from healthd.sqltext.ledger_loss import lost
from healthd.sqltext.nontransactional import CREATE_INDEX, is_piecewise, trace
from healthd.sqltext.steps import COMMIT, Step, count, steps

# The server rejects the statement in a transaction block: before it has an effect, or rolling back all effects.
OUTSIDE_ONLY = ("25001", "2D000")


def run(session: Session, job: Job) -> None:
    """Run the steps of a file that were not applied yet, and record their progress."""
    shown_file.show(session, job)
    left, begun, known = steps(job.text), None, None
    if job.resumable:
        outlook = look(session, job)
        _decide(session, job, outlook)
        left, begun, known = outlook.left, outlook.standing.begun, outlook.standing.noted
    session.look_before(job, known)
    before = ledger_guard.rows(session)
    try:
        _run_steps(session, job, left, begun)
    except BaseException:
        ledger_guard.restore_after_error(session, job, before)
        raise
    # The file's settings are reset outside a transaction first: it may have made all later transactions read-only.
    session.connection.execute(f"{RESET}; {session.settings}")
    ledger_guard.restore(session, job, before)
    forget = session.filled(progress.FORGOTTEN.format(table=session.table(PROGRESS)), {**key(job), "statement": 0})
    session.keep(
        job,
        f"BEGIN; {migration_lock.HOLD_TRANSACTION} {forget};",
        "all statements were applied, and the file is not recorded as complete",
    )


def _run_steps(session: Session, job: Job, left: Sequence[Step], begun: Row | None) -> None:
    for step in left:
        noted = begun.noted if begun is not None and begun.statement == step.number else None
        session.patiently(job, _trying(session, job, step, noted))
    if session.connection.info.transaction_status != session.TRANSACTION_STATUS_IDLE:
        raise MigrationFailed(
            f"{job.name} leaves a transaction open: the statements before it were applied, and the file is not "
            "recorded as complete",
            hint="add the missing COMMIT to the file, then: healthd resume",
        )


def _decide(session: Session, job: Job, outlook: Outlook) -> None:
    """Report where an interrupted file continues, and run what comes first; raise if that cannot be determined."""
    standing, verdict = outlook.standing, outlook.verdict
    if not standing.done and verdict is None:
        return
    if verdict is not None and standing.begun is not None:
        step = standing.left[0]
        if verdict.done is None:
            raise progress.undecided(step, standing.begun, job.name, verdict.words)
        session.patiently(job, lambda: _follow(session, job, step, verdict))
    total = count(job.text)
    where = f"continues at statement {outlook.left[0].number} of {total}" if outlook.left else "was applied completely"
    session.say(f"{job.name} was interrupted; it {where}")


def _follow(session: Session, job: Job, step: Step, verdict: Outcome) -> None:
    """Clean up after a step that has left something behind, and record the step if it is applied then."""
    for sql in verdict.first:
        session.say(f"{job.name}: statement {step.number}: {verdict.words}: {sql}")
        state = "; ".join((*filter(None, (applied_before(step),)), verdict.words))
        try:
            with _unhurried(session, ours=True):
                session.send(Part(job.name, sql, state))
        except MigrationFailed as error:
            raise restated(error, state, state, then=_then(job, verdict)) from error
    if verdict.done:
        write(session, job, step, progress.FINISHED)


def _trying(session: Session, job: Job, step: Step, noted: str | None) -> Callable[[], None]:
    """Return a function that runs a step; if called again, it continues from what the last try has left behind.

    `noted` is the state before the first try, if an earlier run has started the step.
    """
    left: list[str | None] = []

    def work() -> None:
        before = noted
        if left:
            before = left.pop()
            verdict = judge(step.text, before, asking(session))
            _follow(session, job, step, verdict)
            if verdict.done:
                return
        _do(session, job, step, before, left)

    return work


def _do(session: Session, job: Job, step: Step, noted: str | None, left: list[str | None]) -> None:
    if step.alone:
        return _outside(session, job, step, noted, left)
    try:
        return _inside(session, job, step)
    except MigrationFailed as error:
        if error.sqlstate not in OUTSIDE_ONLY or step.end:
            raise
    session.rollback_only()
    return _outside(session, job, step, noted, left)


def _inside(session: Session, job: Job, step: Step) -> None:
    """Run a step and record it in one transaction."""
    if not step.end:
        if step.text.lower().startswith(("begin", "start")):  # without an end: `run` reports the open transaction
            session.send(part_of(job, step))
            return
        session.connection.execute(f"BEGIN READ WRITE; {migration_lock.HOLD_TRANSACTION}")
    session.send(part_of(job, step))
    part = part_of(job, step, loose=True)
    end = step.end or "COMMIT"
    try:
        if COMMIT.match(end):
            row = row_sql(session, job, step, progress.FINISHED, session.noted(job))
            session.connection.execute(f"{as_ourselves(job)} {row}; {migration_lock.HOLD} {end}")
        else:
            session.connection.execute(end)
            write(session, job, step, progress.FINISHED, session.noted(job))
    except session.driver.Error as error:
        raise lost(error, job.name, part.state) or failed(error, part) from error
    return


def _outside(session: Session, job: Job, step: Step, known: str | None, left: list[str | None]) -> None:
    """Run a step that cannot run in a transaction block; it is recorded before and after.

    What it leaves behind on failure is removed; if that is impossible, the state before it is added to `left`.
    """
    ask, part = asking(session), part_of(job, step, loose=True)
    noted = note(step.text, ask, known)
    write(session, job, step, progress.BEGUN, noted)
    try:
        with _unhurried(session) if step.patient else nullcontext():
            session.send(part)
        if CREATE_INDEX.match(step.text) and (broken := left_over(step.text, None, ask)):
            raise MigrationFailed(
                f"{job.name}, line {step.line}: index {broken[0]} existed before, and is INVALID; {part.state}",
                hint=f"DROP INDEX CONCURRENTLY {broken[0]}, then"
                + (" run it again" if part.state == NOTHING else ": healthd resume"),
            )
    except MigrationFailed as error:
        if session.connection.closed:
            raise
        session.rollback_only()
        raise _aftermath(session, job, step, noted, error, left) from error
    write(session, job, step, progress.FINISHED, session.noted(job))


def _aftermath(
    session: Session, job: Job, step: Step, noted: str | None, error: MigrationFailed, left: list[str | None]
) -> MigrationFailed:
    """Return the error about a failed step with what it left behind; if provably nothing, its record is deleted."""
    state = progress_words(step)
    try:
        return _known_aftermath(session, job, step, noted, error, left)
    except session.driver.Error:  # while reading the catalogs
        unknown = f"it is unknown what statement {step.number} left behind"
        now = "; ".join((*filter(None, (applied_before(step),)), unknown))
        return restated(error, state, now, then="healthd resume", sqlstate=None)


def _known_aftermath(
    session: Session, job: Job, step: Step, noted: str | None, error: MigrationFailed, left: list[str | None]
) -> MigrationFailed:
    state = progress_words(step)
    cleared = _cleared(session, step, noted)
    if untouched(step.text, noted, asking(session)):
        write(session, job, step, progress.FORGOTTEN)
        now = "no row and no definition was changed" if state == NOTHING and is_piecewise(step.text) else state
        return restated(error, state, f"{now}{cleared}")
    left.append(noted)
    verdict = judge(step.text, noted, asking(session))
    words = verdict.words if trace(step.text) else f"what statement {step.number} committed itself remains"
    now = "; ".join((*filter(None, (applied_before(step),)), f"{words}{cleared}"))
    # Without a trace in the catalogs it is unknown where another try would begin.
    sqlstate = error.sqlstate if trace(step.text) and job.resumable else None
    return restated(error, state, now, then=_then(job, verdict), sqlstate=sqlstate)


def _then(job: Job, verdict: Outcome) -> str:
    """Return how to continue after a step that left something behind; a post-apply file is never resumed."""
    return "healthd resume" if job.resumable else "; ".join(verdict.first)


def _cleared(session: Session, step: Step, noted: str | None) -> str:
    """Drop the INVALID indexes that a failed statement left behind; return the words for the message."""
    said = ""
    for name in left_over(step.text, noted, asking(session)):
        try:
            with _unhurried(session, ours=True):
                session.connection.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            said += f"; the INVALID index {name} that it left behind was dropped"
        except session.driver.Error as error:
            said += f"; the index {name} could not be dropped ({error.sqlstate})"
    return said


@contextmanager
def _unhurried(session: Session, *, ours: bool = False) -> Iterator[None]:
    """Wait for locks as long as a run may: what runs CONCURRENTLY does not block reads or writes.

    A lock_timeout that the file sets itself is left unchanged, except for statements of `ours`.
    """
    own = session.one("SELECT pg_catalog.current_setting('lock_timeout')")
    if own != session.lock_timeout and not ours:
        yield
        return
    change = "SELECT pg_catalog.set_config('lock_timeout', %s, false)"
    session.one(change, (timeout(session.patience.max_wait_s),))
    try:
        yield
    finally:
        if not session.connection.closed:
            session.one(change, (own,))
