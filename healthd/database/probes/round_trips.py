"""Whether values come back from the server as they were sent, and whether roles hold the privileges that they need."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import AsyncConnection, sql

from healthd.catalog.scope import SHARED
from healthd.database.connection import LIMITS, SESSION, read_only, rows_of
from healthd.database.misplaced_values import first_line
from healthd.database.probes.edge_values import came_back, edge_values
from healthd.model.contracts import Contract
from healthd.model.ledger import BOOKS
from healthd.model.names import Key
from healthd.model.observations import Access, RoundTrip
from healthd.model.snapshots import Snapshot

# The built-in types that columns have, each with the first column that was created with it.
TYPES = f"""{SHARED}
        SELECT c.nspname, c.relname, a.attname, pg_catalog.format_type(t.atttypid, t.atttypmod)
          FROM (SELECT a.atttypid, a.atttypmod, min((a.attrelid::bigint << 16) + a.attnum) AS number
                  FROM pg_catalog.pg_attribute AS a
                  JOIN relations AS c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'f')
                 WHERE a.attnum > 0
                   AND NOT a.attisdropped
                   AND a.atttypid < 16384
                 GROUP BY 1, 2) AS t
          JOIN relations AS c ON c.oid = (t.number >> 16)::oid
          JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = (t.number & 65535)
         ORDER BY t.number"""  # noqa: S608 # nothing in it is anybody else's


async def column_types(connection: AsyncConnection[Any]) -> Mapping[Key, str]:
    """Return the built-in types that columns have, each with a column that has it."""
    async with read_only(connection, {**SESSION, **LIMITS}):
        rows = await (await connection.execute(TYPES.encode(), {"books": list(BOOKS)})).fetchall()
    return {Key("column", tuple(path)): type_ for *path, type_ in rows}


async def distinct_types(connection: AsyncConnection[Any]) -> frozenset[str]:
    """Return all types of columns, as the catalogs print them."""
    query = f"""{SHARED}
        SELECT pg_catalog.format_type(t.atttypid, t.atttypmod)
          FROM (SELECT DISTINCT a.atttypid, a.atttypmod
                  FROM pg_catalog.pg_attribute AS a
                  JOIN relations AS c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'f')
                 WHERE a.attnum > 0
                   AND NOT a.attisdropped) AS t"""  # noqa: S608 # nothing in it is anybody else's
    async with read_only(connection, {**SESSION, **LIMITS}):
        rows = await (await connection.execute(query.encode(), {"books": list(BOOKS)})).fetchall()
    return frozenset(name for (name,) in rows)


async def probe_values(
    connection: AsyncConnection[Any], snapshot: Snapshot, types: Mapping[Key, str] | None = None
) -> tuple[RoundTrip, ...]:
    """Send every label of these enums and the boundary values of every column type to the server and back.

    Nothing is written. The session keeps the settings that the database gives to its applications, because these
    affect the values.
    """
    unicode = connection.info.parameter_status("server_encoding") == "UTF8"
    types = await column_types(connection) if types is None else types
    tries = (*_labels(snapshot), *_edges(types, unicode=unicode))
    found: list[RoundTrip] = []
    async with read_only(connection, LIMITS):
        for start in range(0, len(tries), BATCH):
            batch = tries[start : start + BATCH]
            if await _trouble(connection, batch) is None:
                found += [RoundTrip(one.key, one.case, None) for one in batch]
            else:
                found += [RoundTrip(one.key, one.case, await _trouble(connection, (one,))) for one in batch]
    return tuple(found)


BATCH = 200  # values in one statement; only if one of them fails is each sent alone


@dataclass(frozen=True, slots=True)
class _Try:
    """One value to send: the expression that casts it, what is sent, and what must come back."""

    key: Key
    case: str
    expression: sql.Composable
    sent: tuple[Any, ...]
    wanted: tuple[Any, ...]


def _labels(snapshot: Snapshot) -> Iterator[_Try]:
    """Yield every enum label, as text and as JSON."""
    for key, record in sorted(snapshot.objects.items()):
        if key.kind == "enum":
            expression = sql.SQL("%s::{0}, to_jsonb(%s::{0})").format(_verbatim(key.sql))
            for label in record.labels:
                yield _Try(key, f"label {label!r}", expression, (label, label), (label, label))


def _edges(types: Mapping[Key, str], *, unicode: bool) -> Iterator[_Try]:
    """Yield the boundary values of each column type."""
    for key, type_ in types.items():
        # The catalog's own spelling of a built-in type: edge_values accepts no other.
        expression = sql.SQL("%s::{0}").format(_verbatim(type_))
        for case, value in edge_values(type_, unicode=unicode):
            sent = json.dumps(value) if isinstance(value, dict) else value
            yield _Try(key, case, expression, (sent,), (value,))


def _verbatim(text: Any) -> sql.Composable:
    """Return SQL text for a statement with parameters, in which a % sign in a name must be escaped."""
    return sql.SQL(text.replace("%", "%%"))


async def _trouble(connection: AsyncConnection[Any], tries: Sequence[_Try]) -> str | None:
    """Return what went wrong with these values, None if they all came back as they were sent."""
    query = sql.SQL("SELECT ") + sql.SQL(", ").join(one.expression for one in tries)
    sent = [value for one in tries for value in one.sent]
    wanted = tuple(value for one in tries for value in one.wanted)
    try:
        async with connection.transaction():
            row = await (await connection.execute(query, sent)).fetchone()
    except (
        psycopg.DataError,
        psycopg.NotSupportedError,
        psycopg.ProgrammingError,
        psycopg.InternalError,
    ) as error:
        return f"{error.sqlstate or type(error).__name__}: {first_line(error)}"
    except UnicodeError:
        return "the connection's encoding cannot represent it"
    except (NotImplementedError, ValueError, OverflowError) as error:
        return f"the driver cannot load it: {first_line(error)}"
    return None if came_back(wanted, row) else "came back as a different value"


async def probe_access(connection: AsyncConnection[Any], contracts: Iterable[Contract]) -> tuple[Access, ...]:
    """Return, for each privilege that a contract needs, whether its role holds it (healthd's own role if None)."""
    asked = [
        (contract.name, contract.role or connection.info.user, privilege, Key.parse(f"table:{table}"))
        for contract in contracts
        for table, privileges in contract.privileges.items()
        for privilege in privileges
    ]
    if not asked:
        return ()
    async with read_only(connection, {**SESSION, **LIMITS}):
        rows = await rows_of(
            connection,
            """SELECT CASE WHEN r.oid IS NULL THEN NULL
                           WHEN c.oid IS NULL THEN true -- a lost table is another finding
                           ELSE pg_catalog.has_schema_privilege(r.oid, n.oid, 'USAGE')
                                AND pg_catalog.has_table_privilege(r.oid, c.oid, w.privilege)
                      END
                 FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[])
                      WITH ORDINALITY AS w(role, privilege, schema, name, position)
                 LEFT JOIN pg_catalog.pg_roles AS r ON r.rolname = w.role
                 LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = w.schema
                 LEFT JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = w.name
                ORDER BY w.position""",
            [list(column) for column in zip(*((role, word, *key.path) for _, role, word, key in asked), strict=True)],
        )
    return tuple(Access(*one, held) for one, (held,) in zip(asked, rows, strict=True))
