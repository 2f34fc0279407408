"""Schemas."""

from collections.abc import Iterator
from dataclasses import dataclass

from healthd.catalog import public_schema
from healthd.catalog.roles import MIGRATOR, written
from healthd.catalog.scope import SCHEMA, own
from healthd.model.kinds import Around, Dependent, Kind
from healthd.model.names import Key


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema; it has no attributes but its name."""


def create(key: Key, _record: Schema, around: Around) -> Iterator[str]:
    """Yield the SQL that creates a schema; "public" as initdb creates it."""
    yield f"CREATE SCHEMA {key.sql};"
    if (key.kind, *key.path) == public_schema.PUBLIC_SCHEMA:
        if (role := public_schema.owner(around.server_version)) != MIGRATOR:
            yield f"ALTER SCHEMA public OWNER TO {written(role)};"
        privileges = ", ".join(public_schema.of_everybody(around.server_version))
        yield f"GRANT {privileges} ON SCHEMA public TO PUBLIC;"
        yield "COMMENT ON SCHEMA public IS 'standard public schema';"


def needed(key: Key, _record: Schema, dependent: Dependent) -> bool:
    """Return whether an object names something in a schema, or publishes it as a whole."""
    published = key.path[0] in getattr(dependent.record, "schemas", ())
    return published or any(schema == key.path[0] for schema, _ in dependent.names)


KIND = Kind(
    name="schema",
    record=Schema,
    within={},
    renamable=True,
    needed=needed,
    provided=True,
    depth=1,
    parent=lambda key, record: None,
    create=create,
    keeps_parts=True,
    query=f"""
        SELECT n.nspname
          FROM pg_catalog.pg_namespace AS n
         WHERE {SCHEMA}
           AND {own("pg_namespace", "n.oid")}""",
)
