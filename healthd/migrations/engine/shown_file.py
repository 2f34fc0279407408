"""The file that a runner runs, as others see it: in the application_name of its session."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from healthd.migrations.engine.job import Job
from healthd.model.running import name_while


def named(session: Any, job: Job, *, waits: bool = False) -> str:
    """Return the SQL by which a session is seen to run a file, or to wait before another attempt.

    A rollback of the transaction in which it runs takes it back.
    """
    if not session.application:
        return ""
    return f"SET application_name = '{name_while(session.application, job.path.stem, waits=waits)}';"


def show(session: Any, job: Job, *, waits: bool = False) -> None:
    """Let others see that a session runs a file; if the session is lost, what follows says so."""
    if text := named(session, job, waits=waits):
        with suppress(session.driver.Error):
            session.connection.execute(text)
