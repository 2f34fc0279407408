"""Installed extensions, with schema and version."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from healthd.model.attributes import MINOR, Attribute
from healthd.model.kinds import Dependent, Kind
from healthd.model.names import Key, literal, quote
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class Extension:
    """An installed extension; its members are not compared.

    `requires` are the extensions that it depends on, `provides` its foreign-data wrappers, languages and access
    methods: other objects name these without a schema.
    """

    schema: str
    version: Annotated[str, MINOR]
    requires: Annotated[tuple[str, ...], Attribute(None)] = ()
    provides: Annotated[tuple[str, ...], Attribute(None)] = ()


def repair(difference: Difference, expected: Extension, _actual: Extension) -> Iterator[str]:
    """Yield the SQL that installs, updates or moves an extension."""
    name = difference.key.sql
    if difference.missing:
        yield f"CREATE EXTENSION {name} WITH SCHEMA {quote(expected.schema)};"
    elif difference.attribute == "version":
        yield f"ALTER EXTENSION {name} UPDATE TO {literal(expected.version)};"
    elif difference.attribute == "schema":
        yield f"ALTER EXTENSION {name} SET SCHEMA {quote(expected.schema)};"


def needed(key: Key, record: Extension, dependent: Dependent) -> bool:
    """Return whether an object requires an extension, uses what it provides, or names something in its schema.

    What else is known in that schema is not the extension's.
    """
    if isinstance(dependent.record, Extension):
        return key.path[0] in dependent.record.requires
    if any(getattr(dependent.record, attribute, None) in record.provides for attribute in USES):
        return True
    return any(name[0] == record.schema and name not in dependent.known for name in dependent.names)


USES = ("wrapper", "language", "access_method")


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
        SELECT x.extname, n.nspname, x.extversion,
               ARRAY(SELECT r.extname::text
                       FROM pg_catalog.pg_depend AS d
                       JOIN pg_catalog.pg_extension AS r ON r.oid = d.refobjid
                      WHERE d.classid    = 'pg_catalog.pg_extension'::pg_catalog.regclass
                        AND d.objid      = x.oid
                        AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
                      ORDER BY 1),
               ARRAY(SELECT (pg_catalog.pg_identify_object_as_address(d.classid, d.objid, 0)).object_names[1]
                       FROM pg_catalog.pg_depend AS d
                      WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
                        AND d.refobjid   = x.oid
                        AND d.deptype    = 'e'
                        AND d.classid   IN ('pg_catalog.pg_foreign_data_wrapper'::pg_catalog.regclass,
                                            'pg_catalog.pg_language'::pg_catalog.regclass,
                                            'pg_catalog.pg_am'::pg_catalog.regclass)
                      ORDER BY 1)
          FROM pg_catalog.pg_extension AS x
          JOIN pg_catalog.pg_namespace AS n ON n.oid = x.extnamespace
         WHERE x.oid >= 16384""",
)
