"""What an object mentions in its texts: qualified names, and single words."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from healthd.model.attributes import Record, attributes
from healthd.model.kinds import Kind
from healthd.model.names import Key
from healthd.sqltext.tokens import tokens


@dataclass(frozen=True, slots=True)
class Mentions:
    """The words in an object's texts, and the pairs of words with a dot between them: schema.name, table.column."""

    words: frozenset[str]
    pairs: frozenset[tuple[str, str]]


def mentions(kind: Kind, key: Key, record: Record, *, without: Collection[str] = ()) -> Mentions:
    """Return what an object mentions; attributes in `without` are left out."""
    texts = list(key.path[kind.types_at :] if kind.types_at is not None else ())
    words, pairs = set[str](), set[tuple[str, str]]()
    for name in attributes(type(record)):
        if name not in without:
            value = getattr(record, name)
            texts += (one for one in (value if isinstance(value, tuple) else (value,)) if isinstance(one, str))
            words.update(value if isinstance(value, tuple) else ())  # each may be a name, as it is
    for text in texts:
        found = tokens(text)
        words.update(found)
        pairs |= _pairs(found)
    if at := kind.within.get("table"):  # a table that it is not a part of
        pairs.add((key.path[at], key.path[at + 1]))
    return Mentions(frozenset(words), frozenset(pairs))


def qualified(text: str) -> set[tuple[str, str]]:
    """Return the qualified names in a text: objects with their schemas, and columns with their tables."""
    return _pairs(tokens(text))


def _pairs(found: list[str]) -> set[tuple[str, str]]:
    return {(one, two) for one, dot, two in zip(found, found[1:], found[2:], strict=False) if dot == "."}
