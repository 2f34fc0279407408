"""One type of object: how it is read, what it belongs to, and how it is repaired."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from healthd.model.attributes import Record, attributes
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.model.snapshots import Difference


def _critical(_record: Record) -> Severity:
    return Severity.CRITICAL


def _warning(_record: Record) -> Severity:
    return Severity.WARNING


def _as_noted(_difference: Difference, noted: Severity | None) -> Severity | None:
    return noted


def _schema(key: Key, _record: Record) -> Key | None:
    return Key("schema", key.path[:1])


def _nothing(_difference: Difference, _expected: Record, _actual: Record) -> Iterable[str]:
    return ()


def _much(_difference: Difference, _expected: Record) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Kind:
    """One type of object: how it is read, what it belongs to, how it is put right.

    `query` returns, a row each, the `depth` parts of the path and then the record's fields in their order;
    it is a text, or a function of the server's version number (140000 = 14.0) that returns one. `some` is a query
    that returns rows whenever that one does, at next to no cost: most databases hold nothing of most kinds.
    A `depth` of 0 is a path whose length differs from object to object: an array in the first column.
    `change` is given a difference in one attribute, and how bad the attribute says that is, and may know better.
    `repair` is given a difference, and the whole records of both sides, None for the one that is missing;
    an object that nobody expects is never its business. `little` is given a difference in one attribute and the
    expected record, and returns in words in what two values differ that mean the same: then it is a warning.
    """

    name: str
    record: type[Any]
    query: str | Callable[[int], str]
    depth: int = 2
    some: str = ""
    parent: Callable[[Key, Record], Key | None] = _schema
    loss: Callable[[Record], Severity | None] = _critical
    gain: Callable[[Record], Severity | None] = _warning
    change: Callable[[Difference, Severity | None], Severity | None] = _as_noted
    repair: Callable[[Difference, Record, Record], Iterable[str]] = _nothing
    little: Callable[[Difference, Record], str] = _much

    def sql(self, server_version: int) -> str:
        """Return the query for one server version."""
        return self.query if isinstance(self.query, str) else self.query(server_version)

    def severity(self, difference: Difference) -> Severity | None:
        """Return how bad a difference of this kind is; None when it is only worth showing."""
        if difference.attribute is not None:
            return self.change(difference, attributes(self.record)[difference.attribute].severity)
        if difference.actual is None:
            return self.loss(difference.expected)
        return self.gain(difference.actual)

    def deparsed(self, name: str | None) -> bool:
        """Return whether an attribute is text that servers print in their own ways."""
        known = attributes(self.record)
        return name is not None and name in known and known[name].deparsed
