"""The tables that keep the books: yoyo's own and ours, in one schema, made where they are missing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from yoyo import internalmigrations
from yoyo.internalmigrations import v2

from healthd.database.dsn import place
from healthd.errors import MigrationFailed, PermissionDenied
from healthd.migrations.engine import progress
from healthd.migrations.engine.sending import NOTHING
from healthd.migrations.engine.session import Session
from healthd.model.ledger import DIGESTS, PROGRESS, TEXTS
from healthd.model.names import quote

Create = Callable[[Session], object]

SCHEMAS = """SELECT n.nspname
               FROM pg_catalog.pg_class AS c
               JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
              WHERE c.relname = %s AND c.relkind = 'r' AND c.relpersistence <> 't'
              ORDER BY n.nspname"""
# Where search_path leads; an empty one, with which some secure a database, leads nowhere.
HERE = """SELECT coalesce(current_schema, (SELECT n.nspname
                                             FROM pg_catalog.pg_namespace AS n
                                            WHERE n.nspname = 'public'))"""
TABLES = """SELECT c.relname
              FROM pg_catalog.pg_class AS c
              JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
             WHERE n.nspname = %s AND c.relkind = 'r'"""
YOYOS = max(internalmigrations.schema_versions)  # the version of its tables
OF_DIGESTS = """CREATE TABLE {table} (
                    migration_hash varchar(64) PRIMARY KEY REFERENCES {migrations} ON DELETE CASCADE,
                    migration_id varchar(255) NOT NULL,
                    digest text NOT NULL,
                    rollback_digest text,
                    applied_at timestamptz NOT NULL DEFAULT now(),
                    applied_by text NOT NULL DEFAULT session_user,
                    healthd_version text NOT NULL)"""
OF_TEXTS = """CREATE TABLE {table} (
                  migration_hash varchar(64) NOT NULL REFERENCES {migrations} ON DELETE CASCADE,
                  object text NOT NULL,
                  attribute text NOT NULL,
                  major integer NOT NULL,
                  expected_digest text NOT NULL,
                  text text,
                  recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
                  recorded_by text NOT NULL DEFAULT session_user,
                  healthd_version text NOT NULL,
                  PRIMARY KEY (migration_hash, object, attribute, major))"""
# A row for each text of a migration that is applied: nothing is recorded of any other. Its hash is that of its name in
# the form in which the ledger has it.
RECORD = """INSERT INTO {texts} (migration_hash, object, attribute, major, expected_digest, text, healthd_version)
            SELECT m.migration_hash, r.object, r.attribute, %s, r.digest, r.text, %s
              FROM pg_catalog.jsonb_to_recordset(%s::pg_catalog.jsonb)
                   AS r(hashes pg_catalog.jsonb, object text, attribute text, digest text, text text)
              JOIN {marks} AS m ON r.hashes OPERATOR(pg_catalog.?) m.migration_hash::text
            ON CONFLICT (migration_hash, object, attribute, major) DO UPDATE
               SET expected_digest = EXCLUDED.expected_digest, text = EXCLUDED.text,
                   recorded_at = EXCLUDED.recorded_at, recorded_by = EXCLUDED.recorded_by,
                   healthd_version = EXCLUDED.healthd_version;"""
# Who may read the digests reads these, too: they come later, and nobody would think of them.
READERS = """SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::pg_catalog.regrole::text END
               FROM pg_catalog.pg_class AS c
              CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) AS a
              WHERE c.oid = pg_catalog.to_regclass(%s)
                AND a.privilege_type = 'SELECT' AND a.grantee <> c.relowner"""


def _of_digests(session: Session) -> None:
    marks = session.table(session.migration_table)
    session.execute(OF_DIGESTS.format(table=session.table(DIGESTS), migrations=marks))


def _of_texts(session: Session) -> None:
    table, marks = session.table(TEXTS), session.table(session.migration_table)
    session.execute(OF_TEXTS.format(table=table, migrations=marks))
    for (role,) in session.connection.execute(READERS, (session.table(DIGESTS),)).fetchall():
        session.execute(f"GRANT SELECT ON {table} TO {role}")


OURS: Mapping[str, Create] = {
    "yoyo_lock": lambda session: session.execute(session.format_sql(session.create_lock_table_sql)),
    DIGESTS: _of_digests,
    PROGRESS: lambda session: session.execute(progress.CREATE.format(table=session.table(PROGRESS))),
}


@dataclass(frozen=True, slots=True)
class Missing:
    """The tables of a ledger that are not there, in the order in which they are made, each with what makes it.

    `again` says, a line each, which were there once.
    """

    create: Mapping[str, Create]
    again: tuple[str, ...] = ()


def schema_of(session: Session) -> str:
    """Return the schema of the ledger: where it stands, whatever the search_path, or where it is to be made.

    Raises when there are several, or when a schema was named and it stands in another one.
    """
    found = [name for (name,) in session.connection.execute(SCHEMAS, (session.migration_table,)).fetchall()]
    here = str(session.one(HERE) or "")
    if session.schema is None and len(found) == 1:
        return str(found[0])
    if elsewhere := [name for name in found if name != here]:
        raise MigrationFailed(
            f"the ledger {session.migration_table} is in schema {', '.join(elsewhere)}, and is wanted in "
            f"{here or 'no schema'}; {NOTHING}",
            hint="keep one ledger, and drop the others; a URL's ?schema= must name its schema, or be left out",
        )
    return here


def tables_of(session: Session, schema: str) -> frozenset[str]:
    """Return the tables of a schema: not as yoyo looks for them, which sees only what the role may use."""
    return frozenset(name for (name,) in session.connection.execute(TABLES, (schema,)).fetchall())


def missing(session: Session, schema: str) -> Missing:
    """Return what has to be made before a migration is marked; raise when that cannot be.

    The tables of an old yoyo are brought up to date.
    """
    refuse_read_only(session)
    there = tables_of(session, schema)
    if session.migration_table in there and "migration_hash" not in _columns(session, session.migration_table):
        _refuse_schema(session, schema)
        _upgrade(session, schema)
        there = tables_of(session, schema)
    if PROGRESS in there and progress.RUNNER not in _columns(session, PROGRESS):
        session.execute(progress.UPGRADE.format(table=session.table(PROGRESS)))
    lost = _lost(session, there)
    ours = {**OURS, TEXTS: _of_texts} if session.records else OURS
    create = {**lost, **{name: made for name, made in ours.items() if name not in there}}
    if create:
        _refuse_schema(session, schema)
    again = () if session.migration_table in lost else tuple(_again(lost, there))
    return Missing(create, again)


def _again(lost: Collection[str], there: Collection[str]) -> Iterator[str]:
    for table in lost:
        yield f"the ledger's table {table} was {'empty' if table in there else 'gone'}, and was made again"


def make(session: Session, found: Missing) -> None:
    """Make the tables that are missing, in the transaction that is open."""
    for create in found.create.values():
        create(session)


def _upgrade(session: Session, schema: str) -> None:
    """Bring the tables of an old yoyo up to date, which names them without their schema."""
    with session.transaction():
        session.one("SELECT pg_catalog.set_config('search_path', %s, true)", (quote(schema),))
        internalmigrations.upgrade(session)


def _refuse_schema(session: Session, schema: str) -> None:
    """Raise when the ledger's tables cannot be made in a schema."""
    allowed = """SELECT pg_catalog.has_schema_privilege(n.oid, 'CREATE')
                   FROM pg_catalog.pg_namespace AS n
                  WHERE n.nspname = %s"""
    if not session.one(allowed, (schema,)):
        role = quote(session.connection.info.user)
        raise PermissionDenied(
            f"permission denied for schema {schema or 'none'}: the ledger's tables cannot be made; {NOTHING}",
            grant=f"GRANT CREATE ON SCHEMA {quote(schema or 'public')} TO {role};",
        )


