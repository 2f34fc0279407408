"""Transforms: how values of a type are converted for functions in a language."""

from collections.abc import Iterator
from dataclasses import dataclass

from healthd.catalog.scope import own
from healthd.model.kinds import Kind
from healthd.model.names import Key, quote
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class Transform:
    """A transform, with two functions, of which one may be absent."""

    from_sql: str | None
    to_sql: str | None


def repair(difference: Difference, expected: Transform, _actual: Transform) -> Iterator[str]:
    """Yield the SQL that creates a transform or replaces it entirely."""
    words = [f"FROM SQL WITH FUNCTION {expected.from_sql}"] if expected.from_sql else []
    words += [f"TO SQL WITH FUNCTION {expected.to_sql}"] if expected.to_sql else []
    name = f"FOR {difference.key.path[0]} LANGUAGE {quote(difference.key.path[1])}"
    yield f"CREATE OR REPLACE TRANSFORM {name} ({', '.join(words)});"


KIND = Kind(
    name="transform",
    record=Transform,
    within={"language": 1},
    types_at=0,
    parent=lambda key, record: Key("language", key.path[1:]),
    repair=repair,
    address=lambda key, record, around: f"TRANSFORM FOR {key.path[0]} LANGUAGE {quote(key.path[1])}",
    some="SELECT FROM pg_catalog.pg_transform",
    query=f"""
        SELECT pg_catalog.format_type(r.trftype, NULL), l.lanname,
               CASE WHEN r.trffromsql <> 0 THEN r.trffromsql::pg_catalog.regprocedure::text END,
               CASE WHEN r.trftosql <> 0 THEN r.trftosql::pg_catalog.regprocedure::text END
          FROM pg_catalog.pg_transform AS r
          JOIN pg_catalog.pg_language AS l ON l.oid = r.trflang
         WHERE r.oid >= 16384
           AND {own("pg_transform", "r.oid")}""",
)
