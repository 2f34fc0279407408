"""Endpoints: the application answers in time, and its response matches its contract."""

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
        "An endpoint is not available",
        meaning="""
The application did not answer in time, could not be reached, or returned another status than the expected one.""",
        impact="""
Users of the application get the same error.""",
        diagnosis="""
The finding shows what was returned instead. Run `curl -i URL` with the URL of `[endpoint NAME]`.
`healthd_endpoint_responses_total` by `code` distinguishes an outage from a small share of errors.
A redirect is not followed: it counts as a response with another status.
A finding on a database of the application is the likely cause.""",
        mitigation="""
If a database of the application has a finding, fix that first.
Otherwise search the application's log for the request ID.
If the other status is correct, set `status = …` in `[endpoint NAME]`.""",
    ),
    Problem(
        "endpoint_slow",
        200,
        Severity.WARNING,
        "An endpoint is slow",
        meaning="""
The response was correct, but took longer than `max_latency_s`, measured from the connection to the last byte.""",
        impact="""
Users of the application wait. If it becomes slower, requests time out.""",
        diagnosis="""
`healthd_endpoint_duration_seconds` shows since when.
`healthd_asgi_database_duration_seconds` of the application shows how much of the time the database takes.""",
        mitigation="""
A missing index is a separate finding: fix that first.
Otherwise find out what the application waits for: `SELECT * FROM pg_stat_activity WHERE wait_event IS NOT NULL`.""",
    ),
    Problem(
        "endpoint_mismatch",
        500,
        Severity.CRITICAL,
        "An endpoint's JSON does not match its contract",
        meaning="""
The status was the expected one, but a field of the response is missing, is null, has another type,
or has a value that the contract does not list.""",
        impact="""
Callers that rely on the contract fail.""",
        diagnosis="""
The finding names the fields, never their values. `curl -s URL` shows the values.""",
        mitigation="""
Fix the application or its database. If the change is intended,
set the contract of the running version in `[endpoint NAME]`.""",
    ),
)


def applies(_contracts: Sequence[Contract]) -> bool:
    """Return False: a database has no endpoint, and an endpoint has its own rounds."""
    return False


def check(evidence: Evidence) -> Iterator[Finding]:
    """Yield what is wrong with each endpoint that was requested."""
    for asked in evidence.asked:
        yield from _judge(asked)


def _judge(asked: Asked) -> Iterator[Finding]:
    wanted = f"status {asked.wanted}"
    if asked.trouble is not None:
        actual = asked.trouble
    elif asked.status != asked.wanted:
        redirect = " (a redirect, which is not followed)" if 300 <= (asked.status or 0) < 400 else ""
        actual = f"status {asked.status}{redirect}"
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
            "a response that matches its contract",
            actual,
            facts={"mismatches": asked.mismatches},
            check="endpoints",
        )
    if asked.duration_s > asked.max_latency_s:
        expected, actual = f"a response within {asked.max_latency_s:g} s", f"{asked.duration_s:.2f} s"
        message = f"{asked.key}: the response took {actual}, more than max_latency_s ({asked.max_latency_s:g} s)"
        yield Finding("endpoint_slow", asked.key, message, Severity.WARNING, expected, actual, check="endpoints")
