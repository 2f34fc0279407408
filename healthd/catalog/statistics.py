"""Extended statistics objects."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from healthd.catalog.scope import RELATION, own
from healthd.model.attributes import Attribute
from healthd.model.kinds import Kind
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class Statistics:
    """A statistics object, with its CREATE statement; `target` is None if those of the columns apply."""

    table: Annotated[str, Attribute(None)]  # the definition also contains it
    definition: Annotated[str, Attribute(Severity.WARNING, deparsed=True)]
    target: Annotated[int | None, Attribute(Severity.WARNING)]


def repair(difference: Difference, expected: Statistics, _actual: Statistics) -> Iterator[str]:
    """Yield the SQL that creates a statistics object, or sets its target."""
    name = difference.key.sql
    if difference.missing:
        yield f"{expected.definition};"
        if expected.target is not None:
            yield f"ALTER STATISTICS {name} SET STATISTICS {expected.target};"
    elif difference.attribute == "target":
        yield f"ALTER STATISTICS {name} SET STATISTICS {-1 if expected.target is None else expected.target};"


KIND = Kind(
    name="statistics",
    record=Statistics,
    renamable=True,
    movable=True,
    copied=True,
    created_as=("statistics",),
    table=lambda key, record: Key.parse(f"table:{record.table}").path if record is not None else None,
    parent=lambda key, record: Key.parse(f"table:{record.table}"),
    loss=lambda record: Severity.WARNING,
    repair=repair,
    replaced=lambda difference, expected, actual: difference.attribute in ("table", "definition"),
    some="SELECT FROM pg_catalog.pg_statistic_ext",
    query=f"""
        SELECT n.nspname, s.stxname,
               pg_catalog.format('%%I.%%I', cn.nspname, c.relname),
               pg_catalog.pg_get_statisticsobjdef(s.oid),
               nullif(s.stxstattarget::integer, -1) -- -1 before 17, NULL since
          FROM pg_catalog.pg_statistic_ext AS s
          JOIN pg_catalog.pg_namespace AS n ON n.oid = s.stxnamespace
          JOIN pg_catalog.pg_class AS c ON c.oid = s.stxrelid
          JOIN pg_catalog.pg_namespace AS cn ON cn.oid = c.relnamespace
         WHERE c.relpersistence <> 't'
           AND {RELATION}
           AND {own("pg_class", "c.oid")}
           AND {own("pg_statistic_ext", "s.oid")}""",
)
