"""The web application: metrics, pages and the API; it never reads a database."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from healthd._version import __version__
from healthd.errors import HealthdError
from healthd.report import openapi, page
from healthd.report.compatibility import all_contracts, one_contract
from healthd.report.documents import answer, memory, summaries
from healthd.report.exposition import Exposition
from healthd.report.page_filter import PageFilter
from healthd.report.repair_text import script
from healthd.report.target_states import STATES
from healthd.report.web_context import WebContext
from healthd.report.web_filters import Guarded, Known, Stamped
from healthd.report.web_findings import FindingPages, as_page, entry_of
from healthd.text import hide

FEW = 50  # targets whose metrics are built in no time
PREPARED_S = 60  # after a scrape the next one is prepared for so long
PAUSE_S = 0.1  # between two looks for rounds that have ended since


def application(context: WebContext) -> Any:
    """Return the ASGI application; it never accesses a database."""
    pages, findings = _Pages(context), FindingPages(context)
    app = Starlette(
        routes=[
            Route("/metrics", pages.metrics),
            Route("/probe", pages.probe),
            Route("/-/healthy", pages.healthy),
            Route("/-/ready", pages.ready),
            Route("/-/reload", pages.reload, methods=["POST"]),
            Route("/", pages.overview),
            Route("/runbook", pages.runbook),
            Route("/targets/{name:path}/findings/{finding}", findings.page),
            Route("/targets/{name:path}", pages.target),
            Route("/api/v1/contracts", pages.api_contracts),
            Route("/api/v1/contracts/{name:path}", pages.api_contract),
            Route("/api/v1/openapi.json", pages.api_description),
            Route("/api/v1/targets", pages.api_targets),
            Route("/api/v1/targets/{name:path}/findings/{finding}", findings.document),
            Route("/api/v1/targets/{name:path}/repair", pages.api_repair),
            Route("/api/v1/targets/{name:path}/timeline", findings.timeline),
            Route("/api/v1/targets/{name:path}", pages.api_target),
        ],
        exception_handlers={HTTPException: pages.refused, Exception: pages.broke},  # type: ignore[dict-item] # as theirs
    )
    known = Known(app, context, pages.refused)
    return Stamped(Guarded(known, context, pages.refused), context)


class _Pages:
    """The handlers; they read only the board."""

    def __init__(self, context: WebContext) -> None:
        self.context = context
        self.exposition = Exposition(context.board, context.clock)
        self.preparing: asyncio.Task[None] | None = None

    @property
    def about(self) -> dict[str, str]:
        """Return what every page shows about healthd."""
        return {"version": __version__, "base": self.context.base}

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
        self.preparing = asyncio.create_task(self._prepared(accept)) if len(self.context.board.entries) > FEW else None

    async def _prepared(self, accept: str) -> None:
        for _ in range(round(PREPARED_S / PAUSE_S)):
            await asyncio.sleep(PAUSE_S)
            await self.exposition.prepare(accept, pause=lambda: asyncio.sleep(0))

    async def probe(self, request: Request) -> Response:
        """Return the metrics of one target; only configured targets can be named."""
        name = request.query_params.get("target")
        if name is None or name not in self.context.board.entries:
            raise HTTPException(400, f"unknown target {name!r}" if name else "specify a target: /probe?target=NAME")
        body, content_type = self.exposition.text(request.headers.get("accept", ""), only=name)
        return Response(body, headers={"Content-Type": content_type})

    async def healthy(self, _request: Request) -> Response:
        """Return 200 while this process serves requests."""
        return PlainTextResponse("healthd is healthy\n")

    async def ready(self, _request: Request) -> Response:
        """Return 200 once the first round of every target has finished."""
        waiting = [name for name, entry in self.context.board.entries.items() if entry.report is None]
        if waiting:
            text = f"waiting for the first round of {len(waiting)} targets\n"
            return PlainTextResponse(text, 503, headers={"Retry-After": "1"})
        return PlainTextResponse("healthd is ready\n")

    async def reload(self, request: Request) -> Response:
        """Reload the settings, but not for a page of another site; report wrong settings and keep the old ones."""
        if not self.context.site.may_change(request.headers):
            raise HTTPException(403, "cross-site request rejected: send the POST from this site, or without a browser")
        try:
            await self.context.reload()
        except HealthdError as error:
            raise HTTPException(500, f"{error}; the previous settings stay in use") from error
        names = ", ".join(self.context.board.needs_restart)
        return PlainTextResponse(f"reloaded\nrestart healthd to apply: {names}\n" if names else "reloaded\n")

    async def overview(self, request: Request) -> Response:
        """Return the page of all targets; `?q=WORDS&state=STATE` shows those that match."""
        context, page_filter = self.context, _page_filter(request)
        now, runbook = context.clock(), context.runbook
        return as_page(page.overview(context.board, now=now, runbook=runbook, page_filter=page_filter, **self.about))

    async def target(self, request: Request) -> Response:
        """Return the page of one target; `?q=WORDS&state=STATE` shows the findings that match."""
        name, context = request.path_params["name"], self.context
        if name not in context.board.entries:
            return HTMLResponse(page.not_found(name, context.board.entries, **self.about), 404)
        text = page.target(
            name,
            context.board.entries[name],
            now=context.clock(),
            runbook=context.runbook,
            page_filter=_page_filter(request),
            contracts=context.board.contracts.get(name, ()),
            **self.about,
        )
        return as_page(text)

    async def runbook(self, _request: Request) -> Response:
        """Return the runbook."""
        return HTMLResponse(page.runbook_page(**self.about))

    async def api_contracts(self, _request: Request) -> Response:
        """Return every contract, and on which targets it fits."""
        return JSONResponse(all_contracts(self.context.board, self.context.clock()))

    async def api_contract(self, request: Request) -> Response:
        """Return whether a contract fits on all its targets; `?target=NAME` asks about one."""
        name, only, context = request.path_params["name"], request.query_params.get("target"), self.context
        found = one_contract(context.board, name, context.clock(), only=only, request_id=request.state.request_id)
        if found is None:
            where = f" on target {only!r}" if only else ""
            raise HTTPException(404, f"unknown contract {name!r}{where}")
        return _json(*found)

    async def api_description(self, _request: Request) -> Response:
        """Return the description of these routes as an OpenAPI document."""
        return JSONResponse(openapi.document())

    async def api_targets(self, _request: Request) -> Response:
        """Return a summary of every target."""
        return JSONResponse({"targets": list(summaries(self.context.board, self.context.clock()))})

    async def api_target(self, request: Request) -> Response:
        """Return the report of one target, with the HTTP status of its leading problem."""
        name, context = request.path_params["name"], self.context
        entry, now = entry_of(context, name), context.clock()
        status, body, headers = answer(
            entry.report,
            fresh=entry.fresh(now),
            request_id=request.state.request_id,
            now=now,
            last_good=entry.last_good,
            rehearsed=entry.rehearsed,
            remembered=memory(entry),
            runbook=context.runbook_url,
        )
        return _json(status, body, headers)

    async def api_repair(self, request: Request) -> Response:
        """Return the SQL that repairs one target, for a person to read; healthd does not run it."""
        name = request.path_params["name"]
        entry = self.context.board.entries.get(name)
        if entry is None or entry.report is None:
            raise HTTPException(404, f"unknown target {name!r}" if entry is None else "no round has finished yet")
        text = script(entry.report, rehearsed=entry.rehearsed.words)
        return PlainTextResponse(text, media_type="application/sql")

    async def broke(self, request: Request, _error: Exception) -> Response:
        """Return the response for an internal error; the log contains it."""
        return await self.refused(request, HTTPException(500, "internal error in healthd: see its log"))

    async def refused(self, request: Request, error: HTTPException) -> Response:
        """Return an error as a problem document (RFC 9457), or as a page if a person mistyped an address."""
        if error.status_code == 404 and _is_person(request):
            return HTMLResponse(page.no_page(self.context.board.entries, **self.about), 404)
        detail = hide(error.detail)
        body = {
            "type": "about:blank",
            "title": detail,
            "status": error.status_code,
            "detail": detail,
            "error_code": f"http_{error.status_code}",
            "request_id": request.state.request_id,
            "timestamp": self.context.clock().isoformat(),
        }
        return JSONResponse(body, error.status_code, media_type="application/problem+json", headers=error.headers)


def _json(status: int, body: Mapping[str, Any], headers: Mapping[str, str]) -> Response:
    """Return a document, which is a problem document unless the status is 200."""
    content_type = "application/json" if status == 200 else "application/problem+json"
    return JSONResponse(body, status, headers=headers, media_type=content_type)


def _is_person(request: Request) -> bool:
    """Return whether a browser asks for a page, and no program for a document."""
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/")


def _page_filter(request: Request) -> PageFilter:
    """Return what the address of a page asks for."""
    return PageFilter.of(request.query_params.get("q", ""), request.query_params.get("state", ""), STATES)
