"""The names of a view's columns, as its definition shows them: a snapshot has only those with attributes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from healthd.model.attributes import Record
from healthd.model.names import Key

PIECE = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")+"|[\w$]+|\S""")
HEAD = re.compile(r"\s*SELECT (?:DISTINCT (?!ON ))?")
END = frozenset("; FROM WHERE GROUP HAVING WINDOW UNION INTERSECT EXCEPT ORDER LIMIT OFFSET FETCH FOR".split())


def could_be_renamed(key: Key, there: Key, expected: Mapping[Key, Record], actual: Mapping[Key, Record]) -> bool:
    """Return whether neither view has a column with the other's name; a view that does not show it is created again."""
    return not (_may_have(there.path[2], key, expected) or _may_have(key.path[2], there, actual))


def _may_have(name: str, column: Key, objects: Mapping[Key, Record]) -> bool:
    """Return whether the view of a column, if it is one of a view, may have another one with this name."""
    view = objects.get(Key("view", column.path[:2]))
    return view is not None and name in (_columns(view.definition) or (name,))


def _columns(definition: str) -> tuple[str, ...] | None:
    """Return the names of the columns in their order; None if the text does not begin with them."""
    head = HEAD.match(definition)
    if head is None:
        return None
    return tuple(_name(one) for one in _elements(definition[head.end() :]))


def _elements(text: str) -> Iterator[list[str]]:
    """Yield the words and signs of each expression of SELECT."""
    found, depth = list[str](), 0
    for piece in PIECE.findall(text):
        depth += (piece in ("(", "[")) - (piece in (")", "]"))
        if depth == 0 and piece in END:
            break
        if depth == 0 and piece == ",":
            yield found
            found = []
        else:
            found.append(piece)
    if found:
        yield found


def _name(words: list[str]) -> str:
    return words[-1][1:-1].replace('""', '"') if words[-1].startswith('"') else words[-1]
