"""What transactions changed in the catalogs since a moment, and what must therefore be read again.

A snapshot of that moment still sees the old rows, with the transaction that replaced or deleted them (xmax); a new one
sees the new rows, with the transaction that wrote them (xmin). Together they are everything that has changed, and
nothing else is looked at: of a few catalogs is known which objects their rows are about. A change of any other catalog,
or of any name, which texts of other objects may contain, means that everything is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from healthd.catalog import names
from healthd.model.kinds import OF_INDEXES, Kind

# What is stored there is in no snapshot, or belongs to rows of other catalogs that change with it.
UNREAD = frozenset(
    ("pg_largeobject", "pg_largeobject_metadata", "pg_shdepend", "pg_statistic", "pg_statistic_ext_data")
)

EVERYTHING, TEXTS = "everything", "texts"  # what a row may mean, apart from names of kinds

# Whose texts name columns, apart from what is read with the relation itself.
NAMED = """EXISTS (SELECT
                             FROM pg_catalog.pg_depend AS d
                            WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                              AND d.refobjid = t.attrelid
                              AND d.deptype <> 'i'
                              AND d.classid <> ALL (ARRAY['pg_catalog.pg_class', 'pg_catalog.pg_attrdef',
                                                          'pg_catalog.pg_constraint', 'pg_catalog.pg_type',
                                                          'pg_catalog.pg_trigger']::pg_catalog.regclass[]))"""
# The row type of a table, and its array type.
OF_TABLE = """EXISTS (SELECT
                             FROM pg_catalog.pg_type AS e
                             JOIN pg_catalog.pg_class AS c ON c.oid = e.typrelid AND c.relkind <> 'c'
                            WHERE e.oid = t.oid OR e.oid = t.typelem AND e.typarray = t.oid)"""
ARRAY_OF_ENUM = """EXISTS (SELECT
                             FROM pg_catalog.pg_type AS e
                            WHERE e.oid = t.typelem AND e.typarray = t.oid AND e.typtype = 'e')"""


def _table(oid: str) -> str:
    """Return the oid of the table of an index; any other oid as it is."""
    return f"coalesce((SELECT i.indrelid FROM pg_catalog.pg_index AS i WHERE i.indexrelid = {oid}), {oid})"  # noqa: S608


def _if(condition: str, word: str) -> str:
    return f"CASE WHEN {condition} THEN '{word}' END"


def _owned(prefix: str) -> tuple[str, str]:
    return _if(f"t.{prefix}owner <> $2", "owner"), _if(f"t.{prefix}acl IS NOT NULL", "grant")


# For each catalog: what identifies a row, its name, the relation that it is about, and what else it means.
ROWS: dict[str, tuple[str, str, str, tuple[str, ...]]] = {
    "pg_class": (
        "t.oid",
        # With its persistence: before PostgreSQL 15, that of a table is the one of its sequences, too.
        "pg_catalog.concat_ws(' ', t.relnamespace, t.relkind, t.relpersistence, t.relname)",
        f"""CASE WHEN t.relname ~ '^pg_toast_[0-9]+'
                     THEN pg_catalog.substring(t.relname, '[0-9]+')::pg_catalog.oid
                     ELSE {_table("t.oid")} END""",
        _owned("rel"),
    ),
    "pg_attribute": (
        "pg_catalog.concat_ws(' ', t.attrelid, t.attnum)",
        "CASE WHEN t.attisdropped THEN NULL ELSE t.attname END",
        _table("t.attrelid"),
        (_if("t.attacl IS NOT NULL", "grant"), _if(NAMED, TEXTS)),
    ),
    "pg_attrdef": ("t.oid", "NULL", "t.adrelid", ()),
    "pg_constraint": ("t.oid", "t.conname", "t.conrelid", (_if("t.conrelid = 0", EVERYTHING),)),
    "pg_index": ("t.indexrelid", "NULL", "t.indrelid", ()),
    # The triggers of a foreign key are on both tables.
    "pg_trigger": ("t.oid", "t.tgname", "pg_catalog.unnest(ARRAY[t.tgrelid, t.tgconstrrelid])", ()),
    "pg_rewrite": ("t.oid", "t.rulename", "t.ev_class", ()),
    "pg_policy": ("t.oid", "t.polname", "t.polrelid", ()),
    "pg_sequence": ("t.seqrelid", "NULL", "t.seqrelid", ()),
    "pg_type": (
        "t.oid",
        "pg_catalog.concat_ws(' ', t.typnamespace, t.typname)",
        "0::pg_catalog.oid",
        (
            f"""CASE WHEN {OF_TABLE} OR {ARRAY_OF_ENUM} THEN NULL
                     WHEN t.typtype = 'e' THEN 'enum'
                     ELSE '{EVERYTHING}' END""",
            *_owned("typ"),
        ),
    ),
    "pg_enum": ("t.oid", "t.enumlabel", "0::pg_catalog.oid", ("'enum'",)),
    "pg_proc": (
        "t.oid",
        "pg_catalog.concat_ws(' ', t.pronamespace, t.proname, t.proargtypes)",
        "0::pg_catalog.oid",
        (f"CASE WHEN t.prokind = 'a' THEN '{EVERYTHING}' ELSE 'function' END", *_owned("pro")),
    ),
    "pg_depend": (
        "pg_catalog.concat_ws(' ', t.classid, t.objid, t.objsubid, t.refclassid, t.refobjid, t.refobjsubid)",
        "NULL",
        f"CASE WHEN t.classid = 'pg_catalog.pg_class'::pg_catalog.regclass THEN {_table('t.objid')} ELSE 0 END",
        (_if("t.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass", EVERYTHING),),
    ),
    "pg_description": (
        "pg_catalog.concat_ws(' ', t.classoid, t.objoid, t.objsubid)",
        "NULL",
        "0::pg_catalog.oid",
        ("'comment'",),
    ),
}

# Where the rows about a relation are found by an index. The other catalogs are read completely, which takes longer the
# more the database contains.
BY_RELATION = {
    "pg_attribute": "attrelid",
    "pg_attrdef": "adrelid",
    "pg_constraint": "conrelid",
    "pg_policy": "polrelid",
    "pg_rewrite": "ev_class",
    "pg_sequence": "seqrelid",
    "pg_trigger": "tgrelid",
}
# The relations whose rows in pg_class changed, and those in $3.
NEAR = """
                   AND {relation} = ANY (
                       ARRAY(SELECT c.oid
                               FROM pg_catalog.pg_class AS c
                              WHERE pg_catalog.age(c.{column}) <= (SELECT pg_catalog.age($1))) || $3)"""

# The rows about indexes.
PARTS = {
    "pg_class": "t.relkind IN ('i', 'I')",
    "pg_attribute": "EXISTS (SELECT FROM pg_catalog.pg_index AS i WHERE i.indexrelid = t.attrelid)",
}


@cache
def changed_rows(catalog: str, column: str, *, near: bool = False) -> str:
    """Return the SQL for the rows of a catalog whose xmin or xmax is not before a transaction ($1).

    $2 is the role that runs migrations. What belongs to a partition, a parent or a composite type means everything.
    With `near`, only the rows about relations whose rows in pg_class changed, and about those in $3.
    """
    identity, name, relation, meanings = ROWS[catalog]
    tree = _if("r.relkind IN ('p', 'I', 'c') OR r.relispartition OR r.relhassubclass", EVERYTHING)
    words = ", ".join(f"t.w{number}" for number in range(len(meanings)))
    part = f"CASE WHEN {PARTS[catalog]} THEN '{OF_INDEXES}' ELSE '' END" if catalog in PARTS else "''"
    columns = "".join(f", {word} AS w{number}" for number, word in enumerate(meanings))
    about = f"t.{BY_RELATION[catalog]}" if catalog in BY_RELATION else "NULL"
    some = NEAR.format(relation=about, column=column) if near else ""
    return f"""
        SELECT '{catalog}' || t.part, t.identity, t.name, r.oid::bigint, n.nspname::text, r.relname::text,
               pg_catalog.concat_ws(' ', {tree}{words and ", "}{words}), t.xid::text, t.about::bigint
          FROM (SELECT {part} AS part, t.{column} AS xid, {about} AS about,
                       ({identity})::text AS identity, ({name})::text AS name, {relation} AS relation{columns}
                  FROM pg_catalog.{catalog} AS t
                 WHERE pg_catalog.age(t.{column}) <= (SELECT pg_catalog.age($1)){some}) AS t
          LEFT JOIN pg_catalog.pg_class AS r ON r.oid = t.relation
          LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = r.relnamespace"""  # noqa: S608 # texts of our own


@dataclass(frozen=True, slots=True)
class CatalogChanges:
    """What has changed: the relations, with the paths that they have or had, and the kinds that are to be read whole.

    With `everything`, any object may have changed.
    """

    relations: frozenset[int] = frozenset()
    paths: frozenset[tuple[str, str]] = frozenset()
    catalogs: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    everything: bool = False

    def may_change(self, kind: Kind, *, exists: bool) -> bool:
        """Return whether objects of a kind must be read; the changed relations had such objects, if they `exists`."""
        if kind.name in self.kinds or not kind.made_of:
            return kind.name in self.kinds
        return not self.catalogs.isdisjoint(kind.made_of) and (exists or kind.made_of[0] in self.catalogs)


def known(catalogs: Iterable[str]) -> bool:
    """Return whether it is known what changes of these catalogs mean."""
    return all(one in ROWS or one in UNREAD for one in catalogs)


def meant(old: Sequence[Sequence[Any]], new: Sequence[Sequence[Any]]) -> CatalogChanges:
    """Return what rows of `changed_rows` mean."""
    words = {word for row in (*old, *new) for word in row[6].split()}
    there = {(row[0], row[1]): row[2] for row in old}
    renamed = any(None not in (there.get((row[0], row[1])), row[2]) and there[row[0], row[1]] != row[2] for row in new)
    if renamed or EVERYTHING in words:
        return CatalogChanges(everything=True)
    if TEXTS in words:
        words |= set(names(lambda kind: kind.names_columns))
    if words & {"owner", "grant"}:  # which privileges are the usual ones depends on the owner
        words |= {"owner", "grant"}
    about = [row for row in (*old, *new) if row[3] is not None]
    return CatalogChanges(
        frozenset(row[3] for row in about),
        frozenset((row[4], row[5]) for row in about),
        frozenset(row[0] for row in (*old, *new)),
        frozenset(words - {TEXTS}),
    )
