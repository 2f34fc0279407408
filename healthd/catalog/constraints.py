"""Constraints: keys, checks, foreign keys and exclusions, of tables and of domains."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from healthd.catalog.visible import SCHEMA, own
from healthd.model import DEPARSED, Difference, Key, Kind, Record, quote


@dataclass(frozen=True, slots=True)
class Constraint:
    """A constraint; `on` says whether it stands on a table or a domain."""

    on: str
    type: str
    validated: bool
    definition: Annotated[str, DEPARSED]


def repair(difference: Difference, expected: Constraint, _actual: Constraint) -> Iterator[str]:
    """Yield the SQL that adds, validates or replaces a constraint."""
    schema, owner, name = map(quote, difference.key.path)
    alter = f"ALTER {expected.on.upper()} {schema}.{owner}"
    add = f"ADD CONSTRAINT {name} {expected.definition}{'' if expected.validated else ' NOT VALID'};"
    if difference.attribute == "validated" and expected.validated:
        yield f"{alter} VALIDATE CONSTRAINT {name};"
    elif difference.attribute == "definition" and expected.on == "table":
        yield f"{alter} DROP CONSTRAINT {name}, {add}"
    elif difference.attribute == "definition":
        yield f"{alter} DROP CONSTRAINT {name};"
        yield f"{alter} {add}"
    elif difference.missing:
        yield f"{alter} {add}"


def parent(key: Key, record: Record) -> Key:
    """Return the table or the domain that a constraint stands on."""
    return Key(record.on, key.path[:2])


KIND = Kind(
    name="constraint",
    record=Constraint,
    depth=3,
    parent=parent,
    repair=repair,
    # Types by name: PostgreSQL 18 lists NOT NULL here ('n'), which is the column's; 't' is the trigger's.
    # NOT VALID is `validated`. What a partition or a child has from its parent is the parent's.
    query=f"""
        SELECT n.nspname, coalesce(c.relname, t.typname), k.conname,
               CASE WHEN t.oid IS NULL THEN 'table' ELSE 'domain' END,
               CASE k.contype WHEN 'c' THEN 'check' WHEN 'f' THEN 'foreign key' WHEN 'p' THEN 'primary key'
                              WHEN 'u' THEN 'unique' ELSE 'exclusion' END,
               k.convalidated,
               pg_catalog.regexp_replace(pg_catalog.pg_get_constraintdef(k.oid), ' NOT VALID$', '')
          FROM pg_catalog.pg_constraint AS k
          JOIN pg_catalog.pg_namespace AS n ON n.oid = k.connamespace
          LEFT JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
          LEFT JOIN pg_catalog.pg_type AS t ON t.oid = k.contypid
         WHERE k.contype IN ('c', 'f', 'p', 'u', 'x')
           AND k.conislocal
           AND k.conparentid = 0
           AND (c.relname IS NULL OR c.relname <> ALL (%(books)s) AND c.relpersistence <> 't')
           AND {SCHEMA}
           AND {own("pg_class", "k.conrelid")}
           AND {own("pg_type", "k.contypid")}""",
)
