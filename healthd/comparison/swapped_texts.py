"""Objects that mention columns by name, and their texts when the columns have other names."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from healthd.comparison.partitions import holder
from healthd.comparison.renames import AS_WRITTEN
from healthd.model.attributes import Record, attributes
from healthd.model.names import HANGING, Key, quote
from healthd.sqltext.tokens import TOKEN

Names = Mapping[str, str]
Path = tuple[str, ...]


def spoken_with(key: Key, objects: Mapping[Key, Record], table: Path, names: Names) -> bool:
    """Return whether one of these objects mentions one of these columns of a table."""
    if _column_at(key, table) is not None:
        return key.path[_column_at(key, table) or 0] in names
    if holder(key, objects) != table and not _mentions(objects[key], {table[-1]}):
        return False
    return _mentions(objects[key], {*names, *names.values()})


def path_with(key: Key, table: Path, names: Names) -> Path:
    """Return a key's path with the other name of the column that it is, or is attached to."""
    at = _column_at(key, table)
    return key.path if at is None else (*key.path[:at], names.get(key.path[at], key.path[at]), *key.path[at + 1 :])


def followed(expected: Record, actual: Record, names: Names) -> bool:
    """Return whether two records are the same once the columns of the second have their expected names."""
    return type(expected) is type(actual) and all(
        noted.severity is None
        or _tokens(getattr(expected, name), {}) == _tokens(getattr(actual, name), {} if name in AS_WRITTEN else names)
        for name, noted in attributes(type(expected)).items()
    )


def renamed_back(
    table: Path, names: Names, expected: Mapping[Key, Record], actual: Mapping[Key, Record]
) -> dict[Key, Record]:
    """Return all objects as they are when the columns of a table and of its children are renamed."""
    tables = _descendants(table, actual)
    found: dict[Key, Record] = {}
    for key, record in actual.items():
        mine = next((one for one in tables if _column_at(key, one) is not None), None)
        key = key if mine is None else Key(key.kind, path_with(key, mine, names))
        other = expected.get(key)
        if key.path in tables and getattr(record, "column_order", None):
            record = replace(record, column_order=_spelled(record.column_order, names))
        elif other is not None and other != record and any(spoken_with(key, expected, one, names) for one in tables):
            record = _as_expected(other, record, names)
        found[key] = record
    return found


def _column_at(key: Key, table: Path) -> int | None:
    """Return the position of the column's name in the path of a column of this table, or of an attachment of it."""
    if key.kind == "column" and key.path[:2] == table:
        return 2
    return 3 if key.kind in HANGING and key.path[0] == "column" and key.path[1:3] == table else None


def _descendants(table: Path, objects: Mapping[Key, Record]) -> set[Path]:
    found, more = {table}, {table}
    children = [(key.path, set(one.inherits)) for key, one in objects.items() if getattr(one, "inherits", ())]
    while more:
        words = {Key("table", one).sql for one in more}
        more = {path for path, parents in children if parents & words} - found
        found |= more
    return found


def _as_expected(expected: Record, actual: Record, names: Names) -> Record:
    if type(expected) is not type(actual):
        return actual
    follow = {
        name: wanted
        for name in attributes(type(expected))
        if name not in AS_WRITTEN
        and (wanted := getattr(expected, name)) != (there := getattr(actual, name))
        and _tokens(wanted, {}) == _tokens(there, names)
    }
    return replace(actual, **follow) if follow else actual


def _mentions(record: Record, words: set[str]) -> bool:
    texts = (getattr(record, name) for name in attributes(type(record)) if name not in AS_WRITTEN)
    return any(not words.isdisjoint(_tokens(one, {})) for one in texts if isinstance(one, str | tuple))


def _tokens(value: Any, names: Names) -> Any:
    """Return the tokens of a text with the expected names; `last AS first` becomes `last` if they were exchanged."""
    if isinstance(value, tuple):
        return [word for one in value for word in (*_tokens(one, names), ",")]
    if not isinstance(value, str):
        return [value]
    words = [match[1] or match[0] for match in TOKEN.finditer(value)]
    found: list[str] = []
    position = 0
    while position < len(words):
        own = names.get(words[position], words[position])
        found.append(own)
        alias = names and words[position + 1 : position + 3] == ["AS", own] and own != words[position]
        position += 3 if alias else 1
    return found


def _spelled(order: str, names: Names) -> str:
    """Return an order of columns with the expected names, quoted as the server quotes them."""
    written = {match[1] or match[0]: match[0] for match in TOKEN.finditer(order)}

    def own(match: re.Match[str]) -> str:
        name = names.get(match[1] or match[0])
        return match[0] if name is None else written.get(name, quote(name))

    return TOKEN.sub(own, order)
