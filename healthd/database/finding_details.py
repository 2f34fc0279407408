"""Details on findings: columns that changed last, rows and sizes of tables, versions and parts of extensions."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Any

from psycopg import AsyncConnection, Error, errors, sql

from healthd.database.circular_domains import has_circular_domains
from healthd.database.connection import LIMITS, SESSION, read_only, rows_of
from healthd.database.probes.rights import read_rights
from healthd.database.relation_sizes import read_sizes
from healthd.errors import HealthdError
from healthd.model.findings import MISSING, NOTHING, Finding
from healthd.model.ledger import BOOKS
from healthd.model.names import Key
from healthd.model.observations import Size, TouchedColumn
from healthd.model.scripts import COUNTED, REFUSED, Script
from healthd.model.snapshots import SWAPPED

if TYPE_CHECKING:
    from healthd.database.snapshot.transaction import Reading

# The row of a system column (-1) is as old as the table. A later transaction has a smaller age.
# ADD COLUMN changes the row of the table after that of the column, a rename of a column does not. A default is stored
# by the command that changes the row of its column, or by the one before, and so is NOT NULL. A column that was added
# with a default and has none has lost it since. A transaction that failed leaves its number in xmax, and its command in
# the place of cmin.
QUERY = """
    SELECT n.nspname, c.relname,
           CASE WHEN NOT a.attisdropped THEN a.attname END,
           -pg_catalog.age(a.xmin), a.cmin::text::bigint, a.xmin::text, s.xmin::text,
           w.given OR (a.attnum = c.relnatts AND a.xmin = c.xmin AND NOT w.later),
           w.later AND NOT w.given
      FROM pg_catalog.pg_attribute AS a
      JOIN pg_catalog.pg_attribute AS s ON s.attrelid = a.attrelid AND s.attnum = -1
      JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     CROSS JOIN LATERAL (
           SELECT pg_catalog.age(a.xmin) < pg_catalog.age(c.xmin)
                  OR (a.xmin = c.xmin AND a.xmax::text = '0' AND c.xmax::text = '0'
                      AND a.cmin::text::bigint > c.cmin::text::bigint),
                  (a.atthasmissing AND NOT a.atthasdef)
                  OR EXISTS (SELECT
                               FROM pg_catalog.pg_attrdef AS d
                              WHERE (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
                                AND d.xmin = a.xmin
                                AND a.cmin::text::bigint <= d.cmin::text::bigint + 1)
                  OR EXISTS (SELECT
                               FROM pg_catalog.pg_constraint AS o
                              WHERE o.conrelid = a.attrelid
                                AND o.contype = 'n'
                                AND o.conkey = ARRAY[a.attnum]
                                AND o.xmin = a.xmin
                                AND a.cmin::text::bigint <= o.cmin::text::bigint + 1)) AS w (later, given)
     WHERE a.attnum > 0
       AND (n.nspname, c.relname) IN (SELECT *
                                       FROM ROWS FROM (pg_catalog.unnest(%s::name[]), pg_catalog.unnest(%s::name[])))
     ORDER BY n.nspname, c.relname, a.attnum"""


# The kinds of objects that an extension may have, by the catalog that they are in.
CLASSES = frozenset({"table", "foreign_table", "view", "sequence"})
ROUTINES = frozenset({"function", "aggregate"})
TYPES = frozenset({"enum", "composite", "domain", "range", "base_type"})

MEMBERS = """
    SELECT o.class, o.name, pg_catalog.format('ALTER EXTENSION %%I DROP %%s %%s', e.extname, o.word, o.name)
      FROM (SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, c.oid, n,
                   CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
                                  WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END
              FROM pg_catalog.unnest(%s::text[]) AS n
              JOIN pg_catalog.pg_class AS c ON c.oid = pg_catalog.to_regclass(n)
            UNION ALL
            SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass, p.oid, n,
                   CASE p.prokind WHEN 'a' THEN 'AGGREGATE' ELSE 'ROUTINE' END
              FROM pg_catalog.unnest(%s::text[]) AS n
              JOIN pg_catalog.pg_proc AS p ON p.oid = pg_catalog.to_regprocedure(n)
            UNION ALL
            SELECT 'pg_catalog.pg_type'::pg_catalog.regclass, t.oid, n,
                   CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END
              FROM pg_catalog.unnest(%s::text[]) AS n
              JOIN pg_catalog.pg_type AS t ON t.oid = pg_catalog.to_regtype(n)) AS o (class, oid, name, word)
      JOIN pg_catalog.pg_depend AS d ON (d.classid, d.objid, d.deptype) = (o.class, o.oid, 'e')
      JOIN pg_catalog.pg_extension AS e ON e.oid = d.refobjid"""


async def look_closer(connection: AsyncConnection[Any], reading: Reading, findings: Collection[Finding]) -> Reading:
    """Return a reading with more details on findings; the same reading if no details are needed."""
    tables = [one.key for one in findings if one.attribute == SWAPPED and one.key.kind != "enum"] + _exchanged(findings)
    lacking = [one for one in _lacking(findings) if one not in tables]
    others = [one.key.path[0] for one in findings if (one.key.kind, one.attribute) == ("extension", "version")]
    absent = [one.key for one in findings if one.actual == MISSING and one.attribute is None]
    absent = [one for one in absent if one.kind in CLASSES | ROUTINES | TYPES]
    if not tables and not lacking and not others and not absent:
        return reading
    async with read_only(connection, {**SESSION, **LIMITS}):
        updates = {name: await _updates(connection, name) for name in others}
        touched = await _touches(connection, reading, [*tables, *lacking])
        touched = {one: columns for one, columns in touched.items() if one in tables or _may_replace(columns)}
        members = await _members(connection, absent)
    known = touched or others or members
    return replace(reading, touched=touched, updates=updates, members=members) if known else reading


async def measure(connection: AsyncConnection[Any], reading: Reading, script: Script) -> Reading:
    """Return a reading with the rows and the sizes that a script depends on, and with what the role may do."""
    queries = tuple(dict.fromkeys(one.rows for one in script if one.rows))
    relations = tuple(dict.fromkeys(cost.relation for one in script for cost in one.costs))[:SIZED]
    async with read_only(connection, {**SESSION, **LIMITS}):
        rights = await read_rights(connection)
    sizes = await _sizes(connection, relations)
    return replace(reading, rows=await _counts(connection, queries), sizes=sizes, rights=rights)


# How long all questions about rows of one script may take together, and each of them.
ASKED_S, PATIENCE_MS = 3.0, 300
SIZED = 1000  # as many relations of one script are measured at most


async def _sizes(connection: AsyncConnection[Any], relations: tuple[str, ...]) -> dict[str, Size]:
    """Return how large these relations are, without those that do not exist; nothing if the server does not say."""
    if not relations:
        return {}
    try:
        return await read_sizes(connection, relations)
    except HealthdError:
        if connection.closed:
            raise
        return {}


async def _counts(connection: AsyncConnection[Any], queries: tuple[str, ...]) -> dict[str, int]:
    """Return how many rows these queries return, without those that fail, take too long, or might never end.

    Those for which no time is left are not known either.
    """
    found: dict[str, int] = {}
    if not queries:
        return found
    # Rows that row security hides are rows: with this setting the query fails instead.
    limits = {**SESSION, **LIMITS, "row_security": "off", "statement_timeout": f"{PATIENCE_MS}ms"}
    async with read_only(connection, limits):
        if await has_circular_domains(connection):
            return found
        until = monotonic() + ASKED_S
        for query in queries:
            if monotonic() > until:
                break
            counted = f"SELECT count(*) FROM ({query} LIMIT {COUNTED}) AS r"  # noqa: S608 # our own query
            try:
                async with connection.transaction():
                    row = await (await connection.execute(counted.encode())).fetchone()
                    found[query] = row[0] if row else 0
            except Error as error:  # or: not permitted, not possible before the first steps, locked, too slow
                if connection.closed:
                    raise
                if _is_refused(error):
                    found[query] = REFUSED
    return found


def _is_refused(error: Error) -> bool:
    """Return whether what is asked cannot be done: a type, a check or a function refuses a value.

    Types of extensions call a text that is none of theirs a syntax error, or an internal one.
    """
    by_value = isinstance(error, (errors.SyntaxError, errors.InternalError_)) and not error.diag.statement_position
    return by_value or isinstance(
        error, (errors.DataError, errors.CheckViolation, errors.NotNullViolation, errors.RaiseException)
    )


def _exchanged(findings: Iterable[Finding]) -> list[Key]:
    """Return the tables that lack a column and have another one: one column may have been renamed and changed."""
    columns = [one for one in findings if one.key.kind == "column" and one.attribute is None]
    extra = {one.key.path[:2] for one in columns if one.expected == NOTHING}
    return [one for one in _lacking(columns) if one.path in extra]


def _lacking(findings: Iterable[Finding]) -> list[Key]:
    """Return the tables that lack a column: another one that was dropped may have given it its name."""
    columns = (one for one in findings if one.key.kind == "column" and one.attribute is None)
    return [Key("table", path) for path in sorted({one.key.path[:2] for one in columns if one.actual == MISSING})]


def _may_replace(columns: Iterable[TouchedColumn]) -> bool:
    """Return whether a column may have got the name of another one: one was dropped by hand, and one changed."""
    changed = [one.name for one in columns if not one.untouched]
    return None in changed and any(name is not None for name in changed)


async def _updates(connection: AsyncConnection[Any], extension: str) -> frozenset[tuple[str, str]]:
    """Return from which version an extension can be updated to which; none if its files are not installed."""
    query = """SELECT p.source, p.target FROM pg_catalog.pg_extension_update_paths(%s) AS p WHERE p.path IS NOT NULL"""
    try:
        async with connection.transaction():
            return frozenset(await rows_of(connection, query, [extension]))
    except (errors.ProgrammingError, errors.OperationalError, errors.InternalError, errors.NotSupportedError):
        if connection.closed:
            raise
        return frozenset()


async def _members(connection: AsyncConnection[Any], absent: Collection[Key]) -> dict[Key, str]:
    """Return the statements that take these objects out of their extensions, of those that are parts of one."""
    found: dict[Key, str] = {}
    if absent:
        named = [{one.sql: one for one in absent if one.kind in kinds} for kinds in (CLASSES, ROUTINES, TYPES)]
        rows = await rows_of(connection, MEMBERS, [list(one) for one in named])
        of_class = dict(zip(("pg_class", "pg_proc", "pg_type"), named, strict=True))
        found = {of_class[where][name]: statement for where, name, statement in rows}
    return found


async def _touches(
    connection: AsyncConnection[Any], reading: Reading, tables: list[Key]
) -> dict[Key, tuple[TouchedColumn, ...]]:
    if not tables:
        return {}
    migrated = await _transactions(connection, reading.ledger.schemas)
    values = [one.path[0] for one in tables], [one.path[1] for one in tables]
    rows = await rows_of(connection, QUERY, values)
    return {one: tuple(_touched(rows, one, migrated)) for one in tables}


async def _transactions(connection: AsyncConnection[Any], schemas: Iterable[str]) -> frozenset[str]:
    """Return the transactions that wrote the rows of the ledger: those of the migrations themselves."""
    found: set[str] = set()
    for schema in schemas:
        query = sql.SQL("SELECT DISTINCT m.xmin::text FROM {} AS m").format(sql.Identifier(schema, BOOKS[0]))
        found |= {one for (one,) in await (await connection.execute(query)).fetchall()}
    return frozenset(found)


def _touched(rows: Iterable[Any], table: Key, migrated: frozenset[str]) -> Iterable[TouchedColumn]:
    for schema, name, column, age, command, by, made_by, kept, late in rows:
        if (schema, name) == table.path:
            untouched = by == made_by or by in migrated
            yield TouchedColumn(column, (age, command), untouched, made_by in migrated, kept, late)
