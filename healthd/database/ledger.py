"""What a database records about its migrations: which are applied, and whether a migration is running."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any

from psycopg import AsyncConnection, errors, sql

from healthd.database.connection import LIMITS, SESSION, read_only, rows_of
from healthd.database.ledger_faults import LOG, VERSION, fault_of
from healthd.database.misplaced_values import first_line
from healthd.errors import LedgerFailed, PermissionDenied
from healthd.model.ledger import BOOKS, COPIES, DIGESTS, MIGRATION_LOCK, PROGRESS, TEXTS, Applied, Interrupted, Printed
from healthd.model.migration_names import canonical
from healthd.model.names import Key
from healthd.model.names import quote as identifier
from healthd.model.running import Runner


@dataclass(frozen=True, slots=True)
class Ledger:
    """What was applied, according to the database.

    `schemas` are those that contain a ledger: none before the first migration, and more than one is a fault.
    `grant` is the SQL that would let healthd read it, None if it may. `owner` is the role that runs migrations: the
    owner of yoyo's table, or without that table the owner of the database. `reader` is healthd's own role. `refused`
    is the server's message if it does not permit even the search for the ledger. `interrupted` are files that were
    applied only partly. `fault` is what is wrong with the tables themselves, so that it cannot be determined what is
    applied, with its fix. `texts` are how this server prints what migrations created, the newest last, if they were
    requested; `texts_grant` is the SQL that would let healthd read them, None if it may.
    """

    applied: tuple[Applied, ...] = ()
    schemas: tuple[str, ...] = ()
    grant: str | None = None
    owner: str | None = None
    reader: str | None = None
    refused: str | None = None
    interrupted: tuple[Interrupted, ...] = ()
    fault: tuple[str, str] | None = None
    texts: tuple[Printed, ...] = ()
    texts_grant: str | None = None

    def readable(self) -> Ledger:
        """Return this ledger; raise LedgerFailed if it is damaged or not the only one, PermissionDenied if hidden."""
        if len(self.schemas) > 1:
            raise LedgerFailed(
                f"there are several ledgers: yoyo's tables are in the schemas {', '.join(self.schemas)}",
                hint="keep one, and drop the others",
            )
        if self.fault:
            raise LedgerFailed(f"cannot tell which migrations are applied: {self.fault[0]}", hint=self.fault[1])
        if self.refused:
            why = f"cannot read which migrations are applied: {self.refused}"
            raise PermissionDenied(why, hint="request the privilege that the message names")
        if self.grant:
            raise PermissionDenied("cannot read which migrations are applied", grant=self.grant)
        return self


async def read_ledger(connection: AsyncConnection[Any]) -> tuple[Ledger, Runner | None]:
    """Return the ledger, and who is running a migration, without reading anything else."""
    async with read_only(connection, {**SESSION, **LIMITS}):
        ledger, runner, _ = await read_books(connection, BOOKS[0])
        return ledger, runner


async def read_books(connection: AsyncConnection[Any], table: str) -> tuple[Ledger, Runner | None, str]:
    """Return the ledger, who is running a migration, and the settings of new sessions.

    If the role may not read a catalog, the ledger has `refused` set.
    """
    try:
        async with connection.transaction():
            settings = "SELECT s::text FROM pg_catalog.pg_db_role_setting AS s ORDER BY 1"
            rows = await rows_of(connection, settings)
            texts = "".join(text for (text,) in rows)
            ledger = await _ledger(connection, table)
            return ledger, await _holder(connection) or await _running(connection, ledger), texts
    except errors.InsufficientPrivilege as error:
        return Ledger(refused=first_line(error)), None, ""


async def _ledger(connection: AsyncConnection[Any], table: str) -> Ledger:
    """Return the content of yoyo's table, with the digests that healthd's runner stores next to it."""
    # By name and oid, not by to_regclass, which raises an error if the role may not use the schema.
    rows = await rows_of(
        connection,
        """SELECT n.nspname, c.relname, c.relkind,
                  pg_catalog.has_schema_privilege(n.oid, 'USAGE')
                      AND pg_catalog.has_table_privilege(c.oid, 'SELECT'),
                  pg_catalog.pg_get_userbyid(c.relowner),
                  ARRAY(SELECT a.attname::text || ' ' || pg_catalog.format_type(a.atttypid, NULL)
                          FROM pg_catalog.pg_attribute AS a
                         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
             FROM pg_catalog.pg_class AS c
             JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
            WHERE c.relname IN (%(table)s, %(digests)s, %(progress)s, %(texts)s, %(copies)s, %(log)s,
                                %(version)s)
              AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
              AND n.nspname !~ '^pg_'
            ORDER BY 1, 2 DESC""",
        {
            "table": table,
            "digests": DIGESTS,
            "progress": PROGRESS,
            "texts": TEXTS,
            "copies": COPIES,
            "log": LOG,
            "version": VERSION,
        },
    )
    owners = {schema: owner for schema, name, kind, _, owner, _ in rows if name == table and kind == "r"}
    schemas = tuple(owners)
    fault = fault_of(table, [(f"{schema}.{name}", name, kind, columns) for schema, name, kind, _, _, columns in rows])
    if len(schemas) != 1 or fault:
        return Ledger(schemas=schemas, owner=await _owner(connection), fault=fault)
    schema, owner = next(iter(owners.items()))
    readable = {name: held for where, name, _, held, _, _ in rows if where == schema and name not in UNREAD}
    if not all(readable.values()):
        role, where = identifier(connection.info.user), identifier(schema)
        tables = ", ".join(f"{where}.{identifier(name)}" for name in readable)
        grant = f"GRANT USAGE ON SCHEMA {where} TO {role}; GRANT SELECT ON {tables} TO {role};"
        return Ledger(schemas=schemas, grant=grant, owner=owner)
    copies = any((where, name, held) == (schema, COPIES, True) for where, name, _, held, _, _ in rows)
    cursor = await connection.execute(_applied(schema, table, digests=DIGESTS in readable, copies=copies))
    return Ledger(
        tuple(
            Applied(canonical(name), at and at.replace(tzinfo=UTC), one, two, kept)
            for name, at, one, two, kept in await cursor.fetchall()
        ),
        schemas,
        owner=owner,
        reader=connection.info.user,
        interrupted=await _interrupted(connection, schema) if PROGRESS in readable else (),
    )


def _applied(schema: str, table: str, *, digests: bool, copies: bool) -> sql.Composed:
    """Return the query for the applied migrations, with what the tables of digests and copies know of each."""
    joined = "LEFT JOIN {} AS {} USING (migration_hash)"
    columns = "h.digest, h.rollback_digest" if digests else "NULL, NULL"
    return sql.SQL(APPLIED).format(
        sql.SQL(columns),
        sql.SQL("c.migration_hash IS NOT NULL AND h.rollback_digest IS NOT NULL" if digests and copies else "false"),
        sql.Identifier(schema, table),
        sql.SQL(joined if digests else "").format(sql.Identifier(schema, DIGESTS), sql.Identifier("h")),
        sql.SQL(joined if digests and copies else "").format(sql.Identifier(schema, COPIES), sql.Identifier("c")),
    )


# The process that recorded progress and is still connected: its statement may still run, whoever holds the lock.
RUNNING = """SELECT p.migration_id, a.pid, a.application_name
               FROM {table} AS p
               JOIN pg_catalog.pg_stat_activity AS a ON a.pid = (to_jsonb(p) ->> 'runner_pid')::int
              WHERE a.pid <> pg_catalog.pg_backend_pid()
                AND (a.backend_start = (to_jsonb(p) ->> 'runner_since')::timestamptz
                     OR a.backend_start IS NULL AND a.application_name LIKE 'healthd/%%')
              LIMIT 1"""
# The hash decides what is applied, for yoyo and for healthd: a row with another hash does not belong to the file,
# whatever its id. A timestamp that Python's datetime cannot represent becomes NULL.
APPLIED = """SELECT CASE WHEN y.migration_hash = own.hash THEN y.migration_id
                         ELSE format('%s (hash %s)', coalesce(nullif(y.migration_id, ''), 'no id'),
                                     left(y.migration_hash, 12))
                    END AS id,
                    CASE WHEN y.applied_at_utc >= '0001-01-02' AND y.applied_at_utc < '9999-12-31'
                         THEN y.applied_at_utc
                    END,
                    {},
                    {}
               FROM {} AS y
              CROSS JOIN LATERAL (SELECT encode(sha256(convert_to(y.migration_id, 'UTF8')), 'hex') AS hash) AS own {} {}
              ORDER BY id"""
UNREAD = (LOG, VERSION, TEXTS, COPIES)  # not read to determine what is applied
# Only for applied migrations, the newest last: a row of a migration that is no longer applied is ignored.
RECORDED = """SELECT m.migration_id, t.object, t.attribute, t.expected_digest, t.text
                FROM {} AS t
                JOIN {} AS m USING (migration_hash)
               WHERE t.major = %s AND split_part(t.object, ':', 1) <> ALL (%s)
               ORDER BY t.recorded_at, m.applied_at_utc, m.migration_id"""


async def with_texts(connection: AsyncConnection[Any], ledger: Ledger, omitted: Collection[str] = ()) -> Ledger:
    """Return a ledger with its texts of this major version, except those of the kinds that are `omitted`."""
    if ledger.grant or ledger.refused or ledger.fault or len(ledger.schemas) != 1:
        return ledger
    (schema,) = ledger.schemas
    table = sql.Identifier(schema, TEXTS)
    held = """SELECT pg_catalog.has_table_privilege(c.oid, 'SELECT')
                FROM pg_catalog.pg_class AS c
                JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
               WHERE n.nspname = %s AND c.relname = %s"""
    rows = await rows_of(connection, held, [schema, TEXTS])
    if not rows:
        return ledger
    if rows == [(False,)]:
        name, role = f"{identifier(schema)}.{TEXTS}", identifier(connection.info.user)
        return replace(ledger, texts_grant=f"GRANT SELECT ON {name} TO {role};")
    query = sql.SQL(RECORDED).format(table, sql.Identifier(schema, BOOKS[0]))
    cursor = await connection.execute(query, [connection.info.server_version // 10000, list(omitted)])
    return replace(ledger, texts=tuple(_printed(await cursor.fetchall())))


def _printed(rows: Sequence[Sequence[Any]]) -> Iterator[Printed]:
    for migration, name, attribute, digest, text in rows:
        try:
            key = Key.parse(name)
        except ValueError:
            continue  # a row that healthd did not write
        yield Printed(canonical(migration), key, attribute, digest, text)


async def _interrupted(connection: AsyncConnection[Any], schema: str) -> tuple[Interrupted, ...]:
    """Return the progress of each file that is not one transaction and is not recorded as applied yet."""
    query = sql.SQL(
        """SELECT DISTINCT ON (p.migration_id)
                  p.migration_id, p.operation, p.statement, p.statements, p.finished_at IS NOT NULL,
                  coalesce(p.finished_at, p.started_at)
             FROM {} AS p
            ORDER BY p.migration_id, p.operation, p.statement DESC"""
    ).format(sql.Identifier(schema, PROGRESS))
    rows = await (await connection.execute(query)).fetchall()
    return tuple(Interrupted(canonical(name), *rest) for name, *rest in rows)


async def _running(connection: AsyncConnection[Any], ledger: Ledger) -> Runner | None:
    """Return which session still runs a partly applied file without the migration lock; None if no session does."""
    if not ledger.interrupted:
        return None
    query = RUNNING.format(table=".".join(map(identifier, (ledger.schemas[0], PROGRESS)))).encode()
    rows = await (await connection.execute(query)).fetchall()
    return Runner(*rows[0][1:]) if rows else None


async def _owner(connection: AsyncConnection[Any]) -> str | None:
    """Return the owner of the database."""
    rows = await rows_of(
        connection,
        """SELECT pg_catalog.pg_get_userbyid(d.datdba)
             FROM pg_catalog.pg_database AS d
            WHERE d.datname = current_database()""",
    )
    return rows[0][0] if rows else None


async def _holder(connection: AsyncConnection[Any]) -> Runner | None:
    """Return who holds the migration lock; None if it is free."""
    rows = await rows_of(
        connection,
        """SELECT l.pid, a.application_name
             FROM pg_catalog.pg_locks AS l
             LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
            WHERE l.locktype = 'advisory'
              AND l.granted
              AND l.objsubid = 2
              AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = current_database())
              AND (l.classid, l.objid) = (%s::bigint::oid, %s::bigint::oid)""",
        MIGRATION_LOCK,
    )
    return Runner(*rows[0]) if rows else None
