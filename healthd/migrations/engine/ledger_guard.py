"""Whether a file left the rows of the ledger alone: its text does not show what functions and triggers do.

In a transaction, the server's own counters are compared: they cost the same however long the ledger is. Only where
these differ, the file runs a second time, and the rows themselves are compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from healthd.errors import MigrationFailed
from healthd.migrations.engine.job import Job
from healthd.migrations.engine.session import RESET, Session
from healthd.model.ledger import DIGESTS
from healthd.text import some

TOUCHED = "the ledger was written"
CURE = (
    "leave the tables of the ledger (_yoyo_*, yoyo_lock, _healthd_*) unchanged; to record otherwise: healthd baseline"
)

# A TRUNCATE gives a table another file node, and sets its counters to zero.
WATCHED = ("stat_get_xact_tuples_inserted", "stat_get_xact_tuples_updated", "stat_get_xact_tuples_deleted")
# They are called with numbers: the server takes twice as long to analyse a query over the names. The text is short,
# because the file follows in the same message, of which pg_stat_activity shows 1,024 bytes.
OF_ONE = ",".join(f"pg_catalog.pg_{name}({{oid}})" for name in (*WATCHED, "relation_filenode"))
NAMED = "%s::pg_catalog.regclass::pg_catalog.oid"
NUMBER = f"SELECT {NAMED}"
SAME = f"""SELECT CASE WHEN {{state}} = '{{before}}' AND {{named}} THEN 1
                       ELSE (pg_catalog.pg_backend_pid()::text || '{TOUCHED}')::int END;"""  # our own
ROWS = """SELECT migration_hash, pg_catalog.to_jsonb(m), pg_catalog.to_jsonb(d)
            FROM {marks} AS m FULL JOIN {digests} AS d USING (migration_hash)"""
REMOVED = "DELETE FROM {table} WHERE migration_hash = ANY(%s);"
MARKED = """INSERT INTO {table} SELECT * FROM pg_catalog.jsonb_populate_recordset(NULL::{table}, %s)
            ON CONFLICT (migration_hash) DO UPDATE
               SET migration_id = EXCLUDED.migration_id, applied_at_utc = EXCLUDED.applied_at_utc;"""
DIGESTED = "INSERT INTO {table} SELECT * FROM pg_catalog.jsonb_populate_recordset(NULL::{table}, %s);"

Row = tuple[Any, Any]  # the mark and the digests of a migration, each None if it is missing
Rows = Mapping[str, Row]  # by the hash of the migration


class Watched(NamedTuple):
    """SQL about the tables of the ledger.

    `state` is a text that changes within a transaction whenever their rows are written, and `named` is true as long as
    their names are those of the same tables.
    """

    state: str
    named: str


class Touched(Exception):
    """The server has counted rows of the ledger that a file wrote; whether they differ now is not known yet."""


def watched(session: Session) -> Watched:
    """Return the SQL of what a file must leave alone; the tables of the ledger must exist."""
    known: Watched | None = session.watched
    if known is not None:
        return known
    numbers = {name: session.one(NUMBER, (name,)) for name in map(session.table, (session.migration_table, DIGESTS))}
    names = (f"{session.filled(NAMED, (name,))} = {oid}" for name, oid in numbers.items())
    counts = ",".join(OF_ONE.format(oid=oid) for oid in numbers.values())
    found = Watched(f"pg_catalog.concat_ws(' ',{counts})", " AND ".join(names))
    if not session.lacks_tables():  # otherwise they are gone if the file that is about to run fails
        session.watched = found
    return found


def same(watched: Watched, before: str) -> str:
    """Return the SQL that fails with the text TOUCHED if the state is not what it was before."""
    return SAME.format(state=watched.state, named=watched.named, before=before)


def rows(session: Session) -> Rows:
    """Return the rows of the ledger; both tables must exist."""
    marks, digests = session.table(session.migration_table), session.table(DIGESTS)
    found = session.connection.execute(ROWS.format(marks=marks, digests=digests)).fetchall()
    return {mark: (row, digest) for mark, row, digest in found}


def refuse_written(session: Session, job: Job, known: Rows, state: str) -> None:
    """Raise if the rows of the ledger are not the known ones."""
    if words := _words(known, rows(session)):
        raise MigrationFailed(f"{job.name} {words}, in a DO, a function or a trigger; {state}", hint=CURE)


def restore(session: Session, job: Job, known: Rows) -> None:
    """Write the known rows of the ledger again if a file that is not one transaction has changed them, and report it.

    Raises MigrationFailed if that is not possible.
    """
    found = rows(session)
    if not (words := _words(known, found)):
        return
    changed = [mark for mark in {**known, **found} if known.get(mark) != found.get(mark)]
    try:
        session.connection.execute(_restoring(session, known, changed, [mark for mark in changed if mark not in known]))
    except session.driver.Error as error:
        session.rollback_only()
        failed = f"{job.name} {words}, and the rows could not be restored ({error.sqlstate})"
        raise MigrationFailed(failed, hint="record with healthd baseline what was applied") from error
    session.say(f"{job.name} {words}: the ledger was restored, but for its copies of files (healthd baseline)")


def restore_after_error(session: Session, job: Job, known: Rows) -> None:
    """Restore the rows of the ledger as far as the session still allows it; the caller reports why the file failed."""
    if session.connection.closed:
        return
    with suppress(session.driver.Error):
        session.rollback_only()
        session.connection.execute(f"{RESET}; {session.settings}")
        try:
            restore(session, job, known)
        except MigrationFailed as error:
            session.say(f"{error}: {error.hint}")


def _restoring(session: Session, known: Rows, changed: list[str], added: list[str]) -> str:
    marks, digests = session.table(session.migration_table), session.table(DIGESTS)
    each = [known[mark] for mark in changed if mark in known]
    steps = (
        session.filled(REMOVED.format(table=marks), (added,)),
        session.filled(REMOVED.format(table=digests), (changed,)),
        session.filled(MARKED.format(table=marks), (_json(mark for mark, _ in each),)),
        session.filled(DIGESTED.format(table=digests), (_json(digest for _, digest in each),)),
    )
    return f"BEGIN READ WRITE; {' '.join(steps)} COMMIT"


def _json(found: Iterable[Any]) -> str:
    return json.dumps([row for row in found if row is not None])


def _words(known: Rows, found: Rows) -> str:
    """Return what was done to the ledger; empty if its rows are the known ones."""
    less = [_name(row) for mark, row in known.items() if any(_lacks(row, found.get(mark, (None, None))))]
    other = [_name(row) for mark, row in {**known, **found}.items() if known.get(mark) != found.get(mark)]
    if less:
        return f"removes what the ledger holds about {some(sorted(less))}"
    return f"writes what the ledger holds about {some(sorted(other))}" if other else ""


def _lacks(row: Row, now: Row) -> Iterable[bool]:
    return (one is not None and other is None for one, other in zip(row, now, strict=True))


def _name(row: Row) -> str:
    return str(next(one for one in row if one is not None)["migration_id"])
