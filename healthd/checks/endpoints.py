"""Endpoints: the application answers, in time, and with what its contract says."""

from collections.abc import Iterator, Sequence

from healthd.model.contracts import Contract
from healthd.model.findings import Evidence, Finding, Problem
from healthd.model.observations import Asked
from healthd.model.severity import Severity

PROBLEMS = (
    Problem(
        "endpoint_unavailable",
        503,
        Severity.CRITICAL,
        "An endpoint does not answer as it should",
        meaning="""
The application did not answer in time, could not be reached, or answered with another status than the expected one.
Its users see the same. When a database of the application has a finding too, that is the likely cause.""",
        see="""
`curl -i URL`, with the URL of `[endpoint NAME]`. The finding says what came instead of an answer.
`healthd_endpoint_responses_total` by code tells an outage from a share of errors.
A redirect is not followed: it is an answer with another status.""",
        mend="""
Mend the database if it has a finding; otherwise look at the application's log by the request's id.
If another status is right, write `status = …` into `[endpoint NAME]`.""",
    ),
    Problem(
        "endpoint_slow",
        200,
        Severity.WARNING,
        "An endpoint answers later than it may",
        meaning="""
The answer was right, and took longer than `max_latency_s`, from the first connection to the last byte.""",
        see="""
`healthd_endpoint_duration_seconds` shows since when.
`healthd_asgi_database_duration_seconds` of the application tells the database's share.""",
        mend="""
A lost index is a finding of its own. Otherwise look for what the application waits for:
`SELECT * FROM pg_stat_activity WHERE wait_event IS NOT NULL`.""",
    ),
    Problem(
        "endpoint_mismatch",
        500,
        Severity.CRITICAL,
        "An endpoint's JSON is not what its contract says",
        meaning="""
The status was right, and a field is missing, null, of another type,
or has a value that the contract does not list: a caller that relies on the contract fails.""",
        see="""
The finding names the fields, never their values. `curl -s URL` shows them.""",
        mend="""
Mend the application or its database; or, when the change is meant,
give `[endpoint NAME]` the contract of the version that runs.""",
    ),
)


def applies(_contracts: Sequence[Contract]) -> bool:
    """Return whether there may be an endpoint: a database has none, and an endpoint's own round is no database's."""
    return False


def check(evidence: Evidence) -> Iterator[Finding]:
    """Yield what is wrong with each endpoint that was asked."""
    for asked in evidence.asked:
        yield from _judge(asked)


def _judge(asked: Asked) -> Iterator[Finding]:
    wanted = f"an answer {asked.wanted}"
    if asked.trouble is not None:
        actual = asked.trouble
    elif asked.status != asked.wanted:
        redirect = " (a redirect, which is not followed)" if 300 <= (asked.status or 0) < 400 else ""
        actual = f"{asked.status}{redirect}"
    else:
        actual = ""
    if actual:
        message = f"{asked.key}: {actual}"
        yield Finding("endpoint_unavailable", asked.key, message, Severity.CRITICAL, wanted, actual, check="endpoints")
        return
    if asked.mismatches:
        actual = "; ".join(asked.mismatches)
        yield Finding(
            "endpoint_mismatch",
            asked.key,
            f"{asked.key}: {actual}",
            Severity.CRITICAL,
            "what its contract says",
            actual,
            facts={"mismatches": asked.mismatches},
            check="endpoints",
        )
    if asked.duration_s > asked.max_latency_s:
        expected, actual = f"an answer within {asked.max_latency_s:g} s", f"{asked.duration_s:.2f} s"
        message = f"{asked.key}: answered after {actual}, and may take {asked.max_latency_s:g} s"
        yield Finding("endpoint_slow", asked.key, message, Severity.WARNING, expected, actual, check="endpoints")
