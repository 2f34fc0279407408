"""Columns: type, nullability, default, identity, generation and storage."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated

from healthd.catalog.generic_options import generic, generic_options
from healthd.catalog.online_forms import of_column
from healthd.catalog.retyping import cast
from healthd.catalog.sequences import counting
from healthd.catalog.server_only import any_of_column, by_server_of_column
from healthd.catalog.storage_parameters import options_order, set_options
from healthd.model.attributes import DEPARSED, MINOR, Attribute, Record
from healthd.model.kinds import OF_RELATION, Around, Kind
from healthd.model.names import Key, quote
from healthd.model.severity import Severity
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class Column:
    """A column. `default` is also the expression of a generated column; `collation` is None if it is the type's.

    Its table may be a foreign table; columns of views are included only if they have attributes that are not in the
    view's definition. `storage` is None if it is the type's default. NOT NULL constraints have names since PostgreSQL
    18: `not_null_name` is set if it is not the default name, and `not_null_apart` if the column and its NOT NULL were
    not both created on the same side, parent or child. `options_order` lists the options in the order in which they
    were set, None if that is their order by name.
    """

    type: str
    not_null: bool
    default: Annotated[str | None, DEPARSED]
    identity: str  # none, always, by default
    generated: str  # none, stored, virtual
    collation: str | None
    on: str = "table"  # table, view, materialized view, foreign table
    not_null_validated: bool = True
    not_null_no_inherit: bool = False
    not_null_name: Annotated[str | None, Attribute(None)] = None
    not_null_apart: Annotated[bool, Attribute(None)] = False
    inherited: Annotated[bool, Attribute(None)] = False
    storage: Annotated[str | None, MINOR] = None
    compression: Annotated[str | None, MINOR] = None
    statistics: Annotated[int | None, MINOR] = None
    options: Annotated[str | None, MINOR] = None
    foreign_options: tuple[str, ...] = ()
    options_order: Annotated[str | None, Attribute(None)] = None


def parent(key: Key, record: Record) -> Key:
    """Return the table, foreign table or view of a column."""
    kind = "view" if record.on.endswith("view") else record.on.replace(" ", "_")
    return Key(kind, key.path[:2])


def gain(record: Record) -> Severity:
    """Return the severity of an unexpected column: critical if every INSERT must provide a value for it."""
    given = record.default or record.identity != "none" or record.generated != "none"
    return Severity.CRITICAL if record.not_null and not given else Severity.WARNING


def change(difference: Difference, noted: Severity | None) -> Severity | None:
    """Return the severity of a difference: a NOT NULL that was validated by hand is a warning."""
    return Severity.WARNING if difference.attribute == "not_null_validated" and difference.actual else noted


def repair(difference: Difference, expected: Column, actual: Column) -> Iterator[str]:
    """Yield the SQL that restores a column."""
    schema, table, column = map(quote, difference.key.path)
    alter = f"ALTER TABLE {schema}.{table} ALTER COLUMN {column}"
    if difference.attribute in NULLABILITY:
        yield from _nullability(difference, expected, actual)
    elif _becomes_ordinary(difference, expected, actual):
        yield f"{alter} DROP EXPRESSION;"
        if expected.default:
            yield f"{alter} SET DEFAULT {expected.default};"
    elif difference.attribute == "type" or (difference.attribute == "collation" and actual.type == expected.type):
        yield _retype(f"ALTER TABLE {schema}.{table}", column, expected, actual)
    elif difference.attribute == "default" and actual.type == expected.type:
        yield f"{alter} " + (f"SET DEFAULT {expected.default};" if expected.default else "DROP DEFAULT;")
    elif difference.attribute == "identity":
        yield from _identity(difference.key, expected, actual)
    elif difference.attribute == "storage":
        if storage := expected.storage or _usual_storage(expected.type):
            yield f"{alter} SET STORAGE {storage.upper()};"
        else:
            yield f"-- {column} does not have the default storage of its type: SET STORAGE to pg_type.typstorage."
    elif difference.attribute == "compression":
        yield f"{alter} SET COMPRESSION {expected.compression or 'default'};"
    elif difference.attribute == "statistics":
        yield f"{alter} SET STATISTICS {-1 if expected.statistics is None else expected.statistics};"
    elif difference.attribute == "options":
        yield from set_options(alter, expected.options, actual.options)
    elif difference.attribute == "foreign_options":
        options = generic_options(expected.foreign_options, actual.foreign_options)
        yield f"ALTER FOREIGN TABLE {schema}.{table} ALTER COLUMN {column} {options};"


NULLABILITY = ("not_null", "not_null_no_inherit", "not_null_validated")


def _nullability(difference: Difference, expected: Column, actual: Column) -> Iterator[str]:
    """Yield the SQL that restores a NOT NULL; what it is like matters only if both sides have it."""
    table = Key("table", difference.key.path[:2]).sql
    column = quote(difference.key.path[2])
    both = expected.not_null and actual.not_null
    plain = expected.not_null_validated and not expected.not_null_no_inherit
    if difference.attribute == "not_null" and expected.not_null and not plain:
        yield f"ALTER TABLE {table} ADD {not_null(difference.key, expected)};"
    elif difference.attribute == "not_null":
        yield f"ALTER TABLE {table} ALTER COLUMN {column} {'SET' if expected.not_null else 'DROP'} NOT NULL;"
    elif difference.attribute == "not_null_no_inherit" and both:
        words = "NO INHERIT" if expected.not_null_no_inherit else "INHERIT"
        names = [quote(not_null_name(difference.key, side)) for side in (actual, expected)]
        yield f"ALTER TABLE {table} ALTER CONSTRAINT {names[0]} {words};"
        if names[0] != names[1]:
            yield f"ALTER TABLE {table} RENAME CONSTRAINT {names[0]} TO {names[1]};"
    elif difference.attribute == "not_null_validated" and both:
        if expected.not_null_validated:  # unlike SET NOT NULL, this blocks nobody
            yield f"ALTER TABLE {table} VALIDATE CONSTRAINT {quote(not_null_name(difference.key, actual))};"
        else:
            yield f"-- it was validated by hand: add a migration that validates the NOT NULL of {column}"


def _identity(key: Key, expected: Column, actual: Column) -> Iterator[str]:
    """Yield the SQL that restores whether a column counts."""
    schema, table, column = map(quote, key.path)
    alter = f"ALTER TABLE {schema}.{table} ALTER COLUMN {column}"
    if expected.identity == "none":
        yield f"{alter} DROP IDENTITY;"
    elif actual.identity != "none":
        yield f"{alter} SET GENERATED {expected.identity.upper()};"
    else:
        yield f"{alter} ADD GENERATED {expected.identity.upper()} AS IDENTITY;"


def drop(key: Key, record: Column, _around: Around) -> Iterator[str]:
    """Yield the SQL that drops a column with its values; of a view's, only what was set for it."""
    schema, table, column = map(quote, key.path)
    if not record.on.endswith("view"):
        yield f"ALTER {record.on.upper()} {schema}.{table} DROP COLUMN {column};"
        return
    alter = f"ALTER TABLE {schema}.{table} ALTER COLUMN {column}"
    if record.default:
        yield f"{alter} DROP DEFAULT;"
    if record.statistics is not None:
        yield f"{alter} SET STATISTICS -1;"
    yield from set_options(alter, None, record.options)


