"""Columns of tables: type, nullability, default, identity and generation."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from healthd.catalog.visible import RELATION, own
from healthd.model import DEPARSED, Difference, Key, Kind, Record, Severity, literal, quote


@dataclass(frozen=True, slots=True)
class Column:
    """A column. `default` is the expression of a generated column too; `collation` only when not the type's."""

    type: str
    not_null: bool
    default: Annotated[str | None, DEPARSED]
    identity: str  # none, always, by default
    generated: str  # none, stored, virtual
    collation: str | None


def gain(record: Record) -> Severity:
    """Return how bad an unexpected column is: one that every INSERT must name breaks the application."""
    given = record.default or record.identity != "none" or record.generated != "none"
    return Severity.CRITICAL if record.not_null and not given else Severity.WARNING


def repair(difference: Difference, expected: Column, actual: Column) -> Iterator[str]:
    """Yield the SQL that brings a column back."""
    schema, table, column = map(quote, difference.key.path)
    alter = f"ALTER TABLE {schema}.{table} ALTER COLUMN {column}"
    if difference.missing:
        counter = Key(
            "sequence", (difference.key.path[0], f"{difference.key.path[1]}_{difference.key.path[2]}_seq")
        ).sql
        serial = expected.default == f"nextval({literal(counter)}::regclass)"
        if serial:  # its sequence went with it
            yield f"CREATE SEQUENCE IF NOT EXISTS {counter} AS {expected.type};"
        yield f"ALTER TABLE {schema}.{table} ADD COLUMN {column} {definition(expected)};"
        if serial:
            yield f"ALTER SEQUENCE {counter} OWNED BY {schema}.{table}.{column};"
        if expected.not_null and not expected.default:
            yield f"-- If {table} has rows: add it without NOT NULL, fill it, then SET NOT NULL."
    elif difference.attribute == "not_null":
        yield f"{alter} {'SET' if expected.not_null else 'DROP'} NOT NULL;"
    elif (expected.generated, actual.generated) != ("none", "none"):
        yield f"-- {column} is or was generated: drop it and add it again, with what depends on it:"
        yield f"-- ALTER TABLE {schema}.{table} ADD COLUMN {column} {definition(expected)};"
    elif difference.attribute == "type" or (difference.attribute == "collation" and actual.type == expected.type):
        yield _retype(f"ALTER TABLE {schema}.{table}", column, expected, actual)
    elif difference.attribute == "default" and actual.type == expected.type:
        yield f"{alter} " + (f"SET DEFAULT {expected.default};" if expected.default else "DROP DEFAULT;")
    elif difference.attribute == "identity":
        if expected.identity == "none":
            yield f"{alter} DROP IDENTITY;"
        elif actual.identity != "none":
            yield f"{alter} SET GENERATED {expected.identity.upper()};"
        else:
            yield f"{alter} ADD GENERATED {expected.identity.upper()} AS IDENTITY;"
            counter = f"pg_get_serial_sequence({literal(f'{schema}.{table}')}, {literal(difference.key.path[2])})"
            yield f"SELECT setval({counter}, max({column})) FROM {schema}.{table};"


def _retype(alter: str, column: str, expected: Column, actual: Column) -> str:
    """Return one statement for the type and the default, which need not fit the other type."""
    steps = [f"ALTER COLUMN {column} DROP DEFAULT"] if actual.default else []
    collation = f" COLLATE {expected.collation}" if expected.collation else ""
    steps.append(f"ALTER COLUMN {column} TYPE {expected.type}{collation} USING {column}::{expected.type}")
    steps += [f"ALTER COLUMN {column} SET DEFAULT {expected.default}"] if expected.default else []
    return f"{alter} {', '.join(steps)};"


def definition(record: Column) -> str:
    """Return a column as CREATE TABLE writes it after its name."""
    words = [record.type]
    words += [f"COLLATE {record.collation}"] if record.collation else []
    if record.generated != "none":
        words.append(f"GENERATED ALWAYS AS ({record.default}) {record.generated.upper()}")
    elif record.identity != "none":
        words.append(f"GENERATED {record.identity.upper()} AS IDENTITY")
    elif record.default:
        words.append(f"DEFAULT {record.default}")
    words += ["NOT NULL"] if record.not_null else []
    return " ".join(words)


KIND = Kind(
    name="column",
    record=Column,
    depth=3,
    parent=lambda key, record: Key("table", key.path[:2]),
    gain=gain,
    repair=repair,
    query=f"""
        SELECT n.nspname, c.relname, a.attname,
               pg_catalog.format_type(a.atttypid, a.atttypmod),
               a.attnotnull
                   AND NOT EXISTS (SELECT -- PostgreSQL 18: NOT NULL NOT VALID, which promises nothing about old rows
                                     FROM pg_catalog.pg_constraint AS k
                                    WHERE k.conrelid = a.attrelid
                                      AND k.contype = 'n'
                                      AND k.conkey = ARRAY[a.attnum]
                                      AND NOT k.convalidated),
               pg_catalog.pg_get_expr(d.adbin, d.adrelid),
               CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' ELSE 'none' END,
               CASE a.attgenerated WHEN 's' THEN 'stored' WHEN 'v' THEN 'virtual' ELSE 'none' END,
               CASE WHEN a.attcollation <> t.typcollation
                    THEN a.attcollation::pg_catalog.regcollation::text END
          FROM pg_catalog.pg_attribute AS a
          JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
          JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
          LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         WHERE a.attnum > 0
           AND NOT a.attisdropped
           AND c.relkind IN ('r', 'p')
           AND c.relpersistence <> 't'
           AND {RELATION}
           AND {own("pg_class", "c.oid")}""",
)
