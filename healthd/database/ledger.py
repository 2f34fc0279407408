"""What a database says of its migrations: which are applied, and whether somebody is migrating just now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import Any

from psycopg import AsyncConnection, errors, sql

from healthd.database.connection import (
    DIGESTS,
    LIMITS,
    MIGRATION_LOCK,
    PROGRESS,
    SESSION,
    first_line,
    read_only,
    rows_of,
)
from healthd.errors import ConfigError, PermissionDenied
from healthd.migrations.status import Applied, Interrupted
from healthd.model import quote as identifier
from healthd.visible import BOOKS


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the database says was applied.

    `schemas` are those where a ledger stands: none before the first migration, and more than one is a fault.
    `grant` is the SQL that would let us read it, None when we may. `owner` is the role that migrates: yoyo's
    table is its own; without one, the owner of the database. `reader` is the role that we are. `refused` is
    what the server said when it did not even let us look. `interrupted` are files that are in only in part.
    """

    applied: tuple[Applied, ...] = ()
    schemas: tuple[str, ...] = ()
    grant: str | None = None
    owner: str | None = None
    reader: str | None = None
    refused: str | None = None
    interrupted: tuple[Interrupted, ...] = ()

    def readable(self) -> Ledger:
        """Return this ledger; raise ConfigError for several, PermissionDenied for one that we may not read."""
        if len(self.schemas) > 1:
            raise ConfigError(
                f"there are several ledgers: yoyo's tables stand in {', '.join(self.schemas)}",
                hint="keep one, drop the others",
            )
        if self.refused:
            why = f"cannot read which migrations are applied: {self.refused}"
            raise PermissionDenied(why, hint="ask for the privilege it names")
        if self.grant:
            raise PermissionDenied("cannot read which migrations are applied", grant=self.grant)
        return self


async def read_ledger(connection: AsyncConnection[Any]) -> tuple[Ledger, str | None]:
    """Return what the database says was applied, and who is migrating, without looking at anything else."""
    async with read_only(connection, {**SESSION, **LIMITS}):
        ledger, maintenance, _ = await read_books(connection, BOOKS[0])
        return ledger, maintenance


async def read_books(connection: AsyncConnection[Any], table: str) -> tuple[Ledger, str | None, str]:
    """Return the ledger, who is migrating, and the settings of new sessions.

    When a catalog is refused, it is a ledger that says so.
    """
    try:
        async with connection.transaction():
            settings = "SELECT s::text FROM pg_catalog.pg_db_role_setting AS s ORDER BY 1"
            rows = await rows_of(connection, settings)
            texts = "".join(text for (text,) in rows)
            return await _ledger(connection, table), await _maintenance(connection), texts
    except errors.InsufficientPrivilege as error:
        return Ledger(refused=first_line(error)), None, ""


async def _ledger(connection: AsyncConnection[Any], table: str) -> Ledger:
    """Return what yoyo's table says, with the digests that our runner wrote beside it."""
    # By name and oid, not to_regclass: that raises where we may not use the schema.
    rows = await rows_of(
        connection,
        """SELECT n.nspname, c.relname,
                  pg_catalog.has_schema_privilege(n.oid, 'USAGE')
                      AND pg_catalog.has_table_privilege(c.oid, 'SELECT'),
                  pg_catalog.pg_get_userbyid(c.relowner)
             FROM pg_catalog.pg_class AS c
             JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
            WHERE c.relname IN (%(table)s, %(digests)s, %(progress)s)
              AND c.relkind = 'r'
              AND n.nspname !~ '^pg_'
            ORDER BY 1, 2 DESC""",
        {"table": table, "digests": DIGESTS, "progress": PROGRESS},
    )
    owners = {schema: owner for schema, name, _, owner in rows if name == table}
    schemas = tuple(owners)
    if len(schemas) != 1:
        return Ledger(schemas=schemas, owner=await _owner(connection))
    schema, owner = next(iter(owners.items()))
    readable = {name: held for where, name, held, _ in rows if where == schema}
    if not all(readable.values()):
        role, where = identifier(connection.info.user), identifier(schema)
        tables = ", ".join(f"{where}.{identifier(name)}" for name in readable)
        grant = f"GRANT USAGE ON SCHEMA {where} TO {role}; GRANT SELECT ON {tables} TO {role};"
        return Ledger(schemas=schemas, grant=grant, owner=owner)
    digests = DIGESTS in readable
    query = sql.SQL(
        "SELECT y.migration_id, y.applied_at_utc, h.digest, h.rollback_digest "
        "FROM {} AS y LEFT JOIN {} AS h USING (migration_hash)"
        if digests
        else "SELECT y.migration_id, y.applied_at_utc, NULL, NULL FROM {} AS y"
    ).format(sql.Identifier(schema, table), *([sql.Identifier(schema, DIGESTS)] if digests else []))
    cursor = await connection.execute(query + sql.SQL(" ORDER BY y.migration_id"))
    return Ledger(
        tuple(Applied(i, at.replace(tzinfo=UTC), one, two) for i, at, one, two in await cursor.fetchall()),
        schemas,
        owner=owner,
        reader=connection.info.user,
        interrupted=await _interrupted(connection, schema) if PROGRESS in readable else (),
    )


async def _interrupted(connection: AsyncConnection[Any], schema: str) -> tuple[Interrupted, ...]:
    """Return how far each file has come that is no transaction and is not in the ledger yet."""
    query = sql.SQL(
        """SELECT DISTINCT ON (p.migration_id)
                  p.migration_id, p.operation, p.statement, p.statements, p.finished_at IS NOT NULL,
                  coalesce(p.finished_at, p.started_at)
             FROM {} AS p
            ORDER BY p.migration_id, p.operation, p.statement DESC"""
    ).format(sql.Identifier(schema, PROGRESS))
    return tuple(Interrupted(*row) for row in await (await connection.execute(query)).fetchall())


async def _owner(connection: AsyncConnection[Any]) -> str | None:
    """Return who owns the database."""
    rows = await rows_of(
        connection,
        """SELECT pg_catalog.pg_get_userbyid(d.datdba)
             FROM pg_catalog.pg_database AS d
            WHERE d.datname = current_database()""",
    )
    return rows[0][0] if rows else None


async def _maintenance(connection: AsyncConnection[Any]) -> str | None:
    """Return who holds the migration lock, in words; None when nobody does."""
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
    return f"{rows[0][1] or 'somebody'} (server process {rows[0][0]}) is migrating" if rows else None
