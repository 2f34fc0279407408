"""The objects of the server itself that a migration can create or change, and that no database contains."""

from __future__ import annotations

from typing import Any

from healthd.database.driver_errors import translated
from healthd.expected.lockfile import Needed
from healthd.model.names import quote

# Kind, name, and everything about them that a migration could change.
GLOBALS = """
    SELECT 'database', d.datname::text,
           pg_catalog.concat_ws(' ', d.datdba, d.datallowconn, d.datconnlimit, d.datistemplate, d.datacl)
      FROM pg_catalog.pg_database AS d
     WHERE d.datname <> ALL ('{replay,replay_copy}')
    UNION ALL
    SELECT 'tablespace', t.spcname::text, pg_catalog.concat_ws(' ', t.spcowner, t.spcacl, t.spcoptions)
      FROM pg_catalog.pg_tablespace AS t
    UNION ALL
    SELECT 'role', r.rolname::text,
           pg_catalog.concat_ws(' ', r.rolsuper, r.rolinherit, r.rolcreaterole, r.rolcreatedb, r.rolcanlogin,
                                r.rolreplication, r.rolbypassrls, r.rolconnlimit, r.rolvaliduntil, r.rolconfig)
      FROM pg_catalog.pg_roles AS r
    UNION ALL
    SELECT 'membership', m.roleid::regrole::text || ' ' || m.member::regrole::text, m.admin_option::text
      FROM pg_catalog.pg_auth_members AS m
    UNION ALL
    SELECT 'setting', pg_catalog.concat_ws(' ', d.datname, s.setrole::regrole), s.setconfig::text
      FROM pg_catalog.pg_db_role_setting AS s
      LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.setdatabase
     WHERE COALESCE(d.datname, '') <> ALL ('{replay,replay_copy}')
    UNION ALL
    SELECT 'setting', f.name, f.setting
      FROM pg_catalog.pg_file_settings AS f
    UNION ALL
    SELECT 'replication_slot', s.slot_name::text, s.plugin::text
      FROM pg_catalog.pg_replication_slots AS s
    UNION ALL
    SELECT 'replication_origin', o.roname, ''
      FROM pg_catalog.pg_replication_origin AS o"""
PARAMETERS = """
    UNION ALL
    SELECT 'parameter', p.parname, p.paracl::text
      FROM pg_catalog.pg_parameter_acl AS p"""
# What belongs to a database and is not copied with it: its settings, its privileges, its subscriptions.
NOT_COPIED = """
    SELECT FROM pg_catalog.pg_database AS d
     WHERE d.datname = pg_catalog.current_database()
       AND (d.datacl IS NOT NULL
            OR EXISTS (SELECT FROM pg_catalog.pg_db_role_setting AS s WHERE s.setdatabase = d.oid)
            OR EXISTS (SELECT FROM pg_catalog.pg_shseclabel AS l WHERE l.objoid = d.oid)
            OR EXISTS (SELECT FROM pg_catalog.pg_shdescription AS c WHERE c.objoid = d.oid)
            OR EXISTS (SELECT FROM pg_catalog.pg_replication_slots AS s WHERE s.database = d.datname)
            OR EXISTS (SELECT FROM pg_catalog.pg_subscription AS s WHERE s.subdbid = d.oid))"""
MAKE = {
    "role": ("CREATE ROLE {}",),
    "tablespace": ("SET allow_in_place_tablespaces = on", "CREATE TABLESPACE {} LOCATION ''"),
}

Global = tuple[str, str, str]


async def globals_of(connection: Any) -> frozenset[Global]:
    """Return the objects of the server."""
    query = GLOBALS + (PARAMETERS if connection.info.server_version >= 150000 else "")
    with translated():  # it is asked twice for each file, and planning takes longer than the query
        return frozenset(await (await connection.execute(query.encode(), prepare=True)).fetchall())


async def make(connection: Any, one: Needed) -> None:
    """Create what migrations name and no file creates."""
    with translated():
        for statement in MAKE[one.kind]:
            await connection.execute(statement.format(quote(one.name)).encode())
