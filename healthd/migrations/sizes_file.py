"""What a plan needs to know of a database, as a file: the sizes of its relations, and what its ledger records."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from healthd.database.ledger import Ledger
from healthd.errors import ConfigError
from healthd.model.ledger import Applied, Interrupted
from healthd.model.migration_names import canonical
from healthd.model.names import Key
from healthd.model.observations import Size
from healthd.text import printable

FORMAT = 1
AGAIN = "create it again with: healthd sizes --format json"
MEMBERS = frozenset("format target taken_at server_version running relations applied interrupted".split())
OF_SIZE, OF_APPLIED = {"relation", "size_bytes", "rows"}, {"id", "applied_at", "digest"}
OF_INTERRUPTED = {"id", "operation", "statement", "statements", "finished", "at"}
WORDS = {str: "a text", int: "a whole number", bool: "true or false", list: "a list"}
MOST = 2**63  # of bytes and rows, as in PostgreSQL
CLOCKS = timedelta(minutes=5)  # by which the clocks of two hosts may differ

T = TypeVar("T")
Named = TypeVar("Named", Applied, Interrupted)


@dataclass(frozen=True, slots=True)
class Taken:
    """The sizes of a target by relation, named like keys, and what its ledger recorded, at one time (UTC).

    `running` is whether a migration run was active, `server_version` is PostgreSQL's number.
    """

    target: str
    taken_at: datetime
    server_version: int
    ledger: Ledger
    running: bool
    sizes: Mapping[str, Size]


def document(taken: Taken) -> dict[str, Any]:
    """Return it as a JSON object, which `load` reads. Names and numbers only: no row, no text of a migration."""
    return {
        "format": FORMAT,
        "target": taken.target,
        "taken_at": _text(taken.taken_at),
        "server_version": taken.server_version,
        "running": taken.running,
        "relations": [
            {"relation": name, "size_bytes": size.size_bytes, "rows": size.rows}
            for name, size in sorted(taken.sizes.items())
        ],
        "applied": [
            {"id": one.id, "applied_at": one.applied_at and _text(one.applied_at), "digest": one.digest}
            for one in taken.ledger.applied
        ],
        "interrupted": [
            {
                "id": one.id,
                "operation": one.operation,
                "statement": one.statement,
                "statements": one.statements,
                "finished": one.finished,
                "at": _text(one.at),
            }
            for one in taken.ledger.interrupted
        ],
    }


def load(text: str, name: str, now: datetime) -> Taken:
    """Return what a file of this name and text contains; raise ConfigError if it is anything else."""
    try:
        content = json.loads(text)
        if isinstance(content, dict) and content.get("format", FORMAT) != FORMAT:
            raise ValueError(f"it has format {content['format']}, but this version of healthd reads format {FORMAT}")
        _member(_object(content, MEMBERS), "format", int)
        found = _taken(content)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{name} is not a file of sizes: it is not JSON", hint=AGAIN) from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{name} is not a file of sizes: {printable(str(error))}", hint=AGAIN) from error
    if found.taken_at > now + CLOCKS:
        raise ConfigError(f"{name} was taken in the future: {_text(found.taken_at)}", hint="check the clocks")
    return found


def _taken(content: Mapping[str, Any]) -> Taken:
    return Taken(
        _name(content, "target"),
        _instant(_member(content, "taken_at", str)),
        _number(content, "server_version"),
        Ledger(
            _each_once(map(_applied, _member(content, "applied", list)), "applied"),
            interrupted=_each_once(map(_interrupted, _member(content, "interrupted", list)), "interrupted"),
        ),
        _member(content, "running", bool),
        _sizes(_member(content, "relations", list)),
    )


def _sizes(entries: Iterable[Any]) -> Mapping[str, Size]:
    found: dict[str, Size] = {}
    for relation, size in map(_size, entries):
        if relation in found:
            raise ValueError(f"{relation} is listed twice")
        found[relation] = size
    return found


def _size(value: Any) -> tuple[str, Size]:
    one = _object(value, OF_SIZE)
    relation = str(Key.parse(_name(one, "relation")))
    return relation, Size(_number(one, "size_bytes"), None if one["rows"] is None else _number(one, "rows"))


def _applied(value: Any) -> Applied:
    one = _object(value, OF_APPLIED)
    at = None if one["applied_at"] is None else _instant(_member(one, "applied_at", str))
    digest = None if one["digest"] is None else _name(one, "digest")
    return Applied(canonical(_name(one, "id")), at, digest, None)


def _interrupted(value: Any) -> Interrupted:
    one = _object(value, OF_INTERRUPTED)
    if (operation := _name(one, "operation")) not in ("apply", "rollback"):
        raise ValueError(f"unknown operation {operation!r}")
    return Interrupted(
        canonical(_name(one, "id")),
        operation,
        _number(one, "statement"),
        _number(one, "statements"),
        _member(one, "finished", bool),
        _instant(_member(one, "at", str)),
    )


def _object(value: Any, members: Collection[str]) -> Mapping[str, Any]:
    """Return a value that is an object with exactly these members; raise ValueError for any other."""
    if not isinstance(value, dict):
        raise ValueError(f"an object with {', '.join(sorted(members))} was expected")
    if unlike := sorted(value.keys() ^ set(members)):
        raise ValueError(f"{unlike[0]!r} is {'unknown' if unlike[0] in value else 'missing'}")
    return value


def _member(one: Mapping[str, Any], name: str, kind: type[T]) -> T:
    if type(value := one[name]) is not kind:  # true is no number
        raise ValueError(f"{name} is not {WORDS[kind]}")
    return value


def _name(one: Mapping[str, Any], name: str) -> str:
    """Return a text that can be printed as it is."""
    value = _member(one, name, str)
    if not value or printable(value) != value:
        raise ValueError(f"{name} is not a name: {value!r}")
    return value


def _number(one: Mapping[str, Any], name: str) -> int:
    value = _member(one, name, int)
    if not 0 <= value < MOST:
        raise ValueError(f"{name} is out of range: {value}")
    return value


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.utcoffset() != timedelta(0):
        raise ValueError(f"not a time in UTC: {text!r}")
    return instant


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat()


def _each_once(entries: Iterable[Named], what: str) -> tuple[Named, ...]:
    found: dict[str, Named] = {}
    for one in entries:
        if one.id in found:
            raise ValueError(f"{one.id} is {what} twice")
        found[one.id] = one
    return tuple(found.values())
