"""Serialization: labels and edge values come back from the server as they were sent, and real rows can be read."""

from collections.abc import Iterator

from healthd.comparison.judgement import commented
from healthd.contracts.row_conditions import TROUBLES
from healthd.model.findings import Evidence, Finding, Problem
from healthd.model.names import quote
from healthd.model.observations import Sample, Unsampled
from healthd.model.severity import Severity
from healthd.text import some

PROBLEMS = (
    Problem(
        "serialization_failed",
        500,
        Severity.CRITICAL,
        "A value does not survive its way between the application and the server",
        meaning="""
Either a value that the application can hold was sent to the server and read back, without writing a row,
and an error or another value came back.
The schema may be right all the same: a database-wide setting
(`DateStyle`, `IntervalStyle`, `client_encoding`, `extra_float_digits`) changes how values travel,
and every application on this database is affected.

Or rows were found that hold what a model of a contract cannot read (`sample_rows` in yoyo.ini asks for that):
NULL where the model takes no None, a label that its enum does not know, a date that is infinite or beyond
the year 9999. An application fails when it reads such a row, on this row only.
A warning is what it can read and may not be able to pass on: NaN in JSON, a fraction where it counts whole numbers.""",
        see="""
The finding names the type, the case and the server's or the driver's words;
`SELECT * FROM pg_db_role_setting` shows settings that were changed for a database or a role.
Of rows it names the column, the class of trouble, how many of the rows that were looked at,
the primary key of one of them when that is made of numbers or UUIDs,
and the SQL that shows all of them (`query` in JSON).
A value is in no finding.""",
        mend="""
`ALTER DATABASE … RESET setting`, then let applications reconnect.
For an enum, mend its labels (enum_mismatch).
Rows are mended by a migration that gives them a value that can be read, and a constraint that keeps others out;
or the model is made to take them. healthd looks again at the same rows within ten minutes, `healthd check` at once.""",
    ),
)


def check(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding for each object with values that did not survive, and each trouble that rows of a column make."""
    troubled: dict[str, int] = {}
    for trip in evidence.round_trips:
        if trip.trouble is None:
            continue
        name = str(trip.key)
        troubled[name] = troubled.get(name, 0) + 1
        if troubled[name] == 1:
            yield Finding(
                "serialization_failed",
                trip.key,
                f"{name}: {trip.case} does not survive: {trip.trouble}",
                Severity.CRITICAL,
                expected=f"{trip.case} comes back as it was sent",
                actual=trip.trouble,
            )
    yield from map(_sampled, evidence.samples)
    yield from (_denied(one) for one in evidence.unsampled if one.why == "denied")


def _sampled(sample: Sample) -> Finding:
    trouble = TROUBLES[sample.trouble]
    rows = f"{sample.count} of {sample.rows} {'row' if sample.rows == 1 else 'rows'}"
    example = f"; one is {sample.example}" if sample.example else ""
    return Finding(
        "serialization_failed",
        sample.key,
        f"{sample.key}: {rows} looked at hold {trouble.words}: {some(sample.who)}{example}",
        trouble.severity,
        expected=f"rows that {some(sample.who)} can hold",
        actual=f"{rows}: {trouble.words}",
        attribute=sample.trouble,
        repair=(commented(f"-- These are the rows: {sample.query}"),),
        facts={
            "trouble": sample.trouble,
            "count": sample.count,
            "rows": sample.rows,
            "example": sample.example,
            "models": sample.who,
            "query": sample.query,
        },
    )


def _denied(one: Unsampled) -> Finding:
    role, columns = quote(one.role), ", ".join(map(quote, one.columns))
    schema = quote(one.key.path[0])
    grant = f"GRANT SELECT ({columns}) ON {one.key.sql} TO {role};"
    return Finding(
        "permission_denied",
        one.key,
        f"{one.role} may not look at rows of {one.key.sql}, as sample_rows asks: {grant} in a migration",
        Severity.UNKNOWN,
        expected=f"SELECT ({columns}) for {one.role}",
        actual="not granted",
        repair=(f"GRANT USAGE ON SCHEMA {schema} TO {role};", grant),
        facts={"privilege": "SELECT", "object": str(one.key), "role": one.role, "grant": grant},
    )
