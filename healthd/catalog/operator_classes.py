"""Operator classes: the operators and functions that an index uses for a type."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from healthd.catalog.operator_families import members, written
from healthd.catalog.scope import SCHEMA, own
from healthd.model.attributes import Attribute, Record
from healthd.model.kinds import Dependent, Kind
from healthd.model.names import Key, quote
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class OperatorClass:
    """An operator class; `operators` and `functions` are those that its family has for its type.

    `tied` are those that are dropped with the class: this differs between major versions.
    """

    default: bool
    type: str
    family: str
    storage: str | None
    operators: tuple[str, ...]
    functions: tuple[str, ...]
    tied: Annotated[tuple[str, ...], Attribute(None)]


def repair(difference: Difference, expected: OperatorClass, actual: OperatorClass) -> Iterator[str]:
    """Yield the SQL that creates a class, or adds missing members to its family."""
    schema, name, method = map(quote, difference.key.path)
    if difference.missing:
        words = [f"OPERATOR {one}" for one in expected.operators]
        words += [f"FUNCTION {one}" for one in expected.functions]
        words += [f"STORAGE {expected.storage}"] if expected.storage else []
        yield (
            f"CREATE OPERATOR CLASS {schema}.{name}{' DEFAULT' if expected.default else ''} FOR TYPE {expected.type} "
            f"USING {method} FAMILY {expected.family} AS {', '.join(words or [f'STORAGE {expected.type}'])};"
        )
    elif difference.attribute in ("operators", "functions"):
        word = difference.attribute.removesuffix("s").upper()
        lost = [one for one in difference.expected if one not in difference.actual]
        if lost:
            wanted = ", ".join(f"{word} {one}" for one in lost)
            yield f"ALTER OPERATOR FAMILY {actual.family} USING {method} ADD {wanted};"


def parent(key: Key, record: Record) -> Key:
    """Return the family of a class: dropping the family drops the class."""
    path = Key.parse(f"operator_family:{record.family}").path
    return Key("operator_family", (*path, key.path[2])) if len(path) == 2 else Key("schema", key.path[:1])


def needed(key: Key, _record: OperatorClass, dependent: Dependent) -> bool:
    """Return whether an index, a constraint, a partitioned table or a range type names a class."""
    uses = (getattr(dependent.record, name, None) for name in USES)
    return key.path[:2] in dependent.names and any(uses)


USES = ("definition", "partitioned_by", "operator_class")


KIND = Kind(
    name="operator_class",
    record=OperatorClass,
    name_at=1,
    renamable=True,
    written=written,
    needed=needed,
    depth=3,
    parent=parent,
    repair=repair,
    replaced=lambda difference, expected, actual: True,
    some="SELECT FROM pg_catalog.pg_opclass AS o WHERE o.oid >= 16384",
    query=f"""
        SELECT n.nspname, o.opcname, m.amname,
               o.opcdefault,
               pg_catalog.format_type(o.opcintype, NULL),
               pg_catalog.format('%%I.%%I', fn.nspname, f.opfname),
               CASE WHEN o.opckeytype <> 0 THEN pg_catalog.format_type(o.opckeytype, NULL) END,
               {members("o.opcfamily", "v.l = o.opcintype AND v.r = o.opcintype")},
               ARRAY(SELECT v.member
                       FROM pg_catalog.pg_depend AS d
                       LEFT JOIN pg_catalog.pg_amop AS p
                              ON d.classid = 'pg_catalog.pg_amop'::pg_catalog.regclass AND p.oid = d.objid
                       LEFT JOIN pg_catalog.pg_amproc AS q
                              ON d.classid = 'pg_catalog.pg_amproc'::pg_catalog.regclass AND q.oid = d.objid
                      CROSS JOIN LATERAL (
                           VALUES ('operator ' || p.amopstrategy::text || ' '
                                               || p.amopopr::pg_catalog.regoperator::text),
                                  ('function ' || q.amprocnum::text || ' ' || q.amproc::pg_catalog.regprocedure::text)
                           ) AS v(member)
                      WHERE d.refclassid = 'pg_catalog.pg_opclass'::pg_catalog.regclass
                        AND d.refobjid = o.oid
                        AND v.member IS NOT NULL
                      ORDER BY v.member COLLATE "C")
          FROM pg_catalog.pg_opclass AS o
          JOIN pg_catalog.pg_namespace AS n ON n.oid = o.opcnamespace
          JOIN pg_catalog.pg_am AS m ON m.oid = o.opcmethod
          JOIN pg_catalog.pg_opfamily AS f ON f.oid = o.opcfamily
          JOIN pg_catalog.pg_namespace AS fn ON fn.oid = f.opfnamespace
         WHERE {SCHEMA}
           AND {own("pg_opclass", "o.oid")}""",
)
