"""Operator families: groups of operator classes of related types."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from healthd.catalog.scope import SCHEMA, own
from healthd.model.kinds import Kind
from healthd.model.names import Key, quote
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class OperatorFamily:
    """An operator family; its members exclude those of a single type for which it has a class."""

    operators: tuple[str, ...]
    functions: tuple[str, ...]


def repair(difference: Difference, expected: OperatorFamily, actual: OperatorFamily) -> Iterator[str]:
    """Yield the SQL that creates a family, or drops unexpected members and adds missing ones."""
    family = f"OPERATOR FAMILY {written(difference.key)}"
    if difference.missing:
        yield f"CREATE {family};"
    missing, extra = list[str](), list[str]()
    for name, word in (("operators", "OPERATOR"), ("functions", "FUNCTION")):
        if difference.attribute in (None, name):
            there = () if difference.missing else getattr(actual, name)
            wanted = getattr(expected, name)
            missing += [f"{word} {one}" for one in wanted if one not in there]
            extra += [f"{word} {address(one)}" for one in there if one not in wanted]
    if extra:  # first: one of them may have the place of one that is missing
        yield f"ALTER {family} DROP {', '.join(extra)};"
    if missing:
        yield f"ALTER {family} ADD {', '.join(missing)};"


def address(member: str) -> str:
    """Return number and types of a member, as in ALTER OPERATOR FAMILY … DROP."""
    return ADDRESS.sub(r"\1 \2", member)


QUOTED = r'"(?:[^"]|"")+"'
# The number, an operator with its schema or nothing, and the types, whose names may contain parentheses in quotes.
ADDRESS = re.compile(rf"""(\d+) (?:(?:(?:[\w$]+|{QUOTED})\.)?[^\s\w("]+)?(\((?:[^()"]|{QUOTED})*\)).*""", re.DOTALL)


def members(family: str, where: str) -> str:
    """Return two columns: operators and functions of a family, as in ALTER OPERATOR FAMILY … ADD.

    `where` may use `l` and `r`, the oids of the left and the right type.
    """
    return f"""ARRAY(SELECT pg_catalog.format('%%s %%s%%s', p.amopstrategy, p.amopopr::pg_catalog.regoperator,
                                        CASE WHEN f.oid IS NOT NULL
                                             THEN pg_catalog.format(' FOR ORDER BY %%I.%%I', s.nspname, f.opfname)
                                        END)
                       FROM pg_catalog.pg_amop AS p
                       LEFT JOIN pg_catalog.pg_opfamily AS f ON f.oid = p.amopsortfamily
                       LEFT JOIN pg_catalog.pg_namespace AS s ON s.oid = f.opfnamespace
                      CROSS JOIN LATERAL (VALUES (p.amoplefttype, p.amoprighttype)) AS v(l, r)
                      WHERE p.amopfamily = {family}
                        AND {where}
                      ORDER BY p.amopstrategy, p.amopopr::pg_catalog.regoperator::text COLLATE "C"),
               ARRAY(SELECT pg_catalog.format('%%s (%%s, %%s) %%s', p.amprocnum,
                                        pg_catalog.format_type(p.amproclefttype, NULL),
                                        pg_catalog.format_type(p.amprocrighttype, NULL),
                                        p.amproc::pg_catalog.regprocedure)
                       FROM pg_catalog.pg_amproc AS p
                      CROSS JOIN LATERAL (VALUES (p.amproclefttype, p.amprocrighttype)) AS v(l, r)
                      WHERE p.amprocfamily = {family}
                        AND {where}
                      ORDER BY p.amprocnum,
                               pg_catalog.format_type(p.amproclefttype, NULL) COLLATE "C",
                               pg_catalog.format_type(p.amprocrighttype, NULL) COLLATE "C")"""


LOOSE = """NOT EXISTS (SELECT
                                           FROM pg_catalog.pg_opclass AS c
                                          WHERE c.opcfamily = o.oid
                                            AND v.l = v.r
                                            AND c.opcintype = v.l)"""


def written(key: Key) -> str:
    """Return the name with its access method, as ALTER writes it."""
    return f"{Key('', key.path[:2]).sql} USING {quote(key.path[2])}"


KIND = Kind(
    name="operator_family",
    record=OperatorFamily,
    name_at=1,
    renamable=True,
    written=written,
    depth=3,
    repair=repair,
    keeps_parts=True,
    some="SELECT FROM pg_catalog.pg_opfamily AS o WHERE o.oid >= 16384",
    query=f"""
        SELECT n.nspname, o.opfname, m.amname,
               {members("o.oid", LOOSE)}
          FROM pg_catalog.pg_opfamily AS o
          JOIN pg_catalog.pg_namespace AS n ON n.oid = o.opfnamespace
          JOIN pg_catalog.pg_am AS m ON m.oid = o.opfmethod
         WHERE {SCHEMA}
           AND {own("pg_opfamily", "o.oid")}""",
)
