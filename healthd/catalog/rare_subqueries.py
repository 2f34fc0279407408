"""Subqueries that find nothing in most databases, and what stands in their place where it is known that they do."""

from healthd.model.kinds import RareSubquery


def needs(catalog: str) -> str:
    """Return a subquery with the extensions that objects of this catalog explicitly depend on."""
    return f"""(SELECT d.objid, pg_catalog.string_agg(e.extname, ', ' ORDER BY e.extname) AS names
                  FROM pg_catalog.pg_extension AS e
                  JOIN pg_catalog.pg_depend AS d
                    ON d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
                   AND d.refobjid   = e.oid
                 WHERE d.classid = 'pg_catalog.{catalog}'::pg_catalog.regclass
                   AND d.deptype = 'x'
                 GROUP BY d.objid)"""


def of_needs(catalog: str) -> RareSubquery:
    """Return how a query does without `needs`."""
    some = """
        SELECT
          FROM pg_catalog.pg_depend AS d
         WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
           AND d.deptype = 'x'"""
    return RareSubquery("needed extensions", some, needs(catalog), nothing(objid="oid", names="text"))


def of_inheritance(query: str, instead: str) -> RareSubquery:
    """Return how a query does without a subquery that is about partitions or inheritance."""
    return RareSubquery("inheritance", "SELECT FROM pg_catalog.pg_inherits", query, instead)


def of_switched_triggers(query: str, instead: str) -> RareSubquery:
    """Return how a query does without a subquery that is about triggers which ALTER TABLE has switched off or on."""
    return RareSubquery(
        "switched triggers", "SELECT FROM pg_catalog.pg_trigger AS g WHERE g.tgenabled <> 'O'", query, instead
    )


def nothing(**columns: str) -> str:
    """Return a subquery with columns of these types, and no rows."""
    return f"(SELECT {', '.join(f'NULL::pg_catalog.{type_} AS {name}' for name, type_ in columns.items())} WHERE false)"
