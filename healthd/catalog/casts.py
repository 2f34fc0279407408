"""Casts: how values of one type are converted to another, and when this happens implicitly."""

from collections.abc import Iterator
from dataclasses import dataclass

from healthd.catalog.scope import own
from healthd.model.attributes import Record
from healthd.model.kinds import Kind
from healthd.model.names import Key
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class Cast:
    """A cast: by a function, by the text form of the value (inout), or without conversion (binary)."""

    method: str
    function: str | None
    context: str  # explicit, assignment, implicit


def parent(key: Key, record: Record) -> Key | None:
    """Return the schema of a type or of the function: a cast itself has none."""
    for text in (*key.path, record.function or ""):
        try:
            path = Key.parse(f"function:{text}").path
        except ValueError:  # a built-in type whose name has several words
            continue
        if len(path) > 1 and not path[1].startswith("("):
            return Key("schema", path[:1])
    return None


def repair(difference: Difference, expected: Cast, _actual: Cast) -> Iterator[str]:
    """Yield the SQL that creates a cast; it cannot be altered."""
    words = f"CAST ({difference.key.path[0]} AS {difference.key.path[1]})"
    how = {"inout": "WITH INOUT", "binary": "WITHOUT FUNCTION"}.get(
        expected.method, f"WITH FUNCTION {expected.function}"
    )
    when = "" if expected.context == "explicit" else f" AS {expected.context.upper()}"
    yield f"CREATE {words} {how}{when};"


def query(server_version: int) -> str:
    """Return the query for one server version: since 14 a range type has a cast to its multirange type."""
    made = """AND NOT EXISTS (SELECT
                             FROM pg_catalog.pg_range AS r
                            WHERE r.rngtypid = c.castsource
                              AND r.rngmultitypid = c.casttarget)"""
    return f"""
        SELECT pg_catalog.format_type(c.castsource, NULL),
               pg_catalog.format_type(c.casttarget, NULL),
               CASE c.castmethod WHEN 'f' THEN 'function' WHEN 'i' THEN 'inout' ELSE 'binary' END,
               CASE WHEN c.castfunc <> 0 THEN c.castfunc::pg_catalog.regprocedure::text END,
               CASE c.castcontext WHEN 'e' THEN 'explicit' WHEN 'a' THEN 'assignment' ELSE 'implicit' END
          FROM pg_catalog.pg_cast AS c
         WHERE c.oid >= 16384
           {made if server_version >= 140000 else ""}
           AND {own("pg_cast", "c.oid")}"""


KIND = Kind(
    name="cast",
    record=Cast,
    within={},
    types_at=0,
    parent=parent,
    repair=repair,
    address=lambda key, record, around: f"CAST ({key.path[0]} AS {key.path[1]})",
    replaced=lambda difference, expected, actual: True,
    some="SELECT FROM pg_catalog.pg_cast AS o WHERE o.oid >= 16384",
    query=query,
)
