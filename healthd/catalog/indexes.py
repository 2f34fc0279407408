"""Indexes that do not belong to a constraint."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from healthd.catalog.rare_subqueries import needs, nothing, of_inheritance, of_needs
from healthd.catalog.server_only import by_server
from healthd.model.attributes import DEPARSED, MINOR, Attribute, Record
from healthd.model.kinds import INDEXES, OF_RELATION, Around, Kind
from healthd.model.names import Key, quote
from healthd.model.severity import Severity
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class Index:
    """An index; if it is not `valid`, queries do not use it (a failed CREATE INDEX CONCURRENTLY).

    `statistics` are the targets of its columns (`2: 500`), `attached` are the indexes of the partitions with their own
    attributes, `needs` are the extensions that it depends on.
    """

    unique: bool
    valid: bool
    definition: Annotated[str, DEPARSED]
    on: str = "table"  # table, materialized view
    statistics: Annotated[str | None, MINOR] = None
    tablespace: Annotated[str | None, MINOR] = None
    clustered: Annotated[bool, Attribute(None)] = False
    replica_identity: Annotated[bool, MINOR] = False
    attached: Annotated[str | None, Attribute(None)] = None
    needs: Annotated[str | None, Attribute(None)] = None


def loss(record: Record) -> Severity:
    """Return the severity of a missing index: a unique index prevents duplicates, others only affect performance."""
    return Severity.CRITICAL if record.unique else Severity.WARNING


def parent(key: Key, record: Record) -> Key:
    """Return the table or the materialized view of an index."""
    return Key("table" if record.on == "table" else "view", key.path[:2])


def repair(difference: Difference, expected: Index, actual: Index) -> Iterator[str]:
    """Yield the SQL that builds a missing, invalid or different index without blocking writers."""
    schema, table, index = map(quote, difference.key.path)
    name = f"{schema}.{index}"
    # A partitioned index is invalid while a partition lacks its index: REINDEX does not create that.
    lacking = difference.attribute == "valid" and is_partitioned(expected)
    made = difference.attribute == "definition" or difference.missing or lacking
    if difference.attribute == "valid" and not lacking:
        yield f"REINDEX INDEX CONCURRENTLY {name};"
    elif made and not difference.missing:
        yield from _exchanged(difference.key, expected)
    elif difference.missing:
        yield f"{_typed(expected)};"
    if (difference.attribute == "tablespace") or (made and expected.tablespace):
        yield f"ALTER INDEX {name} SET TABLESPACE {quote(expected.tablespace or 'pg_default')};"
    if difference.attribute == "statistics" or (made and expected.statistics):
        yield from set_statistics(name, expected.statistics, None if made else actual.statistics)
    if difference.attribute == "replica_identity" and expected.replica_identity:
        yield f"ALTER TABLE {schema}.{table} REPLICA IDENTITY USING INDEX {index};"
    elif made:
        yield from tied(difference.key, expected)


def tied(key: Key, record: Record) -> Iterator[str]:
    """Yield the SQL for what a table says of one of its indexes, and an index of an extension."""
    schema, table, index = map(quote, key.path)
    if record.replica_identity:
        yield f"ALTER TABLE {schema}.{table} REPLICA IDENTITY USING INDEX {index};"
    if record.clustered:
        yield f"ALTER TABLE {schema}.{table} CLUSTER ON {index};"
    for extension in record.needs.split(", ") if record.needs else ():
        yield f"ALTER INDEX {schema}.{index} DEPENDS ON EXTENSION {quote(extension)};"


def set_statistics(name: str, expected: str | None, actual: str | None) -> Iterator[str]:
    """Yield the SQL that changes the statistics targets of an index's columns from actual to expected."""
    for column, target in (dict.fromkeys(_targets(actual), "-1") | _targets(expected)).items():
        yield f"ALTER INDEX {name} ALTER COLUMN {column} SET STATISTICS {target};"


def _exchanged(key: Key, index: Index) -> Iterator[str]:
    """Yield the SQL that builds an index under another name, and gives it its name when it is complete."""
    schema, own = quote(key.path[0]), quote(key.path[2])
    if is_partitioned(index):
        yield f"DROP INDEX {schema}.{own};"
        yield f"{_typed(index)};"
        return
    other = quote(f"{key.path[2][:50]}_rebuilt")
    yield f"DROP INDEX CONCURRENTLY IF EXISTS {schema}.{other};"
    yield f"{_typed(index).replace(f'CONCURRENTLY {own} ON', f'CONCURRENTLY {other} ON', 1)};"
    yield f"DROP INDEX CONCURRENTLY {schema}.{own};"
    yield f"ALTER INDEX {schema}.{other} RENAME TO {own};"


