"""Rewrite rules of tables and views."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from healthd.catalog.scope import RELATION, own
from healthd.catalog.table_members import address_of, rename_of
from healthd.catalog.triggers import ON, SWITCH, switched
from healthd.model.attributes import DEPARSED, Record
from healthd.model.kinds import OF_RELATION, Kind
from healthd.model.names import Key, quote
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule; `enabled` is origin (the default), disabled, replica or always."""

    definition: Annotated[str, DEPARSED]
    enabled: str
    on: str  # table, view, foreign table


def parent(key: Key, record: Record) -> Key:
    """Return the table or the view of a rule."""
    return Key("view" if record.on.endswith("view") else record.on.replace(" ", "_"), key.path[:2])


def repair(difference: Difference, expected: Rule, _actual: Rule) -> Iterator[str]:
    """Yield the SQL that creates, replaces or enables a rule."""
    schema, table, name = map(quote, difference.key.path)
    if difference.attribute == "definition" or difference.missing:
        yield expected.definition.replace("CREATE RULE", "CREATE OR REPLACE RULE", 1)
    if difference.attribute == "enabled" or (difference.missing and expected.enabled != "origin"):
        yield f"ALTER TABLE {schema}.{table} {SWITCH[expected.enabled]} RULE {name};"


KIND = Kind(
    name="rule",
    record=Rule,
    within=OF_RELATION,
    renamable=True,
    renaming=rename_of("RULE"),
    depth=3,
    parent=parent,
    repair=repair,
    address=address_of("RULE"),
    some="SELECT FROM pg_catalog.pg_rewrite AS o WHERE o.oid >= 16384 AND o.rulename <> '_RETURN'",
    # _RETURN is the definition of a view.
    made_of=("pg_rewrite",),
    by_relation={"pg_rewrite": "ev_class"},
    names_columns=True,
    query=f"""
        SELECT n.nspname, c.relname, r.rulename,
               pg_catalog.pg_get_ruledef(r.oid),
               {switched("r.ev_enabled")},
               {ON}
          FROM pg_catalog.pg_rewrite AS r
          JOIN pg_catalog.pg_class AS c ON c.oid = r.ev_class
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE r.rulename <> '_RETURN'
           AND c.relpersistence <> 't'
           AND {RELATION}
           AND {own("pg_class", "c.oid")}
           AND {own("pg_rewrite", "r.oid")}""",
)
