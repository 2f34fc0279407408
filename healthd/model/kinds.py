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
    """One type of object: how it is read, what it belongs to, how it is repaired.

    `query` returns one row for each object: the `depth` parts of the path, then the record's fields in their order.
    It is a text, or a function of the server's version number (140000 = 14.0) that returns one. `some` is a query
    that returns rows whenever `query` does, at almost no cost: most databases have no objects of most kinds.
    With a `depth` of 0 the length of the path varies: it is an array in the first column.
    `change` receives a difference in one attribute and the severity that the attribute declares, and may return
    another severity. `repair` receives a difference and the complete records of both sides, None for a missing one;
    it is never called for an unexpected object. `little` receives a difference in one attribute and the expected
    record; if both values have the same meaning, it returns how they differ, and the difference is a warning.
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
        """Return the severity of a difference of this kind; None when it is only shown."""
        if difference.attribute is not None:
            return self.change(difference, attributes(self.record)[difference.attribute].severity)
        if difference.actual is None:
            return self.loss(difference.expected)
        return self.gain(difference.actual)

    def deparsed(self, name: str | None) -> bool:
        """Return whether an attribute is text that major versions print differently."""
        known = attributes(self.record)
        return name is not None and name in known and known[name].deparsed
