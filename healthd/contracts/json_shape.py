"""What the JSON of an endpoint must look like: its fields, their types, and the values of its enums."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

TYPES = ("string", "integer", "number", "boolean", "object", "array", "any")
PATH = re.compile(r"(?:\[\]|\w+(?:\[\])?)(?:\.\w+(?:\[\])?)*")
KNOWN = frozenset({"type", "required", "nullable", "values"})
MOST_MISMATCHES = 10  # the number of mismatches that are reported
ITEMS = 1000  # the number of items of an array that are checked


@dataclass(frozen=True, slots=True)
class Field:
    """One field by its path: `items[].status` is that of every item; `values` are the permitted values."""

    path: str
    type: str = "any"
    required: bool = True
    nullable: bool = False
    values: tuple[Any, ...] = ()


Shape = tuple[Field, ...]


def load(text: str) -> Shape:
    """Return the shape that a file describes; raise ValueError with the reason if it is invalid."""
    try:
        document = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    fields = document.get("fields") if isinstance(document, dict) else None
    if not isinstance(fields, dict) or not fields or document.keys() != {"fields"}:
        raise ValueError('expected {"fields": {"PATH": {"type": …}}}')
    return tuple(_field(path, words) for path, words in fields.items())


def _field(path: str, words: Any) -> Field:
    if not PATH.fullmatch(path):
        raise ValueError(f"{path!r} is not a path such as items[].status")
    if not isinstance(words, dict) or (unknown := words.keys() - KNOWN):
        known = ", ".join(sorted(KNOWN))
        raise ValueError(
            f"{path}: {', '.join(sorted(unknown)) if isinstance(words, dict) else words!r} is not one of {known}"
        )
    field = Field(path, **{**words, "values": tuple(words.get("values", ()))})
    if field.type not in TYPES:
        raise ValueError(f"{path}: {field.type!r} is not one of {', '.join(TYPES)}")
    return field


def mismatches(body: bytes, shape: Shape) -> tuple[str, ...]:
    """Return how a body differs from its shape, at most ten lines; its values are never quoted."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return ("the body is not JSON",)
    found: dict[str, None] = {}
    for field in shape:
        for line in _judge(document, field):
            found[line] = None
            if len(found) == MOST_MISMATCHES:
                return tuple(found)
    return tuple(found)


def _judge(document: Any, field: Field) -> Iterator[str]:
    for value, there in _at(document, field.path.replace("[]", ".[]").lstrip(".").split(".")):
        if not there:
            if field.required:
                yield f"{field.path} is missing"
        elif value is None:
            if not field.nullable:
                yield f"{field.path} is null"
        elif not _is(value, field.type):
            yield f"{field.path} is not of type {field.type}"
        elif field.values and value not in field.values:
            valid = ", ".join(map(str, field.values))
            yield f"{field.path} has a value that is not one of: {valid}"


def _at(value: Any, steps: list[str]) -> Iterator[tuple[Any, bool]]:
    """Yield each value at a path, and whether it exists; nothing below a null."""
    if not steps:
        yield value, True
    elif steps[0] == "[]":
        if isinstance(value, list):
            for item in value[:ITEMS]:
                yield from _at(item, steps[1:])
        elif value is not None:
            yield None, False
    elif isinstance(value, Mapping) and steps[0] in value:
        yield from _at(value[steps[0]], steps[1:])
    elif value is not None:
        yield None, False


def _is(value: Any, kind: str) -> bool:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return {
        "string": isinstance(value, str),
        "integer": whole,
        "number": whole or isinstance(value, float),
        "boolean": isinstance(value, bool),
        "object": isinstance(value, dict),
        "array": isinstance(value, list),
        "any": True,
    }[kind]
