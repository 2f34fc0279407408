"""The HTTP API as an OpenAPI document: each route, what it takes, and what it answers with which status."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from healthd._version import __version__
from healthd.report.openapi_schemas import schemas

JSON, PROBLEM, TEXT, HTML, SQL = (
    "application/json",
    "application/problem+json",
    "text/plain",
    "text/html",
    "application/sql",
)
METRICS = (TEXT, "application/openmetrics-text")


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: its content types, the name of its schema if it is JSON, and when it is given."""

    types: tuple[str, ...]
    schema: str = ""
    when: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """A route with its method; `takes` are the parameters of its query with their meanings."""

    path: str
    answers: Mapping[int, Answer]
    takes: Mapping[str, str] = field(default_factory=dict)
    method: str = "get"


def _refused(when: str) -> Answer:
    return Answer((PROBLEM,), "problem", when)


PATTERN = re.compile(r"{(\w+)}")
PAGE = {"q": "words that must occur", "state": "the state of what is shown"}
# Whatever the route is: another host, a user without password, too many passwords, an error of healthd itself.
ALWAYS: Mapping[int, Answer] = {
    401: _refused("if users are configured, without the password of one"),
    421: _refused("for an unknown host"),
    429: _refused("while too many passwords wait for being checked"),
    500: _refused("if healthd itself failed"),
}
OPERATIONS = (
    Operation("/metrics", {200: Answer(METRICS)}),
    Operation("/probe", {200: Answer(METRICS), 400: _refused("without a known `target`")}, {"target": "its name"}),
    Operation("/-/healthy", {200: Answer((TEXT,))}),
    Operation("/-/ready", {200: Answer((TEXT,)), 503: Answer((TEXT,), when="before the first round of every target")}),
    Operation(
        "/-/reload",
        {
            200: Answer((TEXT,)),
            403: _refused("for a page of another site"),
            500: _refused("if the settings are refused"),
        },
        method="post",
    ),
    Operation("/", {200: Answer((HTML,))}, PAGE),
    Operation("/runbook", {200: Answer((HTML,))}),
    # A name with a line break is no route at all.
    Operation("/targets/{name}", {200: Answer((HTML,)), 404: Answer((HTML, PROBLEM), "problem")}, PAGE),
    Operation("/targets/{name}/findings/{finding}", {200: Answer((HTML,)), 404: Answer((HTML, PROBLEM), "problem")}),
    Operation("/api/v1/contracts", {200: Answer((JSON,), "contracts")}),
    Operation(
        "/api/v1/contracts/{name}",
        {
            200: Answer((JSON,), "contract"),
            404: _refused(""),
            409: Answer((PROBLEM,), "contract_problem", "if it is broken on a target"),
            503: Answer((PROBLEM,), "contract_problem", "if that is not known of one"),
        },
        {"target": "the only target that is asked about"},
    ),
    Operation("/api/v1/openapi.json", {200: Answer((JSON,), "openapi")}),
    Operation("/api/v1/targets", {200: Answer((JSON,), "targets")}),
    Operation(
        "/api/v1/targets/{name}",
        {
            200: Answer((JSON,), "target"),
            403: Answer((PROBLEM,), "target_problem", "if a privilege is missing"),
            404: _refused(""),
            422: Answer((PROBLEM,), "target_problem", "if an enum differs"),
            500: Answer((PROBLEM,), "target_problem", "if something else differs"),
            503: Answer((PROBLEM,), "target_problem", "if the target cannot be examined, or without a recent round"),
        },
    ),
    Operation(
        "/api/v1/targets/{name}/findings/{finding}",
        {200: Answer((JSON,), "story"), 404: _refused("also if it is resolved")},
    ),
    Operation("/api/v1/targets/{name}/repair", {200: Answer((SQL,)), 404: _refused("")}),
    Operation("/api/v1/targets/{name}/timeline", {200: Answer((JSON,), "timeline"), 404: _refused("")}),
)


@cache
def document() -> dict[str, Any]:
    """Return the OpenAPI document."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "healthd", "version": __version__, "summary": "The state of PostgreSQL schemas"},
        "paths": paths,
        "components": {"schemas": schemas()},
    }


def _operation(operation: Operation) -> dict[str, Any]:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in PATTERN.findall(operation.path)
    ]
    query = [
        {"name": name, "in": "query", "description": text, "schema": {"type": "string"}}
        for name, text in operation.takes.items()
    ]
    answers = {**ALWAYS, **operation.answers}
    return {
        "parameters": parameters + query,
        "responses": {str(status): _response(answers[status]) for status in sorted(answers)},
    }


def _response(answer: Answer) -> dict[str, Any]:
    shape = {"schema": {"$ref": f"#/components/schemas/{answer.schema}"}} if answer.schema else {}
    content = {content_type: {} if content_type not in (JSON, PROBLEM) else shape for content_type in answer.types}
    return {"description": answer.when or "as asked", "content": content}
