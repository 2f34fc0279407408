"""Views: what they show, and the options that decide with whose rights."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from healthd.catalog.visible import RELATION, own
from healthd.model import DEPARSED, Difference, Kind


@dataclass(frozen=True, slots=True)
class View:
    """A view; `options` such as security_invoker=true decide whose rights count."""

    materialized: bool
    definition: Annotated[str, DEPARSED]
    options: tuple[str, ...]


def repair(difference: Difference, expected: View, _actual: View) -> Iterator[str]:
    """Yield the SQL that makes a view again, or mends its definition or options."""
    view = f"{'MATERIALIZED ' if expected.materialized else ''}VIEW"
    name = difference.key.sql
    # Without its options CREATE OR REPLACE would take them away.
    options = f" WITH ({', '.join(expected.options)})" if expected.options else ""
    if difference.attribute == "options":
        lost = [option.partition("=")[0] for option in set(difference.actual) - set(expected.options)]
        if lost:
            yield f"ALTER {view} {name} RESET ({', '.join(sorted(lost))});"
        if expected.options:
            yield f"ALTER {view} {name} SET ({', '.join(expected.options)});"
    elif difference.missing:
        yield f"CREATE {view} {name}{options} AS\n{expected.definition}"
    elif difference.attribute == "definition" and expected.materialized:
        yield f"DROP {view} {name};"
        yield f"CREATE {view} {name}{options} AS\n{expected.definition}"
        yield "-- Its indexes and grants went with the old one: make them again."
    elif difference.attribute == "definition":
        yield f"CREATE OR REPLACE {view} {name}{options} AS\n{expected.definition}"
        yield "-- PostgreSQL refuses that where columns differ: drop the view first, then grant on it again."


KIND = Kind(
    name="view",
    record=View,
    repair=repair,
    query=f"""
        SELECT n.nspname, c.relname,
               c.relkind = 'm',
               pg_catalog.pg_get_viewdef(c.oid),
               ARRAY(SELECT o FROM unnest(c.reloptions) AS o ORDER BY o)
          FROM pg_catalog.pg_class AS c
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('v', 'm')
           AND c.relpersistence <> 't'
           AND {RELATION}
           AND {own("pg_class", "c.oid")}""",
)
