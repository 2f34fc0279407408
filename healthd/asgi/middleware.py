"""The middleware: a request ID, a log line and metrics for each request, and a response to each error (RFC 9457)."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic
from typing import Any

import structlog

from healthd.asgi.frames import frames, message
from healthd.asgi.ids import request_id
from healthd.asgi.measures import Registry, measures_of
from healthd.asgi.timing import SPENT, Spent
from healthd.asgi.trouble import Trouble, recognise

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Labels = Callable[[str], Awaitable[Sequence[str]]]

log = structlog.get_logger("healthd.asgi")

LABELS_S = 1.0  # time limit of the query for an enum's values
LEFT = 499  # the caller disconnected; as in nginx


class Answers:
    """Wrap an ASGI application; in Starlette and FastAPI by `app.add_middleware(Answers)`.

    `labels` returns the valid values of an enum, given its name such as `public.machinestatus`; it is called when the
    database rejected a value. `schema` is the schema of names that the server prints without one. `runbook` is the URL
    of a page with a section for each error_code: the `type` of each error response, which is `about:blank` without it.
    `role` is the role that the application connects as, for the GRANT in a response; `time_queries` sets it
    automatically. Websockets, lifespan messages and streams are passed on unchanged.
    """

    def __init__(
        self,
        app: Any,
        *,
        labels: Labels | None = None,
        schema: str = "public",
        runbook: str | None = None,
        role: str | None = None,
        registry: Registry | None = None,
    ) -> None:
        self.app, self.labels, self.schema, self.runbook, self.role = app, labels, schema, runbook, role
        self.measures = measures_of(registry)

    async def __call__(self, scope: Scope, receive: Any, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        name = request_id(scope["headers"], lambda: uuid.uuid4().hex)
        scope.setdefault("state", {})["request_id"] = name
        spent, start, status = Spent(), monotonic(), LEFT
        token = SPENT.set(spent)

        async def watched(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                kept = [pair for pair in message.get("headers", ()) if pair[0].lower() != b"x-request-id"]
                message = {**message, "headers": [*kept, (b"x-request-id", name.encode("ascii"))]}
            await send(message)

        trouble: Trouble | None = None
        with structlog.contextvars.bound_contextvars(request_id=name):
            try:
                await self.app(scope, receive, watched)
            except Exception as error:
                trouble = recognise(error, schema=self.schema, role=self.role or spent.role)
                _report(trouble, error, scope, started=status != LEFT, server=spent.server)
                self.measures.errors.labels(trouble.error_code).inc()
                # After the response has started there can be no other: the server closes the connection.
                if status == LEFT:
                    await self._answer(await self._helped(trouble), name, watched)
            finally:
                SPENT.reset(token)
                duration_s = monotonic() - start
                where = route(scope)
                self.measures.observe(scope["method"], where, status, duration_s, spent.database_s)
                log.info(
                    "request.finished",
                    method=scope["method"][:16],
                    route=where,
                    status=status,
                    caller=scope["state"].get("caller"),
                    duration_s=round(duration_s, 4),
                    database_s=round(spent.database_s, 4),
                    statements=spent.statements,
                )

    async def _helped(self, trouble: Trouble) -> Trouble:
        """Return the trouble with the valid values of the enum, if they can be determined."""
        if trouble.enum is None or self.labels is None:
            return trouble
        try:
            async with asyncio.timeout(LABELS_S):
                valid = list(await self.labels(trouble.enum))
        except Exception as error:  # the response is sent without them
            log.warning("enum_labels.unavailable", object=trouble.enum, error=type(error).__name__)
            return trouble
        detail = f"{trouble.detail}; valid values: {', '.join(valid)}"
        return replace(trouble, detail=detail, members={**trouble.members, "valid_values": valid})

    async def _answer(self, trouble: Trouble, name: str, send: Send) -> None:
        body = json.dumps(problem(trouble, name, datetime.now(UTC), runbook=self.runbook)).encode()
        headers = [
            (b"content-type", b"application/problem+json"),
            (b"content-length", str(len(body)).encode("ascii")),
            (b"cache-control", b"no-store"),
        ]
        if trouble.retry_after_s is not None:
            headers.append((b"retry-after", str(trouble.retry_after_s).encode("ascii")))
        await send({"type": "http.response.start", "status": trouble.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def problem(trouble: Trouble, name: str, at: datetime, *, runbook: str | None = None) -> dict[str, Any]:
    """Return the problem document for a trouble in the request with this ID."""
    return {
        "type": f"{runbook}#{trouble.error_code}" if runbook is not None else "about:blank",
        "title": trouble.title,
        "status": trouble.status,
        "detail": trouble.detail,
        "error_code": trouble.error_code,
        "request_id": name,
        "timestamp": at.isoformat(),
        **trouble.members,
    }


def route(scope: Scope) -> str:
    """Return the template of the matched route, or `unmatched`."""
    found = getattr(scope.get("route"), "path", None)
    return found if isinstance(found, str) else "unmatched"


def _report(trouble: Trouble, error: BaseException, scope: Scope, *, started: bool, server: str | None) -> None:
    """Log the error, its location in the application's code, and the caller.

    The message of the database is omitted because it can quote a value. It is logged if the connection failed or the
    server is busy, because it then names only the server and the reason, and if the application itself failed.
    """
    say = log.error if trouble.status in (500, 503) else log.warning
    say(
        "request.aborted" if started else "request.failed",
        error_code=trouble.error_code,
        status=trouble.status,
        method=scope["method"][:16],
        route=route(scope),
        caller=scope["state"].get("caller"),
        sqlstate=trouble.sqlstate,
        error=trouble.cause,
        message=trouble.words or (message(error) if trouble.sqlstate is None and trouble.status == 500 else None),
        server=server if trouble.status == 503 else None,
        role=trouble.role,
        object=trouble.members.get("object"),
        privilege=trouble.members.get("privilege"),
        frames=frames(error),
    )
