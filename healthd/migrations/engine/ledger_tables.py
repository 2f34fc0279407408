"""The tables of the ledger: yoyo's and healthd's, in one schema, created if they are missing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from yoyo import internalmigrations
from yoyo.internalmigrations import v2

from healthd.database.probes.rights import assuming
from healthd.errors import MigrationFailed, PermissionDenied
from healthd.migrations.engine import kept_copies, progress
from healthd.migrations.engine.sending import NOTHING
from healthd.migrations.engine.session import Session
from healthd.model.ledger import BOOKS, COPIES, DIGESTS, PROGRESS, TEXTS
from healthd.model.names import quote

Create = Callable[[Session], object]

SCHEMAS = """SELECT n.nspname
               FROM pg_catalog.pg_class AS c
               JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
              WHERE c.relname = %s AND c.relkind = 'r' AND c.relpersistence <> 't'
              ORDER BY n.nspname"""
# The first schema of search_path; if search_path is empty, as on some hardened databases, public.
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
# A row for each text of an applied migration; nothing is recorded for others. The hash is that of the migration's name
# in the Unicode form that the ledger has.
RECORD = """INSERT INTO {texts} (migration_hash, object, attribute, major, expected_digest, text, healthd_version)
            SELECT m.migration_hash, r.object, r.attribute, %s, r.digest, r.text, %s
              FROM pg_catalog.jsonb_to_recordset(%s::pg_catalog.jsonb)
                   AS r(hashes pg_catalog.jsonb, object text, attribute text, digest text, text text)
              JOIN {marks} AS m ON r.hashes OPERATOR(pg_catalog.?) m.migration_hash::text
            ON CONFLICT (migration_hash, object, attribute, major) DO UPDATE
               SET expected_digest = EXCLUDED.expected_digest, text = EXCLUDED.text,
                   recorded_at = EXCLUDED.recorded_at, recorded_by = EXCLUDED.recorded_by,
                   healthd_version = EXCLUDED.healthd_version;"""
# Roles that may read the digests may read the texts, too: the table is created later, and a GRANT would be forgotten.
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
    """The tables that a ledger lacks, in the order of creation, each with the function that creates it.

    `again` has a line for each table that existed before. `unkept` is why no copies of files can be kept.
    """

    create: Mapping[str, Create]
    again: tuple[str, ...] = ()
    unkept: str = ""


def schema_of(session: Session) -> str:
    """Return the schema of the ledger: where it is, regardless of search_path, or where it is to be created.

    Raises if there are several ledgers, or if a schema is specified and the ledger is in another one.
    """
    found = [name for (name,) in session.connection.execute(SCHEMAS, (session.migration_table,)).fetchall()]
    here = str(session.one(HERE) or "")
    if session.schema is None and len(found) == 1:
        return str(found[0])
    if elsewhere := [name for name in found if name != here]:
        raise MigrationFailed(
            f"the ledger {session.migration_table} is in schema {', '.join(elsewhere)}, but is expected in "
            f"{here or 'no schema'}; {NOTHING}",
            hint="keep one ledger and drop the others; ?schema= in the URL must name its schema, or be omitted",
        )
    return here


def tables_of(session: Session, schema: str) -> frozenset[str]:
    """Return the tables of a schema; unlike yoyo's query, also those on which the role has no privilege."""
    return frozenset(name for (name,) in session.connection.execute(TABLES, (schema,)).fetchall())


