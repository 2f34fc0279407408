"""One question whose answer changes when anything changes that a round looks at; cheap while it does not.

The answer is made of tuple identities (xmin, ctid), never of deparsed text. ANALYZE and VACUUM change rows of
pg_class in place and do not move it. What moves it without need (a temporary table, VACUUM FULL of a catalog)
costs a full round and nothing else.
"""

from typing import Any

from healthd.catalog.visible import BOOKS
from healthd.database import DIGESTS, LIMITS, MIGRATION_LOCK, SESSION, read_only
from healthd.model import quote

CATALOGS = """
    pg_aggregate pg_am pg_amop pg_amproc pg_attrdef pg_attribute pg_auth_members pg_cast pg_class pg_collation
    pg_constraint pg_conversion pg_database pg_db_role_setting pg_default_acl pg_depend pg_description pg_enum
    pg_event_trigger pg_extension pg_foreign_data_wrapper pg_foreign_server pg_foreign_table pg_index pg_inherits
    pg_init_privs pg_language pg_namespace pg_opclass pg_operator pg_opfamily pg_partitioned_table pg_policy pg_proc
    pg_publication pg_publication_namespace pg_publication_rel pg_range pg_rewrite pg_seclabel pg_sequence
    pg_shdepend pg_statistic_ext pg_transform pg_trigger pg_ts_config pg_ts_config_map pg_ts_dict pg_ts_parser
    pg_ts_template pg_type""".split()

# What not everybody may read is seen through its view, or its readable columns.
VIEWS = (
    "SELECT v::text FROM pg_catalog.pg_roles AS v",
    "SELECT v::text FROM pg_catalog.pg_user_mappings AS v",
    "SELECT ROW(v.subname, v.subowner, v.subenabled, v.subpublications)::text FROM pg_catalog.pg_subscription AS v",
)
HOLDERS = """
    SELECT pg_catalog.string_agg(l.pid::text, ',')
      FROM pg_catalog.pg_locks AS l
     WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND (l.classid, l.objid) = ({}::oid, {}::oid)"""
SETTINGS = ("DateStyle", "IntervalStyle", "TimeZone", "bytea_output", "client_encoding", "extra_float_digits")


async def question(connection: Any) -> str:
    """Return the question for this database: over the catalogs that its server has, and its ledger's tables."""
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
            [CATALOGS, [BOOKS[0], DIGESTS]],
        )
        found = await cursor.fetchall()
    # Names of tables that we quote, and texts of our own: nothing here comes from anybody else.
    tables = [f"{quote(schema)}.{quote(table)}" for schema, table in found]
    # PostgreSQL 13 cannot hash a record.
    row = "hash_record_extended(ROW(t.xmin, t.ctid), 0)"
    if connection.info.server_version < 140000:
        row = "hashtextextended(ROW(t.xmin, t.ctid)::text, 0)"
    sums = [f"SELECT sum({row}) FROM {table} AS t" for table in tables]  # noqa: S608
    sums += [f"SELECT sum(hashtextextended(t.v, 0)) FROM ({view}) AS t(v)" for view in VIEWS]  # noqa: S608
    settings = [f"pg_catalog.current_setting('{name}')" for name in SETTINGS]
    holders = HOLDERS.format(*MIGRATION_LOCK)
    parts = ["pg_catalog.pg_postmaster_start_time()", *settings, *(f"({one})" for one in (holders, *sums))]
    return f"SELECT pg_catalog.jsonb_build_array({', '.join(parts)})::text"


async def ask(connection: Any, question: str) -> str:
    """Return the answer: equal answers mean that two rounds would see the same.

    Take it before the round that it stands for: what changes in between then moves the next answer.
    """
    async with read_only(connection, LIMITS):  # whoever holds the ledger locked holds no round up
        row = await (await connection.execute(question.encode())).fetchone()
    return str(row[0])
