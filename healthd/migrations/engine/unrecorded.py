"""Run files on a scratch server without a ledger, when what they create is compared with what it was before."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from healthd.expected import session_settings
from healthd.expected.files import Migration
from healthd.migrations.engine import given_settings
from healthd.migrations.engine.sending import run
from healthd.migrations.engine.session import LIKE_NEW, RESET, Session
from healthd.sqltext.statements import statements


def apply_unrecorded(session: Session, migrations: Sequence[Migration], each: Callable[[Migration], object]) -> None:
    """Apply files one after the other, each in a session like new; raise the driver's error for one that fails.

    A transactional file is one message. `each` is called with every file before it is run.
    """
    for migration in migrations:
        each(migration)
        given = given_settings.given(session) if session_settings.GIVES.search(migration.apply) else None
        for text in _messages(migration, f"{RESET}; {session.settings} {LIKE_NEW}"):
            run(session.connection, session.driver, text, [])
        if given is not None:
            given_settings.take_over(session, given)


def _messages(migration: Migration, like_new: str) -> Sequence[str]:
    if migration.transactional:
        return (f"BEGIN;{migration.apply}\n;COMMIT;{like_new}",)
    return (*(one.text for one in statements(migration.apply)), like_new)
