"""How many rows and values are in tables and columns that are about to be dropped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from healthd.database.circular_domains import has_circular_domains
from healthd.database.connection import LIMITS, SESSION, read_only
from healthd.database.held_connection import Where, lent
from healthd.errors import HealthdError
from healthd.model.names import Key, quote

ENOUGH = 10_000  # counted up to here; beyond it the server's own estimate is shown
CONSTANT = re.compile(r"(?:'(?:[^']|'')*'|-?[0-9.]+|true|false|NULL)(?:::[\w\s\"().,]+(?:\[\])?)?\Z")


async def losses(where: Where, keys: Sequence[Key]) -> tuple[str, ...]:
    """Return, in words, what each of these tables and columns contains; empty ones are omitted.

    A value that equals the column's constant default is not counted: adding the column again restores it.
    """
    if not keys:
        return ()
    found = []
    async with lent(where) as connection:
        for key in keys:
            count = await _count(connection, key)
            if count is None:
                found.append(f"possibly the contents of {key}")
            elif count:
                many = f"about {count:,}" if count > ENOUGH else f"{count:,}"
                noun = "row" if key.kind == "table" else "value"
                found.append(f"{many} {noun}{'s' * (count != 1)} of {key}")
    return tuple(found)


async def _count(connection: Any, key: Key) -> int | None:
    """Return how many rows or values an object has, 0 if it does not exist, None if they cannot be counted."""
    try:
        async with read_only(connection, {**SESSION, **LIMITS, "statement_timeout": "5s"}):
            schema, table, *columns = key.path
            column = columns[0] if columns else None
            values = {"schema": schema, "table": table, "column": column}
            rows = await (await connection.execute(WHAT, values)).fetchall()
            if not rows:
                return 0
            estimate, default, generated = rows[0]
            if generated:
                return 0
            if column and await has_circular_domains(connection):
                return None
            usual = default if default and CONSTANT.match(default) else "NULL"
            where = f"WHERE t.{quote(column)}::text IS DISTINCT FROM ({usual})::text " if column else ""
            source = f"{quote(schema)}.{quote(table)} AS t {where}LIMIT {ENOUGH + 1}"
            counted = f"SELECT count(*) FROM (SELECT FROM {source}) AS counted"  # noqa: S608 # quoted names
            (count,) = await (await connection.execute(counted.encode())).fetchone()
            return max(int(count), int(estimate)) if count > ENOUGH else int(count)
    except HealthdError:
        if connection.closed:
            raise
        return None


WHAT = """
    SELECT greatest(c.reltuples, 0)::bigint,
           pg_catalog.pg_get_expr(d.adbin, d.adrelid),
           coalesce(a.attgenerated, '') <> ''
      FROM pg_catalog.pg_class AS c
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
      LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attname = %(column)s AND NOT a.attisdropped
      LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
     WHERE n.nspname = %(schema)s
       AND c.relname = %(table)s
       AND c.relkind IN ('r', 'p')
       AND (%(column)s::text IS NULL OR a.attnum IS NOT NULL)"""
