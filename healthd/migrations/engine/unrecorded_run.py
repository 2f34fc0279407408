"""Run files on a scratch server without a ledger, when what they create is compared with what it was before."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from healthd.expected import session_settings
from healthd.expected.files import Migration
from healthd.migrations.engine import given_settings
from healthd.migrations.engine.sending import run
from healthd.migrations.engine.session import LIKE_NEW, RESET, Session
from healthd.sqltext.classify import stays_in_session
from healthd.sqltext.statements import statements

TOGETHER = 50  # files in one message


def apply_unrecorded(session: Session, migrations: Sequence[Migration], each: Callable[[Migration], object]) -> None:
    """Apply files one after the other, each in a session like new; raise the driver's error for one that fails.

    Transactional files are sent several at once. `each` is called with every file before it is sent.
    """
    waiting: list[str] = []

    def send() -> None:
        if waiting:
            run(session.connection, session.driver, "".join(waiting), [])
            waiting.clear()

    for migration in migrations:
        each(migration)
        gives = session_settings.GIVES.search(migration.apply)
        if gives or session.worn or not migration.transactional:
            send()
        session.start_like_new()
        session.worn = stays_in_session(migration.apply)
        given = given_settings.given(session) if gives else None
        for text in _messages(migration, f"{RESET}; {session.settings} {LIKE_NEW};"):
            waiting.append(text)
            if gives or not migration.transactional or len(waiting) == TOGETHER:
                send()
        if given is not None:
            given_settings.take_over(session, given)
    send()


def _messages(migration: Migration, like_new: str) -> Sequence[str]:
    if migration.transactional:
        return (f"BEGIN;{migration.apply}\n;COMMIT;{like_new}",)
    return (*(one.text for one in statements(migration.apply)), like_new)
