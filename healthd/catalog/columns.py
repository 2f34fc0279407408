"""Columns of tables: type, nullability, default, identity and generation."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from healthd.catalog.visible import RELATION, own
from healthd.model import DEPARSED, Difference, Key, Kind, Record, Severity, quote


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


def repair(difference: Difference) -> Iterator[str]:
    """Yield the SQL that brings a column back."""
    schema, table, column = map(quote, difference.key.path)
    expected = difference.expected
    if difference.actual is None:
        yield f"ALTER TABLE {schema}.{table} ADD COLUMN {column} {definition(expected)};"
        if expected.not_null and not expected.default:
            yield f"-- If {table} has rows: add it without NOT NULL, fill it, then SET NOT NULL."
    if difference.expected is None or difference.attribute is None:
        return
    alter = f"ALTER TABLE {schema}.{table} ALTER COLUMN {column}"
    if difference.attribute == "type":
        yield f"{alter} TYPE {expected} USING {column}::{expected};"
    elif difference.attribute == "not_null":
        yield f"{alter} {'SET' if expected else 'DROP'} NOT NULL;"
    elif difference.attribute == "default":
        yield f"{alter} " + (f"SET DEFAULT {expected};" if expected else "DROP DEFAULT;")
    elif difference.attribute == "identity":
        yield f"{alter} " + (
            "DROP IDENTITY;" if expected == "none" else f"ADD GENERATED {expected.upper()} AS IDENTITY;"
        )


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
               a.attnotnull,
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
