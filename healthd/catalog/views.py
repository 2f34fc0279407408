"""Views and materialized views: their definitions, and the options that decide with whose rights they run."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from healthd.catalog.rare_subqueries import needs, of_needs
from healthd.catalog.server_only import by_server
from healthd.catalog.storage_parameters import options_order
from healthd.catalog.tables import REPLICA_IDENTITY
from healthd.model.attributes import DEPARSED, MINOR, Attribute
from healthd.model.kinds import Kind
from healthd.model.names import Key, quote
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class View:
    """A view; `options` such as security_invoker=true decide whose rights count.

    `options_order` lists them in the order in which they were set, without check_option, None if that is their order by
    name. The other fields are for materialized views only: `needs` are the extensions that a view depends on. Whether a
    materialized view is populated is not included, because that is data.
    """

    materialized: bool
    definition: Annotated[str, DEPARSED]
    options: tuple[str, ...]
    access_method: Annotated[str | None, MINOR] = None
    tablespace: Annotated[str | None, MINOR] = None
    replica_identity: str = "default"
    needs: Annotated[str | None, Attribute(None)] = None
    options_order: Annotated[str | None, Attribute(None)] = None


def repair(difference: Difference, expected: View, actual: View) -> Iterator[str]:
    """Yield the SQL that creates a view again, or corrects its definition or options."""
    view = f"{'MATERIALIZED ' if expected.materialized else ''}VIEW"
    name = difference.key.sql
    # CREATE OR REPLACE removes options that it does not contain.
    options = f" WITH ({', '.join(expected.options)})" if expected.options else ""
    if difference.attribute == "options":
        lost = [option.partition("=")[0] for option in set(difference.actual) - set(expected.options)]
        if lost:
            yield f"ALTER {view} {name} RESET ({', '.join(sorted(lost))});"
        if expected.options:
            yield f"ALTER {view} {name} SET ({', '.join(expected.options)});"
    elif difference.missing:
        using = f" USING {quote(expected.access_method)}" if expected.access_method not in (None, "heap") else ""
        place = f" TABLESPACE {quote(expected.tablespace)}" if expected.tablespace else ""
        yield f"CREATE {view} {name}{using}{options}{place} AS\n{expected.definition}"
        if expected.materialized and expected.replica_identity not in ("default", "index"):
            yield f"ALTER MATERIALIZED VIEW {name} REPLICA IDENTITY {expected.replica_identity.upper()};"
    elif difference.attribute == "definition":
        yield f"CREATE OR REPLACE {view} {name}{options} AS\n{expected.definition}"
    elif difference.attribute == "replica_identity" and expected.replica_identity != "index":
        yield f"ALTER MATERIALIZED VIEW {name} REPLICA IDENTITY {expected.replica_identity.upper()};"
    elif difference.attribute == "tablespace":
        yield f"ALTER {view} {name} SET TABLESPACE {quote(expected.tablespace or 'pg_default')};"
    elif difference.attribute == "access_method" and expected.access_method and actual.access_method:
        yield f"ALTER {view} {name} SET ACCESS METHOD {quote(expected.access_method)};"


def replaced(difference: Difference, expected: View, actual: View) -> bool:
    """Return whether CREATE OR REPLACE may be rejected: it can neither remove columns nor change their types."""
    if difference.attribute == "materialized" or expected.materialized != actual.materialized:
        return True
    if difference.attribute != "definition":
        return False
    return expected.materialized or _before_where(expected.definition) != _before_where(actual.definition)


def _before_where(definition: str) -> str:
    """Return the part of a definition that decides on the columns."""
    return definition.rstrip(";").partition("\n  WHERE ")[0]


# The options that are printed after WITH; check_option is printed at the end.
STANDING = """pg_catalog.array_remove(pg_catalog.array_remove(c.reloptions, 'check_option=local'),
                                                  'check_option=cascaded')"""


def rename(there: Key, record: View, name: str) -> str:
    """Return the SQL that gives a view another name."""
    return f"ALTER {'MATERIALIZED ' if record.materialized else ''}VIEW {there.sql} RENAME TO {quote(name)};"


KIND = Kind(
    name="view",
    record=View,
    noun="TABLE",  # takes views of both sorts
    relkinds="vm",
    has_rows=True,
    is_type=True,
    renamable=True,
    renaming=rename,
    movable=True,
    created_as=("view",),
    placed_by=("default_tablespace", "default_table_access_method"),
    referenced=True,
    repair=repair,
    address=lambda key, record, around: f"{'MATERIALIZED ' if record.materialized else ''}VIEW {key.sql}",
    replaced=replaced,
    made_of=("pg_rewrite", "pg_class", "pg_attribute", "pg_index"),
    by_relation={},
    names_columns=True,
    rare=(of_needs("pg_class"),),
    query=f"""
        SELECT c.nspname, c.relname,
               c.relkind = 'm',
               pg_catalog.pg_get_viewdef(c.oid),
               CASE WHEN c.reloptions IS NOT NULL OR t.reloptions IS NOT NULL
                    THEN ARRAY(SELECT o FROM pg_catalog.unnest(c.reloptions) AS o WHERE NOT {by_server("o")}
                                UNION ALL
                               SELECT 'toast.' || o FROM pg_catalog.unnest(t.reloptions) AS o WHERE NOT {by_server("o")}
                                ORDER BY 1)
                    ELSE '{{}}' END,
               m.amname,
               s.spcname,
               {REPLICA_IDENTITY},
               x.names,
               {options_order(STANDING, "t.reloptions")}
          FROM relations AS c
          LEFT JOIN pg_catalog.pg_class AS t ON t.oid = c.reltoastrelid
          LEFT JOIN pg_catalog.pg_am AS m ON m.oid = c.relam
          LEFT JOIN pg_catalog.pg_tablespace AS s ON s.oid = c.reltablespace
          LEFT JOIN {needs("pg_class")} AS x ON x.objid = c.oid
         WHERE c.relkind IN ('v', 'm')""",
)
