"""The schemas of the documents of the HTTP API: those of the command line, and what the API adds to them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from healthd.report.timeline import KINDS

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


def schemas() -> dict[str, Any]:
    """Return the schemas of the responses: those of the command line's documents, and what the API adds to them."""
    common, check = _shipped("common"), _shipped("check")
    report = check["$defs"]["result"]
    added = {
        **SEED,
        "rehearsal": REHEARSAL,
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
        "event": _event(),
        "timeline": _timeline(),
        "story": _story(),
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


TEXT_OR_NULL: Mapping[str, Any] = {"type": ["string", "null"]}


def _event() -> dict[str, Any]:
    texts = dict.fromkeys(("name", "before", "attribute", "problem", "severity", "finding"), TEXT_OR_NULL)
    return _closed({"event": {"enum": list(KINDS)}, "at": TIME, "since": TIME, **texts, "count": {"type": "integer"}})


def _timeline() -> dict[str, Any]:
    events = _list({"$ref": "#/components/schemas/event"})
    return _closed({"target": {"type": "string"}, "interval_s": {"type": "number"}, "events": events})


def _story() -> dict[str, Any]:
    command = _closed({"purpose": {"type": "string"}, "command": {"type": "string"}})
    return _closed(
        {
            "target": {"type": "string"},
            "id": {"type": "string"},
            "current": {"type": "boolean", "description": "whether a recent round has seen it"},
            "since": TIME,
            "first_seen": TIME,
            "finding": {"$ref": "#/components/schemas/finding"},
            "origin": {"type": ["object", "null"], "description": "the migration, its file and a line"},
            "waiver": {"type": ["object", "null"]},
            "rehearsal": REHEARSAL,
            "commands": _list(command),
            "events": _list({"$ref": "#/components/schemas/event"}),
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


REHEARSAL = _closed({"state": {"enum": ["none", "running", "done", "failed"]}, "words": {"type": "string"}})


def _list(items: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": dict(items)}


def _shipped(name: str) -> dict[str, Any]:
    """Return a schema of the command line, with references to the components of this document."""
    text = (files("healthd") / "schemas" / f"{name}.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text.replace("common.json#/$defs/", "#/components/schemas/"))
    return found
