"""The routes about single findings, and about what was seen happen to a target."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from healthd._version import __version__
from healthd.report import finding_page
from healthd.report.board import Entry
from healthd.report.documents import timeline_document
from healthd.report.finding_story import last_resolved, story, story_document
from healthd.report.page import not_found
from healthd.report.rendering import policy
from healthd.report.web_context import WebContext


class FindingPages:
    """The handlers; they read only the board, and the files for where an object was made."""

    def __init__(self, context: WebContext) -> None:
        self.context = context

    async def page(self, request: Request) -> Response:
        """Return the page of one finding; if it is not reported, when it was resolved, as far as that is known."""
        name, wanted, context = request.path_params["name"], request.path_params["finding"], self.context
        about = {"version": __version__, "base": context.base}
        entry, now = context.board.entries.get(name), context.clock()
        if entry is None:
            return HTMLResponse(not_found(name, context.board.entries, **about), 404)
        if (found := story(name, entry, wanted, now)) is None:
            return as_page(finding_page.gone(name, entry, wanted, now=now, runbook=context.runbook, **about), 404)
        origin = await context.origin(name, found.finding)
        return as_page(finding_page.finding(found, entry, origin=origin, now=now, runbook=context.runbook, **about))

    async def document(self, request: Request) -> Response:
        """Return one finding with its origin, its commands and its events; it is the last known if not `current`."""
        name, wanted, context = request.path_params["name"], request.path_params["finding"], self.context
        entry = entry_of(context, name)
        if (found := story(name, entry, wanted, context.clock())) is None:
            resolved = last_resolved(entry, wanted)
            raise HTTPException(404, f"resolved {resolved.at.isoformat()}" if resolved else "no such finding")
        return JSONResponse(story_document(found, entry, await context.origin(name, found.finding)))

    async def timeline(self, request: Request) -> Response:
        """Return what the rounds of one target saw happen, the newest first."""
        name = request.path_params["name"]
        return JSONResponse(timeline_document(name, entry_of(self.context, name)))


def entry_of(context: WebContext, name: str) -> Entry:
    """Return what is known about a target; raise HTTPException if there is none of this name."""
    if (entry := context.board.entries.get(name)) is None:
        raise HTTPException(404, f"unknown target {name!r}")
    return entry


def as_page(text: str, status: int = 200) -> Response:
    """Return a page that keeps itself up to date: its own script may run, and no other."""
    return HTMLResponse(text, status, headers={"Content-Security-Policy": policy()})
