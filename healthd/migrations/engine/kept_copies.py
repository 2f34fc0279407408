"""How a run keeps copies of the files that it applies in the ledger, in the transaction that marks them as applied."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from healthd._version import __version__
from healthd.errors import LockFileError
from healthd.expected.file_copies import Records
from healthd.expected.files import Migration
from healthd.migrations.engine.session import Session
from healthd.model.ledger import COPIES, DIGESTS, seal_of
from healthd.model.names import quote

if TYPE_CHECKING:
    from healthd.expected.lockfile import LockFile

MOST_BYTES = 16 << 20  # of one migration: a larger one is rather data than schema
CREATE = """CREATE TABLE {table} (
                migration_hash varchar(64) PRIMARY KEY REFERENCES {migrations} ON DELETE CASCADE,
                migration bytea NOT NULL,
                rollback bytea,
                record bytea,
                seal text NOT NULL,
                kept_at timestamptz NOT NULL DEFAULT now(),
                healthd_version text NOT NULL)"""
KEEP = """INSERT INTO {table} (migration_hash, migration, rollback, record, seal, healthd_version)
          VALUES (%s, %s, %s, %s, %s, %s)
          ON CONFLICT (migration_hash) DO UPDATE
             SET migration = EXCLUDED.migration, rollback = EXCLUDED.rollback, record = EXCLUDED.record,
                 seal = EXCLUDED.seal, kept_at = EXCLUDED.kept_at, healthd_version = EXCLUDED.healthd_version;"""
# Roles that may record migrations may keep them, too. Those that may only read the ledger may not read the files.
# Default privileges may have granted more.
HOLDERS = """SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::pg_catalog.regrole::text END
               FROM pg_catalog.pg_class AS c
              CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) AS a
              WHERE c.oid = pg_catalog.to_regclass(%s)
                AND a.privilege_type = ANY (%s) AND a.grantee <> c.relowner"""
RIGHTS = ("SELECT", "INSERT", "UPDATE")
MAY_CREATE = """SELECT pg_catalog.has_schema_privilege(n.oid, 'CREATE'),
                       coalesce(pg_catalog.has_table_privilege(pg_catalog.to_regclass(%s), 'REFERENCES'), true)
                  FROM pg_catalog.pg_namespace AS n
                 WHERE n.nspname = %s"""


class Keeper:
    """Keeps the files of one run, with their records in the lock file, if there is one.

    What cannot be kept is reported, and prevents nothing.
    """

    def __init__(self, lock_file: LockFile | None) -> None:
        self._lock_file = lock_file
        self._records: Records | None = None
        self._reported = False

    def sql(self, session: Session, migration: Any, ours: Migration, obstacle: str) -> str:
        """Return the SQL that keeps a migration; empty, after a report, if something prevents it."""
        if obstacle:
            if not self._reported:
                session.say(f"no copies of files are kept in the ledger, for lack of a privilege: {obstacle}")
            self._reported = True
            return ""
        rollback = None if ours.rollback is None else ours.rollback.encode()
        texts = ours.apply.encode(), rollback, self._record(session, ours)
        if sum(len(text or b"") for text in texts) > MOST_BYTES:
            session.say(f"{ours.id}: no copy is kept in the ledger: it is larger than {MOST_BYTES >> 20} MiB")
            return ""
        values = (migration.hash, *texts, seal_of(*texts), __version__)
        return session.filled(KEEP.format(table=session.table(COPIES)), values)

    def _record(self, session: Session, ours: Migration) -> bytes | None:
        if self._lock_file is None:
            return None
        try:
            self._records = self._records or Records(self._lock_file)
            return self._records.of(ours)
        except LockFileError as error:
            session.say(f"{ours.id}: its record in the lock file is not kept in the ledger: {error}")
            return None


def create(session: Session) -> None:
    """Create the table of copies in the open transaction."""
    table, marks = session.table(COPIES), session.table(session.migration_table)
    session.execute(CREATE.format(table=table, migrations=marks))
    for (role,) in session.connection.execute(HOLDERS, (table, list(RIGHTS))).fetchall():
        session.execute(f"REVOKE ALL ON {table} FROM {role}")
    for (role,) in session.connection.execute(HOLDERS, (session.table(DIGESTS), ["INSERT"])).fetchall():
        session.execute(f"GRANT {', '.join(RIGHTS)} ON {table} TO {role}")


def obstacle(session: Session, schema: str, there: Collection[str]) -> str:
    """Return why this session cannot keep copies, with the SQL that lets it; empty if it can, or can create the table.

    `there` are the tables in the schema of the ledger.
    """
    me = quote(session.connection.info.user)
    if COPIES in there:
        held = " AND ".join("pg_catalog.has_table_privilege(%(table)s, '" + right + "')" for right in RIGHTS)
        if session.one(f"SELECT {held}", {"table": session.table(COPIES)}):
            return ""
        return f"GRANT {', '.join(RIGHTS)} ON {session.table(COPIES)} TO {me};"
    marks = session.table(session.migration_table)
    row = session.connection.execute(MAY_CREATE, (marks, schema)).fetchone()
    creates, refers = row or (True, True)
    if not creates:
        return f"GRANT CREATE ON SCHEMA {quote(schema)} TO {me};"
    return "" if refers else f"GRANT REFERENCES ON {marks} TO {me};"
