"""Triggers: what fires, when, and whether it is switched on."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from healthd.catalog.visible import RELATION, own
from healthd.model import DEPARSED, Difference, Key, Kind, quote


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger; `enabled` is origin (the default), disabled, replica or always."""

    definition: Annotated[str, DEPARSED]
    enabled: str


def repair(difference: Difference, expected: Trigger, _actual: Trigger) -> Iterator[str]:
    """Yield the SQL that makes, replaces or enables a trigger."""
    schema, table, name = map(quote, difference.key.path)
    switch = {
        "origin": "ENABLE",
        "disabled": "DISABLE",
        "replica": "ENABLE REPLICA",
        "always": "ENABLE ALWAYS",
    }
    if difference.attribute == "definition":
        yield f"DROP TRIGGER {name} ON {schema}.{table};"
    if difference.attribute == "definition" or difference.missing:
        yield f"{expected.definition};"
    if difference.attribute == "enabled" or expected.enabled != "origin":
        yield f"ALTER TABLE {schema}.{table} {switch[expected.enabled]} TRIGGER {name};"


KIND = Kind(
    name="trigger",
    record=Trigger,
    depth=3,
    parent=lambda key, record: Key("table", key.path[:2]),
    repair=repair,
    query=f"""
        SELECT n.nspname, c.relname, g.tgname,
               pg_catalog.pg_get_triggerdef(g.oid),
               CASE g.tgenabled WHEN 'O' THEN 'origin' WHEN 'D' THEN 'disabled'
                                WHEN 'R' THEN 'replica' ELSE 'always' END
          FROM pg_catalog.pg_trigger AS g
          JOIN pg_catalog.pg_class AS c ON c.oid = g.tgrelid
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE NOT g.tgisinternal
           AND g.tgparentid = 0
           AND c.relpersistence <> 't'
           AND {RELATION}
           AND {own("pg_class", "c.oid")}
           AND {own("pg_trigger", "g.oid")}""",
)
