"""Functions and procedures: what they take, what they do, and with whose rights."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from healthd.catalog.visible import SCHEMA, own
from healthd.model import DEPARSED, Difference, Kind


@dataclass(frozen=True, slots=True)
class Function:
    """A function or procedure, in full as CREATE prints it (source: pg_get_functiondef)."""

    definition: Annotated[str, DEPARSED]


def repair(difference: Difference, expected: Function, actual: Function) -> Iterator[str]:
    """Yield the SQL that makes a function what it was; its definition carries all of its attributes."""
    if not difference.missing and _head(expected) != _head(actual):
        # CREATE OR REPLACE changes neither what a function returns nor the names of its arguments.
        yield f"DROP ROUTINE {difference.key.sql};"
    yield f"{expected.definition};"


def _head(function: Function) -> str:
    """Return what is printed before the language: name, arguments and what comes back."""
    return function.definition.partition("\n LANGUAGE ")[0]


KIND = Kind(
    name="function",
    record=Function,
    depth=3,
    repair=repair,
    query=f"""
        SELECT n.nspname, p.proname,
               '(' || pg_catalog.oidvectortypes(p.proargtypes) || ')',
               pg_catalog.rtrim(pg_catalog.replace(pg_catalog.pg_get_functiondef(p.oid), E'\\r\\n', E'\\n'), E'\\n')
          FROM pg_catalog.pg_proc AS p
          JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
         WHERE p.prokind IN ('f', 'p', 'w')
           AND {SCHEMA}
           AND {own("pg_proc", "p.oid")}""",
)
