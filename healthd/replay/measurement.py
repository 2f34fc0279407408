"""Run a migration on a scratch database and measure what its statements lock, rewrite and scan.

The server shows which locks a transaction holds; the locks that a statement adds to them are those that it took. A
statement that cannot run inside a transaction block releases its locks before they can be read: for such statements
the locks are taken from PostgreSQL's documentation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from healthd.catalog import KINDS
from healthd.database.blocking_sessions import lock_words
from healthd.database.driver_errors import translated
from healthd.database.snapshot.change_reader import ChangeReader
from healthd.errors import HealthdError
from healthd.expected.files import Migration
from healthd.expected.measurements import DOCUMENTED, MEASURED, MODES, UNKNOWN, Step
from healthd.migrations.engine.watched_run import OURS, NotWatched
from healthd.model.ledger import BOOKS, DIGESTS
from healthd.model.names import Key
from healthd.replay.runner import Runner
from healthd.sqltext.nontransactional import detaches, plain_form
from healthd.sqltext.statements import Statement, statements

NO_TRANSACTION = "25001"
AT_ONCE = 50  # statements that are measured in one message: what each of them returns grows with those before it
LAST = 2**32 - 1  # the largest oid
VACUUM_FULL = re.compile(r"vacuum\b.*\bfull\b", re.IGNORECASE | re.DOTALL)
TRUNCATE = re.compile(r"truncate\b", re.IGNORECASE)

RELATIONS = """
    SELECT c.oid::bigint, c.relkind::text, n.nspname::text, c.relname::text, t.relname::text, i.indrelid::bigint,
           c.relfilenode::bigint, c.relispartition
      FROM pg_catalog.pg_class AS c
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
      LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = c.oid
      LEFT JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'i', 'I')
       AND c.relpersistence <> 't'
       AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"""
SOME = f"{RELATIONS} AND c.oid = ANY ($1)"
HELD = """
    SELECT l.relation::bigint, l.mode, c.relfilenode::bigint, pg_catalog.pg_stat_get_xact_numscans(l.relation)
      FROM pg_catalog.pg_locks AS l
      LEFT JOIN pg_catalog.pg_class AS c ON c.oid = l.relation
     WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation' AND l.granted
       AND l.relation BETWEEN 16384 AND {newest}"""
# Until the server publishes these counters, they continue from one transaction to the next.
SCANS = """
    SELECT c.oid::bigint, pg_catalog.pg_stat_get_xact_numscans(c.oid)
      FROM pg_catalog.pg_class AS c
     WHERE c.oid >= 16384 AND c.relkind IN ('r', 'm') AND pg_catalog.pg_stat_get_xact_numscans(c.oid) > 0"""


class _Relation(NamedTuple):
    key: str
    table: int | None  # of an index
    filenode: int
    partition: bool


_Relations = dict[int, _Relation]


class _State:
    """The locks, file nodes and scan counts of a transaction at one moment."""

    def __init__(self, rows: Iterable[Any] = ()) -> None:
        self.modes: dict[int, int] = {}
        self.filenodes: dict[int, int | None] = {}
        self.scans: dict[int, int] = {}
        for oid, mode, filenode, scans in rows:
            self.modes[oid] = max(self.modes.get(oid, -1), _level(mode))
            self.filenodes[oid], self.scans[oid] = filenode, scans


def _level(mode: str) -> int:
    """Return the place in MODES of a mode as pg_locks spells it: `ShareRowExclusiveLock`."""
    return MODES.index(lock_words(mode))


async def measure(
    connection: Any, migration: Migration, *, whole: bool = False, reader: Any = None
) -> tuple[Step, ...]:
    """Apply a migration, committed, and return its steps: the statements that locked, rewrote or scanned a relation.

    `whole` runs a transactional one as a single statement. Raises HealthdError when a statement fails: a transactional
    migration is then rolled back completely. On the `reader`, another connection, the relations are read again and
    again, so that this is planned only once.
    """
    before = await _relations(reader or connection, prepare=reader is not None)
    try:
        if migration.transactional:
            whole = whole or not before  # there is no relation that a statement could lock
            found = [Statement(1, migration.apply)] if whole else list(statements(migration.apply))
            steps = await _together(connection, before, found)
        else:
            steps = [await _alone(connection, before, one) for one in statements(migration.apply)]
    except HealthdError:
        await _execute(connection, "ROLLBACK")
        raise
    finally:
        await _execute(connection, "RESET SESSION AUTHORIZATION")
        await _execute(connection, "DISCARD ALL")  # which must be a message of its own
    return _worth(steps)


class Measured(NamedTuple):
    """The steps of a migration, and how many rows of which catalogs it has written."""

    steps: tuple[Step, ...]
    counts: Mapping[str, int]


async def in_one_message(runner: Runner, reader: ChangeReader, migration: Migration) -> Measured:
    """Apply a migration like `measure`, but send its statements and all questions at once; or raise NotWatched.

    The `reader` still sees the relations as they were before.
    """
    found = list(statements(migration.apply))
    if len(found) > AT_ONCE:
        raise NotWatched
    each, first = HELD.format(newest=LAST), SCANS
    rows, counts = await runner.measured(migration.id, [one.text for one in found], _named(first), _named(each))
    scans, *held = rows
    oids = sorted({int(row[0]) for one in held for row in one})
    before = _by_oid(await reader.rows_now(SOME, "(oid[])", f"('{{{','.join(map(str, oids))}}}')"))
    state, steps = _State(), []
    state.scans = {int(oid): int(count) for oid, count in scans}
    for one, of_one in zip(found, held, strict=True):
        now = _State((int(oid), mode, int(node or 0), int(count or 0)) for oid, mode, node, count in of_one)
        steps.append(_step(one, before, state, now))
        now.scans = state.scans | now.scans
        state = now
    return Measured(_worth(steps), counts)


def _named(query: str) -> str:
    """Return a query whose first column has our name."""
    return query.replace("::bigint,", f"::bigint AS {OURS},", 1)


def _worth(steps: Iterable[Step]) -> tuple[Step, ...]:
    """Return the steps of which there is something to say."""
    return tuple(one for one in steps if one.locks or one.rewrites or one.scans or one.known != MEASURED)


async def _together(connection: Any, before: _Relations, found: Sequence[Statement]) -> list[Step]:
    """Run statements in one transaction, and commit it."""
    state, steps = _State(), []
    state.scans = dict(await _rows(connection, f"BEGIN; {SCANS}"))
    for one in found:
        await _execute(connection, one.text)
        now = await _held(connection, before)
        steps.append(_step(one, before, state, now))
        now.scans = state.scans | now.scans
        state = now
    await _execute(connection, "COMMIT")
    return steps


async def _alone(connection: Any, first: _Relations, one: Statement) -> Step:
    """Run a statement in a transaction of its own; `first` are the relations that existed before the file."""
    keys = {relation.key for relation in first.values()}
    there = await _relations(connection) if first else {}
    before = {oid: relation for oid, relation in there.items() if oid in first or relation.key in keys}
    try:
        (step,) = await _together(connection, before, [one])
    except HealthdError as error:
        await _execute(connection, "ROLLBACK")
        if getattr(error, "sqlstate", None) != NO_TRANSACTION:
            raise
    else:
        return step
    likely = await _without_concurrently(connection, before, one)
    await _execute(connection, one.text)
    after = {now.key: now.filenode for now in (await _relations(connection)).values()}  # REINDEX swaps oids
    rewrites = _rewrites(before, {oid: after.get(relation.key) for oid, relation in before.items()})
    if likely is not None:
        return Step(one.line, likely, rewrites, (), DOCUMENTED)
    if VACUUM_FULL.match(one.text):
        return Step(one.line, dict.fromkeys(rewrites, "ACCESS EXCLUSIVE"), rewrites, rewrites, DOCUMENTED)
    return Step(one.line, {}, rewrites, (), UNKNOWN)


async def _without_concurrently(connection: Any, before: _Relations, one: Statement) -> dict[str, str] | None:
    """Return the documented locks of a CONCURRENTLY form on the relations that its plain form locks.

    None when it has no such form. The lock is SHARE UPDATE EXCLUSIVE on all of them; a partition that is detached is
    locked ACCESS EXCLUSIVE at the end.
    """
    plain, detach = plain_form(one.text), detaches(one.text)
    if plain is None:
        return None
    try:
        await _execute(connection, "BEGIN")
        await _execute(connection, plain)
        state = await _held(connection, before)
    except HealthdError:
        return None
    finally:
        await _execute(connection, "ROLLBACK")
    locks = {}
    for oid in state.modes.keys() & before.keys():
        relation = before[oid]
        if relation.table is None:
            locks[relation.key] = "ACCESS EXCLUSIVE" if detach and relation.partition else "SHARE UPDATE EXCLUSIVE"
    return dict(sorted(locks.items()))


async def _held(connection: Any, before: _Relations) -> _State:
    """Return what the transaction holds of the relations that existed before it.

    The relations that it creates itself are locked until its end. They have later oids, by which they are excluded:
    there may be thousands.
    """
    return _State(await _rows(connection, HELD.format(newest=max(before))) if before else ())


def _step(one: Statement, before: _Relations, was: _State, now: _State) -> Step:
    """Return what a statement added."""
    locks = {}
    for oid, level in now.modes.items():
        # An index is reported only if its lock is stronger than that of its table, as with REINDEX.
        if oid in before and level > was.modes.get(oid, -1) and level > _above(before[oid], now):
            locks[before[oid].key] = MODES[level]
    scanned = [oid for oid, scans in now.scans.items() if scans > was.scans.get(oid, 0)]
    filenodes = {oid: was.filenodes.get(oid, relation.filenode) for oid, relation in before.items()}
    if TRUNCATE.match(one.text):  # new files to which no rows are written
        return Step(one.line, dict(sorted(locks.items())))
    return Step(
        one.line,
        dict(sorted(locks.items())),
        _rewrites(
            {oid: before[oid]._replace(filenode=filenode or 0) for oid, filenode in filenodes.items()}, now.filenodes
        ),
        tuple(sorted(before[oid].key for oid in scanned if oid in before and before[oid].table is None)),
    )


def _above(relation: _Relation, now: _State) -> int:
    return -1 if relation.table is None else now.modes.get(relation.table, -1)


def _rewrites(before: _Relations, now: Any) -> tuple[str, ...]:
    """Return the relations whose files were replaced; an index only when its table's file was not."""
    changed = {oid for oid, one in before.items() if now.get(oid) is not None and now[oid] != one.filenode}
    return tuple(sorted(before[oid].key for oid in changed if before[oid].table not in changed))


async def _relations(connection: Any, *, prepare: bool = False) -> _Relations:
    return _by_oid(await _rows(connection, RELATIONS, prepare=prepare))


def _by_oid(rows: Iterable[Any]) -> _Relations:
    found: _Relations = {}
    kinds = {letter: kind.name for kind in KINDS.values() for letter in kind.relkinds}
    for oid, kind, schema, name, table, table_oid, filenode, partition in rows:
        if not {name, table}.isdisjoint((*BOOKS, DIGESTS)):
            continue
        path = (schema, table, name) if table is not None else (schema, name)
        key = Key(kinds[kind], path)
        found[oid] = _Relation(str(key), table_oid, filenode, partition)
    return found


async def _rows(connection: Any, query: str, *, prepare: bool = False) -> list[Any]:
    """Return the rows of the last of these statements."""
    with translated():
        cursor = await connection.execute(query.encode(), prepare=prepare)
        while cursor.nextset():
            pass
        rows: list[Any] = await cursor.fetchall()
    return rows


async def _execute(connection: Any, text: str) -> None:
    with translated():
        await connection.execute(text.encode())
