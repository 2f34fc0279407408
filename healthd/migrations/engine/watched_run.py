"""Run a file on a scratch server without a ledger, and find out which catalogs its transaction has changed.

The server counts, for each transaction, the rows that it inserts, updates and deletes in each table, catalogs included.
Nothing is committed if the file has used the ledger, because it would then do something else in a run, or if it may
have kept the server from counting.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from healthd.errors import MigrationFailed
from healthd.migrations.engine.file_checks import check
from healthd.migrations.engine.notices import Heard
from healthd.migrations.engine.sending import Part, run
from healthd.migrations.engine.session import LIKE_NEW, RESET, Session
from healthd.model.ledger import BOOKS
from healthd.sqltext.classify import stays_in_session

Rows = list[tuple[str, ...]]

OURS = "_healthd"  # the first column of our queries, by which their results are recognized among those of the file
CHANGES = """pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid) + pg_catalog.pg_stat_get_xact_tuples_updated(c.oid)
               + pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid)"""
# The transaction, and how often the ledger was read and changed.
BEGUN = f"""pg_catalog.concat_ws(' ', pg_catalog.pg_current_xact_id(),
       (SELECT sum(pg_catalog.pg_stat_get_xact_numscans(c.oid) + {CHANGES})
          FROM pg_catalog.pg_class AS c
         WHERE c.relname = ANY (ARRAY[{", ".join(f"'{name}'" for name in BOOKS)}]))) AS {OURS}"""  # noqa: S608 # our own
# And the catalogs that it has changed. Until the server publishes counts, those of earlier transactions are included.
COUNTED = f"""SELECT {BEGUN},
       (SELECT pg_catalog.string_agg(c.relname, ' ')
          FROM pg_catalog.pg_class AS c
         WHERE c.oid < 16384 AND c.relkind = 'r' AND {CHANGES} > 0);"""  # noqa: S608 # our own
PUBLISH = "SELECT pg_catalog.pg_stat_force_next_flush();"  # since PostgreSQL 15
# Triggers that a COMMIT would fire run before the rows are counted.
AT_ONCE = "SET CONSTRAINTS ALL IMMEDIATE;"
NOT_COUNTING = "track_counts"


class NotWatched(Exception):
    """The file must run as the runner runs it; nothing was changed."""


def run_watched(session: Session, name: str, text: str) -> frozenset[str]:
    """Run the text of a file in a transaction, and return the catalogs that it has changed; or raise NotWatched."""
    _refuse(name, text)
    session.start_like_new()
    session.worn = stays_in_session(text)
    session.heard = Heard(name)
    try:
        first = session.send(Part(name, text), before=f"BEGIN;SELECT {BEGUN};")
        ((last, catalogs),) = _sent(session, f"{RESET}; {session.settings} {AT_ONCE} {COUNTED}")[-1]
        if last != first:
            raise NotWatched
        _sent(session, f"{_published(session)} COMMIT; {LIKE_NEW}")
        for notice in session.heard.rest():
            session.say(notice)
    except (MigrationFailed, session.driver.Error, NotWatched) as error:
        session.rollback()
        raise NotWatched from error
    finally:
        session.heard = None
    return frozenset(catalogs.split())


def run_measured(
    session: Session, name: str, texts: Sequence[str], first: str, each: str
) -> tuple[list[Rows], frozenset[str]]:
    """Run statements as one message and one transaction, with a query before them and one after each.

    Returns the rows of these queries, and the catalogs that were changed; or raises NotWatched. The first column of the
    queries has the name OURS.
    """
    _refuse(name, *texts)
    session.start_like_new()
    session.worn = any(map(stays_in_session, texts))
    steps = "".join(f"{text}\n;{each};" for text in texts)
    message = f"BEGIN;{first};{steps}{RESET}; {session.settings} {AT_ONCE} {COUNTED}"
    message += f"{_published(session)} COMMIT; {LIKE_NEW}"
    try:
        *rows, ((_, catalogs),) = _sent(session, message)
        return rows, frozenset(catalogs.split())
    except (MigrationFailed, session.driver.Error) as error:
        session.rollback()
        raise NotWatched from error


def _published(session: Session) -> str:
    return PUBLISH if session.connection.info.server_version >= 150000 else ""


def _refuse(name: str, *texts: str) -> None:
    for text in texts:
        try:
            check(text, Path(name), transactional=True)
        except MigrationFailed as error:
            raise NotWatched from error
        if NOT_COUNTING in text.lower():
            raise NotWatched


def _sent(session: Session, text: str) -> list[Rows]:
    """Return the rows of our queries among these statements."""
    results: list[Any] = []
    run(session.connection, session.driver, text, results)
    wanted = [one for one in results if one.nfields and one.fname(0) == OURS.encode()]
    return [
        [
            tuple((one.get_value(row, column) or b"").decode() for column in range(one.nfields))
            for row in range(one.ntuples)
        ]
        for one in wanted
    ]
