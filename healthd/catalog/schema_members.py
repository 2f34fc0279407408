"""The schema that an object is in: where its path names it, and which parts of its path are types."""

from __future__ import annotations

import re

from healthd.catalog import KINDS
from healthd.model.kinds import Kind
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


def home_of(key: Key) -> str | None:
    """Return the schema of an object; outside of all schemas, that of the first type in its name, if it is plain."""
    if schema_place(key) is None and key.kind not in HANGING:
        found = (re.match(PLAIN, part) for part in key.path[types_place(key) :])
        return next((match[1] for match in found if match), None)
    return schema_of(key)


PLAIN = r"^([a-z_][a-z0-9_$]*)[.]"  # the schema of a type, as the server prints it without quotes


def schema_in_row(kind: Kind) -> str | None:
    """Return the SQL for `home_of` the object of a row; None if no row of this kind names a schema.

    The parts of the path are the columns k0, k1, …; if its length varies, it is the array k.
    """
    at = kind.within.get("schema")
    if kind.depth and at is not None:
        return f"q.k{at}::text"
    if kind.depth:
        types = () if kind.types_at is None else range(kind.types_at, kind.depth)
        found = ", ".join(f"pg_catalog.substring(q.k{number}, '{PLAIN}')" for number in types)
        return f"coalesce({found})" if found else None
    if at is not None:
        return f"CASE WHEN pg_catalog.cardinality(q.k) > {at + kind.role_last} THEN q.k[{at + 1}]::text END"
    if kind.name in HANGING:
        inner = ",".join(name for name, one in KINDS.items() if name == "schema" or one.within.get("schema") == 0)
        return f"CASE WHEN q.k[1] = ANY ('{{{inner}}}'::text[]) THEN q.k[2]::text END"
    return None


def types_place(key: Key) -> int:
    """Return from where on a path has types: the arguments of a function, both sides of a cast."""
    start, kind = _inner(key)
    at = KINDS[kind].types_at if kind in KINDS else None
    return len(key.path) if at is None else start + at


def _inner(key: Key) -> tuple[int, str]:
    """Return where the path of the object itself begins, and its kind: an owner or a comment names another object."""
    return (1, key.path[0]) if key.kind in HANGING else (0, key.kind)
