"""Partitions that are half detached: DETACH PARTITION … CONCURRENTLY began and did not complete."""

from dataclasses import dataclass

from healthd.model.attributes import Record
from healthd.model.kinds import Kind
from healthd.model.severity import Severity


@dataclass(frozen=True, slots=True)
class Detachment:
    """A partition that still belongs to its table, `parent`, but whose rows are no longer visible through it."""

    parent: str


def _gain(_record: Record) -> Severity:
    return Severity.CRITICAL


def query(server_version: int) -> str:
    """Return the query for one server version: CONCURRENTLY exists since 14."""
    if server_version < 140000:
        return "SELECT NULL::text, NULL::text, NULL::text WHERE false"
    return """
        SELECT c.nspname, c.relname, i.inhparent::pg_catalog.regclass::text
          FROM pg_catalog.pg_inherits AS i
          JOIN relations AS c ON c.oid = i.inhrelid
         WHERE i.inhdetachpending"""


KIND = Kind(
    name="detachment",
    record=Detachment,
    drop=lambda key, record, around: (),  # whether it is completed or undone is for a person to decide
    table=lambda key, record: key.path[:2],
    gain=_gain,
    some="SELECT FROM pg_catalog.pg_inherits AS o",
    query=query,
)