def replaced(difference: Difference, expected: Column, actual: Column) -> bool:
    """Return whether a generated column must be dropped and added again: its values can be computed again."""
    both = expected.generated != "none", actual.generated != "none"
    return difference.attribute in GENERATED and any(both) and not _becomes_ordinary(difference, expected, actual)


def _becomes_ordinary(difference: Difference, expected: Column, actual: Column) -> bool:
    return difference.attribute == "generated" and (expected.generated, actual.generated) == ("none", "stored")


GENERATED = ("type", "collation", "default", "identity", "generated")


def create(key: Key, record: Column, around: Around) -> Iterator[str]:
    """Yield the SQL that adds a column to its table; of a view's column, what is set for it."""
    schema, table, column = map(quote, key.path)
    if record.on.endswith("view"):
        alter = f"ALTER TABLE {schema}.{table} ALTER COLUMN {column}"
        if record.default:
            yield f"{alter} SET DEFAULT {record.default};"
        yield from _stored(alter, record)
    elif is_attribute(key, around.objects) and Key("table", key.path[:2]) not in around.new:
        alter = f"ALTER TABLE {schema}.{table} ALTER COLUMN {column}"  # what adds the attribute adds it
        if record.default:
            yield f"{alter} SET DEFAULT {record.default};"
        if record.not_null and record.not_null_validated:
            yield f"{alter} SET NOT NULL;"
        yield from settled(key, record)
    else:
        yield f"ALTER {record.on.upper()} {schema}.{table} ADD COLUMN {in_table(key, record, around)};"
        yield from settled(key, record)


