"""What applications believe about the database, read from JSON into one Contract."""

import json
from collections.abc import Mapping
from typing import Any

from healthd.model import Contract, Key

PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")


def load(text: str, name: str) -> Contract:
    """Return the contract in a JSON text; raise ValueError with what is wrong in it.

    The text is an object: `tables` maps `schema.table` to `{"columns": {NAME: TYPE or null}, "privileges":
    ["SELECT", …]}`, `enums` maps `schema.type` to labels in order, `role` is who needs the privileges.
    """
    try:
        content = json.loads(text)
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from error
    _expect(content, dict, "a contract is an object", {"tables", "enums", "role"})
    for word in ("tables", "enums"):
        _expect(content.get(word, {}), dict, f"{word} are an object: what each is called, and what it holds")
    role = content.get("role")
    _expect(role, (str, type(None)), "the role is a text")
    tables: dict[str, Mapping[str, str | None]] = {}
    privileges: dict[str, tuple[str, ...]] = {}
    for table, belief in content.get("tables", {}).items():
        _expect(belief, dict, f"{table}: a table is an object", {"columns", "privileges"})
        columns = belief.get("columns", {})
        _expect(columns, dict, f"{table}: columns are an object of names and types")
        for column, type_ in columns.items():
            _expect(type_, (str, type(None)), f"{table}: the type of {column} is a text, or null for any")
        tables[_name("table", table)] = columns
        privileges[_name("table", table)] = _texts(belief.get("privileges", []), f"{table}: privileges")
        for privilege in privileges[table]:
            if privilege not in PRIVILEGES:
                raise ValueError(f"{table}: no such privilege: {privilege!r}")
    enums = {_name("enum", enum): _texts(labels, enum) for enum, labels in content.get("enums", {}).items()}
    if not tables and not enums:
        raise ValueError("the contract names no table and no enum")
    return Contract(name, tables, enums, role, privileges)


def _expect(value: Any, kind: type[Any] | tuple[type[Any], ...], what: str, known: set[str] | None = None) -> None:
    if not isinstance(value, kind):
        raise ValueError(what)  # a wrong file, not a wrong call
    if known is not None and (unknown := sorted(set(value) - known)):
        raise ValueError(f"{what} with {', '.join(sorted(known))}, not {', '.join(unknown)}")


def _texts(value: Any, what: str) -> tuple[str, ...]:
    _expect(value, list, f"{what}: a list of texts")
    for text in value:
        _expect(text, str, f"{what}: a list of texts")
    return tuple(value)


def _name(kind: str, text: str) -> str:
    if len(Key.parse(f"{kind}:{text}").path) != 2:
        raise ValueError(f"write {kind}s with their schema, not {text!r}")
    return text
