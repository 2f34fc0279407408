"""Serialization: every enum label and edge value comes back from the server as it was sent."""

from collections.abc import Iterator

from healthd.model import Evidence, Finding, Problem, Severity

PROBLEMS = (
    Problem(
        "serialization_failed",
        500,
        Severity.CRITICAL,
        "A value does not survive its way to the server and back",
        meaning="""
A value that the application can hold was sent to the server and read back, without writing a row,
and an error or another value came back.
The schema may be right all the same: a database-wide setting
(`DateStyle`, `IntervalStyle`, `client_encoding`, `extra_float_digits`) changes how values travel,
and every application on this database is affected.""",
        see="""
The finding names the type, the case and the server's or the driver's words.
`SELECT * FROM pg_db_role_setting` shows settings that were changed for a database or a role.""",
        mend="""
`ALTER DATABASE … RESET setting`, then let applications reconnect.
For an enum, mend its labels (enum_mismatch).""",
    ),
)


def check(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding for each object with values that did not survive, naming the first of them."""
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