def is_attribute(key: Key, objects: Mapping[Key, Record]) -> bool:
    """Return whether a column is an attribute of the type of a typed table, which alone adds, alters and drops it."""
    return getattr(objects.get(Key("table", key.path[:2])), "of_type", None) is not None


def settled(key: Key, record: Column) -> Iterator[str]:
    """Yield the SQL for what the definition of a column cannot say in all versions."""
    schema, table, column = map(quote, key.path)
    yield from _stored(f"ALTER TABLE {schema}.{table} ALTER COLUMN {column}", record)
    if record.foreign_options:
        options = generic_options(record.foreign_options, ())
        yield f"ALTER FOREIGN TABLE {schema}.{table} ALTER COLUMN {column} {options};"
    if record.not_null and not record.not_null_validated:
        yield f"ALTER TABLE {schema}.{table} ADD {not_null(key, record)};"


def not_null(key: Key, record: Column) -> str:
    """Return the NOT NULL of a column as a constraint of its table, which it is since PostgreSQL 18."""
    words = f"CONSTRAINT {quote(not_null_name(key, record))} NOT NULL {quote(key.path[2])}"
    words += " NO INHERIT" if record.not_null_no_inherit else ""
    return words if record.not_null_validated else f"{words} NOT VALID"


def not_null_name(key: Key, record: Column) -> str:
    """Return the name of the NOT NULL of a column, which it has since PostgreSQL 18."""
    return record.not_null_name or f"{key.path[1]}_{key.path[2]}_not_null"


NAMED_NOT_NULL = 180000  # the first version that has names for NOT NULL


def creates(key: Key, _record: Column, around: Around) -> Iterator[Key]:
    """Yield the sequence of an identity column."""
    if (counter := around.counters.get(key.path)) and around.objects[counter].identity:
        yield counter


def in_table(key: Key, record: Column, around: Around) -> str:
    """Return a column with its definition, as in CREATE TABLE."""
    text = f"{quote(key.path[2])} {definition(record)}"
    for counter in creates(key, record, around):
        sequence = around.objects[counter]
        text = text.replace(
            " AS IDENTITY", f" AS IDENTITY (SEQUENCE NAME {counter.sql} {counting(sequence, typed=False)})"
        )
    return text


def _stored(alter: str, record: Column) -> Iterator[str]:
    """Yield the SQL for attributes that ADD COLUMN cannot set in all versions."""
    if record.storage:
        yield f"{alter} SET STORAGE {record.storage.upper()};"
    if record.compression:
        yield f"{alter} SET COMPRESSION {record.compression};"
    if record.statistics is not None:
        yield f"{alter} SET STATISTICS {record.statistics};"
    yield from set_options(alter, record.options, None)


