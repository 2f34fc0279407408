"""Collations: the rules by which text is sorted, and whether the library version has changed."""

from collections.abc import Iterator
from dataclasses import dataclass

from healthd.catalog.scope import SCHEMA, own
from healthd.model.kinds import Kind
from healthd.model.names import literal
from healthd.model.severity import Severity
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class Collation:
    """A collation; `locale` is one name for LC_COLLATE and LC_CTYPE, or both names.

    If `version_current` is False, the library has another version than the one that indexes were built with: their
    order may be wrong.
    """

    provider: str  # libc, icu, builtin, default
    locale: str | None
    rules: str | None
    deterministic: bool
    version_current: bool


def change(difference: Difference, noted: Severity | None) -> Severity | None:
    """Return the severity of a difference: a matching version is never a problem, whatever the other side has."""
    return None if difference.attribute == "version_current" and difference.actual else noted


def repair(difference: Difference, expected: Collation, _actual: Collation) -> Iterator[str]:
    """Yield the SQL that creates a collation, or the steps after a change of the library."""
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
        yield f"-- First REINDEX the indexes that use {name}; then:"
        yield f"-- ALTER COLLATION {name} REFRESH VERSION;"


def query(server_version: int) -> str:
    """Return the query for one server version: 15, 16 and 17 each store the locale differently."""
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
    replaced=lambda difference, expected, actual: difference.attribute != "version_current",
    some="SELECT FROM pg_catalog.pg_collation AS o WHERE o.oid >= 16384",
    query=query,
)
