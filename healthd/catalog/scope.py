"""Which objects are in scope: SQL that the queries of all kinds share."""

from functools import cache

# The names of system schemas begin with pg_, which PostgreSQL reserves.
SCHEMA = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"


# %(books)s is an array of table names.
RELATION = f"{SCHEMA} AND c.relname <> ALL (%(books)s)"

# All relations that are neither temporary nor indexes, each with its schema.
RELATIONS = """
            SELECT n.nspname, c.oid, c.relname, c.relkind, c.relpersistence, c.relispartition, c.relpartbound,
                   c.reltype, c.reloftype, c.relowner, c.relacl, c.relam, c.reltablespace, c.reltoastrelid,
                   c.reloptions, c.relreplident, c.relrowsecurity, c.relforcerowsecurity
              FROM pg_catalog.pg_class AS c
              JOIN schemas AS n ON n.oid = c.relnamespace
             WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c')
               AND c.relpersistence <> 't'
               AND c.relname <> ALL (%(books)s)"""


def _schemas(condition: str) -> str:
    return f"""schemas AS MATERIALIZED (
            SELECT n.oid, n.nspname, n.nspowner, n.nspacl
              FROM pg_catalog.pg_namespace AS n
             WHERE {condition})"""


# What the query of every kind may use: the schemas in scope, the members of extensions, and the relations that are not
# members. A join with one of them is planned quickly, and the names of schemas are tested once, not for each object.
SHARED = f"""
    WITH {_schemas(SCHEMA)},
         members AS MATERIALIZED (
            SELECT e.classid, e.objid
              FROM pg_catalog.pg_depend AS e
             WHERE e.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
               AND e.deptype = 'e'),
         relations AS MATERIALIZED ({RELATIONS}
               AND NOT EXISTS (SELECT
                                 FROM members AS e
                                WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                                  AND e.objid   = c.oid))"""


def with_members(condition: str = SCHEMA) -> str:
    """Return WITH for a query in which `schemas` are those that meet a condition, and `relations` include members."""
    return f"""
    WITH {_schemas(condition)},
         relations AS MATERIALIZED ({RELATIONS})"""


def shared(query: str) -> str:
    """Return SHARED for a query that uses it, otherwise nothing: an error in SHARED must not affect other queries."""
    return SHARED if any(f"{name} AS" in query for name in ("schemas", "members", "relations")) else ""


def complete(query: str) -> str:
    """Return the complete query for all objects of a kind, whose rows have the alias q."""
    return f"{shared(query)} SELECT q.* FROM ({query}) AS q"  # texts of our own


def without_schemas(query: str) -> str:
    """Return a query without the objects of some schemas, %(alike)s."""
    return query.replace(SCHEMA, f"{SCHEMA} AND n.nspname::text <> ALL (%(alike)s)")


@cache
def of_relations(query: str, *by_relation: tuple[str, str]) -> str:
    """Return the complete query for the objects of some relations ($3) only, whose rows of these catalogs are enough.

    OFFSET 0, which keeps parts of a query together, would make the server compute them for all relations.
    """
    for catalog, _ in by_relation:
        query = query.replace(f"pg_catalog.{catalog} AS", f"some_{catalog} AS")
    some = "".join(
        f""",
         some_{catalog} AS MATERIALIZED (
            SELECT t.* FROM pg_catalog.{catalog} AS t WHERE t.{column} = ANY ($3))"""
        for catalog, column in by_relation
    )
    these = SHARED.replace(RELATIONS, f"{RELATIONS}\n               AND c.oid = ANY ($3)")
    return f"{these}{some} SELECT q.* FROM ({query.replace('OFFSET 0', '')}) AS q"  # texts of our own


# Sequences (s, c), each with the column (tn, t, a) that owns it, if any (d).
SERVING = """pg_catalog.pg_sequence AS s
          JOIN relations AS c ON c.oid = s.seqrelid
          LEFT JOIN pg_catalog.pg_depend AS d
                 ON d.classid    = 'pg_catalog.pg_class'::pg_catalog.regclass
                AND d.objid      = c.oid
                AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                AND d.deptype    IN ('a', 'i')
                AND d.refobjsubid > 0
          LEFT JOIN pg_catalog.pg_class AS t ON t.oid = d.refobjid
          LEFT JOIN pg_catalog.pg_namespace AS tn ON tn.oid = t.relnamespace
          LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid"""


def own(catalog: str, oid: str) -> str:
    """Return a condition that excludes members of extensions."""
    return f"""NOT EXISTS (SELECT
                             FROM members AS e
                            WHERE e.classid = 'pg_catalog.{catalog}'::pg_catalog.regclass
                              AND e.objid   = {oid})"""