def _retype(alter: str, column: str, expected: Column, actual: Column) -> str:
    """Return one statement for the type and what it resets; a default may not be valid for the other type."""
    steps = [f"ALTER COLUMN {column} DROP DEFAULT"] if actual.default else []
    collation = f" COLLATE {expected.collation}" if expected.collation else ""
    using = f" USING {cast(column, expected.type, actual.type)}" if expected.on == "table" else ""
    steps.append(f"ALTER COLUMN {column} TYPE {expected.type}{collation}{using}")
    steps += [f"ALTER COLUMN {column} SET DEFAULT {expected.default}"] if expected.default else []
    # The server gives the column those of the type.
    steps += [f"ALTER COLUMN {column} SET STORAGE {expected.storage.upper()}"] if expected.storage else []
    steps += [f"ALTER COLUMN {column} SET COMPRESSION {expected.compression}"] if expected.compression else []
    return f"{alter} {', '.join(steps)};"


def definition(record: Column) -> str:
    """Return the definition of a column in CREATE TABLE, without its name."""
    words = [record.type]
    words += [f"COLLATE {record.collation}"] if record.collation else []
    if record.generated != "none":
        words.append(f"GENERATED ALWAYS AS ({record.default}) {record.generated.upper()}")
    elif record.identity != "none":
        words.append(f"GENERATED {record.identity.upper()} AS IDENTITY")
    elif record.default:
        words.append(f"DEFAULT {record.default}")
    if record.not_null and record.not_null_validated:
        words += [f"CONSTRAINT {quote(record.not_null_name)}"] if record.not_null_name else []
        words += ["NOT NULL", "NO INHERIT"] if record.not_null_no_inherit else ["NOT NULL"]
    return " ".join(words)


# The usual types whose values can be long, and are compressed and moved out of the row.
VARIABLE = re.compile(r"\A(?:text|character(?: varying)?|bytea|jsonb?|xml)\b|\[\]\Z")

STORAGE = """CASE {} WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external' WHEN 'm' THEN 'main' ELSE 'extended' END"""


def _usual_storage(type_: str) -> str | None:
    """Return the default storage of a type, None if that is not known."""
    return "main" if type_.startswith("numeric") else "extended" if VARIABLE.search(type_) else None


def query(version: int) -> str:
    """Return the query for one version: NOT NULL is a constraint since 18, compression exists since 14."""
    named = version >= 180000
    compression = "CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END" if version >= 140000 else "NULL"
    not_null = """coalesce(k.convalidated, true),
               coalesce(k.connoinherit, false),
               CASE WHEN k.conname <> c.relname || '_' || a.attname || '_not_null' THEN k.conname END,
               coalesce(NOT c.relispartition AND k.conislocal <> a.attislocal, false)"""
    return f"""
        SELECT c.nspname, c.relname, a.attname,
               CASE WHEN a.atttypmod < 0 THEN t.name ELSE pg_catalog.format_type(a.atttypid, a.atttypmod) END,
               a.attnotnull,
               CASE WHEN NOT a.atthasdef THEN NULL
                    WHEN a.attgenerated = '' THEN coalesce(d.expression, '???')
                    ELSE (SELECT coalesce(pg_catalog.pg_get_expr(g.adbin, g.adrelid), '???')
                            FROM pg_catalog.pg_attrdef AS g
                           WHERE g.adrelid = a.attrelid
                             AND g.adnum   = a.attnum) END,
               CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' ELSE 'none' END,
               CASE a.attgenerated WHEN 's' THEN 'stored' WHEN 'v' THEN 'virtual' ELSE 'none' END,
               CASE WHEN a.attcollation <> t.typcollation AND a.attcollation <> 0
                    THEN a.attcollation::pg_catalog.regcollation::text END,
               CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
                              WHEN 'f' THEN 'foreign table' ELSE 'table' END,
               {not_null if named else "true, false, NULL, false"},
               NOT a.attislocal AND NOT c.relispartition,
               CASE WHEN a.attstorage <> t.typstorage THEN {STORAGE.format("a.attstorage")} END,
               {compression},
               CASE WHEN a.attstattarget >= 0 THEN a.attstattarget END,
               CASE WHEN {any_of_column("a.attoptions", version)}
                    THEN (SELECT pg_catalog.string_agg(o, ', ' ORDER BY o COLLATE "C")
                            FROM pg_catalog.unnest(a.attoptions) AS o
                           WHERE NOT {by_server_of_column("o", version)}) END,
               {generic("a.attfdwoptions")},
               {options_order("a.attoptions", left_out=by_server_of_column("o.text", version))}
          FROM relations AS c
          JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid
          JOIN (SELECT t.oid, t.typcollation, t.typstorage, pg_catalog.format_type(t.oid, -1) AS name
                  FROM pg_catalog.pg_type AS t
                OFFSET 0) AS t ON t.oid = a.atttypid
          LEFT JOIN {DEFAULTS} AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
          {NOT_NULLS if named else ""}
         WHERE a.attnum > 0
           AND NOT a.attisdropped
           AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
           AND (c.relkind IN ('r', 'p', 'f')
                OR a.atthasdef
                OR c.relkind = 'm'
                   AND (a.attstattarget >= 0
                        OR a.attstorage <> t.typstorage
                        OR EXISTS (SELECT
                                     FROM pg_catalog.unnest(a.attoptions) AS o
                                    WHERE NOT {by_server_of_column("o", version)})
                        {"OR a.attcompression IN ('p', 'l')" if version >= 140000 else ""}))"""


