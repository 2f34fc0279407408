"""Collations: text is sorted by the version of the library that the indexes were built with."""

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
        "The library that sorts text is another version",
        meaning="""
The operating system or the ICU library was upgraded, or the data directory was moved to another system,
and text sorts by other rules than those that the indexes were built with.
An index on text may be in a wrong order: queries miss rows, unique indexes let duplicates in,
partitions and merge joins put rows in a wrong place.
PostgreSQL keeps the version of each collation, and since 15 that of the database's own;
before 15 nobody can tell for the database's own collation, and healthd does not.""",
        see="""
The finding names the database or the collation, with the version that was recorded and the one that is there.
PostgreSQL warns of it at each connection: `database … has a collation version mismatch`.
Which indexes are in a wrong order: `SELECT bt_index_check(oid) …` of the extension amcheck, for each index on text.""",
        mend="""
1. `REINDEX DATABASE CONCURRENTLY name;` rebuilds every index and lets writers go on
   (for one collation: `REINDEX INDEX CONCURRENTLY` for each index that uses it).
   A unique index that finds duplicates fails: mend the rows, then build it again.
2. Only then `ALTER DATABASE name REFRESH COLLATION VERSION;`, or `ALTER COLLATION name REFRESH VERSION;`:
   that records the new version and rebuilds nothing. Done first, it hides the damage.""",
    ),
)


def check(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding for each collation, and for the database, whose library moved."""
    told = set()
    for difference in differences(evidence, "collation"):
        if difference.attribute == "version_current":
            told.add(difference.key)
            yield from judge(evidence, difference, "collation_version_moved")
    yield from (_moved(one) for one in evidence.sorted_by if one.key not in told)


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
        f"{one.key} sorts by version {one.actual} of its library, expected {one.recorded}: indexes may be out of order",
        Severity.CRITICAL,
        one.recorded,
        one.actual,
        "version",
        (f"-- First, which may take hours: {steps[0]}", f"-- Only then: {steps[1]}"),
    )
