"""Range types, each with its multirange type."""

from collections.abc import Iterator
from dataclasses import dataclass

from healthd.catalog.scope import SCHEMA, own
from healthd.model.kinds import Around, Kind
from healthd.model.names import Key, literal, quote
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class Range:
    """A range type; `multirange` is None if it has the default name."""

    subtype: str
    operator_class: str
    collation: str | None
    canonical: str | None
    difference: str | None
    multirange: str | None


def repair(difference: Difference, expected: Range, actual: Range) -> Iterator[str]:
    """Yield the SQL that creates a range type; only its names can be altered."""
    if difference.attribute == "multirange":
        there, wanted = (multirange_type(difference.key, side) for side in (actual, expected))
        yield f"ALTER TYPE {there.sql} RENAME TO {quote(wanted.path[1])};"
        yield constructors(difference.key, wanted.path[1])
        return
    words = {
        "subtype": expected.subtype,
        "subtype_opclass": expected.operator_class,
        "collation": expected.collation,
        "canonical": expected.canonical,
        "subtype_diff": expected.difference,
        "multirange_type_name": expected.multirange,
    }
    text = ", ".join(f"{name} = {value}" for name, value in words.items() if value)
    name = difference.key.sql
    if difference.missing:
        yield f"CREATE TYPE {name} AS RANGE ({text});"


# The name from the server's makeMultirangeTypeName(): "multirange" replaces the first "range", or is appended.
MULTIRANGE = """CASE WHEN m.typnamespace <> t.typnamespace
                      OR m.typname <> CASE WHEN t.typname ~ 'range'
                                           THEN pg_catalog.regexp_replace(t.typname, 'range', 'multirange')
                                           ELSE t.typname || '_multirange'
                                      END
                    THEN pg_catalog.format_type(m.oid, NULL) END"""


def query(server_version: int) -> str:
    """Return the query for one server version: multiranges exist since 14."""
    multirange = server_version >= 140000
    return f"""
        SELECT n.nspname, t.typname,
               pg_catalog.format_type(r.rngsubtype, NULL),
               pg_catalog.quote_ident(o.nspname) || '.' || pg_catalog.quote_ident(c.opcname),
               CASE WHEN r.rngcollation <> s.typcollation THEN r.rngcollation::pg_catalog.regcollation::text END,
               nullif(r.rngcanonical::text, '-'),
               nullif(r.rngsubdiff::text, '-'),
               {MULTIRANGE if multirange else "NULL"}
          FROM pg_catalog.pg_range AS r
          JOIN pg_catalog.pg_type AS t ON t.oid = r.rngtypid
          JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
          JOIN pg_catalog.pg_type AS s ON s.oid = r.rngsubtype
          JOIN pg_catalog.pg_opclass AS c ON c.oid = r.rngsubopc
          JOIN pg_catalog.pg_namespace AS o ON o.oid = c.opcnamespace
          {"JOIN pg_catalog.pg_type AS m ON m.oid = r.rngmultitypid" if multirange else ""}
         WHERE {SCHEMA}
           AND {own("pg_type", "t.oid")}"""


def replaced(difference: Difference, expected: Range, actual: Range) -> bool:
    """Return whether a type must be created again: only the name of its multirange type can be changed."""
    there, wanted = (multirange_type(difference.key, side).path[0] for side in (actual, expected))
    return difference.attribute != "multirange" or there != wanted


def shell(key: Key, record: Range) -> str:
    """Return the SQL for a type that is only a name: its canonical function needs it, and it needs the function."""
    return f"CREATE TYPE {key.sql};" if record.canonical else ""


def drop(key: Key, record: Range, _around: Around) -> Iterator[str]:
    """Yield the SQL that drops a type, with the function that needs it and that it needs."""
    yield f"DROP TYPE {key.sql}{' CASCADE' if record.canonical else ''};"


def put_aside(key: Key, record: Range, name: str, around: Around) -> Iterator[str]:
    """Yield the SQL that gives a type, its multirange type and their constructor functions other names.

    Of these, only those whose arguments another type's would have, too.
    """
    yield f"ALTER TYPE {key.sql} RENAME TO {quote(name)};"
    if around.server_version >= 140000:
        yield f"ALTER TYPE {multirange_type(key, record).sql} RENAME TO {quote(multirange(name))};"
    aside = Key("range", (key.path[0], name))
    yield constructors(aside, multirange(name), multiranges=around.server_version >= 140000)


def multirange_type(key: Key, record: Range) -> Key:
    """Return the name of the multirange type of a range type."""
    return Key.parse(f"range:{record.multirange or Key('', (key.path[0], multirange(key.path[1]))).sql}")


def constructors(key: Key, multirange_name: str, *, multiranges: bool = True) -> str:
    """Return a statement that gives the constructor functions of these types, with any names, those of the types.

    ALTER TYPE … RENAME TO does not: somebody may have renamed a type before.
    """
    of = "IN (r.rngtypid, r.rngmultitypid)" if multiranges else "= r.rngtypid"
    return f"""DO $names$ DECLARE one pg_catalog.regprocedure; wanted text; BEGIN
    FOR one, wanted IN
        SELECT f.oid, f.wanted
          FROM (SELECT p.oid, p.proname,
                       CASE p.prorettype WHEN r.rngtypid THEN {literal(key.path[1])}
                                         ELSE {literal(multirange_name)} END AS wanted
                  FROM pg_catalog.pg_range AS r
                  JOIN pg_catalog.pg_proc AS p ON p.prorettype {of}
                 WHERE r.rngtypid = {literal(key.sql)}::pg_catalog.regtype
                   AND p.prosrc ~ '^(multi)?range_constructor[0-9]$') AS f
         WHERE f.proname <> f.wanted
    LOOP
        EXECUTE pg_catalog.format('ALTER FUNCTION %s RENAME TO %I', one, wanted);
    END LOOP;
END $names$;"""


def multirange(name: str) -> str:
    """Return the name that the multirange type of a range type has by default."""
    whole = name.replace("range", "multirange", 1) if "range" in name else f"{clipped(name, 52)}_multirange"
    return clipped(whole, 63)


def clipped(name: str, size_bytes: int) -> str:
    """Return as many whole characters of a name as fit."""
    return name.encode()[:size_bytes].decode(errors="ignore")


KIND = Kind(
    name="range",
    record=Range,
    noun="TYPE",
    is_type=True,
    renamable=True,
    movable=True,
    created_as=("type",),
    referenced=True,
    repair=repair,
    shell=shell,
    drop=drop,
    put_aside=put_aside,
    replaced=replaced,
    some="SELECT FROM pg_catalog.pg_range AS o WHERE o.rngtypid >= 16384",
    query=query,
)
