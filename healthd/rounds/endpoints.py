"""Request one endpoint of an application, and judge its response."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic

from healthd.checks.endpoints import check
from healthd.config.settings import Endpoint
from healthd.contracts.json_shape import mismatches
from healthd.model.findings import Evidence, Finding, Report, Verdict
from healthd.model.names import Key
from healthd.model.observations import Asked
from healthd.model.severity import Severity
from healthd.model.snapshots import Snapshot
from healthd.rounds.requests import LIMIT_BYTES, Response, request

AGAIN_S = 0.2  # between a wrong response and the second request that confirms it


async def examine_endpoint(endpoint: Endpoint) -> Report:
    """Return the report of one round; an error of the endpoint is a finding, never an exception.

    After a wrong response the endpoint is requested again, and the second response is reported: a round takes two
    deadlines at most.
    """
    started_at, start = datetime.now(UTC), monotonic()
    asked = await ask(endpoint)
    findings = _findings(endpoint, asked)
    if findings:
        await asyncio.sleep(AGAIN_S)
        asked = replace(await ask(endpoint), before=asked)
        findings = _findings(endpoint, asked)
    worst = max((one.severity for one in findings), default=Severity.OK)
    verdict = Verdict(findings=findings, checks={"endpoints": worst})
    return replace(Report.of(verdict, endpoint.name, started_at, monotonic() - start), asked=asked)


def _findings(endpoint: Endpoint, asked: Asked) -> tuple[Finding, ...]:
    nothing = Snapshot(0, {})
    return tuple(check(Evidence(endpoint.name, nothing, nothing, (), asked=(asked,))))


async def ask(endpoint: Endpoint) -> Asked:
    """Return the result of one GET."""
    start = monotonic()
    found = await request(endpoint.url, deadline_s=endpoint.deadline_s, token_file=endpoint.token_file)
    return Asked(
        Key("endpoint", (endpoint.title,)),
        endpoint.status,
        found.status,
        monotonic() - start,
        endpoint.max_latency_s,
        found.trouble,
        _wrong(endpoint, found),
    )


def _wrong(endpoint: Endpoint, found: Response) -> tuple[str, ...]:
    """Return what is wrong with the body of a response that has the expected status."""
    if not endpoint.shape or found.trouble is not None or found.status != endpoint.status:
        return ()
    return mismatches(found.body, endpoint.shape) if found.whole else (f"the body is longer than {LIMIT_BYTES} bytes",)
