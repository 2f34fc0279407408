"""Sequences: none is about to run out of numbers."""

from collections.abc import Iterator

from healthd.model.findings import Evidence, Finding, Problem
from healthd.model.names import Key, quote
from healthd.model.observations import Counter
from healthd.model.severity import Severity

EXHAUSTING = 0.75  # of a sequence's numbers are used: time to plan the change of a type
EXHAUSTED = 0.95  # are used: time to make it

_SEE = """
The finding names the sequence, the column whose type is the limit, and how many numbers are left.
In psql: `SELECT * FROM pg_sequences`, `\\d TABLE`.
Drawing numbers changes nothing else: a quiet database is told of when it is next read in full, every ten minutes.
A number is drawn by an INSERT that fails, too, and `INSERT … ON CONFLICT` draws one for each row it meets.
A sequence that may begin again (`CYCLE`) is never told.
PostgreSQL shows how far one has counted only to who has USAGE or SELECT on it;
what healthd may not see is a note on the target's page, and the check says neither ok nor not."""

_MEND = """
A column that is smaller than its sequence, or a sequence that is `AS integer`, becomes bigint, in a migration:
`ALTER TABLE … ALTER COLUMN … TYPE bigint` rewrites the table and its indexes under ACCESS EXCLUSIVE.
For a large table: add a bigint column, fill it in batches while a trigger keeps it, swap the two in one short
transaction. Columns that refer to it must grow too.
`ALTER SEQUENCE … AS bigint` is instant.
To gain time where nobody minds: an integer may go below zero,
`ALTER SEQUENCE … MINVALUE -2147483648 RESTART -2147483648`."""

PROBLEMS = (
    Problem(
        "sequence_exhausting",
        200,
        Severity.WARNING,
        "A sequence will run out of numbers",
        meaning=f"""
More than {EXHAUSTING:.0%} of a sequence's numbers are used.
When the last one is drawn every INSERT that needs one fails
(`nextval: reached maximum value of sequence`, `integer out of range`).""",
        see=_SEE,
        mend=_MEND,
    ),
    Problem(
        "sequence_exhausted",
        500,
        Severity.CRITICAL,
        "A sequence is at its end",
        meaning=f"""
More than {EXHAUSTED:.0%} of a sequence's numbers are used.
When the last one is drawn every INSERT that needs one fails
(`nextval: reached maximum value of sequence`, `integer out of range`).""",
        see=_SEE,
        mend=_MEND,
    ),
)


def check(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding for each sequence of which not much is left."""
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
        yield f"-- In a migration; it rewrites the table: ALTER TABLE {table} ALTER COLUMN {column} TYPE bigint;"
    elif one.type != "bigint":
        yield f"-- In a migration; it is instant: ALTER SEQUENCE {one.key.sql} AS bigint;"
    else:
        yield f"-- In a migration: ALTER SEQUENCE {one.key.sql} with another MAXVALUE, or RESTART."
