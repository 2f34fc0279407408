"""Publications: the changes that logical replication sends; their tables are a kind of their own."""

from collections.abc import Iterator
from dataclasses import dataclass

from healthd.catalog.scope import own
from healthd.model.kinds import Kind
from healthd.model.names import quote
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class Publication:
    """A publication; `schemas` are those of TABLES IN SCHEMA (since 15), `generated` is for generated columns (18)."""

    all_tables: bool
    operations: tuple[str, ...]
    via_root: bool
    schemas: tuple[str, ...]
    generated: str  # none, stored


def repair(difference: Difference, expected: Publication, actual: Publication | None) -> Iterator[str]:
    """Yield the SQL that creates or corrects a publication."""
    name = difference.key.sql
    if difference.missing:
        tables = " FOR ALL TABLES" if expected.all_tables else ""
        yield f"CREATE PUBLICATION {name}{tables} WITH ({options(expected)});"
    elif difference.attribute != "schemas":
        none = ", publish_generated_columns = none" if difference.attribute == "generated" else ""
        yield f"ALTER PUBLICATION {name} SET ({options(expected)}{none if expected.generated == 'none' else ''});"
    if difference.attribute in (None, "schemas"):
        sent = actual.schemas if actual else ()
        if extra := [quote(one) for one in sent if one not in expected.schemas]:
            yield f"ALTER PUBLICATION {name} DROP TABLES IN SCHEMA {', '.join(extra)};"
        if lost := [quote(one) for one in expected.schemas if one not in sent]:
            yield f"ALTER PUBLICATION {name} ADD TABLES IN SCHEMA {', '.join(lost)};"


def options(publication: Publication) -> str:
    """Return the options as in CREATE and ALTER PUBLICATION."""
    words = f"publish = '{', '.join(publication.operations)}'"
    words += f", publish_via_partition_root = {str(publication.via_root).lower()}"
    return words + (f", publish_generated_columns = {publication.generated}" if publication.generated != "none" else "")


def query(server_version: int) -> str:
    """Return the query for one server version."""
    schemas = """ARRAY(SELECT n.nspname::text
                       FROM pg_catalog.pg_publication_namespace AS s
                       JOIN pg_catalog.pg_namespace AS n ON n.oid = s.pnnspid
                      WHERE s.pnpubid = p.oid
                      ORDER BY n.nspname COLLATE "C")"""
    generated = "CASE p.pubgencols WHEN 's' THEN 'stored' ELSE 'none' END"
    return f"""
        SELECT p.pubname, p.puballtables,
               pg_catalog.array_remove(ARRAY[CASE WHEN p.pubdelete THEN 'delete' END,
                                             CASE WHEN p.pubinsert THEN 'insert' END,
                                             CASE WHEN p.pubtruncate THEN 'truncate' END,
                                             CASE WHEN p.pubupdate THEN 'update' END], NULL),
               p.pubviaroot,
               {schemas if server_version >= 150000 else "ARRAY[]::text[]"},
               {generated if server_version >= 180000 else "'none'"}
          FROM pg_catalog.pg_publication AS p
         WHERE {own("pg_publication", "p.oid")}"""


KIND = Kind(
    name="publication",
    record=Publication,
    within={},
    renamable=True,
    provided=True,
    depth=1,
    parent=lambda key, record: None,
    repair=repair,
    replaced=lambda difference, expected, actual: difference.attribute == "all_tables",
    some="SELECT FROM pg_catalog.pg_publication",
    query=query,
)
