"""Triggers: their definitions, and whether they are enabled."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from healthd.catalog.rare_subqueries import needs, nothing, of_inheritance, of_needs
from healthd.catalog.scope import own
from healthd.catalog.table_members import address_of, rename_of
from healthd.model.attributes import DEPARSED, Attribute, Record
from healthd.model.kinds import OF_RELATION, Kind
from healthd.model.names import Key, quote
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger; `enabled` is origin (the default), disabled, replica or always.

    `partitions` are the partitions in which it has another state (`public.readings_2025 disabled`), `needs` are the
    extensions that it depends on.
    """

    definition: Annotated[str, DEPARSED]
    enabled: str
    on: str = "table"  # table, view, foreign table
    partitions: tuple[str, ...] = ()
    needs: Annotated[str | None, Attribute(None)] = None


SWITCH = {"origin": "ENABLE", "disabled": "DISABLE", "replica": "ENABLE REPLICA", "always": "ENABLE ALWAYS"}


def parent(key: Key, record: Record) -> Key:
    """Return the table or the view of a trigger."""
    return Key("view" if record.on.endswith("view") else record.on.replace(" ", "_"), key.path[:2])


def repair(difference: Difference, expected: Trigger, actual: Trigger) -> Iterator[str]:
    """Yield the SQL that creates, replaces or enables a trigger."""
    schema, table, name = map(quote, difference.key.path)
    made = difference.attribute == "definition" or difference.missing
    if made:
        yield f"{expected.definition};"
    if difference.attribute == "enabled" or (made and expected.enabled != "origin"):
        yield f"ALTER TABLE {schema}.{table} {SWITCH[expected.enabled]} TRIGGER {name};"
    if difference.attribute == "partitions" or (made and expected.partitions):
        there = expected if made else actual
        wanted = dict(one.rsplit(" ", 1) for one in expected.partitions)
        for partition in dict(one.rsplit(" ", 1) for one in (*there.partitions, *expected.partitions)):
            yield f"ALTER TABLE {partition} {SWITCH[wanted.get(partition, expected.enabled)]} TRIGGER {name};"


def switched(letter: str) -> str:
    """Return the SQL for the state of a trigger or a rule."""
    return f"""CASE {letter} WHEN 'O' THEN 'origin' WHEN 'D' THEN 'disabled'
                                   WHEN 'R' THEN 'replica' ELSE 'always' END"""


ON = """CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
                              WHEN 'f' THEN 'foreign table' ELSE 'table' END"""

# The triggers of partitions in a state that differs from their parent's, with the trigger at the root of the tree.
ELSEWHERE = f"""
        WITH RECURSIVE elsewhere AS (
            SELECT g.tgparentid AS oid,
                   pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname)
                       || ' ' || {switched("g.tgenabled")} AS name
              FROM pg_catalog.pg_trigger AS g
              JOIN pg_catalog.pg_trigger AS p ON p.oid = g.tgparentid
              JOIN pg_catalog.pg_class AS c ON c.oid = g.tgrelid
              JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
             WHERE p.tgenabled <> g.tgenabled
             UNION -- not ALL: it must end in a broken catalog too
            SELECT g.tgparentid, e.name
              FROM elsewhere AS e
              JOIN pg_catalog.pg_trigger AS g ON g.oid = e.oid
             WHERE g.tgparentid <> 0)"""


KIND = Kind(
    name="trigger",
    record=Trigger,
    within=OF_RELATION,
    renamable=True,
    renaming=rename_of("TRIGGER"),
    copied=True,
    depth=3,
    parent=parent,
    repair=repair,
    replaced=lambda difference, expected, actual: difference.attribute == "definition",
    address=address_of("TRIGGER"),
    made_of=("pg_trigger",),
    by_relation={},
    rare=(
        of_inheritance(ELSEWHERE, f"WITH elsewhere AS {nothing(oid='oid', name='text')}"),
        of_needs("pg_trigger"),
    ),
    query=f"""{ELSEWHERE}
        SELECT c.nspname, c.relname, g.tgname,
               pg_catalog.pg_get_triggerdef(g.oid),
               {switched("g.tgenabled")},
               {ON},
               coalesce(e.names, '{{}}'),
               x.names
          FROM pg_catalog.pg_trigger AS g
          JOIN relations AS c ON c.oid = g.tgrelid
          LEFT JOIN (SELECT e.oid, pg_catalog.array_agg(e.name ORDER BY e.name) AS names
                       FROM elsewhere AS e
                      GROUP BY e.oid) AS e ON e.oid = g.oid
          LEFT JOIN {needs("pg_trigger")} AS x ON x.objid = g.oid
         WHERE NOT g.tgisinternal
           AND g.tgparentid = 0
           AND {own("pg_trigger", "g.oid")}""",
)
