"""Installed extensions, with schema and version."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from healthd.model.attributes import MINOR
from healthd.model.kinds import Dependent, Kind
from healthd.model.names import Key, literal, quote
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class Extension:
    """An installed extension; its members are not compared."""

    schema: str
    version: Annotated[str, MINOR]


def repair(difference: Difference, expected: Extension, _actual: Extension) -> Iterator[str]:
    """Yield the SQL that installs, updates or moves an extension."""
    name = difference.key.sql
    if difference.missing:
        yield f"CREATE EXTENSION {name} WITH SCHEMA {quote(expected.schema)};"
    elif difference.attribute == "version":
        yield f"ALTER EXTENSION {name} UPDATE TO {literal(expected.version)};"
    elif difference.attribute == "schema":
        yield f"ALTER EXTENSION {name} SET SCHEMA {quote(expected.schema)};"


def needed(_key: Key, record: Extension, dependent: Dependent) -> bool:
    """Return whether an object names something in the schema of an extension that is nobody else's."""
    return any(name[0] == record.schema and name not in dependent.known for name in dependent.names)


KIND = Kind(
    name="extension",
    record=Extension,
    within={},
    needed=needed,
    provided=True,
    depth=1,
    parent=lambda key, record: None,
    repair=repair,
    # Below 16384 are the extensions that initdb installs (plpgsql): they belong to the server, not to the files.
    query="""
        SELECT x.extname, n.nspname, x.extversion
          FROM pg_catalog.pg_extension AS x
          JOIN pg_catalog.pg_namespace AS n ON n.oid = x.extnamespace
         WHERE x.oid >= 16384""",
)
