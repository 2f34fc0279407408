"""The progress of a file that runs step by step: its rows in the ledger, and its words."""

from __future__ import annotations

import re
from typing import Any

from healthd.migrations.engine import migration_lock, progress
from healthd.migrations.engine.job import Job
from healthd.migrations.engine.sending import NOTHING, Part, failed
from healthd.migrations.engine.session import Session
from healthd.model.ledger import PROGRESS
from healthd.sqltext.steps import Step, count

AS_OURSELVES = "SET LOCAL SESSION AUTHORIZATION DEFAULT; SET LOCAL ROLE NONE;"
SWITCHES = re.compile(r"\b(?:role|authorization)\b", re.IGNORECASE)


def part_of(job: Job, step: Step, *, loose: bool = False) -> Part:
    """Return a step as what is sent to the server."""
    return Part(job.name, step.text, progress_words(step), step.line, step.number, loose, step=True)


def progress_words(step: Step) -> str:
    """Return, in words, what was applied before a step."""
    return applied_before(step) or NOTHING


def applied_before(step: Step) -> str:
    """Return, in words, which statements of the file were applied before a step; empty if there are none."""
    done = step.number - 1
    if done == 0:
        return ""
    before = f"the {done} statement{'s' * (done > 1)} before it {'were' if done > 1 else 'was'} applied"
    return f"{before}, and the file is not recorded as complete"


def write(session: Session, job: Job, step: Step, query: str, noted: str | None = None) -> None:
    """Record progress in a transaction of its own."""
    if not job.resumable:
        return
    row = row_sql(session, job, step, query, noted)
    try:
        session.connection.execute(f"BEGIN READ WRITE; {as_ourselves(job)} {row}; {migration_lock.HOLD} COMMIT")
    except session.driver.Error as error:
        raise failed(error, part_of(job, step, loose=query != progress.BEGUN)) from error


def row_sql(session: Session, job: Job, step: Step, query: str, noted: str | None = None) -> str:
    """Return the SQL that records progress; empty for a file that is never resumed."""
    if not job.resumable:
        return ""
    values = {
        **key(job),
        "statement": step.number,
        "statements": count(job.text),
        "id": job.migration.id,
        "digest": step.digest,
        "noted": noted,
    }
    return session.filled(query.format(table=session.table(PROGRESS)), values)


def key(job: Job) -> dict[str, Any]:
    """Return what identifies the rows of a file."""
    return {"hash": job.hash, "operation": job.operation}


def as_ourselves(job: Job) -> str:
    """Return the SQL that writes to the ledger with the role of the run, if the file may have switched to another."""
    return AS_OURSELVES if SWITCHES.search(job.text) else ""


def asking(session: Session) -> Any:
    """Return a function that returns the rows of a query; for `recovery`."""
    return lambda query, values: session.connection.execute(query, values).fetchall()
