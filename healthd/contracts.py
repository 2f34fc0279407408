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
    tables: dict[str, Mapping[str, str | None]] = {}
    privileges: dict[str, tuple[str, ...]] = {}
    for table, belief in content.get("tables", {}).items():
        _expect(belief, dict, f"{table}: a table is an object", {"columns", "privileges"})
        tables[_name("table", table)] = dict(belief.get("columns", {}))
        privileges[_name("table", table)] = tuple(belief.get("privileges", ()))
        for privilege in privileges[table]:
            if privilege not in PRIVILEGES:
                raise ValueError(f"{table}: no such privilege: {privilege!r}")
    enums = {_name("enum", enum): tuple(labels) for enum, labels in content.get("enums", {}).items()}
    if not tables and not enums:
        raise ValueError("the contract names no table and no enum")
    return Contract(name, tables, enums, content.get("role"), privileges)


def _expect(value: Any, kind: type[Any], what: str, known: set[str]) -> None:
    if not isinstance(value, kind):
        raise ValueError(what)  # a wrong file, not a wrong call
    if unknown := sorted(set(value) - known):
        raise ValueError(f"{what} with {', '.join(sorted(known))}, not {', '.join(unknown)}")


def _name(kind: str, text: str) -> str:
    if len(Key.parse(f"{kind}:{text}").path) != 2:
        raise ValueError(f"write {kind}s with their schema, not {text!r}")
    return text
