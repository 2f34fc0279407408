"""From an exception to the response of an application: the status and a text without SQL or values.

Errors of drivers are recognised by their `sqlstate` (psycopg, asyncpg), anywhere in the chain of causes;
no driver is imported. Only the names of objects are taken from the server's message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from healthd.model.names import Key, quote
from healthd.text import hide, printable

DEPTH = 20  # causes that are inspected
RETRY_S = 2
WORDS = 500

TITLES = {
    "database_unreachable": "The database does not answer",
    "database_busy": "The database is busy",
    "schema_mismatch": "The database does not match the application",
    "serialization_failed": "The application cannot read a value of the database",
    "permission_denied": "The application lacks a privilege in the database",
    "enum_mismatch": "The value is not in the database's enum",
    "invalid_input": "Invalid value",
    "conflict": "The request conflicts with stored data",
    "internal_error": "Internal error of the application",
}

UNREACHABLE = frozenset({"08", "28"})
SHUTDOWN = frozenset({"57P01", "57P02", "57P03", "57P04", "57P05", "3D000", "25006"})  # 25006: after a failover
BUSY = frozenset({"53", "40"})
BUSY_STATES = frozenset({"55P03", "57014"})
MISSING = {
    "42703": "column",
    "42P01": "table",
    "42704": "type",
    "42883": "function",
    "3F000": "schema",
    "42P02": "parameter",
}

NAMED = re.compile(
    r"""
      column \s "(?P<column>[^"]+)" \s of \s relation \s "(?P<relation>[^"]+)"
    | column \s (?P<dotted>[^\s"]+\.[^\s"]+) \s does
    | column \s "(?P<alone>[^"]+)"
    | relation \s "(?P<missing>[^"]+)"
    | type \s "(?P<type>[^"]+)"
    | schema \s "(?P<schema>[^"]+)"
    """,
    re.VERBOSE,
)
ENUM = re.compile(r"for enum ([^\s:]+):")
DENIED = re.compile(r"permission denied for (table|view|sequence|schema|function|relation|column) ([^\s]+)")
SQLALCHEMY_ENUM = re.compile(r"is not among the defined enum values\. Enum name: (\w+)\.")
VERB = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE)\b", re.IGNORECASE)
PRIVILEGES = {"schema": "USAGE", "sequence": "USAGE", "function": "EXECUTE"}


@dataclass(frozen=True, slots=True)
class Trouble:
    """An error of a request; `members` are in the response, `sqlstate`, `cause`, `role` and `words` only in the log.

    `words` is a message of a server or a driver that quotes no value: about connections, limits and timeouts.
    """

    status: int
    error_code: str
    detail: str
    members: Mapping[str, Any] = field(default_factory=dict)
    retry_after_s: int | None = None
    sqlstate: str | None = None
    cause: str = ""
    enum: str | None = None  # the type whose valid values the response lists
    role: str | None = None
    words: str | None = None

    @property
    def title(self) -> str:
        """Return the title, which is the same for every trouble of one kind."""
        return TITLES.get(self.error_code, self.error_code.replace("_", " ").capitalize())


def recognise(error: BaseException, *, schema: str = "public", role: str | None = None) -> Trouble:
    """Return the trouble behind an exception; `schema` is that of unqualified names, `role` that of the application."""
    for one in chain(error):
        if trouble := _driver(one, error, schema) or _conversion(one, schema):
            return _granting(trouble, role) if trouble.error_code == "permission_denied" else trouble
    return Trouble(500, "internal_error", "see the log for this request ID", cause=_name(error))


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, the errors in it (`orig`, the members of a group) and its causes, each once."""
    waiting, seen = [error], set[int]()
    while waiting and len(seen) < DEPTH:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        inner = [getattr(one, "orig", None), one.__cause__, *getattr(one, "exceptions", ())]
        waiting += [each for each in inner if isinstance(each, BaseException)]


def _driver(one: BaseException, outermost: BaseException, schema: str) -> Trouble | None:
    state = getattr(one, "sqlstate", None)
    if isinstance(state, str) and re.fullmatch("[0-9A-Z]{5}", state):
        return _by_state(one, state, outermost, schema)
    library = type(one).__module__.partition(".")[0]
    names = {each.__name__ for each in type(one).__mro__}
    lost = library in ("psycopg", "psycopg_pool", "asyncpg") and names & {"OperationalError", "InterfaceError"}
    if library == "psycopg" and "DataError" in names:  # before the server received it, or after
        if "cannot contain NUL" in str(one):
            return Trouble(422, "invalid_input", "a text contains a NUL character", cause=_name(one))
        return Trouble(500, "serialization_failed", "a stored value cannot be represented in Python", cause=_name(one))
    if lost or (library == "sqlalchemy" and type(one).__name__ == "TimeoutError"):
        return _unavailable("database_unreachable", None, one)
    return None


def _by_state(one: BaseException, state: str, outermost: BaseException, schema: str) -> Trouble:
    cause, group = _name(one), state[:2]
    if group in UNREACHABLE or state in SHUTDOWN:
        return _unavailable("database_unreachable", state, one)
    if group in BUSY or state in BUSY_STATES:
        return _unavailable("database_busy", state, one)
    if state == "42501":
        return _denied(one, outermost, schema)
    if state == "22P02" and (found := ENUM.search(_words(one))):
        key = _key("enum", found[1], schema)
        detail = f"invalid value for enum {key.sql}"
        return Trouble(422, "enum_mismatch", detail, {"object": str(key)}, None, state, cause, enum=key.sql)
    if group == "22":
        return Trouble(422, "invalid_input", "a value is out of range or malformed", {}, None, state, cause)
    if group == "23":
        return _violated(one, state, cause, schema)
    if group in ("42", "3F", "0A"):
        return _mismatch(one, state, cause, schema)
    return Trouble(500, "internal_error", "see the log for this request ID", {}, None, state, cause)


