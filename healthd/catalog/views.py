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


def repair(difference: Difference) -> Iterator[str]:
    """Yield the SQL that makes a view again, or mends its definition or options."""
    name, expected = difference.key.sql, difference.expected
    if difference.attribute == "definition":
        yield f"CREATE OR REPLACE VIEW {name} AS\n{expected}"
    elif difference.attribute == "options":
        lost = [option.partition("=")[0] for option in set(difference.actual) - set(expected)]
        if lost:
            yield f"ALTER VIEW {name} RESET ({', '.join(sorted(lost))});"
        if expected:
            yield f"ALTER VIEW {name} SET ({', '.join(expected)});"
    elif difference.actual is None:
        options = f" WITH ({', '.join(expected.options)})" if expected.options else ""
        materialized = "MATERIALIZED " if expected.materialized else ""
        yield f"CREATE {materialized}VIEW {name}{options} AS\n{expected.definition}"


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
