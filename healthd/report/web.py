"""The only door to starlette and uvicorn: metrics, pages, the API, and the server that serves them."""

from __future__ import annotations

import asyncio
import re
import socket
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from healthd._version import __version__
from healthd.config.hosts import Site
from healthd.errors import ConfigError, HealthdError
from healthd.report import page
from healthd.report.board import Board
from healthd.report.choice import Choice
from healthd.report.compatibility import all_contracts, one_contract
from healthd.report.connections import Clients
from healthd.report.documents import answer, memory
from healthd.report.exposition import Exposition
from healthd.report.repair import script
from healthd.report.secure_connections import SecureClient
from healthd.report.standings import STATES, state_of
from healthd.report.web_security import WebSecurity
from healthd.text import hide, natural

REQUEST_ID = re.compile(r"[\w.-]{1,64}\Z", re.ASCII)
FEW = 50  # targets whose metrics are built in no time
PREPARED_S = 60  # after a scrape the next one is prepared for so long

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
ASK = {"WWW-Authenticate": 'Basic realm="healthd", charset="UTF-8"'}
BUSY = HTTPException(429, "too many passwords wait for being checked: try again later", {"Retry-After": "5"})


@dataclass(frozen=True, slots=True)
class Door:
    """What the web server needs from the daemon: the board, the time, a reload, its address, and what protects it."""

    board: Board
    clock: Callable[[], datetime]
    reload: Callable[[], Awaitable[None]]
    runbook: str
    listen: str = "127.0.0.1"
    security: WebSecurity | None = None

    @property
    def headers(self) -> Mapping[str, str]:
        """Return the headers of every response."""
        return HEADERS if self.security is None else {**HEADERS, **self.security.now.config.headers}

    @property
    def site(self) -> Site:
        """Return the host names that are accepted in requests."""
        return Site(self.listen, self.board.external_url, self.board.allowed_hosts, self.board.machine)

    @property
    def base(self) -> str:
        """Return the prefix of all links: the path of the external URL."""
        return urlsplit(self.board.external_url).path


def application(door: Door) -> Any:
    """Return the ASGI application; it never accesses a database."""
    pages = _Pages(door)
    app = Starlette(
        routes=[
            Route("/metrics", pages.metrics),
            Route("/probe", pages.probe),
            Route("/-/healthy", pages.healthy),
            Route("/-/ready", pages.ready),
            Route("/-/reload", pages.reload, methods=["POST"]),
            Route("/", pages.overview),
            Route("/runbook", pages.runbook),
            Route("/targets/{name:path}", pages.target),
            Route("/api/v1/contracts", pages.api_contracts),
            Route("/api/v1/contracts/{name:path}", pages.api_contract),
            Route("/api/v1/targets", pages.api_targets),
            Route("/api/v1/targets/{name:path}/repair", pages.api_repair),
            Route("/api/v1/targets/{name:path}", pages.api_target),
        ],
        exception_handlers={HTTPException: pages.refused, Exception: pages.broke},  # type: ignore[dict-item] # as theirs
    )
    return _Stamped(_Guarded(_Known(app, pages), pages), door)


