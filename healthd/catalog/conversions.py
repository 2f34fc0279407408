"""Conversions between two encodings."""

from collections.abc import Iterator
from dataclasses import dataclass

from healthd.catalog.scope import SCHEMA, own
from healthd.model.kinds import Kind
from healthd.model.names import literal
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class Conversion:
    """A conversion; the server uses the `default` one between client and database."""

    source: str
    target: str
    function: str
    default: bool


def repair(difference: Difference, expected: Conversion, _actual: Conversion) -> Iterator[str]:
    """Yield the SQL that creates a conversion; only its name can be altered."""
    yield (
        f"CREATE {'DEFAULT ' if expected.default else ''}CONVERSION {difference.key.sql} "
        f"FOR {literal(expected.source)} TO {literal(expected.target)} FROM {expected.function};"
    )


KIND = Kind(
    name="conversion",
    record=Conversion,
    renamable=True,
    movable=True,
    repair=repair,
    replaced=lambda difference, expected, actual: True,
    some="SELECT FROM pg_catalog.pg_conversion AS o WHERE o.oid >= 16384",
    query=f"""
        SELECT n.nspname, c.conname,
               pg_catalog.pg_encoding_to_char(c.conforencoding)::text,
               pg_catalog.pg_encoding_to_char(c.contoencoding)::text,
               c.conproc::text,
               c.condefault
          FROM pg_catalog.pg_conversion AS c
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.connamespace
         WHERE {SCHEMA}
           AND {own("pg_conversion", "c.oid")}""",
)