def create(key: Key, record: Index, around: Around) -> Iterator[str]:
    """Yield the SQL that creates an index: without blocking writers, unless its table is new."""
    new = not around.new.isdisjoint((Key("table", key.path[:2]), Key("view", key.path[:2])))
    for sql in repair(Difference(key, None, record, None), record, record):
        yield sql.replace(" INDEX CONCURRENTLY ", " INDEX ", 1) if new else sql


def _targets(statistics: str | None) -> dict[str, str]:
    parts = (one.partition(": ") for one in statistics.split(", ")) if statistics else ()
    return {column: target for column, _, target in parts}


def is_partitioned(index: Index) -> bool:
    return " ON ONLY " in index.definition


def _typed(index: Index) -> str:
    """Return CREATE INDEX as a user enters it: CONCURRENTLY if possible, including partitions if not.

    A partitioned index is invalid as long as a partition has none: it was created without these.
    """
    if is_partitioned(index) and not index.valid:
        return index.definition
    if is_partitioned(index):
        return index.definition.replace(" ON ONLY ", " ON ", 1)
    return index.definition.replace(" INDEX ", " INDEX CONCURRENTLY ", 1)


TABLESPACE = "(SELECT s.spcname FROM pg_catalog.pg_tablespace AS s WHERE s.oid = {}.reltablespace)"

# Only expressions can have a statistics target.
STATISTICS = """(SELECT pg_catalog.string_agg(a.attnum::text || ': ' || a.attstattarget::text, ', ' ORDER BY a.attnum)
                          FROM pg_catalog.pg_attribute AS a
                         WHERE a.attrelid = {}
                           AND a.attstattarget >= 0)"""

# The indexes of partitions, by the root index: they follow it, but have names of their own.
ATTACHED = f"""(SELECT pg_catalog.pg_partition_root(i.indexrelid) AS root,
                     pg_catalog.string_agg(
                         pg_catalog.concat_ws(
                             ' ',
                             pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname),
                             (SELECT '(' || pg_catalog.string_agg(o.entry, ', ' ORDER BY o.number) || ')'
                                FROM pg_catalog.unnest(c.reloptions) WITH ORDINALITY AS o(entry, number)
                               WHERE NOT {by_server("o.entry")}),
                             'tablespace ' || {TABLESPACE.format("c")},
                             'statistics ' || {STATISTICS.format("c.oid")},
                             CASE WHEN i.indisclustered THEN 'clustered' END,
                             CASE WHEN i.indisreplident THEN 'replica identity' END,
                             'needs ' || x.names),
                         ', ' ORDER BY n.nspname, c.relname) AS names
                FROM pg_catalog.pg_index AS i
                JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
                JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                LEFT JOIN {needs("pg_class")} AS x ON x.objid = c.oid
               WHERE c.relispartition
               GROUP BY 1)"""

OF_ATTACHED = of_inheritance(ATTACHED, nothing(root="regclass", names="text"))

# Most indexes are plain B-trees on one column: their definition is composed here, because pg_get_indexdef() opens the
# table, which takes a lock and fills the server's caches. It prints all other indexes.
PLAIN = """i.indnatts = 1
               AND i.indkey[0] > 0
               AND i.indoption[0] = 0
               AND i.indcollation[0] = k.attcollation
               AND o.opcdefault
               AND o.oid < 16384
               AND (o.opcintype = k.atttypid OR (o.opcintype, k.atttypid) = (25, 1043)) -- text's is varchar's too
               AND i.relam = 403 -- btree's number, in every PostgreSQL
               AND i.reloptions IS NULL
               AND (i.indpred IS NULL OR w.expression IS NOT NULL)"""

