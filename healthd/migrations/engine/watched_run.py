"""Run a file on a scratch server without a ledger, and find out which catalogs its transaction has changed.

The server counts, for each transaction, the rows that it inserts, updates and deletes in each table, catalogs included.
Nothing is committed if the file has used the ledger, because it would then do something else in a run, or if it may
have kept the server from counting.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
# Tables are named by their numbers: the server takes twice as long to analyse a query over their names.
CHANGES = """pg_catalog.pg_stat_get_xact_tuples_inserted(t) + pg_catalog.pg_stat_get_xact_tuples_updated(t)
               + pg_catalog.pg_stat_get_xact_tuples_deleted(t)"""
NUMBERS = """SELECT c.oid, c.relname FROM pg_catalog.pg_class AS c
              WHERE c.relname = ANY (%s) OR c.oid < 16384 AND c.relkind = 'r'"""
# The transaction, and how often the ledger was read and changed.
_BEGUN = f"""pg_catalog.concat_ws(' ', pg_catalog.pg_current_xact_id(),
       (SELECT sum(pg_catalog.pg_stat_get_xact_numscans(t) + {CHANGES})
          FROM pg_catalog.unnest(ARRAY[{{ledger}}]::pg_catalog.oid[]) AS t))"""  # noqa: S608 # our own
BEGUN = f"SELECT {_BEGUN} AS {OURS};"
# Fails if they are not those that it began with.
_SAME = f"CASE WHEN {_BEGUN} = '{{first}}' THEN '' ELSE (pg_catalog.pg_backend_pid()::text || '!')::int::text END"
# How many rows of which catalogs were written. Until the server publishes counts, those of earlier transactions are
# included.
COUNTED = f"""SELECT {{same}} AS {OURS},
       (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ', t, {CHANGES}), ' ')
          FROM pg_catalog.unnest(ARRAY[{{catalogs}}]::pg_catalog.oid[]) AS t
         WHERE {CHANGES} > 0);"""  # noqa: S608 # our own
UNCOMPARED = "''"
PUBLISH = "SELECT pg_catalog.pg_stat_force_next_flush();"  # since PostgreSQL 15
# Triggers that a COMMIT would fire run before the rows are counted.
AT_ONCE = "SET CONSTRAINTS ALL IMMEDIATE;"
UNWATCHED = ("track_counts", *BOOKS)  # the server might not count, or the ledger might have other tables


class NotWatched(Exception):
    """The file must run as the runner runs it; nothing was changed."""


def run_watched(session: Session, name: str, text: str) -> Mapping[str, int]:
    """Run the text of a file in a transaction, and return how many rows of which catalogs it has written.

    Raises NotWatched.
    """
    _refuse(name, text)
    session.start_like_new()
    session.worn = stays_in_session(text)
    session.heard = Heard(name)
    try:
        first = session.send(Part(name, text), before=f"BEGIN;{_over(BEGUN, session)}")
        (((_, catalogs),),) = _sent(session, _ending(session, _SAME.replace("{first}", first)))
        for notice in session.heard.rest():
            session.say(notice)
    except (MigrationFailed, session.driver.Error) as error:
        session.rollback()
        raise NotWatched from error
    finally:
        session.heard = None
    return _named(session, catalogs)


def run_measured(
    session: Session, name: str, texts: Sequence[str], first: str, each: str
) -> tuple[list[Rows], Mapping[str, int]]:
    """Run statements as one message and one transaction, with a query before them and one after each.

    Returns the rows of these queries, and how many rows of which catalogs were written; or raises NotWatched. The first
    column of the queries has the name OURS.
    """
    _refuse(name, *texts)
    session.start_like_new()
    session.worn = any(map(stays_in_session, texts))
    steps = "".join(f"{text}\n;{each};" for text in texts)
    try:
        *rows, ((_, catalogs),) = _sent(session, f"BEGIN;{first};{steps}{_ending(session, UNCOMPARED)}")
        return rows, _named(session, catalogs)
    except (MigrationFailed, session.driver.Error) as error:
        session.rollback()
        raise NotWatched from error


def _ending(session: Session, same: str) -> str:
    """Return the SQL that ends a transaction after a query of what it has changed, which `same` may fail."""
    published = PUBLISH if session.connection.info.server_version >= 150000 else ""
    counted = _over(COUNTED.replace("{same}", same), session)
    return f"{RESET}; {session.settings} {AT_ONCE} {counted} {published} COMMIT; {LIKE_NEW}"


def _over(query: str, session: Session) -> str:
    """Return a query over the tables of the ledger, and over the catalogs."""
    if not session.numbers:
        session.numbers = dict(session.connection.execute(NUMBERS, (list(BOOKS),)).fetchall())
    ledger = [str(oid) for oid, name in session.numbers.items() if name in BOOKS]
    catalogs = [str(oid) for oid, name in session.numbers.items() if name not in BOOKS]
    return query.replace("{ledger}", ",".join(ledger)).replace("{catalogs}", ",".join(catalogs))


def _named(session: Session, counts: str) -> Mapping[str, int]:
    """Return the counts (number of the table, rows) by the names of the tables."""
    numbers = iter(map(int, counts.split()))
    return {session.numbers[table]: count for table, count in zip(numbers, numbers, strict=True)}


def _refuse(name: str, *texts: str) -> None:
    for text in texts:
        try:
            check(text, Path(name), transactional=True)
        except MigrationFailed as error:
            raise NotWatched from error
        if any(word in text.lower() for word in UNWATCHED):
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
