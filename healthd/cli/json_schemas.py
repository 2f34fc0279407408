"""The JSON Schemas of what the verbs print, each as one document that refers to nothing outside of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "schemas"
COMMON = "common"
INNER = re.compile(r'"#/\$defs/(\w+)"')
ERROR = {"$ref": "#/$defs/error_document"}


def whole(name: str, *, errors: bool = True) -> dict[str, Any]:
    """Return the schema of a document, with the definitions that it needs; without `errors`, of a result only."""
    schema = _read(name)
    if not errors:
        schema["anyOf"] = [one for one in schema["anyOf"] if one != ERROR]
    known = {**_read(COMMON)["$defs"], **schema.pop("$defs", {})}
    return schema | {"$defs": {one: known[one] for one in sorted(_needed(schema, known))}}


def _read(name: str) -> dict[str, Any]:
    text = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text.replace(f'"{COMMON}.json#/', '"#/'))
    return found


def _needed(schema: Mapping[str, Any], known: Mapping[str, Any]) -> set[str]:
    """Return the names of the definitions that a schema refers to, and those that these refer to."""
    found: set[str] = set()
    waiting: list[Any] = [schema]
    while waiting:
        for name in set(INNER.findall(json.dumps(waiting.pop()))) - found:
            found.add(name)
            waiting.append(known[name])
    return found
