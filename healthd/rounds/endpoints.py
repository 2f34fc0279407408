"""The only door to httpx: request one endpoint of an application, with limits on time and memory, and judge it."""

from __future__ import annotations

import asyncio
import functools
import ssl
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic
from typing import Any

import httpx

from healthd._version import __version__
from healthd.checks.endpoints import check
from healthd.config.settings import Endpoint
from healthd.contracts.json_shape import mismatches
from healthd.model.findings import Evidence, Finding, Report, Verdict
from healthd.model.names import Key
from healthd.model.observations import Asked
from healthd.model.severity import Severity
from healthd.model.snapshots import Snapshot

LIMIT_BYTES = 1 << 20
AGAIN_S = 0.2  # between a wrong response and the second request that confirms it
HEADERS = {"User-Agent": f"healthd/{__version__}", "Accept": "application/json", "Accept-Encoding": "identity"}


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
    """Return the result of one GET; redirects are not followed, and proxies of the environment are not used."""
    start = monotonic()
    status: int | None = None
    trouble: str | None = None
    wrong: tuple[str, ...] = ()
    try:
        async with (
            asyncio.timeout(endpoint.deadline_s),
            httpx.AsyncClient(
                headers={**HEADERS, **_authorization(endpoint)},
                timeout=None,  # noqa: S113 # the deadline is for all of it
                trust_env=False,
                verify=_trusted() if endpoint.url.lower().startswith("https:") else False,
            ) as client,
            client.stream("GET", endpoint.url) as response,
        ):
            status = response.status_code
            body, whole = await _body(response)
    except _NoToken as error:
        trouble = str(error)
    except TimeoutError:
        trouble = f"no answer within {endpoint.deadline_s:g} s"
    except httpx.ConnectError as error:
        trouble = f"cannot connect: {' '.join(str(error).split())[:200]}"
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        trouble = f"HTTP request failed ({type(error).__name__})"
    except (OSError, ValueError, ExceptionGroup) as error:  # errors that httpx does not wrap
        trouble = f"request failed ({type(error).__name__})"
    else:
        if endpoint.shape and status == endpoint.status:
            wrong = mismatches(body, endpoint.shape) if whole else (f"the body is longer than {LIMIT_BYTES} bytes",)
    return Asked(
        Key("endpoint", (endpoint.title,)),
        endpoint.status,
        status,
        monotonic() - start,
        endpoint.max_latency_s,
        trouble,
        wrong,
    )


class _NoToken(Exception):
    """The file with the token cannot be read."""


def _authorization(endpoint: Endpoint) -> dict[str, str]:
    if endpoint.token_file is None:
        return {}
    try:
        token = endpoint.token_file.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not ASCII"
        raise _NoToken(f"cannot read the token in {endpoint.token_file}: {why}") from None
    if not token.isprintable() or not token:
        raise _NoToken(f"{endpoint.token_file} does not contain a token on a single line")
    return {"Authorization": f"Bearer {token}"}


async def _body(response: Any) -> tuple[bytes, bool]:
    """Return the body as it was sent, and whether it is complete: at most the limit is read."""
    body = bytearray()
    async for piece in response.aiter_raw():
        body += piece
        if len(body) > LIMIT_BYTES:
            return bytes(body), False
    return bytes(body), True


@functools.cache
def _trusted() -> ssl.SSLContext:
    """Return the certificate authorities that the system trusts, including local ones."""
    return ssl.create_default_context()
