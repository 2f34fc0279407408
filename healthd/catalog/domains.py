"""Domains: types with a default and constraints."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated

from healthd.catalog.scope import SCHEMA, own
from healthd.model.attributes import DEPARSED, Attribute
from healthd.model.kinds import Kind
from healthd.model.names import NAME_BYTES, quote
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain; its CHECK constraints are objects of the kind constraint.

    `not_null_name` is the name of its NOT NULL, which has one since PostgreSQL 17; None if it is the default name.
    """

    type: str
    not_null: bool
    not_null_name: Annotated[str | None, Attribute(None)]
    default: Annotated[str | None, DEPARSED]
    collation: str | None


def repair(difference: Difference, expected: Domain, _actual: Domain) -> Iterator[str]:
    """Yield the SQL that creates a domain, or corrects its default and NOT NULL."""
    name = difference.key.sql
    if difference.missing:
        words = [f"CREATE DOMAIN {name} AS {expected.type}"]
        words += [f"COLLATE {expected.collation}"] if expected.collation else []
        words += [f"DEFAULT {expected.default}"] if expected.default else []
        # The server would choose another name while a domain that this one replaces has the usual one.
        usual = f"{difference.key.path[1]}_not_null"
        named = expected.not_null_name or (usual if len(usual.encode()) <= NAME_BYTES else "")
        words += [f"CONSTRAINT {quote(named)}"] if expected.not_null and named else []
        words += ["NOT NULL"] if expected.not_null else []
        yield " ".join(words) + ";"
    elif difference.attribute == "default":
        yield f"ALTER DOMAIN {name} " + (f"SET DEFAULT {expected.default};" if expected.default else "DROP DEFAULT;")
    elif difference.attribute == "not_null":
        yield f"ALTER DOMAIN {name} {'SET' if expected.not_null else 'DROP'} NOT NULL;"


NAME = """(SELECT k.conname
                  FROM pg_catalog.pg_constraint AS k
                 WHERE k.contypid = t.oid
                   AND k.contype = 'n'
                   AND k.conname <> t.typname || '_not_null')"""


def query(server_version: int) -> str:
    """Return the query for one server version: since 17 a NOT NULL has a name."""
    return f"""
        SELECT n.nspname, t.typname,
               pg_catalog.format_type(t.typbasetype, t.typtypmod),
               t.typnotnull,
               {NAME if server_version >= 170000 else "NULL"},
               pg_catalog.pg_get_expr(t.typdefaultbin, 0),
               CASE WHEN t.typcollation <> b.typcollation THEN t.typcollation::pg_catalog.regcollation::text END
          FROM pg_catalog.pg_type AS t
          JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
          JOIN pg_catalog.pg_type AS b ON b.oid = t.typbasetype
         WHERE t.typtype = 'd'
           AND {SCHEMA}
           AND {own("pg_type", "t.oid")}"""


def as_known(record: Domain, server_version: int) -> Domain:
    """Return a domain as an older server knows it: names of its NOT NULL came with 17."""
    if server_version >= 170000 or not record.not_null_name:
        return record
    return replace(record, not_null_name=None)


KIND = Kind(
    name="domain",
    record=Domain,
    is_type=True,
    renamable=True,
    movable=True,
    created_as=("domain",),
    referenced=True,
    as_known=as_known,
    repair=repair,
    replaced=lambda difference, expected, actual: difference.attribute in ("type", "collation"),
    some="SELECT FROM pg_catalog.pg_type AS o WHERE o.oid >= 16384 AND o.typtype = 'd'",
    query=query,
)
