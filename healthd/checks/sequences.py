"""Sequences: none is about to run out of numbers."""

from collections.abc import Iterator

from healthd.model.findings import Evidence, Finding, Problem
from healthd.model.names import Key, quote
from healthd.model.observations import Counter
from healthd.model.severity import Severity

EXHAUSTING = 0.75  # share of the numbers in use: time to plan the change of the type
EXHAUSTED = 0.95  # share of the numbers in use: time to make the change

_IMPACT = """
After the last number, every INSERT that needs a number fails
(`nextval: reached maximum value of sequence`, `integer out of range`)."""

_DIAGNOSIS = """
The finding names the sequence, the column whose type is the limit, and how many numbers are left.
In psql: `SELECT * FROM pg_sequences`, `\\d TABLE`.
Drawing a number changes nothing else in the catalogs: if the database is otherwise unchanged,
the finding appears with the next full read, at most ten minutes later.
An INSERT that fails draws a number, too, and so does each conflicting row of `INSERT … ON CONFLICT`.
A sequence with `CYCLE` is never reported.
PostgreSQL shows the last value only to roles with USAGE or SELECT on the sequence.
If healthd lacks both, the target's page shows a note, and the check has no verdict."""

_MITIGATION = """
If the type of the column is smaller than that of its sequence, or the sequence is `AS integer`,
change it to bigint in a migration.
`ALTER TABLE … ALTER COLUMN … TYPE bigint` rewrites the table and its indexes under ACCESS EXCLUSIVE.
`ALTER SEQUENCE … AS bigint` takes effect immediately.
Columns that reference the column must be changed, too.

For a large table, add a bigint column, fill it in batches while a trigger keeps it up to date,
and swap the two columns in a short transaction.

To gain time, if negative numbers are acceptable: `ALTER SEQUENCE … MINVALUE -2147483648 RESTART -2147483648`."""

PROBLEMS = (
    Problem(
        "sequence_exhausting",
        200,
        Severity.WARNING,
        "A sequence is running out of numbers",
        meaning=f"""
More than {EXHAUSTING:.0%} of the numbers of a sequence are used.""",
        impact=_IMPACT,
        diagnosis=_DIAGNOSIS,
        mitigation=_MITIGATION,
    ),
    Problem(
        "sequence_exhausted",
        500,
        Severity.CRITICAL,
        "A sequence has almost no numbers left",
        meaning=f"""
More than {EXHAUSTED:.0%} of the numbers of a sequence are used.""",
        impact=_IMPACT,
        diagnosis=_DIAGNOSIS,
        mitigation=_MITIGATION,
    ),
)


def check(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding for each sequence that has few numbers left."""
    for counter in evidence.counters:
        if counter.used >= EXHAUSTING:
            yield _finding(counter)


def _finding(one: Counter) -> Finding:
    critical = one.used >= EXHAUSTED
    limit = f"{one.type}, the type of {one.column}" if one.column else "its range"
    return Finding(
        "sequence_exhausted" if critical else "sequence_exhausting",
        one.key,
        f"{one.key} has used {one.used:.1%} of {limit}: {one.left} numbers left",
        Severity.CRITICAL if critical else Severity.WARNING,
        f"less than {EXHAUSTING:.0%} used",
        f"{one.used:.1%} used, {one.left} left",
        None,
        tuple(_steps(one)),
        facts={"last_value": one.last, "numbers_left": one.left, "used": round(one.used, 4)},
    )


def _steps(one: Counter) -> Iterator[str]:
    if one.column:
        key = Key.parse(f"column:{one.column}")
        table, column = Key("table", key.path[:2]).sql, quote(key.path[2])
        yield f"-- In a migration (rewrites the table): ALTER TABLE {table} ALTER COLUMN {column} TYPE bigint;"
    elif one.type != "bigint":
        yield f"-- In a migration (immediate): ALTER SEQUENCE {one.key.sql} AS bigint;"
    else:
        yield f"-- In a migration: ALTER SEQUENCE {one.key.sql} with a larger MAXVALUE, or RESTART."
