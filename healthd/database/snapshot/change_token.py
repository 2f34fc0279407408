"""Two cheap queries whose results change when anything changes that a round reads.

The first one costs almost nothing: the snapshot of transaction numbers. While it is unchanged, nothing was committed
on the entire server, which proves that nothing has changed. If other transactions commit it changes, and the second
query is used: tuple identities (xmin, and their order) of the catalogs, never deparsed text. ANALYZE and VACUUM update
rows of pg_class in place and do not change it. What changes it unnecessarily (a temporary table, VACUUM FULL of a
catalog) costs a full round and nothing else.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from healthd.database.connection import LIMITS, SESSION, answer, answer_planned, read_only, rows_of
from healthd.model.ledger import BOOKS, COPIES, DIGESTS, MIGRATION_LOCK, PROGRESS, TEXTS
from healthd.model.names import quote

# pg_attrdef is not included: setting or dropping a default also updates the column's row in pg_attribute.
CATALOGS = """
    pg_aggregate pg_am pg_amop pg_amproc pg_attribute pg_auth_members pg_cast pg_class pg_collation
    pg_constraint pg_conversion pg_database pg_db_role_setting pg_default_acl pg_depend pg_description pg_enum
    pg_event_trigger pg_extension pg_foreign_data_wrapper pg_foreign_server pg_foreign_table pg_index pg_inherits
    pg_init_privs pg_language pg_namespace pg_opclass pg_operator pg_opfamily pg_partitioned_table pg_policy pg_proc
    pg_publication pg_publication_namespace pg_publication_rel pg_range pg_rewrite pg_seclabel pg_sequence
    pg_statistic_ext pg_tablespace pg_transform pg_trigger pg_ts_config pg_ts_config_map pg_ts_dict pg_ts_parser
    pg_ts_template pg_type""".split()

# Catalogs that not every role may read are read through their views, or their readable columns.
VIEWS = (
    "SELECT v::text FROM pg_catalog.pg_roles AS v",
    "SELECT v::text FROM pg_catalog.pg_user_mappings AS v",
)
SUBSCRIPTIONS = "SELECT ROW({})::text FROM pg_catalog.pg_subscription AS v"
READABLE = """
    SELECT a.attname
      FROM pg_catalog.pg_attribute AS a
     WHERE a.attrelid = 'pg_catalog.pg_subscription'::pg_catalog.regclass
       AND a.attnum > 0
       AND pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT')
     ORDER BY a.attnum"""
HOLDERS = """
    SELECT pg_catalog.string_agg(l.pid::text, ',')
      FROM pg_catalog.pg_locks AS l
     WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND (l.classid, l.objid) = ({}::oid, {}::oid)"""
SETTINGS = ("DateStyle", "IntervalStyle", "TimeZone", "bytea_output", "client_encoding", "extra_float_digits")

# A standby does not list running transactions: its snapshot proves something only while there are none.
STANDING = """CASE WHEN pg_catalog.pg_is_in_recovery()
                 AND pg_catalog.pg_snapshot_xmin(s.now) <> pg_catalog.pg_snapshot_xmax(s.now)
                THEN pg_catalog.clock_timestamp()::text ELSE s.now::text END"""
# What can change although nothing is committed: the server, its configuration, and the holder of the migration lock;
# and, on a new connection, the database and the role, if a service file or a pooler leads elsewhere now.
AROUND = ", ".join(
    (
        "pg_catalog.pg_postmaster_start_time()",
        "pg_catalog.current_database()",
        "SESSION_USER",
        "pg_catalog.pg_is_in_recovery()",
        *(f"pg_catalog.current_setting('{name}')" for name in SETTINGS),
        f"({HOLDERS.format(*MIGRATION_LOCK)})",
    )
)
FIRST = f"{STANDING}, pg_catalog.jsonb_build_array({AROUND})::text"
FROM = "FROM (SELECT pg_catalog.pg_current_snapshot()) AS s(now)"

# The row order of the catalogs matters: scans must not be synchronized with others, nor run in parallel.
SETTLED = {**LIMITS, "synchronize_seqscans": "off", "max_parallel_workers_per_gather": "0", "jit": "off"}
SET = "".join(f"SET LOCAL {name} TO '{value}'; " for name, value in SETTLED.items())


@dataclass(frozen=True, slots=True)
class Mark:
    """The results of the queries; `busy` means that other transactions commit, so that the sums are queried at once.

    `question` is the query for all three, for the catalogs of this server and the tables of this ledger; it is empty
    as long as the sums were never needed. If it is repeated in every round, it is `planned` once. `catalogs` are what
    the sums are of, in their order: a catalog by its name, anything else with its schema, or as a view's query.
    """

    standing: str
    around: str
    question: str = ""
    sums: str = ""
    busy: bool = False
    planned: bool = True
    catalogs: tuple[str, ...] = ()

    def changed_since(self, last: Mark) -> frozenset[str] | None:
        """Return the catalogs whose sums differ from those of an earlier mark; None if it is not known."""
        if not self.sums or not last.sums or self.question != last.question:
            return None
        pairs = zip(self.catalogs, json.loads(last.sums), json.loads(self.sums), strict=True)
        return frozenset(name for name, one, other in pairs if one != other)

    def rows(self, catalog: str) -> int:
        """Return how many rows a catalog has, of those that the sums are of."""
        return int(json.loads(self.sums)[self.catalogs.index(catalog)].partition(" ")[0])


# Rows of two large catalogs that no round reads are omitted: in pg_depend all but those of extensions (ALTER SEQUENCE
# … OWNED BY also updates the row of the sequence), in pg_description those of built-in objects.
SOME = {
    "pg_depend": " WHERE t.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass",
    "pg_description": " WHERE t.objoid >= 16384 OR t.classoid = 'pg_catalog.pg_namespace'::pg_catalog.regclass",
}


async def take_mark(connection: Any, *, busy: bool, planned: bool = True) -> Mark:
    """Return the mark of a database; the sums are included if it is busy.

    Take it before the round that it stands for: a change in between then changes the next result.
    """
    if not busy:
        standing, around = await answer(connection, f"SELECT {FIRST} {FROM}")
        return Mark(standing, around)
    whole, catalogs = await _question(connection)
    standing, around, sums = await _answer(connection, whole, planned=planned)
    return Mark(standing, around, whole, sums, busy=True, planned=planned, catalogs=catalogs)


async def _answer(connection: Any, question: str, *, planned: bool) -> list[str]:
    if planned:
        return await answer_planned(connection, question, SET)
    return await answer(connection, f"BEGIN READ ONLY; {SET}{question}; COMMIT")


async def _question(connection: Any) -> tuple[str, tuple[str, ...]]:
    """Return the query, and what each of its sums is of."""
    async with read_only(connection, {**SESSION, **LIMITS}):
        cursor = await connection.execute(
            """SELECT n.nspname, c.relname
                 FROM pg_catalog.pg_class AS c
                 JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                WHERE c.relkind = 'r' AND c.relpersistence <> 't'
                  AND (n.nspname = 'pg_catalog' AND c.relname = ANY (%s)
                       OR n.nspname !~ '^pg_' AND c.relname = ANY (%s))
                  AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
                  AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
                ORDER BY 1, 2""",
            [CATALOGS, [BOOKS[0], DIGESTS, PROGRESS, TEXTS, COPIES]],
        )
        tables = await cursor.fetchall()
        columns = [f"v.{quote(name)}" for (name,) in await rows_of(connection, READABLE)]
    # Quoted names of tables, and constants: nothing here comes from outside.
    sums = [_identities(f"{quote(schema)}.{quote(table)}", table) for schema, table in tables]
    views = (*VIEWS, SUBSCRIPTIONS.format(", ".join(columns)))
    sums += [f"SELECT pg_catalog.sum(pg_catalog.hashtextextended(t.v, 0)) FROM ({view}) AS t(v)" for view in views]  # noqa: S608
    names = (table if schema == "pg_catalog" else f"{schema}.{table}" for schema, table in tables)
    whole = f"SELECT {FIRST}, pg_catalog.jsonb_build_array({', '.join(f'({one})' for one in sums)})::text {FROM}"
    return whole, (*names, *views)


def _identities(table: str, name: str) -> str:
    """Return the SQL that counts the rows of a table, and computes one number from the xmin of each."""
    where = SOME.get(name, "")
    number = "pg_catalog.hash_array_extended(pg_catalog.array_agg(t.xmin), 0)"
    return f"SELECT pg_catalog.concat_ws(' ', pg_catalog.count(*), {number}) FROM {table} AS t{where}"  # noqa: S608


async def look(connection: Any, last: Mark) -> tuple[bool, Mark]:
    """Return whether a round would read the same now as then, and the present mark."""
    if not last.busy:
        standing, around = await answer(connection, f"SELECT {FIRST} {FROM}")
        if around == last.around and standing == last.standing:
            return True, last
    if not last.question:
        return False, await take_mark(connection, busy=True)
    standing, around, sums = await _answer(connection, last.question, planned=last.planned)
    now = replace(last, standing=standing, around=around, sums=sums, busy=standing != last.standing)
    return (around, sums) == (last.around, last.sums), now
