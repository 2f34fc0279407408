"""What a file sets for new sessions, with ALTER DATABASE or ALTER ROLE: the next file needs a session like new."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from healthd.expected import session_settings
from healthd.migrations.engine.session import Session


def given(session: Session) -> dict[str, str]:
    """Return the settings that the database and the role give to a new session."""
    rows = session.connection.execute(session_settings.GIVEN).fetchall()
    clients = [name for (name,) in session.connection.execute(session_settings.CLIENTS).fetchall()]
    return session_settings.given(rows, clients)


def take_over(session: Session, before: Mapping[str, str]) -> None:
    """Apply to this session what was set for new sessions since `before`."""
    values, lost = session_settings.changed(before, given(session))
    values |= dict(session.connection.execute(session_settings.DEFAULT, (lost,)).fetchall()) if lost else {}
    for name, value in values.items():
        with suppress(session.driver.Error):  # only a new session can have it, or only a superuser may set it
            change = session.filled("SELECT pg_catalog.set_config(%s, %s, false);", (name, value))
            session.connection.execute(change)
            session.settings += change
