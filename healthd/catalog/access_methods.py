"""Access methods of tables and indexes, except the built-in ones."""

from collections.abc import Iterator
from dataclasses import dataclass

from healthd.catalog.scope import own
from healthd.model.kinds import Kind
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class AccessMethod:
    """An access method for tables or indexes."""

    of: str  # table, index
    handler: str


def repair(difference: Difference, expected: AccessMethod, _actual: AccessMethod) -> Iterator[str]:
    """Yield the SQL that creates an access method; it cannot be altered."""
    if difference.missing:
        yield f"CREATE ACCESS METHOD {difference.key.sql} TYPE {expected.of.upper()} HANDLER {expected.handler};"


KIND = Kind(
    name="access_method",
    record=AccessMethod,
    within={},
    depth=1,
    parent=lambda key, record: None,
    repair=repair,
    replaced=lambda difference, expected, actual: True,
    some="SELECT FROM pg_catalog.pg_am AS o WHERE o.oid >= 16384",
    query=f"""
        SELECT m.amname,
               CASE m.amtype WHEN 't' THEN 'table' ELSE 'index' END,
               m.amhandler::text
          FROM pg_catalog.pg_am AS m
         WHERE m.oid >= 16384
           AND {own("pg_am", "m.oid")}""",
)