def _unavailable(code: str, state: str | None, one: BaseException) -> Trouble:
    detail = f"try again in {RETRY_S} seconds"
    words = printable(hide(_words(one)))[:WORDS]
    return Trouble(503, code, detail, {"retry_after_s": RETRY_S}, RETRY_S, state, _name(one), words=words)


def _mismatch(one: BaseException, state: str, cause: str, schema: str) -> Trouble:
    found = NAMED.search(_words(one))
    key: Key | None = None
    if found is not None:
        names = found.groupdict()
        if names["column"]:
            key = Key("column", (*_path(names["relation"], schema), names["column"]))
        elif names["dotted"]:
            table, _, column = names["dotted"].rpartition(".")
            key = Key("column", (*_path(table, schema), column))
        elif names["alone"]:
            key = Key("column", (names["alone"],))
        elif names["missing"]:
            key = _key("table", names["missing"], schema)
        elif names["type"]:
            key = _key("type", names["type"], schema)
        else:
            key = Key("schema", (names["schema"],))
    what = MISSING.get(state)
    if key is None:
        return Trouble(
            500,
            "schema_mismatch",
            f"a {what} is missing" if what else "a statement does not match the database",
            {},
            None,
            state,
            cause,
        )
    members = {"object": str(key), "expected": "present", "actual": "missing" if what else "different"}
    return Trouble(500, "schema_mismatch", f"{key} is {members['actual']}", members, None, state, cause)


def _denied(one: BaseException, outermost: BaseException, schema: str) -> Trouble:
    found = DENIED.search(_words(one))
    members: dict[str, Any] = {}
    detail = "a privilege is missing"
    if found is not None:
        kind = {"relation": "table"}.get(found[1], found[1])
        key = Key("schema", (found[2],)) if kind == "schema" else _key(kind, found[2], schema)
        privilege = PRIVILEGES.get(kind) or _verb(outermost)
        members["object"] = str(key)
        if privilege:
            word = "" if kind in ("table", "view", "column") else f"{kind.upper()} "
            members |= {"privilege": privilege, "grant": f"GRANT {privilege} ON {word}{key.sql} TO …;"}
        detail = f"{privilege or 'a privilege'} on {key} is missing"
    return Trouble(403, "permission_denied", detail, members, None, "42501", _name(one))


def _verb(outermost: BaseException) -> str | None:
    """Return the first word of the statement that SQLAlchemy was running; nothing else of it is used."""
    for one in chain(outermost):
        if isinstance(statement := getattr(one, "statement", None), str) and (found := VERB.match(statement)):
            return found[1].upper()
    return None


def _granting(trouble: Trouble, role: str | None) -> Trouble:
    """Return a permission error whose GRANT names the role, if it is known."""
    if role is None or "grant" not in trouble.members:
        return replace(trouble, role=role)
    grant = f"{trouble.members['grant'].removesuffix('…;')}{quote(role)};"
    return replace(trouble, role=role, members={**trouble.members, "role": role, "grant": grant})


def _violated(one: BaseException, state: str, cause: str, schema: str) -> Trouble:
    diagnosis = getattr(one, "diag", one)  # psycopg has the names in `diag`, asyncpg on the error
    table, column, constraint = (getattr(diagnosis, f"{word}_name", None) for word in ("table", "column", "constraint"))
    path = (str(getattr(diagnosis, "schema_name", None) or schema), str(table))
    members: dict[str, Any] = {}
    if state == "23502" and table and column:
        members["object"] = str(Key("column", (*path, str(column))))
        return Trouble(422, "invalid_input", f"{members['object']} must not be null", members, None, state, cause)
    if table and constraint:
        members["object"] = str(Key("constraint", (*path, str(constraint))))
    what = {"23505": "it already exists", "23503": "a referenced row is missing, or the row is still referenced"}.get(
        state
    )
    if what or state == "23P01":
        return Trouble(409, "conflict", what or "it conflicts with an existing row", members, None, state, cause)
    return Trouble(422, "invalid_input", "a value violates a constraint of the database", members, None, state, cause)


def _conversion(one: BaseException, schema: str) -> Trouble | None:
    """Return the trouble of a value that was read and that the application does not know."""
    name = _name(one)
    if isinstance(one, LookupError) and (found := SQLALCHEMY_ENUM.search(str(one))):
        key = _key("enum", found[1], schema)
        members: dict[str, Any] = {"object": str(key)}
        return Trouble(
            500, "serialization_failed", f"{key} has a value that the application does not know", members, cause=name
        )
    if name in ("ResponseValidationError", "ValidationError") and callable(errors := getattr(one, "errors", None)):
        fields = sorted({".".join(word for word in each.get("loc", ()) if _is_name(word)) for each in errors()})
        members = {"fields": [each.removeprefix("response.") for each in fields][:DEPTH]}
        return Trouble(
            500, "serialization_failed", "a stored value does not match the response model", members, cause=name
        )
    return None


def _is_name(word: object) -> bool:
    return isinstance(word, str) and re.fullmatch(r"\w{1,63}", word) is not None


def _words(one: BaseException) -> str:
    """Return the server's primary message without the detail, which can contain values."""
    return str(getattr(getattr(one, "diag", None), "message_primary", None) or one).partition("\n")[0]


def _path(name: str, schema: str) -> tuple[str, ...]:
    parts = tuple(name.replace('"', "").split("."))
    return parts if len(parts) > 1 else (schema, *parts)


def _key(kind: str, name: str, schema: str) -> Key:
    return Key(kind, _path(name, schema))


def _name(error: BaseException) -> str:
    return type(error).__name__
