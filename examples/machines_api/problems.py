"""The caller's errors, in the same form as healthd's answers to database errors."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.exceptions import HTTPException

from examples.machines_api.models import MachineStatus
from examples.machines_api.readiness import NotReady
from healthd.asgi import Trouble, problem, trouble

MEDIA_TYPE = "application/problem+json"
RUNBOOK = "/problems"
SHOWN = 20  # errors of one request

# The codes of this application, in addition to those of healthd's middleware (healthd.asgi.trouble.TITLES).
TITLES = {
    "bad_request": "The request is malformed",
    "unauthorized": "The caller is not authenticated",
    "forbidden": "The caller is not permitted to do this",
    "not_found": "The resource does not exist",
    "method_not_allowed": "The path does not support this method",
    "contract_broken": "The database does not meet the application's contract",
    "not_ready": "The application's readiness cannot be determined now",
}

DOCUMENTED: dict[int | str, dict[str, Any]] = {
    int(status): {
        "description": text,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for status, text in (
        (HTTPStatus.BAD_REQUEST, "The request is malformed"),
        (HTTPStatus.UNAUTHORIZED, "The caller has no valid token"),
        (HTTPStatus.FORBIDDEN, "The organization is another one, or the application lacks a database privilege"),
        (HTTPStatus.NOT_FOUND, "The machine does not exist"),
        (HTTPStatus.CONFLICT, "The request conflicts with stored data"),
        (HTTPStatus.UNPROCESSABLE_ENTITY, "A value is not valid; the response lists the errors"),
        (HTTPStatus.INTERNAL_SERVER_ERROR, "The database does not match the application"),
        (HTTPStatus.SERVICE_UNAVAILABLE, "The database does not answer; Retry-After specifies when to try again"),
    )
}


def install(app: FastAPI) -> None:
    """Answer invalid input and unknown paths as problem documents."""
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(NotReady, _not_ready)
    app.add_route(RUNBOOK, _page, include_in_schema=False)


async def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
    return _answer(request, Trouble(error.status_code, code, str(error.detail)), error.headers)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    """Answer with the place, the error and the valid values; never repeat the value."""
    assert isinstance(error, RequestValidationError)
    if broken := next((one for one in error.errors() if one["type"] == "json_invalid"), None):
        return _answer(request, Trouble(400, "bad_request", f"the body is not JSON: see character {broken['loc'][-1]}"))
    errors = [
        {"location": ".".join(map(str, one["loc"]))[:200], "message": one["msg"][:200]}
        for one in error.errors()[:SHOWN]
        if one["type"] != "extra_forbidden"  # its location is the caller's own text
    ] or [{"location": "body", "message": "unknown field"}]
    members: dict[str, Any] = {"errors": errors}
    if any(one["loc"][-1:] == ("status",) for one in error.errors()):
        members["valid_values"] = [status.value for status in MachineStatus]
    detail = f"{errors[0]['location']}: {errors[0]['message']}"
    return _answer(request, Trouble(422, "invalid_input", detail, members))


async def _not_ready(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, NotReady)
    objects = [str(finding.key) for finding in error.found][:SHOWN]
    status, code = (503, "not_ready") if error.unseen else (500, "contract_broken")
    return _answer(request, Trouble(status, code, str(error), {"objects": objects}))


async def _page(_request: Request) -> HTMLResponse:
    """Return the page to which the `type` of each answer links."""
    titles = {**trouble.TITLES, **TITLES}
    rows = (f'<dt id="{code}"><code>{code}</code><dd>{title}.' for code, title in sorted(titles.items()))
    return HTMLResponse(f"<!doctype html><html lang=en><title>Problems</title><dl>{''.join(rows)}</dl></html>")


def _answer(request: Request, trouble: Trouble, headers: Any = None) -> JSONResponse:
    body = problem(trouble, request.state.request_id, datetime.now(UTC), runbook=RUNBOOK)
    return JSONResponse(
        body | {"title": TITLES.get(trouble.error_code, trouble.title)}, trouble.status, headers, MEDIA_TYPE
    )
