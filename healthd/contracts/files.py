"""Contracts as JSON: reading and writing contract files."""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from typing import Any

from healthd.contracts.type_table import PYTHON
from healthd.model.contracts import Contract, Member, Model, Statement
from healthd.model.names import Key

FORMAT = 1  # of the JSON; a file without a number has format 1
PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
WORDS = frozenset({"format", "healthd", "tables", "enums", "role", "models", "statements", "search_path"})
TEXT = (str, type(None))


def load(text: str, name: str) -> Contract:
    """Return the contract in a JSON text; raise ValueError with the reason if it is invalid.

    The text is an object: `tables` maps `schema.table` to `{"columns": {NAME: TYPE or null}, "privileges":
    ["SELECT", …]}`, `enums` maps `schema.type` to labels in order, `role` is the role that needs the privileges.
    `models` are classes as `healthd contract export` writes them; `statements` maps names to SQL, or to
    `{"sql": SQL, "parameters": NUMBER}`; `search_path` is where their names are looked up.
    """
    try:
        content = json.loads(text)
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from error
    _expect(content, dict, "a contract must be an object")
    _readable(content.get("format", FORMAT), content.get("healthd"))
    _expect(content, dict, "a contract must be an object", WORDS)
    for word in ("tables", "enums", "models", "statements"):
        _expect(content.get(word, {}), dict, f"{word} must be an object that maps names to contents")
    role, search_path = content.get("role"), content.get("search_path")
    _expect(role, TEXT, "role must be a string")
    _expect(search_path, TEXT, "search_path must be a string")
    tables: dict[str, Mapping[str, str | None]] = {}
    privileges: dict[str, tuple[str, ...]] = {}
    for table, belief in content.get("tables", {}).items():
        _expect(belief, dict, f"{table}: a table must be an object", {"columns", "privileges"})
        columns = belief.get("columns", {})
        _expect(columns, dict, f"{table}: columns must be an object that maps names to types")
        for column, type_ in columns.items():
            _expect(type_, TEXT, f"{table}: the type of {column} must be a string, or null for any type")
        tables[_name("table", table)] = columns
        privileges[_name("table", table)] = _texts(belief.get("privileges", []), f"{table}: privileges")
        for privilege in privileges[table]:
            if privilege not in PRIVILEGES:
                raise ValueError(f"{table}: unknown privilege {privilege!r} (known: {', '.join(PRIVILEGES)})")
    enums = {_name("enum", enum): _texts(labels, enum) for enum, labels in content.get("enums", {}).items()}
    models = {model: _model(model, belief) for model, belief in content.get("models", {}).items()}
    statements = {one: _statement(one, belief) for one, belief in content.get("statements", {}).items()}
    if not (tables or enums or models or statements):
        raise ValueError("the contract contains no table, enum, model or statement")
    return Contract(name, tables, enums, role, privileges, models, statements, search_path)


def dump(contract: Contract, healthd: str) -> str:
    """Return the JSON text of a contract, as this version of healthd writes it; `load` reads it."""
    tables = {
        table: {"columns": columns, "privileges": contract.privileges.get(table, ())}
        for table, columns in contract.tables.items()
    }
    content = {
        "format": FORMAT,
        "healthd": healthd,
        "role": contract.role,
        "search_path": contract.search_path,
        "tables": tables,
        "enums": contract.enums,
        "models": {name: _document(model) for name, model in contract.models.items()},
        "statements": {name: _document(statement) for name, statement in contract.statements.items()},
    }
    return json.dumps({word: value for word, value in content.items() if value}, indent=2, ensure_ascii=False) + "\n"


def _document(record: Any) -> Any:
    """Return a record as JSON data, without fields that have their default."""
    if not dataclasses.is_dataclass(record):
        return {name: _document(one) for name, one in record.items()} if isinstance(record, Mapping) else record
    return {
        one.name: _document(getattr(record, one.name))
        for one in dataclasses.fields(record)
        if getattr(record, one.name) != one.default
    }


def _readable(number: Any, healthd: Any) -> None:
    """Reject the format of a later version, before anything else is checked."""
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise ValueError(f"format must be a positive number, not {number!r}")
    if number > FORMAT:
        writer = f"healthd {healthd}" if isinstance(healthd, str) else "a newer healthd"
        raise ValueError(f"written by {writer} in format {number}; this version reads up to {FORMAT}: update healthd")


def _model(name: str, belief: Any) -> Model:
    _expect(belief, dict, f"{name}: a model must be an object", {"table", "members", "inserts"})
    table, inserts, members = belief.get("table"), belief.get("inserts", True), belief.get("members", {})
    _expect(table, str, f"{name}: table must be a string")
    _expect(inserts, bool, f"{name}: inserts must be true or false")
    _expect(members, dict, f"{name}: members must be an object that maps names to contents")
    return Model(_name("table", table), {one: _member(f"{name}.{one}", said) for one, said in members.items()}, inserts)


MEMBER: Mapping[str, type[Any] | tuple[type[Any], ...]] = {
    "column": str,
    "python": str,
    "optional": (bool, type(None)),
    "left_to_server": bool,
    "values": (list, type(None)),
    "names": bool,
    "type": TEXT,
}


def _member(name: str, belief: Any) -> Member:
    _expect(belief, dict, f"{name}: a member must be an object", MEMBER)
    for word, value in belief.items():
        _expect(value, MEMBER[word], f"{name}: {word} cannot be {value!r}")
    if not belief.get("column"):
        raise ValueError(f"{name}: a member must have a column")
    word = belief.get("python", "any")
    if word not in PYTHON and not (word.startswith("list[") and word[5:-1] in PYTHON):
        raise ValueError(f"{name}: unknown Python type {word!r} (known: {', '.join(sorted(PYTHON))})")
    values = belief.get("values")
    return Member(**{**belief, "values": None if values is None else _texts(values, f"{name}: values")})


def _statement(name: str, belief: Any) -> Statement:
    if isinstance(belief, str):
        return Statement(belief)
    _expect(belief, dict, f"{name}: a statement must be a string or an object", {"sql", "parameters"})
    text, parameters = belief.get("sql"), belief.get("parameters")
    _expect(text, str, f"{name}: sql must be a string")
    if parameters is not None and (type(parameters) is not int or parameters < 0):
        raise ValueError(f"{name}: parameters must be the number of values, not {parameters!r}")
    return Statement(text, parameters)


def _expect(value: Any, kind: type[Any] | tuple[type[Any], ...], what: str, known: Iterable[str] | None = None) -> None:
    if not isinstance(value, kind):
        raise ValueError(what)  # the file is wrong, not the call
    if known is not None and (unknown := sorted(set(value) - set(known))):
        raise ValueError(f"{what}; unknown: {', '.join(unknown)} (known: {', '.join(sorted(known))})")


def _texts(value: Any, what: str) -> tuple[str, ...]:
    _expect(value, list, f"{what} must be a list of strings")
    for text in value:
        _expect(text, str, f"{what} must be a list of strings")
    return tuple(value)


def _name(kind: str, text: str) -> str:
    if len(Key.parse(f"{kind}:{text}").path) != 2:
        raise ValueError(f"write {kind} names with their schema, not {text!r}")
    return text
