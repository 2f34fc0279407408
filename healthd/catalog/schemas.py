"""Schemas."""

from collections.abc import Iterator
from dataclasses import dataclass

from healthd.catalog.scope import SCHEMA, own
from healthd.model.kinds import Dependent, Kind
from healthd.model.names import Key
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema; it has no attributes but its name."""


def repair(difference: Difference, _expected: Schema, _actual: Schema) -> Iterator[str]:
    """Yield the SQL that creates a missing schema."""
    if difference.missing:
        yield f"CREATE SCHEMA {difference.key.sql};"
        if difference.key.path == ("public",):  # as initdb creates it
            yield "ALTER SCHEMA public OWNER TO pg_database_owner;"
            yield "GRANT USAGE ON SCHEMA public TO PUBLIC;"
            yield "COMMENT ON SCHEMA public IS 'standard public schema';"


def needed(key: Key, _record: Schema, dependent: Dependent) -> bool:
    """Return whether an object names something in a schema."""
    return any(schema == key.path[0] for schema, _ in dependent.names)


KIND = Kind(
    name="schema",
    record=Schema,
    within={},
    renamable=True,
    needed=needed,
    provided=True,
    depth=1,
    parent=lambda key, record: None,
    repair=repair,
    keeps_parts=True,
    query=f"""
        SELECT n.nspname
          FROM pg_catalog.pg_namespace AS n
         WHERE {SCHEMA}
           AND {own("pg_namespace", "n.oid")}""",
)
