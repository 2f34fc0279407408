"""The middleware: one request id, one log line, one measurement, and for every error one answer (RFC 9457)."""

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

LABELS_S = 1.0  # what asking for an enum's values may take
LEFT = 499  # the caller has gone; nginx's number


class Answers:
    """Wrap an ASGI application; in Starlette and FastAPI by `app.add_middleware(Answers)`.

    `labels` is asked for the valid values of an enum, by its name such as `public.machinestatus`, when the database
    refused one. `schema` is where the names belong that the server prints without one. `runbook` is the address of a
    page with a section for each error_code: the `type` of each answer, which is `about:blank` without it. `role` is the
    role that the application connects as, for the GRANT in an answer; `time_queries` finds it by itself.
    Websockets and lifespan pass untouched, and so do streams.
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
                _tell(trouble, error, scope, started=status != LEFT, server=spent.server)
                self.measures.errors.labels(trouble.error_code).inc()
                # Once an answer has begun there is no other: the server sees it unfinished and closes the connection.
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
        """Return the trouble with the values that would have been right, if they can be had."""
        if trouble.enum is None or self.labels is None:
            return trouble
        try:
            async with asyncio.timeout(LABELS_S):
                valid = list(await self.labels(trouble.enum))
        except Exception as error:  # whatever it is, the answer goes out without them
            log.warning("labels.unknown", object=trouble.enum, error=type(error).__name__)
            return trouble
        detail = f"{trouble.detail}; valid are {', '.join(valid)}"
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
    """Return the problem document of a trouble in the request of this name."""
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
    """Return the template of the route that was taken, `unmatched` when none was."""
    found = getattr(scope.get("route"), "path", None)
    return found if isinstance(found, str) else "unmatched"


def _tell(trouble: Trouble, error: BaseException, scope: Scope, *, started: bool, server: str | None) -> None:
    """Log what happened, where in the application's code, and who asked.

    What the database said may quote a value, and is left out; so it is not where a connection failed or the server was
    busy, for these name the server and the reason, and not where the application itself failed.
    """
    say = log.error if trouble.status in (500, 503) else log.warning
    say(
        "request.broke_off" if started else "request.failed",
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
