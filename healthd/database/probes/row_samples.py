"""A bounded sample of real rows: how many of them contain what the models of the contracts cannot read.

The server examines and counts the rows; it returns numbers, and the primary key of one row for each problem.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

import psycopg
from psycopg import AsyncConnection, sql

from healthd.contracts.row_conditions import Column, Question, questions
from healthd.database.connection import LIMITS, SESSION, read_only, rows_of
from healthd.model.contracts import Contract
from healthd.model.names import Key
from healthd.model.observations import Sample, Unsampled

# The columns of these tables, with the type inside domains and arrays, whether healthd may read them, and what is
# needed to sample the table: roughly how many rows and pages it has, with all partitions and children.
COLUMNS = """
    WITH RECURSIVE wanted AS (
            SELECT DISTINCT c.oid, n.oid AS schema, n.nspname, c.relname
              FROM unnest(%s::text[], %s::text[]) AS w(schema, name)
              JOIN pg_catalog.pg_namespace AS n ON n.nspname = w.schema
              JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = w.name
             WHERE c.relkind IN ('r', 'p', 'm')),
         parts(root, oid) AS (
            SELECT w.oid, w.oid FROM wanted AS w
             UNION
            SELECT p.root, i.inhrelid FROM parts AS p JOIN pg_catalog.pg_inherits AS i ON i.inhparent = p.oid),
         sizes AS (
            SELECT p.root, sum(greatest(c.reltuples, 0))::float8 AS rows, sum(c.relpages)::float8 AS pages
              FROM parts AS p
              JOIN pg_catalog.pg_class AS c ON c.oid = p.oid AND c.relkind <> 'p'
             GROUP BY 1),
         members AS (
            SELECT w.*, a.attnum, a.attname, a.atttypid
              FROM wanted AS w
              JOIN pg_catalog.pg_attribute AS a ON a.attrelid = w.oid AND a.attnum > 0 AND NOT a.attisdropped),
         types(first, oid, arrays) AS (
            SELECT m.atttypid, m.atttypid, 0 FROM members AS m
             UNION
            SELECT s.first,
                   CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.typelem END,
                   s.arrays + (t.typtype <> 'd')::int
              FROM types AS s
              JOIN pg_catalog.pg_type AS t ON t.oid = s.oid
             WHERE t.typtype = 'd' OR (t.typcategory = 'A' AND t.typelem <> 0))
    SELECT m.nspname, m.relname, m.attname,
           pg_catalog.format_type(t.oid, NULL), s.arrays, t.typtype = 'e',
           coalesce(z.rows, 0), coalesce(z.pages, 0),
           coalesce(m.attnum = ANY (i.indkey::int2[]), false),
           pg_catalog.has_schema_privilege(m.schema, 'USAGE')
           AND pg_catalog.has_column_privilege(m.oid, m.attnum, 'SELECT'),
           pg_catalog.row_security_active(m.oid),
           current_user
      FROM members AS m
      JOIN types AS s ON s.first = m.atttypid
      JOIN pg_catalog.pg_type AS t
        ON t.oid = s.oid AND t.typtype <> 'd' AND (t.typcategory <> 'A' OR t.typelem = 0)
      LEFT JOIN sizes AS z ON z.root = m.oid
      LEFT JOIN pg_catalog.pg_index AS i ON i.indrelid = m.oid AND i.indisprimary
     ORDER BY m.nspname, m.relname, m.attnum"""

# Only keys of these types are shown: a number or a UUID identifies a row, a text may be part of its content.
SHOWN = frozenset({"smallint", "integer", "bigint", "uuid"})
SMALL_PAGES = 1000  # 8 MiB: up to this size a table is sampled by rows, beyond it by pages
SPARE = 1.5  # the factor by which more rows are drawn than requested: a draw may fall short


@dataclass(frozen=True, slots=True)
class Samples:
    """What was found in the rows, the tables that were not read, and the draw that selects the same rows again."""

    found: tuple[Sample, ...] = ()
    unsampled: tuple[Unsampled, ...] = ()
    draw: int = 0


@dataclass(frozen=True, slots=True)
class _Table:
    """A table to sample."""

    key: Key
    questions: tuple[Question, ...]
    id: tuple[str, ...]  # the columns of the primary key, if it may be shown
    rows: float
    pages: float


async def sample_rows(
    connection: AsyncConnection[Any],
    contracts: Sequence[Contract],
    *,
    rows: int,
    budget_s: float,
    last: Samples | None = None,
) -> Samples:
    """Examine up to `rows` rows of each table that a model reads, in one read-only transaction, within `budget_s`.

    A sample in which a problem was found is drawn again the next time, so that a finding remains until it is fixed;
    otherwise other rows are drawn. Tables for which the time was too short come first the next time.
    """
    last = last or Samples()
    draw = last.draw if last.found else last.draw + 1
    end = monotonic() + budget_s
    found: list[Sample] = []
    settings = {**SESSION, **LIMITS, "row_security": "off"}  # rows that a policy hides must not count as clean
    async with read_only(connection, settings):
        tables, unsampled = await _tables(connection, contracts)
        before = {one.key for one in last.unsampled}
        for table in sorted(tables, key=lambda one: one.key not in before):
            left_ms = int((end - monotonic()) * 1000)
            why = "time" if left_ms <= 0 else None
            if why is None:
                samples, why = await _look(connection, table, rows, draw, left_ms)
                found += samples
            if why is not None:
                unsampled.append(Unsampled(table.key, why))
    return Samples(tuple(found), tuple(unsampled), draw)


async def _tables(
    connection: AsyncConnection[Any], contracts: Iterable[Contract]
) -> tuple[list[_Table], list[Unsampled]]:
    """Return the tables that can be examined, with their conditions, and those that healthd may not read."""
    models = [model for contract in contracts for model in contract.models.values()]
    paths = sorted({Key.parse(f"table:{model.table}").path for model in models})
    rows = await rows_of(connection, COLUMNS, [[schema for schema, _ in paths], [name for _, name in paths]])
    columns, grouped = {}, dict[Key, list[Any]]()
    for row in rows:
        schema, table, name, type_, arrays, is_enum = row[:6]
        grouped.setdefault(Key("table", (schema, table)), []).append(row)
        if arrays < 2:
            key = Key("column", (schema, table, name))
            columns[key] = Column(key, type_, arrays == 1, is_enum)
    asked = questions(contracts, columns, connection.info.server_version)
    tables, unsampled = [], []
    for key, members in grouped.items():
        ours = tuple(one for one in asked if one.key.path[:2] == key.path)
        readable = {row[2] for row in members if row[9]}
        *_, rows_there, pages, _, _, hidden, role = members[0]
        refused = tuple(dict.fromkeys(one.key.path[2] for one in ours if one.key.path[2] not in readable))
        if refused:
            unsampled.append(Unsampled(key, "denied", role, refused))
        if readable and hidden and ours:
            unsampled.append(Unsampled(key, "policy", role))
        elif may := tuple(one for one in ours if one.key.path[2] in readable):
            of_key = [row for row in members if row[8]]
            shown = all(row[3] in SHOWN and not row[4] and row[9] for row in of_key)
            id_ = tuple(row[2] for row in of_key) if shown else ()
            tables.append(_Table(key, may, id_, rows_there, pages))
    return tables, unsampled


async def _look(
    connection: AsyncConnection[Any], table: _Table, rows: int, draw: int, left_ms: int
) -> tuple[list[Sample], str | None]:
    """Return the problems of one table, or why it could not be read: never the server's message, which has values."""
    try:
        async with connection.transaction():
            await connection.execute("SELECT set_config('statement_timeout', %s, true)", [str(left_ms)])
            row = await (await connection.execute(_statement(table, rows, draw))).fetchone()
    except psycopg.Error as error:
        if connection.closed or error.sqlstate is None:
            raise
        return [], {"57014": "time", "55P03": "lock"}.get(error.sqlstate, error.sqlstate)
    assert row is not None
    seen, *counts = row
    found = []
    for question, count, example in zip(table.questions, counts[::2], counts[1::2], strict=True):
        if count:
            parts = json.loads(example) if example else ()
            named = ", ".join(f"{name} = {part}" for name, part in zip(table.id, parts, strict=False))
            found.append(
                Sample(question.key, question.trouble, question.who, count, seen, named or None, _rows(question))
            )
    return found, None


