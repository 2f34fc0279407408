"""Comments on objects of all kinds. They are shown; a difference in a comment is not a finding."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from healthd import catalog
from healthd.catalog.addresses import ADDRESSES, COLUMNS, USERS, Address
from healthd.catalog.scope import own
from healthd.model.attributes import Attribute, Record
from healthd.model.kinds import Around, Kind, Part
from healthd.model.names import Key, literal


@dataclass(frozen=True, slots=True)
class Comment:
    """The comment on one object."""

    text: Annotated[str, Attribute(None)]


def parent(key: Key, _record: Record) -> Key:
    """Return the object of the comment."""
    return Key(key.path[0], key.path[1:])


def described(one: Address, table: str, columns: str, where: str = "true", *, members: bool = False) -> str:
    """Return the query for the rows of `table` (pg_description or pg_seclabel, alias d) on the objects of a catalog."""
    number = "a.attnum" if one is COLUMNS else "0"
    return f"""
        SELECT {columns.format(path=one.path)}
          FROM {one.source}
          JOIN pg_catalog.{table} AS d
            ON d.classoid = 'pg_catalog.{one.catalog}'::pg_catalog.regclass
           AND d.objoid   = {one.oid}
           AND d.objsubid = {number}
         WHERE {one.where}
           AND {where}
           AND {"true" if members else own(one.catalog, one.oid)}"""


def _comments(one: Address) -> Part:
    where = f"d.objoid >= {USERS}"  # comments on built-in objects are omitted, except that on schema public
    if one.catalog == "pg_namespace":
        where += " AND n.nspname <> 'public'"
    if one is COLUMNS:
        where = "a.attnum > 0"  # a comment on ctid is possible, but pg_dump omits it
    name = "pg_attribute" if one is COLUMNS else one.catalog
    return Part(described(one, "pg_description", "{path}, d.description", where), name)


# initdb's comment on schema public counts as no comment; a missing comment counts as an empty one.
PUBLIC = """
        SELECT ARRAY['schema', n.nspname::text], coalesce(d.description, '')
          FROM pg_catalog.pg_namespace AS n
          LEFT JOIN pg_catalog.pg_description AS d
                 ON d.classoid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
                AND d.objoid   = n.oid
                AND d.objsubid = 0
         WHERE n.nspname = 'public'
           AND d.description IS DISTINCT FROM 'standard public schema'"""


def create(key: Key, record: Comment, around: Around) -> Iterator[str]:
    """Yield the SQL that comments on an object."""
    yield f"COMMENT ON {addressed(parent(key, record), around)} IS {literal(record.text)};"


def addressed(key: Key, around: Around) -> str:
    """Return noun and name of an object that has a comment or a label."""
    return catalog.KINDS[key.kind].addressed(key, around.objects.get(key), around)


def drop(key: Key, record: Comment, around: Around) -> Iterator[str]:
    """Yield the SQL that removes a comment."""
    text = literal("standard public schema") if key.path == ("schema", "public") else "NULL"
    yield f"COMMENT ON {addressed(parent(key, record), around)} IS {text};"


KIND = Kind(
    name="comment",
    record=Comment,
    create=create,
    drop=drop,
    replaced=lambda difference, expected, actual: True,
    within={},
    provided=True,
    depth=0,
    parent=parent,
    loss=lambda record: None,
    gain=lambda record: None,
    finds_parts=True,
    some="""
        SELECT CASE WHEN d.column THEN 'pg_attribute' ELSE c.relname::text END
          FROM (SELECT DISTINCT d.classoid, d.objsubid <> 0 FROM pg_catalog.pg_description AS d
                 WHERE d.objoid >= 16384) AS d(classoid, "column")
          JOIN pg_catalog.pg_class AS c ON c.oid = d.classoid
         UNION ALL
        SELECT 'public'
          FROM pg_catalog.pg_namespace AS n
         WHERE n.nspname = 'public'
           AND pg_catalog.obj_description(n.oid, 'pg_namespace') IS DISTINCT FROM 'standard public schema'""",
    query=(*map(_comments, ADDRESSES), Part(PUBLIC, "public")),
)
