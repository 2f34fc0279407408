"""Access methods of tables and indexes, except the built-in ones."""

from collections.abc import Iterator
from dataclasses import dataclass

from healthd.catalog.scope import own
from healthd.model.kinds import Dependent, Kind
from healthd.model.names import Key, quote
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


def needed(key: Key, _record: AccessMethod, dependent: Dependent) -> bool:
    """Return whether a table, a materialized view, an index or an exclusion constraint is stored by a method."""
    by_name = getattr(dependent.record, "access_method", None) == key.path[0]
    return by_name or f" USING {quote(key.path[0])} (" in (getattr(dependent.record, "definition", None) or "")


KIND = Kind(
    name="access_method",
    record=AccessMethod,
    within={},
    needed=needed,
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
