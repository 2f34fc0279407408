"""Base types, which consist of C functions, and shell types, which are only names."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from healthd.catalog.scope import SCHEMA, own
from healthd.model.attributes import DEPARSED
from healthd.model.kinds import Around, Kind
from healthd.model.names import Key, literal
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class BaseType:
    """A base type, or a shell type if not `defined`. `length` is in bytes; -1: variable, -2: zero-terminated."""

    defined: bool
    input: str
    output: str
    receive: str | None
    send: str | None
    modifier_input: str | None
    modifier_output: str | None
    analyze: str | None
    subscript: str | None
    length: int
    by_value: bool
    alignment: str  # char, int2, int4, double
    storage: str  # plain, external, main, extended
    category: str
    preferred: bool
    default: Annotated[str | None, DEPARSED]
    delimiter: str
    element: str | None
    collatable: bool


ALTERABLE = {
    "receive": "RECEIVE",
    "send": "SEND",
    "modifier_input": "TYPMOD_IN",
    "modifier_output": "TYPMOD_OUT",
    "analyze": "ANALYZE",
    "subscript": "SUBSCRIPT",
    "storage": "STORAGE",
}


def create(key: Key, record: BaseType, _around: Around) -> Iterator[str]:
    """Yield the SQL that creates a type; as a shell type it exists already."""
    if not record.defined:
        return
    words = {
        "INPUT": record.input,
        "OUTPUT": record.output,
        "RECEIVE": record.receive,
        "SEND": record.send,
        "TYPMOD_IN": record.modifier_input,
        "TYPMOD_OUT": record.modifier_output,
        "ANALYZE": record.analyze,
        "SUBSCRIPT": record.subscript,
        "INTERNALLENGTH": "VARIABLE" if record.length < 0 else str(record.length),
        "ALIGNMENT": record.alignment,
        "STORAGE": record.storage,
        "CATEGORY": literal(record.category),
        "PREFERRED": str(record.preferred).lower(),
        "DEFAULT": None if record.default is None else literal(record.default),
        "DELIMITER": literal(record.delimiter),
        "ELEMENT": record.element,
        "COLLATABLE": str(record.collatable).lower(),
    }
    parts = [f"{name} = {value}" for name, value in words.items() if value]
    yield f"CREATE TYPE {key.sql} ({', '.join([*parts, *(['PASSEDBYVALUE'] if record.by_value else [])])});"


def repair(difference: Difference, _expected: BaseType, _actual: BaseType) -> Iterator[str]:
    """Yield the SQL for attributes that can be altered; a missing type is created again by its migration."""
    if difference.attribute in ALTERABLE:
        value = difference.expected or "NONE"
        yield f"ALTER TYPE {difference.key.sql} SET ({ALTERABLE[difference.attribute]} = {value});"


# Before 14 only the element type specified that a type can be subscripted.
SUBSCRIPT = "CASE WHEN t.typelem <> 0 THEN 'raw_array_subscript_handler' END"


def query(server_version: int) -> str:
    """Return the query for one server version: subscripting has a function of its own since 14."""
    subscript = "nullif(t.typsubscript::text, '-')" if server_version >= 140000 else SUBSCRIPT
    # Array types are created with their element types; only they use array_in.
    return f"""
        SELECT n.nspname, t.typname,
               t.typisdefined,
               t.typinput::text,
               t.typoutput::text,
               nullif(t.typreceive::text, '-'),
               nullif(t.typsend::text, '-'),
               nullif(t.typmodin::text, '-'),
               nullif(t.typmodout::text, '-'),
               nullif(t.typanalyze::text, '-'),
               {subscript},
               t.typlen,
               t.typbyval,
               CASE t.typalign WHEN 'c' THEN 'char' WHEN 's' THEN 'int2' WHEN 'i' THEN 'int4' ELSE 'double' END,
               CASE t.typstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external'
                                 WHEN 'm' THEN 'main' ELSE 'extended' END,
               t.typcategory::text,
               t.typispreferred,
               coalesce(pg_catalog.pg_get_expr(t.typdefaultbin, 0), t.typdefault),
               t.typdelim::text,
               CASE WHEN t.typelem <> 0 THEN pg_catalog.format_type(t.typelem, NULL) END,
               t.typcollation <> 0
          FROM pg_catalog.pg_type AS t
          JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
         WHERE (t.typtype = 'b' AND t.typinput <> 'pg_catalog.array_in'::pg_catalog.regproc
                OR t.typtype = 'p' AND NOT t.typisdefined)
           AND {SCHEMA}
           AND {own("pg_type", "t.oid")}"""


KIND = Kind(  # noqa: S604 # a shell type is none of an operating system
    name="base_type",
    record=BaseType,
    noun="TYPE",
    is_type=True,
    renamable=True,
    movable=True,
    created_as=("type",),
    referenced=True,
    repair=repair,
    create=create,
    shell=lambda key, record: f"CREATE TYPE {key.sql};",
    drop=lambda key, record, around: (f"DROP TYPE {key.sql} CASCADE;",),
    replaced=lambda difference, expected, actual: difference.attribute not in ALTERABLE,
    some="""
        SELECT
          FROM pg_catalog.pg_type AS o
         WHERE o.oid >= 16384
           AND (o.typtype = 'b' AND o.typinput <> 'pg_catalog.array_in'::pg_catalog.regproc
                OR o.typtype = 'p' AND NOT o.typisdefined)""",
    query=query,
)
