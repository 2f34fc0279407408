"""The HTTP API as an OpenAPI document: each route, what it takes, and what it answers with which status."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from healthd._version import __version__

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
    Operation("/api/v1/targets/{name}/repair", {200: Answer((SQL,)), 404: _refused("")}),
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
        "components": {"schemas": _schemas()},
    }


def _operation(operation: Operation) -> dict[str, Any]:
    parameters = [{"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}]
    query = [
        {"name": name, "in": "query", "description": text, "schema": {"type": "string"}}
        for name, text in operation.takes.items()
    ]
    answers = {**ALWAYS, **operation.answers}
    return {
        "parameters": (parameters if "{name}" in operation.path else []) + query,
        "responses": {str(status): _response(answers[status]) for status in sorted(answers)},
    }


def _response(answer: Answer) -> dict[str, Any]:
    shape = {"schema": {"$ref": f"#/components/schemas/{answer.schema}"}} if answer.schema else {}
    content = {content_type: {} if content_type not in (JSON, PROBLEM) else shape for content_type in answer.types}
    return {"description": answer.when or "as asked", "content": content}


TIME = {"type": ["string", "null"], "description": "ISO 8601 in UTC"}
MEMORY = {"type": ["object", "null"], "description": "what is known from before a restart"}
SEED: Mapping[str, Any] = {"request_id": {"type": "string"}, "timestamp": {"type": "string"}}
TITLED: Mapping[str, Any] = {
    "type": {"type": "string"},
    "title": {"type": "string"},
    "status": {"type": "integer"},
    "detail": {"type": "string"},
    "error_code": {"type": "string"},
    **SEED,
}


def _schemas() -> dict[str, Any]:
    """Return the schemas of the responses: those of the command line's documents, and what the API adds to them."""
    common, check = _shipped("common"), _shipped("check")
    report = check["$defs"]["result"]
    added = {
        **SEED,
        "rehearsal": _closed({"state": {"enum": ["none", "running", "done", "failed"]}, "words": {"type": "string"}}),
        "last_good": TIME,
    }
    target = {**report, "properties": {**report["properties"], **added}, "required": [*report["required"], *added]}
    # A problem document has the facts of its worst finding, and none of the report without a recent round.
    target_problem = {**_closed(TITLED), "additionalProperties": True}
    contract = _contract()
    contract_problem = _closed({**TITLED, **contract["properties"]})
    known: dict[str, Any] = common["$defs"]
    return known | {
        "problem": _closed(TITLED),
        "target": target,
        "target_problem": target_problem,
        "targets": _closed({"targets": _list(_summary())}),
        "contract": contract,
        "contract_problem": contract_problem,
        "contracts": _closed({"contracts": _list({"$ref": "#/components/schemas/contract"})}),
        "openapi": {"type": "object"},
    }


def _summary() -> dict[str, Any]:
    return _closed(
        {
            "target": {"type": "string"},
            "severity": {"type": "string"},
            "since": TIME,
            "findings": {"type": "integer"},
            "last_good": TIME,
            "remembered": MEMORY,
            "url": {"type": "string"},
        }
    )


def _contract() -> dict[str, Any]:
    fits = {"type": ["boolean", "null"], "description": "null if that is unknown"}
    on_target = {
        "target": {"type": "string"},
        "fits": fits,
        "reason": {"type": ["string", "null"]},
        "findings": _list({"$ref": "#/components/schemas/finding"}),
    }
    return _closed({"contract": {"type": "string"}, "fits": fits, "targets": _list(_closed(on_target))})


def _closed(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of an object that has all these members, and no other."""
    required = list(properties)
    return {"type": "object", "properties": dict(properties), "required": required, "additionalProperties": False}


def _list(items: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": dict(items)}


def _shipped(name: str) -> dict[str, Any]:
    """Return a schema of the command line, with references to the components of this document."""
    text = (files("healthd") / "schemas" / f"{name}.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text.replace("common.json#/$defs/", "#/components/schemas/"))
    return found
