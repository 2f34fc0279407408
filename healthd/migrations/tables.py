"""The tables that keep the books: yoyo's own and ours, in one schema, made where they are missing."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from yoyo import internalmigrations
from yoyo.internalmigrations import v2

from healthd.database.connection import DIGESTS, PROGRESS, place
from healthd.errors import MigrationFailed, PermissionDenied
from healthd.migrations import progress
from healthd.migrations.sending import NOTHING
from healthd.model import quote

if TYPE_CHECKING:
    from healthd.migrations.backend import Backend

TABLES = """SELECT c.relname
              FROM pg_catalog.pg_class AS c
              JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
             WHERE n.nspname = current_schema AND c.relkind = 'r'"""
YOYOS = max(internalmigrations.schema_versions)  # the version of its tables
OF_DIGESTS = """CREATE TABLE {table} (
                    migration_hash varchar(64) PRIMARY KEY REFERENCES {migrations} ON DELETE CASCADE,
                    migration_id varchar(255) NOT NULL,
                    digest text NOT NULL,
                    rollback_digest text,
                    applied_at timestamptz NOT NULL DEFAULT now(),
                    applied_by text NOT NULL DEFAULT session_user,
                    healthd_version text NOT NULL)"""


def make(backend: Backend) -> str:
    """Make the tables that are missing, all or none, and return their schema, quoted."""
    refuse_second(backend)
    refuse_read_only(backend)
    rows = backend.connection.execute(TABLES).fetchall()  # not yoyo's: that sees only what the role may use
    there = {name for (name,) in rows}
    ours = {backend.lock_table, DIGESTS, PROGRESS} - there
    lost = _lost(backend, there)
    upgrade = not lost and internalmigrations.needs_upgrading(backend)
    schema = backend.one("SELECT current_schema")
    if not ours and not lost and not upgrade:
        return quote(schema)
    if not backend.one("SELECT has_schema_privilege(current_schema, 'CREATE')"):
        role = quote(backend.connection.info.user)
        raise PermissionDenied(
            f"permission denied for schema {schema or 'none'}: the ledger's tables cannot be made; {NOTHING}",
            grant=f"GRANT CREATE ON SCHEMA {quote(schema or 'public')} TO {role};",
        )
    with backend.transaction():
        if upgrade:
            internalmigrations.upgrade(backend)
        for table, create in lost.items():
            if table not in there:
                create(backend)
            if table == backend.version_table:
                internalmigrations.mark_schema_version(backend, YOYOS)
        if backend.lock_table in ours:
            backend.execute(backend.format_sql(backend.create_lock_table_sql))
        if DIGESTS in ours:
            migrations = backend.migration_table_quoted
            backend.execute(OF_DIGESTS.format(table=DIGESTS, migrations=migrations))
        if PROGRESS in ours:
            backend.execute(progress.CREATE.format(table=PROGRESS))
    for table in lost:
        backend.say(f"the ledger's table {table} was {'empty' if table in there else 'gone'}, and was made again")
    return quote(schema)


def _lost(backend: Backend, there: Collection[str]) -> dict[str, Callable[[Backend], None]]:
    """Return what yoyo's own tables lack and nobody misses, with what makes it; raise when it is the ledger itself.

    yoyo makes all of its tables in one transaction: without this, it fails on those that are still there.
    """
    marks, log, version = backend.migration_table, backend.log_table, backend.version_table
    if marks not in there:
        if rest := [name for name in (log, version, DIGESTS) if name in there]:
            raise MigrationFailed(
                f"the ledger's table {marks} is gone, but not {', '.join(rest)}; {NOTHING}",
                hint="bring it back from a backup; or drop what is left of the ledger, and healthd baseline finds "
                "the version",
            )
        return {}
    if "migration_hash" not in _columns(backend, marks):
        return {}  # of an old yoyo, which is brought up to date
    query = f"SELECT max(version) FROM {backend.version_table_quoted}"  # noqa: S608 # yoyo's own name
    known = backend.one(query) if version in there else None
    if known is not None and known > YOYOS:
        raise MigrationFailed(
            f"the ledger is of a newer yoyo: {version} says {known}, and this one knows {YOYOS}; {NOTHING}",
            hint="install the yoyo-migrations that made it; or, when nobody has, put the number right",
        )
    lost: dict[str, Callable[[Backend], None]] = {}
    if log not in there:
        lost[log] = v2.create_log_table
    if known is None:
        lost[version] = v2.create_version_table
    return lost


def _columns(backend: Backend, table: str) -> frozenset[str]:
    query = """SELECT a.attname
                 FROM pg_catalog.pg_attribute AS a
                WHERE a.attrelid = pg_catalog.to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped"""
    return frozenset(name for (name,) in backend.connection.execute(query, (quote(table),)).fetchall())


def refuse_second(backend: Backend) -> None:
    """Raise when the search_path leads past the ledger that is there: everything would run again."""
    elsewhere = backend.one(
        """SELECT string_agg(n.nspname, ', ' ORDER BY n.nspname)
             FROM pg_catalog.pg_class AS c
             JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
            WHERE c.relname = %s AND c.relkind = 'r' AND c.relpersistence <> 't'
              AND n.nspname IS DISTINCT FROM current_schema""",
        (backend.migration_table,),
    )
    if elsewhere is not None:
        here = backend.one("SELECT current_schema")
        raise MigrationFailed(
            f"the ledger {backend.migration_table} is in schema {elsewhere}, but search_path leads to "
            f"{here or 'no schema'}; {NOTHING}",
            hint=f"set search_path to begin with {elsewhere}, or move the ledger's tables",
        )


def refuse_read_only(backend: Backend) -> None:
    """Raise where nothing can be written."""
    if backend.one("SELECT pg_catalog.pg_is_in_recovery()"):
        raise MigrationFailed(
            f"{place(backend.dsn)} is a standby, which only reads; {NOTHING}",
            hint="name the primary, or several hosts and target_session_attrs=read-write",
        )
    if backend.one("SHOW transaction_read_only") == "on":
        raise MigrationFailed(
            f"{place(backend.dsn)} is read-only (default_transaction_read_only is on); {NOTHING}",
            hint="SHOW default_transaction_read_only; a setting of the server, the database or the role says so",
        )
