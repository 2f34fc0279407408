"""The tables that keep the books: yoyo's own and ours, in one schema, made where they are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yoyo import internalmigrations

from healthd.database.connection import DIGESTS, PROGRESS, place
from healthd.errors import MigrationFailed, PermissionDenied
from healthd.migrations import progress
from healthd.migrations.sending import NOTHING
from healthd.model import quote

if TYPE_CHECKING:
    from healthd.migrations.backend import Backend

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
    missing = {backend.lock_table, DIGESTS, PROGRESS} - set(backend.list_tables())
    upgrade = internalmigrations.needs_upgrading(backend)
    schema = backend.one("SELECT current_schema")
    if not missing and not upgrade:
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
        if backend.lock_table in missing:
            backend.execute(backend.format_sql(backend.create_lock_table_sql))
        if DIGESTS in missing:
            migrations = backend.migration_table_quoted
            backend.execute(OF_DIGESTS.format(table=DIGESTS, migrations=migrations))
        if PROGRESS in missing:
            backend.execute(progress.CREATE.format(table=PROGRESS))
    return quote(schema)


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