# A condition on one column is printed once for all tables in which that column has the same name.
CONDITIONS = """(SELECT pg_catalog.unnest(t.oids) AS indexrelid, t.expression
                       FROM (SELECT g.oids,
                                    (SELECT /* for several */ pg_catalog.pg_get_expr(i.indpred, i.indrelid)
                                       FROM pg_catalog.pg_index AS i
                                      WHERE i.indexrelid = g.oid) AS expression
                               FROM (SELECT min(i.indexrelid) AS oid, pg_catalog.array_agg(i.indexrelid) AS oids
                                       FROM indexes AS i
                                       JOIN pg_catalog.pg_attribute AS a
                                         ON a.attrelid = i.indrelid
                                        AND a.attnum = pg_catalog.substring(i.tree, ':varattno ([0-9]+)')::integer
                                      WHERE i.indnatts = 1
                                        AND pg_catalog.length(i.tree)
                                            - pg_catalog.length(pg_catalog.replace(i.tree, ':varattno ', '')) = 10
                                      GROUP BY i.tree, a.attname) AS g
                             OFFSET 0) AS t
                     OFFSET 0)"""


def query(version: int) -> str:
    """Return the query for one version: NULLS NOT DISTINCT exists since PostgreSQL 15."""
    alike = "CASE WHEN i.indnullsnotdistinct THEN ' NULLS NOT DISTINCT' ELSE '' END" if version >= 150000 else "''"
    return f"""
        WITH indexes AS MATERIALIZED (
                SELECT i.*, t.nspname, t.relname AS tablename, t.relkind AS of,
                       c.relname, c.relkind, c.relam, c.reloptions, c.reltablespace,
                       i.indpred::text AS tree
                  FROM pg_catalog.pg_index AS i
                  JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
                  JOIN relations AS t ON t.oid = i.indrelid
                 WHERE t.relkind IN ('r', 'p', 'm')
                   AND NOT c.relispartition -- made with the index of the parent, and lost with it
                   AND NOT EXISTS (SELECT
                                     FROM pg_catalog.pg_constraint AS k
                                    WHERE k.conindid = i.indexrelid
                                      AND k.contype IN ('p', 'u', 'x')))
        SELECT i.nspname, i.tablename, i.relname,
               i.indisunique,
               i.indisvalid AND i.indisready,
               CASE WHEN {PLAIN}
                    THEN 'CREATE ' || CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END || 'INDEX '
                         || pg_catalog.quote_ident(i.relname)
                         || CASE i.relkind WHEN 'I' THEN ' ON ONLY ' ELSE ' ON ' END
                         || pg_catalog.quote_ident(i.nspname) || '.' || pg_catalog.quote_ident(i.tablename)
                         || ' USING btree (' || pg_catalog.quote_ident(k.attname) || ')' || {alike}
                         || CASE WHEN i.indpred IS NULL THEN '' ELSE ' WHERE ' || w.expression END
                    ELSE pg_catalog.pg_get_indexdef(i.indexrelid) END,
               CASE i.of WHEN 'm' THEN 'materialized view' ELSE 'table' END,
               CASE WHEN i.indexprs IS NOT NULL THEN {STATISTICS.format("i.indexrelid")} END,
               {TABLESPACE.format("i")},
               i.indisclustered,
               i.indisreplident,
               a.names,
               x.names
          FROM indexes AS i
          LEFT JOIN pg_catalog.pg_attribute AS k ON k.attrelid = i.indrelid AND k.attnum = i.indkey[0]
          LEFT JOIN pg_catalog.pg_opclass AS o ON o.oid = i.indclass[0]
          LEFT JOIN {CONDITIONS} AS w ON w.indexrelid = i.indexrelid
          LEFT JOIN {ATTACHED} AS a ON a.root = i.indexrelid
          LEFT JOIN {needs("pg_class")} AS x ON x.objid = i.indexrelid"""


def rename(there: Key, _record: Index, name: str) -> str:
    """Return the SQL that gives an index another name: it is in the schema of its table."""
    return f"ALTER INDEX {quote(there.path[0])}.{quote(there.path[2])} RENAME TO {quote(name)};"


KIND = Kind(
    name="index",
    record=Index,
    relkinds="iI",
    within=OF_RELATION,
    renamable=True,
    renaming=rename,
    copied=True,
    placed_by=("default_tablespace",),
    depth=3,
    parent=parent,
    loss=loss,
    repair=repair,
    create=create,
    address=lambda key, record, around: f"INDEX {quote(key.path[0])}.{quote(key.path[2])}",
    follows_type=True,
    made_of=INDEXES,
    by_relation={"pg_index": "indrelid"},
    rare=(OF_ATTACHED, of_needs("pg_class")),  # the first contains the second
    query=query,
)
