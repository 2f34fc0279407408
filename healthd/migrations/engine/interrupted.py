"""A file of which only a part was applied: what is known of it, and where it continues."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from healthd.errors import ConfigError, MigrationFailed
from healthd.migrations.engine import progress
from healthd.migrations.engine.job import Job
from healthd.migrations.engine.progress import Row, Standing
from healthd.migrations.engine.recovery import Outcome, judge
from healthd.migrations.engine.sending import NOTHING, Part
from healthd.migrations.engine.session import Session
from healthd.migrations.engine.step_progress import asking, key, row_sql
from healthd.model.ledger import PROGRESS
from healthd.sqltext.steps import Step, count, excerpt, steps


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
    rows = [Row(*one) for one in session.connection.execute(query, key(job)).fetchall()]
    standing = progress.standing(whole, rows, job.name)
    for step in standing.done:
        if step.setting:
            session.send(Part(job.name, step.text, NOTHING, step.line, step.number))
    verdict = None
    if standing.begun is not None:
        verdict = judge(standing.left[0].text, standing.begun.noted, asking(session))
    return Outlook(whole, standing, verdict)


def begun(session: Session, job: Job) -> bool:
    """Return whether the ledger records a file as partly applied."""
    return bool(session.connection.execute(progress.READ.format(table=session.table(PROGRESS)), key(job)).fetchall())


def contradicted(job: Job) -> MigrationFailed:
    """Return the error about a partly applied file that was marked, or unmarked, by hand."""
    says = "marked as applied" if job.operation == "apply" else "no longer marked as applied"
    return MigrationFailed(
        f"{job.name} was interrupted, but is {says} (by hand, or with yoyo mark); {NOTHING}",
        hint=f"check the database, then: healthd resume --from-statement {count(job.text) + 1} if all statements were "
        "applied, or the number of the first statement that was not",
    )


def reported(job: Job, outlook: Outlook) -> Iterator[str]:
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
        values = {**key(job), "statement": 0}
        session.connection.execute(progress.FORGOTTEN.format(table=session.table(PROGRESS)), values)
        for step in steps(job.text):
            if step.number < statement:
                session.connection.execute(row_sql(session, job, step, progress.FINISHED))


def _known(job: Job, statement: int) -> int:
    """Return the number of a statement with which a step begins, or the number of statements plus one."""
    numbers = [step.number for step in steps(job.text)]
    if statement not in (*numbers, count(job.text) + 1):
        raise ConfigError(
            f"{job.name} has no statement {statement} to continue from",
            hint=f"use one of {', '.join(map(str, numbers))}, or {count(job.text) + 1} if all statements were applied",
        )
    return statement