# Each default is printed once, even if many columns have it: it contains no column, so no table must be opened.
DEFAULTS = """(SELECT pg_catalog.unnest(t.adrelids) AS adrelid, pg_catalog.unnest(t.adnums) AS adnum, t.expression
                       FROM (SELECT g.adrelids, g.adnums,
                                    (SELECT pg_catalog.pg_get_expr(d.adbin, 0)
                                       FROM pg_catalog.pg_attrdef AS d
                                      WHERE d.oid = g.oid) AS expression
                               FROM (SELECT min(d.oid) AS oid,
                                            pg_catalog.array_agg(d.adrelid) AS adrelids,
                                            pg_catalog.array_agg(d.adnum) AS adnums
                                       FROM pg_catalog.pg_attrdef AS d
                                      WHERE pg_catalog.strpos(d.adbin::text, '{VAR ') = 0 -- of a generated column
                                      GROUP BY d.adbin::text) AS g
                             OFFSET 0) AS t
                     OFFSET 0)"""

# They have names since PostgreSQL 18.
NOT_NULLS = """LEFT JOIN (SELECT k.conrelid, k.conkey[1] AS attnum,
                            k.conname, k.convalidated, k.connoinherit, k.conislocal
                       FROM pg_catalog.pg_constraint AS k
                      WHERE k.contype = 'n'
                     OFFSET 0) AS k ON k.conrelid = a.attrelid AND k.attnum = a.attnum"""


def rename(there: Key, _record: Column, name: str) -> str:
    """Return the SQL that gives a column another name."""
    return f"ALTER TABLE {Key('table', there.path[:2]).sql} RENAME COLUMN {quote(there.path[2])} TO {quote(name)};"


def as_known(record: Column, server_version: int) -> Column:
    """Return a column as an older server knows it: names of NOT NULL came with 18."""
    if server_version >= 180000 or not (record.not_null_name or record.not_null_apart):
        return record
    return replace(record, not_null_name=None, not_null_apart=False)


KIND = Kind(
    name="column",
    record=Column,
    check="columns",
    within={**OF_RELATION, "composite": 0},
    online=of_column,
    renamable=True,
    renaming=rename,
    copied=True,
    as_known=as_known,
    depth=3,
    parent=parent,
    gain=gain,
    change=change,
    repair=repair,
    create=create,
    creates=creates,
    drop=drop,
    replaced=replaced,
    made_of=("pg_attribute", "pg_class", "pg_attrdef", "pg_constraint"),
    by_relation={"pg_attribute": "attrelid", "pg_attrdef": "adrelid", "pg_constraint": "conrelid"},
    query=query,
)
