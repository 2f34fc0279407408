"""Collations: text is sorted by the library version that the indexes were built with."""

from collections.abc import Iterator

from healthd.comparison.judgement import differences, judge
from healthd.model.findings import Evidence, Finding, Problem
from healthd.model.observations import SortedBy
from healthd.model.severity import Severity

PROBLEMS = (
    Problem(
        "collation_version_moved",
        500,
        Severity.CRITICAL,
        "The version of a collation changed",
        meaning="""
The operating system or the ICU library was upgraded, or the data directory was moved to another system.
The library that sorts text now uses other rules than when the indexes were built.
PostgreSQL records the version of each collation, and since PostgreSQL 15 that of the database's default collation.
Before PostgreSQL 15 a change of the default collation cannot be detected, and healthd does not report it.""",
        impact="""
Indexes on text can be in the wrong order: queries miss rows, unique indexes accept duplicates,
and partitions and merge joins put rows in the wrong place.""",
        diagnosis="""
The finding names the database or the collation, with its recorded and its actual version.
PostgreSQL prints a warning for each connection: `database … has a collation version mismatch`.
To find the indexes that are in the wrong order, run `SELECT bt_index_check(oid) …`
of the extension amcheck for each index on text.""",
        mitigation="""
1. `REINDEX DATABASE CONCURRENTLY name;` rebuilds all indexes and does not block writes
   (for a single collation, run `REINDEX INDEX CONCURRENTLY` for each index that uses it).
   A unique index with duplicates cannot be rebuilt: fix the rows, then rebuild it.
2. Only then run `ALTER DATABASE name REFRESH COLLATION VERSION;` or `ALTER COLLATION name REFRESH VERSION;`.
   This records the new version and rebuilds nothing. If it is run first, it hides the damage.""",
    ),
)


def check(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding for each collation, and for the database, whose library version changed."""
    reported = set()
    for difference in differences(evidence, "collation"):
        if difference.attribute == "version_current":
            reported.add(difference.key)
            yield from judge(evidence, difference, "collation_version_moved")
    yield from (_moved(one) for one in evidence.sorted_by if one.key not in reported)


def _moved(one: SortedBy) -> Finding:
    name = one.key.sql
    if one.key.kind == "database":
        steps = f"REINDEX DATABASE CONCURRENTLY {name};", f"ALTER DATABASE {name} REFRESH COLLATION VERSION;"
    else:
        steps = (
            f"REINDEX INDEX CONCURRENTLY … for each index that uses {name}",
            f"ALTER COLLATION {name} REFRESH VERSION;",
        )
    return Finding(
        "collation_version_moved",
        one.key,
        f"{one.key} uses library version {one.actual}, expected {one.recorded}: indexes may be in the wrong order",
        Severity.CRITICAL,
        one.recorded,
        one.actual,
        "version",
        (f"-- First (may take hours): {steps[0]}", f"-- Only then: {steps[1]}"),
    )
