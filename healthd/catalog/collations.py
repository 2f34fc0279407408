"""Collations: by which rules text sorts, and whether the library still sorts as it did."""

from collections.abc import Iterator
from dataclasses import dataclass

from healthd.catalog.scope import SCHEMA, own
from healthd.model.kinds import Kind
from healthd.model.names import literal
from healthd.model.severity import Severity
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class Collation:
    """A collation; `locale` is one name for sorting and for letters, or both, libc's way.

    Not `version_current` means that the library sorts by another version than the one that indexes were
    built with: their order may be wrong.
    """

    provider: str  # libc, icu, builtin, default
    locale: str | None
    rules: str | None
    deterministic: bool
    version_current: bool


def change(difference: Difference, noted: Severity | None) -> Severity | None:
    """Return how bad another attribute is: a version that is right is never wrong, whatever it was elsewhere."""
    return None if difference.attribute == "version_current" and difference.actual else noted


def repair(difference: Difference, expected: Collation, _actual: Collation) -> Iterator[str]:
    """Yield the SQL that makes a collation, or says how to go on after the library changed."""
    name = difference.key.sql
    if difference.missing:
        first, both, second = (expected.locale or "").partition(", ")
        words = [f"provider = {expected.provider}"]
        if both:
            words += [f"lc_collate = {literal(first)}", f"lc_ctype = {literal(second)}"]
        else:
            words += [f"locale = {literal(first)}"]
        words += [f"rules = {literal(expected.rules)}"] if expected.rules else []
        words += [] if expected.deterministic else ["deterministic = false"]
        yield f"CREATE COLLATION {name} ({', '.join(words)});"
    elif difference.attribute == "version_current":
        yield f"-- First REINDEX what is sorted by {name}; then"
        yield f"-- ALTER COLLATION {name} REFRESH VERSION;"


def query(server_version: int) -> str:
    """Return the query for one server version: each of 15, 16 and 17 keeps a locale in its own way."""
    if server_version >= 170000:
        locale, rules = "c.colllocale", "c.collicurules"
    elif server_version >= 150000:
        locale, rules = "c.colliculocale", "c.collicurules" if server_version >= 160000 else "NULL"
    else:
        locale, rules = "NULL", "NULL"
    return f"""
        SELECT n.nspname, c.collname,
               CASE c.collprovider WHEN 'c' THEN 'libc' WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin'
                                   ELSE 'default' END,
               coalesce({locale}, CASE WHEN c.collcollate = c.collctype THEN c.collcollate
                                       ELSE c.collcollate || ', ' || c.collctype END)::text,
               {rules},
               c.collisdeterministic,
               coalesce(c.collversion = pg_catalog.pg_collation_actual_version(c.oid), true)
          FROM pg_catalog.pg_collation AS c
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.collnamespace
         WHERE {SCHEMA}
           AND {own("pg_collation", "c.oid")}"""


KIND = Kind(
    name="collation",
    record=Collation,
    renamable=True,
    movable=True,
    created_as=("collation",),
    referenced=True,
    change=change,
    repair=repair,
    some="SELECT FROM pg_catalog.pg_collation AS o WHERE o.oid >= 16384",
    query=query,
)