class _Stamped:
    """Add to every response its request ID and the headers that keep a browser from running the scripts of others."""

    def __init__(self, app: Any, door: Door) -> None:
        self.app, self.door = app, door

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
        request_id = asked if REQUEST_ID.match(asked) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id

        async def stamped(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if self.door.security is not None:
                    headers.update(self.door.security.now.config.headers)
            await send(message)

        await self.app(scope, receive, stamped)


class _Guarded:
    """Accept only requests of users, if the web configuration has some."""

    def __init__(self, app: Any, pages: _Pages) -> None:
        self.app, self.pages = app, pages

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        security = self.pages.door.security
        admitted: bool | None = True
        if security is not None and scope["type"] == "http":
            address, _ = scope.get("client") or ("", 0)
            admitted = await security.admits(Headers(scope=scope).get("authorization", ""), address)
        if admitted:
            await self.app(scope, receive, send)
            return
        error = HTTPException(401, "user and password are required", ASK) if admitted is False else BUSY
        response = await self.pages.refused(Request(scope), error)
        await response(scope, receive, send)


class _Known:
    """Accept only requests for a known host: see `Site`."""

    def __init__(self, app: Any, pages: _Pages) -> None:
        self.app, self.pages = app, pages

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        host = Headers(scope=scope).get("host") if scope["type"] == "http" else None
        if self.pages.door.site.answers(host):
            await self.app(scope, receive, send)
            return
        words = f"unknown host {host!r}: to allow it, set external_url or allowed_hosts in [healthd]"
        response = await self.pages.refused(Request(scope), HTTPException(421, words))
        await response(scope, receive, send)


class _Pages:
    """The handlers; they read only the board."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.exposition = Exposition(door.board, door.clock)
        self.preparing: asyncio.Task[None] | None = None

    @property
    def about(self) -> dict[str, str]:
        """Return what every page shows about healthd."""
        return {"version": __version__, "base": self.door.base}

    async def metrics(self, request: Request) -> Response:
        """Return the metrics of every target and of this process."""
        accept = request.headers.get("accept", "")
        body, content_type = self.exposition.text(accept)
        self._prepare(accept)
        return Response(body, headers={"Content-Type": content_type})

    def _prepare(self, accept: str) -> None:
        """Prepare the next scrape until it comes, or for a minute: many targets would take it a second."""
        if self.preparing is not None:
            self.preparing.cancel()
        self.preparing = asyncio.create_task(self._prepared(accept)) if len(self.door.board.entries) > FEW else None

    async def _prepared(self, accept: str) -> None:
        for _ in range(PREPARED_S):
            await asyncio.sleep(1)
            await self.exposition.prepare(accept, pause=lambda: asyncio.sleep(0))

    async def probe(self, request: Request) -> Response:
        """Return the metrics of one target; only configured targets can be named."""
        name = request.query_params.get("target")
        if name is None or name not in self.door.board.entries:
            raise HTTPException(400, f"unknown target {name!r}" if name else "specify a target: /probe?target=NAME")
        body, content_type = self.exposition.text(request.headers.get("accept", ""), only=name)
        return Response(body, headers={"Content-Type": content_type})

    async def healthy(self, _request: Request) -> Response:
        """Return 200 while this process serves requests."""
        return PlainTextResponse("healthd is healthy\n")

    async def ready(self, _request: Request) -> Response:
        """Return 200 once the first round of every target has finished."""
        waiting = [name for name, entry in self.door.board.entries.items() if entry.report is None]
        if waiting:
            text = f"waiting for the first round of {len(waiting)} targets\n"
            return PlainTextResponse(text, 503, headers={"Retry-After": "1"})
        return PlainTextResponse("healthd is ready\n")

    async def reload(self, request: Request) -> Response:
        """Reload the settings, but not for a page of another site; report wrong settings and keep the old ones."""
        if not self.door.site.may_change(request.headers):
            raise HTTPException(403, "cross-site request rejected: send the POST from this site, or without a browser")
        try:
            await self.door.reload()
        except HealthdError as error:
            raise HTTPException(500, f"{error}; the previous settings stay in use") from error
        return PlainTextResponse("reloaded\n")

    async def overview(self, request: Request) -> Response:
        """Return the page of all targets; `?q=WORDS&state=STATE` shows those that match."""
        door, choice = self.door, _choice(request)
        return _page(page.overview(door.board, now=door.clock(), runbook=door.runbook, choice=choice, **self.about))

    async def target(self, request: Request) -> Response:
        """Return the page of one target; `?q=WORDS&state=STATE` shows the findings that match."""
        name, door = request.path_params["name"], self.door
        if name not in door.board.entries:
            return HTMLResponse(page.not_found(name, door.board.entries, **self.about), 404)
        text = page.target(
            name,
            door.board.entries[name],
            now=door.clock(),
            runbook=door.runbook,
            choice=_choice(request),
            contracts=door.board.contracts.get(name, ()),
            **self.about,
        )
        return _page(text)

    async def runbook(self, _request: Request) -> Response:
        """Return the runbook."""
        return HTMLResponse(page.runbook_page(**self.about))

    async def api_contracts(self, _request: Request) -> Response:
        """Return every contract, and on which targets it fits."""
        return JSONResponse(all_contracts(self.door.board, self.door.clock()))

    async def api_contract(self, request: Request) -> Response:
        """Return whether a contract fits on all its targets; `?target=NAME` asks about one."""
        name, only, door = request.path_params["name"], request.query_params.get("target"), self.door
        found = one_contract(door.board, name, door.clock(), only=only, request_id=request.state.request_id)
        if found is None:
            where = f" on target {only!r}" if only else ""
            raise HTTPException(404, f"unknown contract {name!r}{where}")
        return _json(*found)

    async def api_targets(self, _request: Request) -> Response:
        """Return a summary of every target."""
        return JSONResponse({"targets": list(self._summaries())})

    def _summaries(self) -> Iterator[dict[str, Any]]:
        now = self.door.clock()
        for name, entry in sorted(self.door.board.entries.items(), key=lambda one: natural(one[0])):
            report = entry.report
            yield {
                "target": name,
                "severity": state_of(entry, now),
                "since": entry.since.isoformat() if entry.since and report else None,
                "findings": len(report.findings) if report else 0,
                "last_good": entry.last_good.isoformat() if entry.last_good else None,
                "remembered": memory(entry),
                "url": f"{self.door.board.external_url}/api/v1/targets/{quote(name, safe='')}",
            }

    async def api_target(self, request: Request) -> Response:
        """Return the report of one target, with the HTTP status of its leading problem."""
        name, door = request.path_params["name"], self.door
        entry = door.board.entries.get(name)
        if entry is None:
            raise HTTPException(404, f"unknown target {name!r}")
        now = door.clock()
        status, body, headers = answer(
            entry.report,
            fresh=entry.fresh(now),
            request_id=request.state.request_id,
            now=now,
            last_good=entry.last_good,
            rehearsed=entry.rehearsed,
            remembered=memory(entry),
            runbook=f"{door.board.external_url}{door.runbook}" if door.runbook.startswith("/") else door.runbook,
        )
        return _json(status, body, headers)

    async def api_repair(self, request: Request) -> Response:
        """Return the SQL that repairs one target, for a person to read; healthd does not run it."""
        name = request.path_params["name"]
        entry = self.door.board.entries.get(name)
        if entry is None or entry.report is None:
            raise HTTPException(404, f"unknown target {name!r}" if entry is None else "no round has finished yet")
        text = script(entry.report, rehearsed=entry.rehearsed.words)
        return PlainTextResponse(text, media_type="application/sql")

    async def broke(self, request: Request, _error: Exception) -> Response:
        """Return the response for an internal error; the log contains it."""
        return await self.refused(request, HTTPException(500, "internal error in healthd: see its log"))

    async def refused(self, request: Request, error: HTTPException) -> Response:
        """Return an error as a problem document (RFC 9457)."""
        detail = hide(error.detail)
        body = {
            "type": "about:blank",
            "title": detail,
            "status": error.status_code,
            "detail": detail,
            "error_code": f"http_{error.status_code}",
            "request_id": request.state.request_id,
            "timestamp": self.door.clock().isoformat(),
        }
        return JSONResponse(body, error.status_code, media_type="application/problem+json", headers=error.headers)


def _json(status: int, body: Mapping[str, Any], headers: Mapping[str, str]) -> Response:
    """Return a document, which is a problem document unless the status is 200."""
    content_type = "application/json" if status == 200 else "application/problem+json"
    return JSONResponse(body, status, headers=headers, media_type=content_type)


def _page(text: str) -> Response:
    """Return a page that keeps itself up to date: its own script may run, and no other."""
    return HTMLResponse(text, headers={"Content-Security-Policy": page.policy()})


def _choice(request: Request) -> Choice:
    """Return what the address of a page asks for."""
    return Choice.of(request.query_params.get("q", ""), request.query_params.get("state", ""), STATES)


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """Hold the listening socket for a block; port 0 selects a free port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(128)
        except OSError as error:
            raise ConfigError(
                f"cannot listen on {host}:{port}: {error.strerror}",
                hint="stop the process that listens there, or set `listen` in [healthd] or --listen",
            ) from error
        yield listener


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers, because the daemon has its own."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def server_for(app: Any, clients: Clients | None = None, security: WebSecurity | None = None) -> uvicorn.Server:
    """Return the server of an application; setting its `should_exit` stops it within a second."""
    clients = clients or Clients(headers=lambda: HEADERS)
    secure = security is not None and security.now.context is not None
    return _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=1,
            backlog=64,  # as many connections are accepted at once
            ws="none",
            http=clients.protocol(SecureClient, security=security) if secure else clients.protocol(),
            loop="asyncio",
        )
    )
