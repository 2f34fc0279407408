"""Run a non-transactional file step by step, so that the database records its progress at any moment.

A step and its progress commit together wherever the server allows it. A statement that cannot run in a transaction
block is recorded before it is sent, and again when it has finished; in between, the catalogs show its state.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from healthd.errors import ConfigError, MigrationFailed
from healthd.migrations.engine import migration_lock, progress
from healthd.migrations.engine.job import Job
from healthd.migrations.engine.progress import Row, Standing
from healthd.migrations.engine.recovery import (
    Outcome,
    judge,
    left_over,
    note,
    untouched,
)
from healthd.migrations.engine.sending import NOTHING, Part, failed, restated
from healthd.migrations.engine.session import Session
from healthd.model.ledger import PROGRESS
from healthd.sqltext.ledger_loss import lost
from healthd.sqltext.nontransactional import CREATE_INDEX, is_piecewise, trace
from healthd.sqltext.steps import COMMIT, Step, count, excerpt, steps

AS_OURSELVES = "SET LOCAL SESSION AUTHORIZATION DEFAULT; SET LOCAL ROLE NONE;"
SWITCHES = re.compile(r"\b(?:role|authorization)\b", re.IGNORECASE)
# The server rejects the statement in a transaction block: before it has an effect, or rolling back all effects.
OUTSIDE_ONLY = ("25001", "2D000")


@dataclass(frozen=True, slots=True)
class Outlook:
    """The progress of a file, and the verdict on the step that may have been applied."""

    steps: tuple[Step, ...]
    standing: Standing
    verdict: Outcome | None

    @property
    def left(self) -> tuple[Step, ...]:
        """Return the steps that remain to be run."""
        return self.standing.left[1:] if self.verdict and self.verdict.done else self.standing.left


def refuse_others(session: Session, job: Job) -> None:
    """Raise if a file other than this one is partly applied."""
    query = progress.OTHERS.format(table=session.table(PROGRESS))
    rows = session.connection.execute(query, {"hash": job.hash, "operation": job.operation}).fetchall()
    for name, operation in rows:
        what = name if operation == "apply" else f"the rollback of {name}"
        raise MigrationFailed(
            f"{what} was interrupted and is only partly applied; {NOTHING}", hint="run healthd resume"
        )


def look(session: Session, job: Job, from_statement: int | None = None) -> Outlook:
    """Return the progress of a file; its earlier SET statements are run again, because names depend on them.

    `from_statement` overrides the database.
    """
    whole = steps(job.text)
    if from_statement is not None:
        done = tuple(step for step in whole if step.number < _known(job, from_statement))
        return Outlook(whole, Standing(done, whole[len(done) :], None), None)
    query = progress.READ.format(table=session.table(PROGRESS))
    rows = [Row(*one) for one in session.connection.execute(query, _key(job)).fetchall()]
    standing = progress.standing(whole, rows, job.name)
    for step in standing.done:
        if step.setting:
            session.send(Part(job.name, step.text, NOTHING, step.line, step.number))
    verdict = None
    if standing.begun is not None:
        verdict = judge(standing.left[0].text, standing.begun.noted, _ask(session))
    return Outlook(whole, standing, verdict)


def begun(session: Session, job: Job) -> bool:
    """Return whether the ledger records a file as partly applied."""
    return bool(session.connection.execute(progress.READ.format(table=session.table(PROGRESS)), _key(job)).fetchall())


def contradicted(job: Job) -> MigrationFailed:
    """Return the error about a partly applied file that was marked, or unmarked, by hand."""
    says = "marked as applied" if job.operation == "apply" else "no longer marked as applied"
    return MigrationFailed(
        f"{job.name} was interrupted, but is {says} (by hand, or with yoyo mark); {NOTHING}",
        hint=f"check the database, then: healthd resume --from-statement {count(job.text) + 1} if all statements were "
        "applied, or the number of the first statement that was not",
    )


def told(job: Job, outlook: Outlook) -> Iterator[str]:
    """Yield, a line each, what was applied, what was found, and what would be done."""
    total = count(job.text)
    for step in outlook.standing.done:
        yield f"{job.name}: statement {step.number} of {total} was applied: {excerpt(step.text)}"
    if outlook.verdict is not None:
        step, verdict = outlook.standing.left[0], outlook.verdict
        end = {True: "it was applied", False: "it would be run again", None: "use --from-statement"}[verdict.done]
        found = f"was started, and {verdict.words}; {end}"
        yield f"{job.name}: statement {step.number} of {total} {found}: {excerpt(step.text)}"
        for sql in verdict.first:
            yield f"{job.name}: would be run first: {sql}"
    for step in outlook.left:
        yield f"{job.name}: statement {step.number} of {total} would be run: {excerpt(step.text)}"
    yield f"{job.name}: then it would be marked as {'applied' if job.operation == 'apply' else 'rolled back'}"


def go_on_from(session: Session, job: Job, statement: int) -> None:
    """Record that the statements before this one were applied, and no others."""
    _known(job, statement)
    with session.connection.transaction():
        values = {**_key(job), "statement": 0}
        session.connection.execute(progress.FORGOTTEN.format(table=session.table(PROGRESS)), values)
        for step in steps(job.text):
            if step.number < statement:
                session.connection.execute(_sql(session, job, step, progress.FINISHED))


def _known(job: Job, statement: int) -> int:
    """Return the number of a statement with which a step begins, or the number of statements plus one."""
    numbers = [step.number for step in steps(job.text)]
    if statement not in (*numbers, count(job.text) + 1):
        raise ConfigError(
            f"{job.name} has no statement {statement} to continue from",
            hint=f"use one of {', '.join(map(str, numbers))}, or {count(job.text) + 1} if all statements were applied",
        )
    return statement


def run(session: Session, job: Job) -> None:
    """Run the steps of a file that were not applied yet, and record their progress."""
    left, begun, known = steps(job.text), None, None
    if job.resumable:
        outlook = look(session, job)
        _decide(session, job, outlook)
        left, begun, known = outlook.left, outlook.standing.begun, outlook.standing.noted
    session.look_before(job, known)
    for step in left:
        noted = begun.noted if begun is not None and begun.statement == step.number else None
        session.patiently(job.name, _trying(session, job, step, noted))
    if session.connection.info.transaction_status != session.TRANSACTION_STATUS_IDLE:
        raise MigrationFailed(
            f"{job.name} leaves a transaction open: the statements before it were applied, and the file is not "
            "recorded as complete",
            hint="add the missing COMMIT to the file, then: healthd resume",
        )
    # The file's settings are reset outside a transaction first: it may have made all later transactions read-only.
    session.connection.execute(f"RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; {session.settings}")
    forget = session.filled(progress.FORGOTTEN.format(table=session.table(PROGRESS)), {**_key(job), "statement": 0})
    session.keep(
        job,
        f"BEGIN; {migration_lock.HOLD_TRANSACTION} {forget};",
        "all statements were applied, and the file is not recorded as complete",
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
        session.patiently(job.name, lambda: _follow(session, job, step, verdict))
    total = count(job.text)
    where = f"continues at statement {outlook.left[0].number} of {total}" if outlook.left else "was applied completely"
    session.say(f"{job.name} was interrupted; it {where}")


def _follow(session: Session, job: Job, step: Step, verdict: Outcome) -> None:
    """Clean up after a step that has left something behind, and record the step if it is applied then."""
    for sql in verdict.first:
        session.say(f"{job.name}: statement {step.number}: {verdict.words}: {sql}")
        state = "; ".join((*filter(None, (_before(step),)), verdict.words))
        try:
            with _unhurried(session, ours=True):
                session.send(Part(job.name, sql, state))
        except MigrationFailed as error:
            raise restated(error, state, state, then=_then(job, verdict)) from error
    if verdict.done:
        _write(session, job, step, progress.FINISHED)


def _trying(session: Session, job: Job, step: Step, noted: str | None) -> Callable[[], None]:
    """Return a function that runs a step; if called again, it continues from what the last try has left behind.

    `noted` is the state before the first try, if an earlier run has started the step.
    """
    left: list[str | None] = []

    def work() -> None:
        before = noted
        if left:
            before = left.pop()
            verdict = judge(step.text, before, _ask(session))
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
            session.send(_part(job, step))
            return
        session.connection.execute(f"BEGIN READ WRITE; {migration_lock.HOLD_TRANSACTION}")
    session.send(_part(job, step))
    part = _part(job, step, loose=True)
    end = step.end or "COMMIT"
    try:
        if COMMIT.match(end):
            row = _sql(session, job, step, progress.FINISHED, session.noted(job))
            session.connection.execute(f"{_ourselves(job)} {row}; {migration_lock.HOLD} {end}")
        else:
            session.connection.execute(end)
            _write(session, job, step, progress.FINISHED, session.noted(job))
    except session.driver.Error as error:
        raise lost(error, job.name, part.state) or failed(error, part) from error
    return


def _outside(session: Session, job: Job, step: Step, known: str | None, left: list[str | None]) -> None:
    """Run a step that cannot run in a transaction block; it is recorded before and after.

    What it leaves behind on failure is removed; if that is impossible, the state before it is added to `left`.
    """
    ask, part = _ask(session), _part(job, step, loose=True)
    noted = note(step.text, ask, known)
    _write(session, job, step, progress.BEGUN, noted)
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
    _write(session, job, step, progress.FINISHED, session.noted(job))


def _aftermath(
    session: Session, job: Job, step: Step, noted: str | None, error: MigrationFailed, left: list[str | None]
) -> MigrationFailed:
    """Return the error about a failed step with what it left behind; if provably nothing, its record is deleted."""
    state = progress_words(step)
    try:
        return _known_aftermath(session, job, step, noted, error, left)
    except session.driver.Error:  # while reading the catalogs
        now = "; ".join((*filter(None, (_before(step),)), f"it is unknown what statement {step.number} left behind"))
        return restated(error, state, now, then="healthd resume", sqlstate=None)


def _known_aftermath(
    session: Session, job: Job, step: Step, noted: str | None, error: MigrationFailed, left: list[str | None]
) -> MigrationFailed:
    state = progress_words(step)
    cleared = _cleared(session, step, noted)
    if untouched(step.text, noted, _ask(session)):
        _write(session, job, step, progress.FORGOTTEN)
        now = "no row and no definition was changed" if state == NOTHING and is_piecewise(step.text) else state
        return restated(error, state, f"{now}{cleared}")
    left.append(noted)
    verdict = judge(step.text, noted, _ask(session))
    words = verdict.words if trace(step.text) else f"what statement {step.number} committed itself remains"
    now = "; ".join((*filter(None, (_before(step),)), f"{words}{cleared}"))
    # Without a trace in the catalogs it is unknown where another try would begin.
    sqlstate = error.sqlstate if trace(step.text) and job.resumable else None
    return restated(error, state, now, then=_then(job, verdict), sqlstate=sqlstate)


def _then(job: Job, verdict: Outcome) -> str:
    """Return how to continue after a step that left something behind; a post-apply file is never resumed."""
    return "healthd resume" if job.resumable else "; ".join(verdict.first)


def _cleared(session: Session, step: Step, noted: str | None) -> str:
    """Drop the INVALID indexes that a failed statement left behind; return the words for the message."""
    said = ""
    for name in left_over(step.text, noted, _ask(session)):
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
    session.one(change, (f"{session.patience.max_wait_s * 1000:.0f}ms",))
    try:
        yield
    finally:
        if not session.connection.closed:
            session.one(change, (own,))


def _part(job: Job, step: Step, *, loose: bool = False) -> Part:
    return Part(job.name, step.text, progress_words(step), step.line, step.number, loose, step=True)


def progress_words(step: Step) -> str:
    """Return, in words, what was applied before a step."""
    return _before(step) or NOTHING


def _before(step: Step) -> str:
    done = step.number - 1
    if done == 0:
        return ""
    before = f"the {done} statement{'s' * (done > 1)} before it {'were' if done > 1 else 'was'} applied"
    return f"{before}, and the file is not recorded as complete"


def _write(session: Session, job: Job, step: Step, query: str, noted: str | None = None) -> None:
    """Record progress in a transaction of its own."""
    if not job.resumable:
        return
    row = _sql(session, job, step, query, noted)
    try:
        session.connection.execute(f"BEGIN READ WRITE; {_ourselves(job)} {row}; {migration_lock.HOLD} COMMIT")
    except session.driver.Error as error:
        raise failed(error, _part(job, step, loose=query != progress.BEGUN)) from error


def _sql(session: Session, job: Job, step: Step, query: str, noted: str | None = None) -> str:
    if not job.resumable:
        return ""
    values = {
        **_key(job),
        "statement": step.number,
        "statements": count(job.text),
        "id": job.migration.id,
        "digest": step.digest,
        "noted": noted,
    }
    return session.filled(query.format(table=session.table(PROGRESS)), values)


def _key(job: Job) -> dict[str, Any]:
    return {"hash": job.hash, "operation": job.operation}


def _ourselves(job: Job) -> str:
    return AS_OURSELVES if SWITCHES.search(job.text) else ""


def _ask(session: Session) -> Any:
    return lambda query, values: session.connection.execute(query, values).fetchall()
