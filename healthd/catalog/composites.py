"""Composite types: row types without a table."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from healthd.catalog.scope import SCHEMA, own
from healthd.model.kinds import Kind
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class Composite:
    """A composite type; each of its `attributes`, in order, is name, type and collation as in SQL."""

    attributes: tuple[str, ...]


def repair(difference: Difference, expected: Composite, actual: Composite) -> Iterator[str]:
    """Yield the SQL that creates a type, or adds missing attributes at its end."""
    name = difference.key.sql
    if difference.missing:
        yield f"CREATE TYPE {name} AS ({', '.join(expected.attributes)});"
        return
    same = 0
    while expected.attributes[same : same + 1] == actual.attributes[same : same + 1] != ():
        same += 1
    lost, found = expected.attributes[same:], actual.attributes[same:]
    steps = [f"DROP ATTRIBUTE {_name(one)} CASCADE" for one in found]  # in typed tables too
    steps += [f"ADD ATTRIBUTE {one} CASCADE" for one in lost]
    yield f"ALTER TYPE {name} {', '.join(steps)};"


def _name(attribute: str) -> str:
    """Return the name of an attribute as it is written in SQL."""
    match = ATTRIBUTE.match(attribute)
    return match[0] if match else attribute


ATTRIBUTE = re.compile(r'"(?:[^"]|"")+"|[^ ]+')


KIND = Kind(
    name="composite",
    record=Composite,
    noun="TYPE",
    is_type=True,
    renamable=True,
    movable=True,
    created_as=("type",),
    referenced=True,
    repair=repair,
    query=f"""
        SELECT n.nspname, c.relname,
               ARRAY(SELECT pg_catalog.concat_ws(' ',
                                                 pg_catalog.quote_ident(a.attname),
                                                 pg_catalog.format_type(a.atttypid, a.atttypmod),
                                                 CASE WHEN a.attcollation <> t.typcollation
                                                      THEN 'COLLATE ' || a.attcollation::pg_catalog.regcollation
                                                 END)
                       FROM pg_catalog.pg_attribute AS a
                       JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
                      WHERE a.attrelid = c.oid
                        AND a.attnum > 0
                        AND NOT a.attisdropped
                      ORDER BY a.attnum)
          FROM pg_catalog.pg_class AS c
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE c.relkind = 'c'
           AND {SCHEMA}
           AND {own("pg_type", "c.reltype")}""",
)
