"""Constraints: keys, checks, foreign keys and exclusions, of tables and domains."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from healthd.catalog.indexes import ATTACHED, OF_ATTACHED, STATISTICS, TABLESPACE, set_statistics, tied
from healthd.catalog.online_forms import of_constraint
from healthd.catalog.rare_subqueries import needs, nothing, of_inheritance, of_needs, of_switched_triggers
from healthd.catalog.scope import SCHEMA, own
from healthd.catalog.storage_parameters import assigned, options, options_order, set_options
from healthd.catalog.triggers import switched
from healthd.model.attributes import DEPARSED, MINOR, Attribute, Record
from healthd.model.kinds import INDEXES, OF_RELATION, Around, Dependent, Kind
from healthd.model.names import Key, quote
from healthd.model.severity import Severity
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class Constraint:
    """A constraint; `on` is whether it belongs to a table, a foreign table or a domain.

    `enforced` is false with NOT ENFORCED (18), `switched_off` is true if the triggers that check it are disabled.
    The following fields are about the index of a key: `attached` are the indexes of the partitions. `partitions` are
    the partitions in which a check is validated and here it is not, or the other way round, and those in which the
    triggers of a foreign key have another state. `needs` are the extensions that the index of a key depends on.
    `options_order` lists its options in the order in which they were set, None if that is their order by name.
    `statistics` are the targets of the expressions of an exclusion constraint (`2: 500`).
    """

    on: str
    type: str
    validated: bool
    definition: Annotated[str, DEPARSED]
    enforced: bool = True
    switched_off: bool = False
    options: Annotated[str | None, MINOR] = None
    tablespace: Annotated[str | None, MINOR] = None
    clustered: Annotated[bool, Attribute(None)] = False
    replica_identity: Annotated[bool, MINOR] = False
    attached: Annotated[str | None, Attribute(None)] = None
    partitions: Annotated[str | None, Attribute(None)] = None
    needs: Annotated[str | None, Attribute(None)] = None
    options_order: Annotated[str | None, Attribute(None)] = None
    statistics: Annotated[str | None, MINOR] = None


def repair(difference: Difference, expected: Constraint, actual: Constraint) -> Iterator[str]:
    """Yield the SQL that adds, validates or replaces a constraint."""
    schema, owner, name = map(quote, difference.key.path)
    alter = f"ALTER {expected.on.upper()} {schema}.{owner}"
    add = f"ADD CONSTRAINT {name} {definition(expected)};"
    if difference.attribute == "validated" and expected.validated:
        yield f"{alter} VALIDATE CONSTRAINT {name};"
    elif difference.attribute == "validated":
        yield f"-- it was validated by hand: add a migration with {alter} VALIDATE CONSTRAINT {name};"
    elif difference.missing:
        yield f"{alter} {add}"
        if expected.tablespace:
            yield f"ALTER INDEX {schema}.{name} SET TABLESPACE {quote(expected.tablespace)};"
        yield from set_statistics(f"{schema}.{name}", expected.statistics, None)
    elif difference.attribute == "statistics":
        yield from set_statistics(f"{schema}.{name}", expected.statistics, actual.statistics)
    elif difference.attribute == "options":
        yield from set_options(f"ALTER INDEX {schema}.{name}", expected.options, actual.options)
    elif difference.attribute == "tablespace":
        yield f"ALTER INDEX {schema}.{name} SET TABLESPACE {quote(expected.tablespace or 'pg_default')};"
    if difference.attribute == "replica_identity" and expected.replica_identity:
        yield f"{alter} REPLICA IDENTITY USING INDEX {name};"
    elif difference.missing:
        yield from tied(difference.key, expected)


def address(key: Key, record: Constraint | None, around: Around) -> str:
    """Return noun and name of a constraint, as COMMENT writes them."""
    schema, owner, name = map(quote, key.path)
    of_domain = Key("domain", key.path[:2]) in around.objects if record is None else record.on == "domain"
    return f"CONSTRAINT {name} ON {'DOMAIN ' if of_domain else ''}{schema}.{owner}"


def drop(key: Key, record: Constraint, _around: Around) -> Iterator[str]:
    """Yield the SQL that drops a constraint."""
    schema, owner, name = map(quote, key.path)
    yield f"ALTER {record.on.upper()} {schema}.{owner} DROP CONSTRAINT {name};"


def change(difference: Difference, noted: Severity | None) -> Severity | None:
    """Return the severity of a difference: a constraint that was validated by hand is a warning."""
    return Severity.WARNING if difference.attribute == "validated" and difference.actual else noted


def definition(record: Constraint) -> str:
    """Return the definition of a constraint in ADD CONSTRAINT, without its name."""
    words = [record.definition]
    if record.options:
        settings = f"WITH ({assigned(record.options, record.options_order)})"
        # The parameters of the index come before DEFERRABLE.
        head, deferrable, tail = record.definition.partition(" DEFERRABLE")
        words = [f"{head} {settings}{deferrable}{tail}"]
    words += [] if record.enforced else ["NOT ENFORCED"]
    words += [] if record.validated else ["NOT VALID"]
    return " ".join(words)


def parent(key: Key, record: Record) -> Key:
    """Return the table or the domain of a constraint."""
    return Key(record.on.replace(" ", "_"), key.path[:2])


# The triggers of foreign keys that are switched off, or in another state than those of the partitioned table.
SWITCHED = f"""switched AS (SELECT g.tgconstraint AS oid,
                                 g.tgenabled IN ('D', 'R') AS off,
                                 CASE WHEN g.tgenabled <> u.tgenabled
                                      THEN g.tgrelid::pg_catalog.regclass::text || ' ' || {switched("g.tgenabled")}
                                 END AS name
                            FROM pg_catalog.pg_trigger AS g
                            LEFT JOIN pg_catalog.pg_trigger AS u ON u.oid = g.tgparentid
                           WHERE g.tgisinternal
                             AND (g.tgenabled IN ('D', 'R') OR g.tgenabled <> u.tgenabled)
                           UNION -- a broken catalog may lead round in a circle
                          SELECT k.conparentid, s.off, s.name
                            FROM switched AS s
                            JOIN pg_catalog.pg_constraint AS k ON k.oid = s.oid
                           WHERE k.conparentid <> 0),
             triggers AS (SELECT s.oid,
                                 pg_catalog.bool_or(s.off) AS off,
                                 pg_catalog.string_agg(DISTINCT s.name, ', ' ORDER BY s.name) AS names
                            FROM switched AS s
                           GROUP BY s.oid)"""

# The partitions in which a check is validated, but not in its table, or the other way round.
PARTITIONS = """(SELECT p.oid,
                                   pg_catalog.string_agg(k.conrelid::pg_catalog.regclass::text, ', '
                                                         ORDER BY k.conrelid::pg_catalog.regclass::text) AS names
                              FROM pg_catalog.pg_constraint AS k
                              JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
                             CROSS JOIN LATERAL pg_catalog.pg_partition_ancestors(c.oid) AS r(oid)
                              JOIN pg_catalog.pg_constraint AS p ON p.conrelid = r.oid AND p.conname = k.conname
                             WHERE k.contype = 'c'
                               AND k.coninhcount > 0
                               AND c.relispartition
                               AND p.coninhcount = 0 -- the constraint that all others are inherited from
                               -- Only names that are validated here and not there are worth the way up.
                               AND k.conname = ANY (ARRAY(SELECT m.conname
                                                            FROM pg_catalog.pg_constraint AS m
                                                           WHERE m.contype = 'c'
                                                           GROUP BY m.conname
                                                          HAVING pg_catalog.bool_or(m.convalidated)
                                                             AND NOT pg_catalog.bool_and(m.convalidated)))
                               AND p.convalidated <> k.convalidated
                             GROUP BY p.oid)"""


def query(version: int) -> str:
    """Return the query for one version: constraints that are not enforced exist since PostgreSQL 18."""
    # Types are listed: NOT NULL ('n', since PostgreSQL 18) belongs to the column, 't' to the trigger.
    # NOT VALID is `validated`. Constraints that a partition or a child inherits belong to the parent.
    enforced = "k.conenforced" if version >= 180000 else "true"
    return f"""
        WITH RECURSIVE
             attached AS {ATTACHED},
             {SWITCHED},
             partitions AS {PARTITIONS}
        SELECT n.nspname, coalesce(c.relname, t.typname), k.conname,
               CASE WHEN t.oid IS NOT NULL THEN 'domain' WHEN c.relkind = 'f' THEN 'foreign table' ELSE 'table' END,
               CASE k.contype WHEN 'c' THEN 'check' WHEN 'f' THEN 'foreign key' WHEN 'p' THEN 'primary key'
                              WHEN 'u' THEN 'unique' ELSE 'exclusion' END,
               k.convalidated OR NOT {enforced},
               CASE WHEN h.expression IS NOT NULL
                    THEN 'CHECK (' || h.expression || ')' || CASE WHEN k.connoinherit THEN ' NO INHERIT' ELSE '' END
                    WHEN k.convalidated THEN pg_catalog.pg_get_constraintdef(k.oid)
                    ELSE pg_catalog.regexp_replace(pg_catalog.pg_get_constraintdef(k.oid),
                                                   ' NOT (VALID|ENFORCED)$', '') END,
               {enforced},
               coalesce(g.off, false),
               CASE WHEN k.contype IN ('p', 'u') THEN {options("x")} END, -- an exclusion's definition has them
               CASE WHEN k.contype IN ('p', 'u', 'x') THEN {TABLESPACE.format("x")} END,
               coalesce(i.indisclustered, false),
               coalesce(i.indisreplident, false),
               a.names,
               coalesce(p.names, g.names),
               e.names,
               CASE WHEN k.contype IN ('p', 'u') THEN {options_order("x.reloptions")} END,
               CASE WHEN i.indexprs IS NOT NULL THEN {STATISTICS.format("i.indexrelid")} END
          FROM pg_catalog.pg_constraint AS k
          JOIN pg_catalog.pg_namespace AS n ON n.oid = k.connamespace
          LEFT JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
          LEFT JOIN pg_catalog.pg_type AS t ON t.oid = k.contypid
          LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = k.conindid AND k.contype IN ('p', 'u', 'x')
          LEFT JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
          LEFT JOIN attached AS a ON a.root = i.indexrelid
          LEFT JOIN {CHECKS} AS h ON h.oid = k.oid
          LEFT JOIN triggers AS g ON g.oid = k.oid
          LEFT JOIN partitions AS p ON p.oid = k.oid
          LEFT JOIN {needs("pg_class")} AS e ON e.objid = x.oid
         WHERE k.contype IN ('c', 'f', 'p', 'u', 'x')
           AND k.conislocal
           AND k.conparentid = 0
           -- What a restored partition has, it has of its own and from its parent.
           AND (k.coninhcount = 0 OR NOT coalesce(c.relispartition, false))
           AND (c.relname IS NULL OR c.relname <> ALL (%(books)s) AND c.relpersistence <> 't')
           AND {SCHEMA}
           AND {own("pg_class", "k.conrelid")}
           AND {own("pg_type", "k.contypid")}"""


# A check is printed once for all tables in which it has the same text and columns with the same names: printing it
# opens the table, which takes a lock and fills the server's caches.
CHECKS = """(SELECT pg_catalog.unnest(t.oids) AS oid, t.expression
                       FROM (SELECT g.oids,
                                    (SELECT /* for several */ pg_catalog.pg_get_expr(k.conbin, k.conrelid)
                                       FROM pg_catalog.pg_constraint AS k
                                      WHERE k.oid = g.oid) AS expression
                               FROM (SELECT min(k.oid) AS oid, pg_catalog.array_agg(k.oid) AS oids
                                       FROM pg_catalog.pg_constraint AS k
                                      WHERE k.contype = 'c'
                                        AND k.conrelid <> 0
                                        AND 0 < ALL (k.conkey)
                                      GROUP BY k.conbin::text,
                                               ARRAY(SELECT a.attname
                                                       FROM pg_catalog.pg_attribute AS a
                                                      WHERE a.attrelid = k.conrelid
                                                        AND a.attnum   = ANY (k.conkey)
                                                      ORDER BY a.attnum)) AS g
                             OFFSET 0) AS t
                     OFFSET 0)"""


def rename(there: Key, record: Constraint, name: str) -> str:
    """Return the SQL that gives a constraint another name."""
    schema, owner, constraint = map(quote, there.path)
    return f"ALTER {record.on.upper()} {schema}.{owner} RENAME CONSTRAINT {constraint} TO {quote(name)};"


def needed(key: Key, record: Constraint, dependent: Dependent) -> bool:
    """Return whether a foreign key refers to the columns of this key."""
    columns = re.search(r"\(.*\)", record.definition)
    refers = f"REFERENCES {Key('table', key.path[:2]).sql}{columns[0]}" if columns else ""
    return bool(refers) and refers in getattr(dependent.record, "definition", "")


KIND = Kind(
    name="constraint",
    record=Constraint,
    within={**OF_RELATION, "domain": 0},
    renamable=True,
    renaming=rename,
    copied=True,
    placed_by=("default_tablespace",),
    needed=needed,
    depth=3,
    parent=parent,
    change=change,
    repair=repair,
    address=address,
    drop=drop,
    replaced=lambda difference, expected, actual: (
        difference.attribute in ("type", "definition", "enforced", "switched_off")
    ),
    online=of_constraint,
    follows_type=True,
    made_of=("pg_constraint", *INDEXES, "pg_trigger"),
    by_relation={"pg_constraint": "conrelid"},
    rare=(
        OF_ATTACHED,
        of_inheritance(PARTITIONS, nothing(oid="oid", names="text")),
        of_switched_triggers(SWITCHED, f"triggers AS {nothing(oid='oid', off='bool', names='text')}"),
        of_needs("pg_class"),  # the first one contains it
    ),
    query=query,
)
