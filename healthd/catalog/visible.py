"""Which objects are the user's: SQL conditions that every kind's query shares."""

# Schemas of the system begin with pg_: PostgreSQL lets nobody else make one.
SCHEMA = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"

# yoyo's tables and ours keep the books; they are not part of what the files promise.
BOOKS = ("_yoyo_migration", "_yoyo_log", "_yoyo_version", "yoyo_lock", "_healthd_migration")

# %(books)s is an array of table names.
RELATION = f"{SCHEMA} AND c.relname <> ALL (%(books)s)"


def own(catalog: str, oid: str) -> str:
    """Return a condition that keeps out what belongs to an extension."""
    return f"""NOT EXISTS (SELECT
                             FROM pg_catalog.pg_depend AS e
                            WHERE e.classid = 'pg_catalog.{catalog}'::pg_catalog.regclass
                              AND e.objid   = {oid}
                              AND e.deptype = 'e')"""