def _rows(question: Question) -> str:
    """Return the SQL that shows all rows with a problem to those who may see them."""
    key = Key("table", question.key.path[:2])
    column = Key("column", question.key.path[2:])
    return f"SELECT * FROM {key.sql} WHERE {question.on(column.sql)};"  # noqa: S608 # printed, not run


def _statement(table: _Table, rows: int, draw: int) -> sql.Composed:
    """Return the query for one table: how many rows were examined, how many have each problem, and one example."""
    names = list(dict.fromkeys([*table.id, *(one.key.path[2] for one in table.questions)]))
    alias = {name: sql.Identifier("s", f"c{number}") for number, name in enumerate(names)}
    inner = [
        sql.SQL("{} AS {}").format(sql.Identifier("t", name), sql.Identifier(f"c{number}"))
        for number, name in enumerate(names)
    ]
    parts: list[sql.Composable] = [sql.SQL("pg_catalog.count(*)")]
    for one in table.questions:
        condition = sql.SQL(one.on(alias[one.key.path[2]].as_string(None)))
        parts.append(sql.SQL("pg_catalog.count(*) FILTER (WHERE {})").format(condition))
        if table.id:
            ids = sql.SQL(", ").join(alias[name] for name in table.id)
            text = 'pg_catalog.min(pg_catalog.jsonb_build_array({})::text COLLATE "C") FILTER (WHERE {})'
            parts.append(sql.SQL(text).format(ids, condition))
        else:
            parts.append(sql.SQL("NULL::text"))
    return sql.SQL("SELECT {} FROM (SELECT {} FROM {} AS t{} LIMIT {}) AS s").format(
        sql.SQL(", ").join(parts),
        sql.SQL(", ").join(inner),
        sql.Identifier(*table.key.path),
        _drawn(table, rows, draw),
        sql.Literal(rows),
    )


def _drawn(table: _Table, rows: int, draw: int) -> sql.Composable:
    """Return the clause that draws about so many rows; empty if the table has no more, or was never analyzed."""
    if table.rows <= rows:
        return sql.SQL("")
    percent = min(100.0, 100.0 * SPARE * rows / table.rows)
    way = "BERNOULLI" if table.pages <= SMALL_PAGES else "SYSTEM"
    return sql.SQL(f" TABLESAMPLE {way} ({{}}) REPEATABLE ({{}})").format(sql.Literal(percent), sql.Literal(draw))
