"""Why a file is refused before any of it is sent to the server."""

from __future__ import annotations

from pathlib import Path

from healthd.errors import LockFileError, MigrationFailed
from healthd.expected import default_places, lockfile_lines, session_settings
from healthd.migrations import guards
from healthd.migrations.engine.job import Job
from healthd.migrations.engine.sending import NOTHING
from healthd.migrations.engine.session import Session
from healthd.sqltext.ledger_loss import CURE, takes_ledger
from healthd.sqltext.lock_releases import release
from healthd.sqltext.statements import trouble, unclosed


def check(text: str, path: Path, *, transactional: bool) -> None:
    """Raise MigrationFailed for a file that could run only partly."""
    if quote := unclosed(text):
        words = f"{quote[1]} begins here and is not terminated"
        raise MigrationFailed(f"{path.name}, line {quote[0]}: {words}; {NOTHING}", hint="terminate it")
    if found := trouble(text, transactional=transactional) or release(text, transactional=transactional):
        line, words, cure = found
        raise MigrationFailed(f"{path.name}, line {line}: {words}; {NOTHING}", hint=cure)


def refuse_ledger_loss(session: Session, schema: str, job: Job) -> None:
    """Raise for a file that would drop or change the ledger, which is in this schema."""
    for one, words in takes_ledger(job.text, schema=schema, role=session.connection.info.user):
        raise MigrationFailed(f"{job.name}, line {one.line}: {words}; {NOTHING}", hint=CURE)


def refuse_elsewhere(session: Session, job: Job) -> None:
    """Raise when a file would create objects elsewhere than in the replay, if there is a lock file next to it."""
    path = job.path.with_name("schema.lock")
    if job.operation != "apply" or not path.exists():
        return
    try:
        known = default_places.measured(lockfile_lines.load(path.read_bytes(), path.name), [job.migration])
    except LockFileError as error:
        session.say(f"{job.name}: not compared with the replay: {error}")
        return
    row = session.connection.execute(session_settings.SESSION, (default_places.touched(known),)).fetchone()
    found = default_places.elsewhere(known, session_settings.Session(*row))
    guards.refuse_elsewhere(session.dsn.place, tuple(found))
