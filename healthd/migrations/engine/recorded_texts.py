"""How a run records the texts that its server prints for the objects that its files create."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from healthd._version import __version__
from healthd.migrations.engine import ledger_tables
from healthd.migrations.engine.job import Job
from healthd.migrations.engine.sending import run
from healthd.migrations.engine.session import Session
from healthd.model.ledger import TEXTS
from healthd.model.migration_names import forms, hashed

if TYPE_CHECKING:
    from healthd.migrations.engine.text_recorder import Recorder
    from healthd.model.ledger import Printed


def look_before(session: Session, recorder: Recorder | None, job: Job, known: str | None) -> None:
    """Read the objects that a file is about to touch."""
    if recorder is not None:
        try:
            recorder.before(session.connection, job, known)
        except session.driver.Error as error:
            _unrecorded(session, job, error)


def noted(session: Session, recorder: Recorder | None, job: Job) -> str | None:
    """Return what `look_before` needs when a file continues after the last applied step."""
    if recorder is None:
        return None
    try:
        return recorder.note(session.connection)
    except session.driver.Error as error:
        _unrecorded(session, job, error)
        return None


def around(session: Session, recorder: Recorder | None, job: Job, first: str) -> tuple[str, str]:
    """Return the SQL to send before the ledger's, which is `first` if nothing is recorded, and the SQL that records."""
    if recorder is None:
        return first, ""
    run(session.connection, session.driver, first, [])
    try:
        found = recorder.after(session.connection, job)
    except session.driver.Error as error:
        _unrecorded(session, job, error)
        return "", ""
    return "", record(session, found)


def record(session: Session, found: Sequence[Printed]) -> str:
    """Return the SQL that records texts of applied migrations; empty if there are none."""
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
    query = ledger_tables.RECORD.format(texts=session.table(TEXTS), marks=session.table(session.migration_table))
    major = session.connection.info.server_version // 10000
    return session.filled(query, (major, __version__, json.dumps(rows)))


def _unrecorded(session: Session, job: Job, error: Exception) -> None:
    """Report that texts could not be read; if the connection was lost, raise, so that the file fails."""
    if session.connection.closed:
        raise error
    session.say(f"{job.name}: the texts that this server prints for its objects were not recorded: {error}")
