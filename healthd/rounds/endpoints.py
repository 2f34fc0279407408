"""The only door to httpx: ask one endpoint of an application, bounded in time and memory, and judge what it says."""

from __future__ import annotations

import asyncio
import functools
import ssl
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from healthd._version import __version__
from healthd.config.settings import Endpoint
from healthd.contracts.json_shape import mismatches
from healthd.model.findings import Evidence, Finding, Report, Verdict
from healthd.model.names import Key
from healthd.model.observations import Asked
from healthd.model.severity import Severity
from healthd.model.snapshots import Snapshot

LIMIT_BYTES = 1 << 20
AGAIN_S = 0.2  # between an answer that is wrong and the second try that confirms it
HEADERS = {"User-Agent": f"healthd/{__version__}", "Accept": "application/json", "Accept-Encoding": "identity"}


async def examine_endpoint(endpoint: Endpoint) -> Report:
    """Return the report of one round; whatever the endpoint does is a finding, never an exception.

    What looks wrong is asked a second time, and what that brings is told: a round takes two deadlines at most.
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
    from healthd.checks.endpoints import check

    nothing = Snapshot(0, {})
    return tuple(check(Evidence(endpoint.name, nothing, nothing, (), asked=(asked,))))


async def ask(endpoint: Endpoint) -> Asked:
    """Return what came of one GET; no redirect is followed, no proxy of the environment used."""
    import httpx  # 0.1 s: not for who has no endpoints

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
        trouble = f"it does not speak HTTP as it should ({type(error).__name__})"
    except (OSError, ValueError, ExceptionGroup) as error:  # what httpx lets through
        trouble = f"cannot ask ({type(error).__name__})"
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
        raise _NoToken(f"{endpoint.token_file} holds no token on a line of its own")
    return {"Authorization": f"Bearer {token}"}


async def _body(response: Any) -> tuple[bytes, bool]:
    """Return the body as it was sent, and whether that is all of it: not more than the limit is read."""
    body = bytearray()
    async for piece in response.aiter_raw():
        body += piece
        if len(body) > LIMIT_BYTES:
            return bytes(body), False
    return bytes(body), True


@functools.cache
def _trusted() -> ssl.SSLContext:
    """Return whom the system trusts: also the certificate authority of one's own house."""
    return ssl.create_default_context()
