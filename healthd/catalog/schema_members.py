"""The schema that an object is in: where its path names it, and which parts of its path are types."""

from __future__ import annotations

from healthd.catalog import KINDS
from healthd.model.names import HANGING, Key


def schema_place(key: Key) -> int | None:
    """Return where a path has the schema that the object is, is in or is attached to; None outside of all schemas."""
    start, kind = _inner(key)
    if kind == "schema":
        return start
    at = KINDS[kind].within.get("schema") if kind in KINDS else None
    end = len(key.path) - (key.kind in KINDS and KINDS[key.kind].role_last)
    return start + at if at is not None and start + at < end else None


def schema_of(key: Key) -> str | None:
    """Return the schema that an object is, is in or is attached to; None if it is outside of all schemas."""
    at = schema_place(key)
    return key.path[at] if at is not None else None


def types_place(key: Key) -> int:
    """Return from where on a path has types: the arguments of a function, both sides of a cast."""
    start, kind = _inner(key)
    at = KINDS[kind].types_at if kind in KINDS else None
    return len(key.path) if at is None else start + at


def _inner(key: Key) -> tuple[int, str]:
    """Return where the path of the object itself begins, and its kind: an owner or a comment names another object."""
    return (1, key.path[0]) if key.kind in HANGING else (0, key.kind)
