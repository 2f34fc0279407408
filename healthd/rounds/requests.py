"""The only door to httpx: one request, with limits on time and memory."""

from __future__ import annotations

import asyncio
import functools
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from healthd._version import __version__
from healthd.config.named_files import text_of

LIMIT_BYTES = 1 << 20
HEADERS = {"User-Agent": f"healthd/{__version__}", "Accept": "application/json", "Accept-Encoding": "identity"}


@dataclass(frozen=True, slots=True)
class Response:
    """What a request received: a status, if a response began; `trouble` is why it did not end."""

    status: int | None
    body: bytes = b""
    whole: bool = False  # the body is complete
    trouble: str | None = None


async def request(
    url: str, *, deadline_s: float, token_file: Path | None = None, sent: bytes | None = None
) -> Response:
    """Return the response to a GET, or to a POST of the JSON that is `sent`; what goes wrong is its `trouble`.

    Redirects are not followed, and proxies of the environment are not used. The file with a bearer token is read each
    time. No trouble contains the URL.
    """
    status: int | None = None
    try:
        async with (
            asyncio.timeout(deadline_s),
            httpx.AsyncClient(
                headers={**HEADERS, **_authorization(token_file)},
                timeout=None,  # noqa: S113 # the deadline is for all of it
                trust_env=False,
                verify=_trusted() if url.lower().startswith("https:") else False,
            ) as client,
            client.stream(**_asked(url, sent)) as response,
        ):
            status = response.status_code
            body, whole = await _body(response)
    except _NoToken as error:
        trouble = str(error)
    except TimeoutError:
        trouble = f"no answer within {deadline_s:g} s"
    except httpx.ConnectError as error:
        trouble = f"cannot connect: {' '.join(str(error).split())[:200]}"
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        trouble = f"HTTP request failed ({type(error).__name__})"
    except (OSError, ValueError, ExceptionGroup) as error:  # errors that httpx does not wrap
        trouble = f"request failed ({type(error).__name__})"
    else:
        return Response(status, body, whole)
    return Response(status, trouble=trouble)


def _asked(url: str, sent: bytes | None) -> dict[str, Any]:
    if sent is None:
        return {"method": "GET", "url": url}
    return {"method": "POST", "url": url, "content": sent, "headers": {"Content-Type": "application/json"}}


class _NoToken(Exception):
    """The file with the token cannot be read."""


def _authorization(token_file: Path | None) -> dict[str, str]:
    if token_file is None:
        return {}
    try:
        token = text_of(token_file, "ascii").strip()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not ASCII"
        raise _NoToken(f"cannot read the token in {token_file}: {why}") from None
    if not token.isprintable() or not token:
        raise _NoToken(f"{token_file} does not contain a token on a single line")
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