def _lost(session: Session, there: Collection[str]) -> dict[str, Create]:
    """Return what yoyo's own tables lack, with what makes it; raise when that is the ledger itself, and others stand.

    yoyo makes all of its tables in one transaction: without this, it fails on those that are still there.
    """
    marks, log, version = session.migration_table, session.log_table, session.version_table
    if marks not in there:
        if rest := [name for name in (log, version, DIGESTS, TEXTS) if name in there]:
            raise MigrationFailed(
                f"the ledger's table {marks} is gone, but not {', '.join(rest)}; {NOTHING}",
                hint="bring it back from a backup; or drop what is left of the ledger, and healthd baseline finds "
                "the version",
            )
        return {marks: v2.create_migration_table, log: v2.create_log_table, version: _with_version}
    query = f"SELECT max(version) FROM {session.version_table_quoted}"  # noqa: S608 # yoyo's own name
    known = session.one(query) if version in there else None
    if known is not None and known > YOYOS:
        raise MigrationFailed(
            f"the ledger is of a newer yoyo: {version} says {known}, and this one knows {YOYOS}; {NOTHING}",
            hint="install the yoyo-migrations that made it; or, when nobody has, put the number right",
        )
    lost: dict[str, Create] = {}
    if log not in there:
        lost[log] = v2.create_log_table
    if known is None:
        lost[version] = _version if version in there else _with_version
    return lost


def _with_version(session: Session) -> None:
    v2.create_version_table(session)
    _version(session)


def _version(session: Session) -> None:
    internalmigrations.mark_schema_version(session, YOYOS)


def _columns(session: Session, table: str) -> frozenset[str]:
    query = """SELECT a.attname
                 FROM pg_catalog.pg_attribute AS a
                WHERE a.attrelid = pg_catalog.to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped"""
    return frozenset(name for (name,) in session.connection.execute(query, (session.table(table),)).fetchall())


def refuse_read_only(session: Session) -> None:
    """Raise where nothing can be written."""
    if session.one("SELECT pg_catalog.pg_is_in_recovery()"):
        raise MigrationFailed(
            f"{place(session.dsn)} is a standby, which only reads; {NOTHING}",
            hint="name the primary, or several hosts and target_session_attrs=read-write",
        )
    if session.one("SHOW transaction_read_only") == "on":
        raise MigrationFailed(
            f"{place(session.dsn)} is read-only (default_transaction_read_only is on); {NOTHING}",
            hint="SHOW default_transaction_read_only; a setting of the server, the database or the role says so",
        )
