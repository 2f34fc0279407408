"""Domains: types that carry a default and a promise."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from healthd.catalog.visible import SCHEMA, own
from healthd.model import DEPARSED, Difference, Kind


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain; its CHECK constraints are constraints."""

    type: str
    not_null: bool
    default: Annotated[str | None, DEPARSED]
    collation: str | None


def repair(difference: Difference, expected: Domain, _actual: Domain) -> Iterator[str]:
    """Yield the SQL that makes a domain, or mends its default and NOT NULL."""
    name = difference.key.sql
    if difference.missing:
        words = [f"CREATE DOMAIN {name} AS {expected.type}"]
        words += [f"COLLATE {expected.collation}"] if expected.collation else []
        words += [f"DEFAULT {expected.default}"] if expected.default else []
        words += ["NOT NULL"] if expected.not_null else []
        yield " ".join(words) + ";"
    elif difference.attribute == "default":
        yield f"ALTER DOMAIN {name} " + (f"SET DEFAULT {expected.default};" if expected.default else "DROP DEFAULT;")
    elif difference.attribute == "not_null":
        yield f"ALTER DOMAIN {name} {'SET' if expected.not_null else 'DROP'} NOT NULL;"


KIND = Kind(
    name="domain",
    record=Domain,
    repair=repair,
    query=f"""
        SELECT n.nspname, t.typname,
               pg_catalog.format_type(t.typbasetype, t.typtypmod),
               t.typnotnull,
               pg_catalog.pg_get_expr(t.typdefaultbin, 0),
               CASE WHEN t.typcollation <> b.typcollation THEN t.typcollation::pg_catalog.regcollation::text END
          FROM pg_catalog.pg_type AS t
          JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
          JOIN pg_catalog.pg_type AS b ON b.oid = t.typbasetype
         WHERE t.typtype = 'd'
           AND {SCHEMA}
           AND {own("pg_type", "t.oid")}""",
)
