"""Serialization: labels and edge values return from the server unchanged, and sampled rows can be read."""

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
        "A value cannot be read or written correctly",
        meaning="""
Either healthd sent a value that the application can use to the server and read it back, without writing a row,
and the result was an error or another value.
Often a setting of the database is the cause
(`DateStyle`, `IntervalStyle`, `client_encoding`, `extra_float_digits`), while the schema is correct.

Or rows contain values that a model of a contract cannot read (if `sample_rows` is set in yoyo.ini):
NULL where the model does not accept None, a label that its enum does not contain,
an infinite date, or a date after the year 9999.""",
        impact="""
A setting affects all applications that use this database.
A row that cannot be read makes the application fail when it reads that row.
Warning: the application can read the value and may not be able to pass it on,
for example NaN in JSON, or a fraction where it expects a whole number.""",
        diagnosis="""
The finding shows the type, the tested value and the error message of the server or the driver.
`SELECT * FROM pg_db_role_setting` lists settings of databases and roles.

For rows, the finding shows the column, the kind of value, how many of the sampled rows contain it,
the primary key of one of them if it consists of numbers or UUIDs,
and the SQL that selects all of them (`query` in the JSON).
A finding never contains a value.""",
        mitigation="""
For a setting, run `ALTER DATABASE … RESET setting`, then reconnect the applications.

For an enum, fix its labels (enum_mismatch).

For rows, write a migration that replaces the values and adds a constraint against new ones,
or change the model so that it accepts them.
healthd samples the same rows again within ten minutes, `healthd check` immediately.""",
    ),
)


def check(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding for each object whose values do not round-trip, and for each kind of bad value in a column."""
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
                f"{name}: {trip.case} does not round-trip: {trip.trouble}",
                Severity.CRITICAL,
                expected=f"{trip.case} is returned unchanged",
                actual=trip.trouble,
            )
    yield from map(_sampled, evidence.samples)
    yield from (_denied(one) for one in evidence.unsampled if one.why == "denied")


def _sampled(sample: Sample) -> Finding:
    trouble = TROUBLES[sample.trouble]
    rows = f"{sample.count} of {sample.rows} {'row' if sample.rows == 1 else 'rows'}"
    example = f"; for example {sample.example}" if sample.example else ""
    return Finding(
        "serialization_failed",
        sample.key,
        f"{sample.key}: {rows} sampled contain {trouble.words}: {some(sample.who)}{example}",
        trouble.severity,
        expected=f"rows that {some(sample.who)} can read",
        actual=f"{rows}: {trouble.words}",
        attribute=sample.trouble,
        repair=(commented(f"-- To list the rows: {sample.query}"),),
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
        f"role {one.role} lacks the privilege to sample rows of {one.key.sql} (sample_rows): {grant} in a migration",
        Severity.UNKNOWN,
        expected=f"SELECT ({columns}) for {one.role}",
        actual="not granted",
        repair=(f"GRANT USAGE ON SCHEMA {schema} TO {role};", grant),
        facts={"privilege": "SELECT", "object": str(one.key), "role": one.role, "grant": grant},
    )
