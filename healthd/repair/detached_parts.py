"""What a table keeps of one that it is detached from: keys, foreign keys and indexes, whatever their names are."""

from __future__ import annotations

from healthd.catalog.tables import kept_parents
from healthd.model.kinds import Statements
from healthd.model.names import Key, dollars, literal
from healthd.repair.dependencies import Dependencies, ancestors

SHARED = ("primary key", "unique", "exclusion", "foreign key")


def without_parts(detach: str, table: Key, before: Dependencies, after: Dependencies) -> Statements:
    """Return what detaches a table, and drops what it has of the tables above it and is not to have itself.

    Only the server knows the names of these constraints and indexes.
    """
    old, new = before.objects[table], after.objects[table]
    stays = set(kept_parents(new, old)) >= set(old.inherits)  # as that of another bound
    parts = (part for one in ancestors(before.objects, table) for part in before.own_parts(one))
    if stays or not any(_is_shared(before, part) for part in parts):
        return (detach,)
    own = {part.path[2] for part in after.own_parts(table) if part.kind in ("constraint", "index")}
    names = ", ".join(map(literal, sorted(own)))
    keys, indexes = (f"\n           AND {name} NOT IN ({names})" if own else "" for name in ("c.conname", "c.relname"))
    of_table = literal(table.sql)
    block = f"""
DECLARE
    one text;
    -- What it has of the table above it, and is not to keep.
    drops text[] := ARRAY(
        SELECT pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I', c.conrelid::pg_catalog.regclass, c.conname)
          FROM pg_catalog.pg_constraint AS c
         WHERE c.conrelid = {of_table}::pg_catalog.regclass AND c.conparentid <> 0
           AND c.contype IN ('p', 'u', 'x', 'f'){keys}
         UNION ALL
        SELECT pg_catalog.format('DROP INDEX %s', i.indexrelid::pg_catalog.regclass)
          FROM pg_catalog.pg_index AS i
          JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
         WHERE i.indrelid = {of_table}::pg_catalog.regclass AND c.relispartition{indexes}
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS k
                            WHERE k.conindid = c.oid AND k.conrelid = i.indrelid));
BEGIN
    {detach}
    FOREACH one IN ARRAY drops LOOP
        EXECUTE one;
    END LOOP;
END """  # noqa: S608 # quoted
    word = dollars(block, "detach")
    return (f"DO {word}{block}{word};",)


def _is_shared(side: Dependencies, part: Key) -> bool:
    return part.kind == "index" or getattr(side.objects[part], "type", "") in SHARED
