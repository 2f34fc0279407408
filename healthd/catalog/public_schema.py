"""Schema public as initdb creates it: its owner, and what everybody may do in it; PostgreSQL 15 changed both."""

from healthd.catalog.roles import MIGRATOR

PUBLIC_SCHEMA = ("schema", "public")  # in the paths of owners and privileges
DATABASE_OWNER = "pg_database_owner"  # a role that no other can be made a member of
SINCE = 150000
VERSION = "pg_catalog.current_setting('server_version_num')::integer"

# Before 15 the superuser that initdb created (10) owned it and PUBLIC had CREATE on it; this remains so after
# pg_upgrade.
UPGRADED = """n.nspowner = 10
               AND EXISTS (SELECT
                             FROM pg_catalog.aclexplode(n.nspacl) AS e
                            WHERE e.grantee = 0
                              AND e.privilege_type = 'CREATE')"""

# Its owner is the one that initdb made it.
UNTOUCHED = f"""n.nspname = 'public'
               AND (pg_catalog.pg_get_userbyid(n.nspowner) = '{DATABASE_OWNER}' AND {VERSION} >= {SINCE}
                    OR n.nspowner = 10 AND {VERSION} < {SINCE}
                    OR {UPGRADED})"""

# The privileges that initdb granted on it.
PRIVILEGES = f"""(pg_catalog.acldefault('n', n.nspowner)
                     || pg_catalog.makeaclitem(0, n.nspowner, 'USAGE', false)
                     || CASE WHEN {VERSION} < {SINCE} OR {UPGRADED}
                             THEN ARRAY[pg_catalog.makeaclitem(0, n.nspowner, 'CREATE', false)]
                             ELSE ARRAY[]::aclitem[] END)"""

ACTUAL_OWNER = "(SELECT n.nspowner FROM pg_catalog.pg_namespace AS n WHERE n.nspname = 'public')"


def owner(server_version: int) -> str:
    """Return its usual owner; the superuser that owns it on an old server can be replaced by who runs migrations."""
    return DATABASE_OWNER if server_version >= SINCE else MIGRATOR


def of_everybody(server_version: int) -> tuple[str, ...]:
    """Return what PUBLIC may do in it."""
    return ("USAGE",) if server_version >= SINCE else ("CREATE", "USAGE")
