"""The SQL that reads an image of the catalogs: one row for each, with the numbers of all its rows."""

from __future__ import annotations

from healthd.database.snapshot.catalog_changes import EVERYTHING, NAMED, ROWS
from healthd.database.snapshot.catalog_image import OF_INDEX

KEYS = {
    "pg_attribute": "(t.attrelid::bigint << 16) | (t.attnum::integer & 65535)",
    "pg_index": "t.indexrelid::bigint",
    "pg_sequence": "t.seqrelid::bigint",
}
OF_TREE = f"CASE WHEN t.relkind IN ('p', 'I', 'c') OR t.relispartition OR t.relhassubclass THEN '{EVERYTHING}' END"
# The index (x) that a row may be about, and the relation, as in ROWS: joined, because there are many rows.
INDEXES = {"pg_class": "t.oid", "pg_attribute": "t.attrelid"}
RELATIONS = {
    "pg_class": """CASE WHEN t.relname ~ '^pg_toast_[0-9]+'
                             THEN pg_catalog.substring(t.relname, '[0-9]+')::pg_catalog.oid
                             ELSE coalesce(x.indrelid, t.oid) END""",
    "pg_attribute": "coalesce(x.indrelid, t.attrelid)",
}


def image_query(catalog: str) -> str:
    """Return the SQL for the rows of a catalog, as one row; $1 is the role that runs migrations.

    What depends on other rows, as the words for texts that name a column, is a matter of the rows as they are now.
    """
    _, name, relation, meanings = ROWS[catalog]
    words = [word for word in meanings if NAMED not in word]
    join = ""
    if catalog in INDEXES:
        join = f"LEFT JOIN pg_catalog.pg_index AS x ON x.indexrelid = {INDEXES[catalog]}"
        words.append(f"CASE WHEN x.indexrelid IS NOT NULL THEN '{OF_INDEX}' END")
    if catalog == "pg_class":
        words.append(OF_TREE)
    text = f"pg_catalog.concat_ws(' ', {', '.join(words)})" if words else "''"
    return f"""
        SELECT pg_catalog.string_agg(pg_catalog.int8send(q.key), ''),
               pg_catalog.string_agg(pg_catalog.oidsend(q.relation), ''),
               pg_catalog.string_agg(pg_catalog.int8send(coalesce(pg_catalog.hashtextextended(q.name, 0), 0)), ''),
               pg_catalog.string_agg(q.words, ',')
          FROM (SELECT {KEYS.get(catalog, "t.oid::bigint")} AS key, {RELATIONS.get(catalog, relation)} AS relation,
                       ({name})::text AS name, {text.replace("$2", "$1")} AS words
                  FROM pg_catalog.{catalog} AS t
                  {join}) AS q"""  # noqa: S608 # texts of our own


PATHS = """
        SELECT c.oid::bigint, n.nspname::text, c.relname::text
          FROM pg_catalog.pg_class AS c
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c')"""


# What depends on columns of these relations ($1), apart from what is read with them: its catalog, and its relation.
DEPENDENTS = """
        SELECT DISTINCT d.classid::pg_catalog.regclass::text, c.oid::bigint, n.nspname::text, c.relname::text
          FROM pg_catalog.pg_depend AS d
          LEFT JOIN pg_catalog.pg_rewrite AS w
                 ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND w.oid = d.objid
          LEFT JOIN pg_catalog.pg_policy AS p
                 ON d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass AND p.oid = d.objid
          LEFT JOIN pg_catalog.pg_class AS c ON c.oid IN (w.ev_class, p.polrelid)
          LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
           AND d.refobjid   = ANY ($1)
           AND d.deptype    <> 'i'
           AND d.classid    <> ALL (ARRAY['pg_catalog.pg_class', 'pg_catalog.pg_attrdef', 'pg_catalog.pg_constraint',
                                          'pg_catalog.pg_type', 'pg_catalog.pg_trigger']::pg_catalog.regclass[])"""


def keys_query(catalog: str) -> str:
    """Return the SQL for the keys of all rows of a catalog, as one value."""
    key = KEYS.get(catalog, "t.oid::bigint")
    return f"SELECT pg_catalog.string_agg(pg_catalog.int8send({key}), '') FROM pg_catalog.{catalog} AS t"  # noqa: S608