def missing(session: Session, schema: str) -> Missing:
    """Return the tables to create before a migration is recorded; raise if they cannot be created.

    The tables of an old yoyo are upgraded.
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
    unkept = kept_copies.obstacle(session, schema, there) if session.keeps else ""
    if session.keeps and not unkept and COPIES not in there:
        create[COPIES] = kept_copies.create
    again = () if session.migration_table in lost else tuple(_again(lost, there))
    return Missing(create, again, unkept)


def _again(lost: Collection[str], there: Collection[str]) -> Iterator[str]:
    for table in lost:
        yield f"the ledger's table {table} was {'empty' if table in there else 'missing'}, and was created again"


def make(session: Session, found: Missing) -> None:
    """Create the missing tables in the open transaction."""
    for create in found.create.values():
        create(session)


def _upgrade(session: Session, schema: str) -> None:
    """Upgrade the tables of an old yoyo; its upgrade names them without their schema."""
    with session.transaction():
        session.one("SELECT pg_catalog.set_config('search_path', %s, true)", (quote(schema),))
        internalmigrations.upgrade(session)


def _refuse_schema(session: Session, schema: str) -> None:
    """Raise if the ledger's tables cannot be created in a schema."""
    allowed = """SELECT pg_catalog.has_schema_privilege(n.oid, 'CREATE')
                   FROM pg_catalog.pg_namespace AS n
                  WHERE n.nspname = %s"""
    if not session.one(allowed, (schema,)):
        role = quote(session.connection.info.user)
        raise PermissionDenied(
            f"permission denied for schema {schema or 'none'}: the ledger's tables cannot be created; {NOTHING}",
            grant=f"GRANT CREATE ON SCHEMA {quote(schema or 'public')} TO {role};",
        )


def _lost(session: Session, there: Collection[str]) -> dict[str, Create]:
    """Return which of yoyo's tables are missing, with what creates them; raise if only the table of marks is missing.

    yoyo creates all of its tables in one transaction: without this, it would fail on those that still exist.
    """
    marks, log, version = session.migration_table, session.log_table, session.version_table
    if marks not in there:
        if rest := [name for name in (log, version, DIGESTS, TEXTS, COPIES) if name in there]:
            raise MigrationFailed(
                f"the ledger's table {marks} is missing, but its other tables exist ({', '.join(rest)}); {NOTHING}",
                hint="restore it from a backup; or drop the other tables, and find the version with: healthd baseline",
            )
        return {marks: v2.create_migration_table, log: v2.create_log_table, version: _with_version}
    query = f"SELECT max(version) FROM {session.version_table_quoted}"  # noqa: S608 # yoyo's own name
    known = session.one(query) if version in there else None
    if known is not None and known > YOYOS:
        raise MigrationFailed(
            f"the ledger was written by a newer yoyo: {version} has {known}, and this yoyo supports {YOYOS}; {NOTHING}",
            hint="install the yoyo-migrations that wrote it; or, if no newer one was used, correct the number",
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
    """Raise if the session cannot write."""
    if session.one("SELECT pg_catalog.pg_is_in_recovery()"):
        raise MigrationFailed(
            f"{session.dsn.place} is a standby, which is read-only; {NOTHING}",
            hint="connect to the primary, or specify several hosts and target_session_attrs=read-write",
        )
    if session.one("SHOW transaction_read_only") == "on":
        raise MigrationFailed(
            f"{session.dsn.place} is read-only (default_transaction_read_only is on); {NOTHING}",
            hint="default_transaction_read_only is set for the server, the database or the role: change it there",
        )


# Whether this session may give a table in its schema to another role.
MAY_GIVE = """SELECT r.rolsuper OR current_user = %(owner)s,
                  pg_catalog.pg_has_role(%(owner)s, %(mode)s),
                  pg_catalog.has_schema_privilege(%(owner)s, %(schema)s, 'CREATE')
             FROM pg_catalog.pg_roles AS r
            WHERE r.rolname = current_user"""


def refuse_foreign_owner(session: Session, owner: str) -> None:
    """Raise if this session may not give a role a new ledger."""
    values = {"owner": owner, "mode": assuming(session.connection.info.server_version), "schema": schema_of(session)}
    ((free, acts, creates),) = session.connection.execute(MAY_GIVE, values).fetchall()
    if free or (acts and creates):
        return
    me, role = quote(session.connection.info.user), quote(owner)
    why = f"{me} may not act for it" if not acts else f"it may not create the ledger in schema {values['schema']}"
    cure = f"GRANT {role} TO {me};" if not acts else f"GRANT CREATE ON SCHEMA {quote(values['schema'])} TO {role};"
    raise PermissionDenied(
        f"{role} owns the objects of the files, and {why}; {NOTHING}", hint=f"connect as {role}; or {cure}", grant=cure
    )


def give(session: Session, schema: str, owner: str) -> None:
    """Make a role the owner of the tables of the ledger."""
    for name in sorted(tables_of(session, schema) & frozenset(BOOKS)):
        session.execute(f"ALTER TABLE {session.table(name)} OWNER TO {quote(owner)}")
