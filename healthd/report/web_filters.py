"""What every request passes before a page answers it: the host, the user, and the headers of the response."""

from __future__ import annotations

import re
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from healthd.report.web_context import HEADERS, WebContext

Refuse = Callable[[Request, HTTPException], Awaitable[Response]]

REQUEST_ID = re.compile(r"[\w.-]{1,64}\Z", re.ASCII)
ASK = {"WWW-Authenticate": 'Basic realm="healthd", charset="UTF-8"'}
BUSY = HTTPException(429, "too many passwords wait for being checked: try again later", {"Retry-After": "5"})


ABSOLUTE = re.compile(r"https?://([^/]*)(/.*)?\Z", re.ASCII | re.DOTALL | re.IGNORECASE)


def with_path(scope: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Return a scope with only the path, if the request names an entire URL: its host counts then (RFC 9112, 3.2.2)."""
    if (found := ABSOLUTE.match(scope["path"])) is None:
        return scope
    headers = [(b"host", found[1].encode()), *((name, value) for name, value in scope["headers"] if name != b"host")]
    path = found[2] or "/"
    return {**scope, "path": path, "raw_path": quote(path).encode(), "headers": headers}


class Stamped:
    """Add to every response its request ID and the headers that keep a browser from running the scripts of others."""

    def __init__(self, app: Any, context: WebContext) -> None:
        self.app, self.context = app, context

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope = with_path(scope)
        asked = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
        request_id = asked if REQUEST_ID.match(asked) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id

        async def stamped(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if self.context.security is not None:
                    headers.update(self.context.security.now.config.headers)
            await send(message)

        await self.app(scope, receive, stamped)


class Guarded:
    """Accept only requests of users, if the web configuration has some."""

    def __init__(self, app: Any, context: WebContext, refuse: Refuse) -> None:
        self.app, self.context, self.refuse = app, context, refuse

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        security = self.context.security
        admitted: bool | None = True
        if security is not None and scope["type"] == "http":
            address, _ = scope.get("client") or ("", 0)
            admitted = await security.admits(Headers(scope=scope).get("authorization", ""), address)
        if admitted:
            await self.app(scope, receive, send)
            return
        error = HTTPException(401, "user and password are required", ASK) if admitted is False else BUSY
        response = await self.refuse(Request(scope), error)
        await response(scope, receive, send)


class Known:
    """Accept only requests for a known host: see `Site`."""

    def __init__(self, app: Any, context: WebContext, refuse: Refuse) -> None:
        self.app, self.context, self.refuse = app, context, refuse

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        host = Headers(scope=scope).get("host") if scope["type"] == "http" else None
        if self.context.site.answers(host):
            await self.app(scope, receive, send)
            return
        words = f"unknown host {host!r}: to allow it, set external_url or allowed_hosts in [healthd]"
        response = await self.refuse(Request(scope), HTTPException(421, words))
        await response(scope, receive, send)
