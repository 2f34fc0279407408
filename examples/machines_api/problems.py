"""The errors that are the caller's, in the same form that healthd gives to those of the database."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from examples.machines_api.models import MachineStatus
from healthd.asgi import Trouble, problem

MEDIA_TYPE = "application/problem+json"
SHOWN = 20  # errors of one request

DOCUMENTED: dict[int | str, dict[str, Any]] = {
    int(status): {
        "description": text,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for status, text in (
        (HTTPStatus.BAD_REQUEST, "The request cannot be read"),
        (HTTPStatus.FORBIDDEN, "The application lacks a privilege in the database"),
        (HTTPStatus.NOT_FOUND, "There is no such machine"),
        (HTTPStatus.CONFLICT, "This contradicts what is stored"),
        (HTTPStatus.UNPROCESSABLE_ENTITY, "A value is not valid; the answer says which are"),
        (HTTPStatus.INTERNAL_SERVER_ERROR, "The database and the application do not fit"),
        (HTTPStatus.SERVICE_UNAVAILABLE, "The database does not answer; Retry-After says when to try again"),
    )
}


def install(app: FastAPI) -> None:
    """Answer invalid input and unknown paths as problem documents."""
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)


async def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
    return _answer(request, Trouble(error.status_code, code, str(error.detail)), error.headers)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    """Say where, what and what would be right; never repeat the value."""
    assert isinstance(error, RequestValidationError)
    errors = [
        {"location": ".".join(map(str, one["loc"]))[:200], "message": one["msg"][:200]}
        for one in error.errors()[:SHOWN]
        if one["type"] != "extra_forbidden"  # its location is the caller's own text
    ] or [{"location": "body", "message": "a field is there that is not known"}]
    members: dict[str, Any] = {"errors": errors}
    if any(one["loc"][-1:] == ("status",) for one in error.errors()):
        members["valid_values"] = [status.value for status in MachineStatus]
    detail = f"{errors[0]['location']}: {errors[0]['message']}"
    return _answer(request, Trouble(422, "invalid_input", detail, members))


def _answer(request: Request, trouble: Trouble, headers: Any = None) -> JSONResponse:
    body = problem(trouble, request.state.request_id, datetime.now(UTC))
    return JSONResponse(body, trouble.status, headers, MEDIA_TYPE)
