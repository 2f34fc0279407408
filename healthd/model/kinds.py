"""One type of object: how it is read, what it belongs to, and how it is repaired."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from healthd.model.attributes import Record, attributes
from healthd.model.names import Key, quote
from healthd.model.severity import Severity
from healthd.model.snapshots import Difference

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dependent:
    """An object that may depend on another one: what its texts name, and which paths are known besides."""

    record: Record
    names: frozenset[tuple[str, str]]  # qualified: an object with its schema, a column with its table
    known: AbstractSet[Path]  # the first two parts of the path of everything that is expected


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


def _itself(key: Key) -> str:
    return key.sql


def _nowhere(_key: Key, _record: Record) -> Path | None:
    return None


def _as_it_is(record: Record, _server_version: int) -> Record:
    return record


IN_SCHEMA: Mapping[str, int] = {"schema": 0}
# What belongs to one of these has a path that begins with its path.
OF_RELATION: Mapping[str, int] = {**IN_SCHEMA, **dict.fromkeys(("table", "foreign_table", "view"), 0)}


@dataclass(frozen=True, slots=True)
class Kind:
    """One type of object: how it is read, what it belongs to, how it is repaired, and what else is to be known of it.

    `query` returns, a row each, the `depth` parts of the path and then the record's fields in their order;
    it is a text, or a function of the server's version number (140000 = 14.0) that returns one. `some` is a query
    that returns rows whenever that one does, at next to no cost: most databases hold nothing of most kinds.
    A `depth` of 0 is a path whose length differs from object to object: an array in the first column.
    `change` is given a difference in one attribute, and how bad the attribute says that is, and may know better.
    `repair` is given a difference, and the whole records of both sides, None for the one that is missing;
    an object that nobody expects is never its business. `little` is given a difference in one attribute and the
    expected record, and returns in words in what two values differ that mean the same: then it is a warning.

    The other fields are facets: what passes over all kinds ask of each. No list of kinds stands anywhere else.
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

    # ── what it is ──────────────────────────────────────────────────────────────────────────────────────────
    noun: str = ""  # what ALTER and COMMENT call it; "": its name in capitals
    grant_noun: str = ""  # what GRANT calls it; "": as ALTER does
    written: Callable[[Key], str] = _itself  # its name, as they write it after the noun
    relkinds: str = ""  # of which letters it is in pg_class, and is locked by itself
    has_rows: bool = False  # SELECT reads from it
    is_type: bool = False  # its name is that of a type, too
    always_read: bool = False  # whole in each round, whatever moved: its values are tried out
    check: str = "objects"  # which check judges it

    # ── its place ───────────────────────────────────────────────────────────────────────────────────────────
    within: Mapping[str, int] = field(
        default_factory=lambda: IN_SCHEMA, hash=False
    )  # whose paths its path contains, from where
    name_at: int = -1  # where in its path its own name is
    types_at: int | None = None  # from where on its path consists of types
    role_last: bool = False  # the last part of its path is a role
    table: Callable[[Key, Record], Path | None] = _nowhere  # which table it is or serves, if that is not in its path

    # ── how it changes ──────────────────────────────────────────────────────────────────────────────────────
    renamable: bool = False  # ALTER … RENAME TO gives it another name
    renaming: Callable[[Key, Record, str], str] | None = None  # the SQL that does it in another form
    movable: bool = False  # ALTER … SET SCHEMA moves it
    copied: bool = False  # LIKE, INHERITS and PARTITION OF copy it from another table
    created_as: tuple[str, ...] = ()  # the words of CREATE before its name, where a file writes that down
    placed_by: tuple[str, ...] = ()  # the settings that decide where it is stored

    # ── what it has to do with others ───────────────────────────────────────────────────────────────────────
    referenced: bool = False  # texts of other objects name it, with its schema
    needed: Callable[[Key, Record, Dependent], bool] | None = None  # whether another object goes when it is dropped
    provided: bool = False  # a provider or an administrator puts it into every new database
    if_unusual: bool = False  # every object has one, which is recorded only where it is not the usual one
    with_roles: Callable[[Key, Record, Mapping[str, str]], tuple[Key, Record]] | None = None  # under roles' other names
    as_known: Callable[[Record, int], Record] = _as_it_is  # as a server of an older version would have it

    @property
    def in_schema(self) -> bool:
        """Return whether a path begins with a schema's."""
        return self.within.get("schema") == 0 and self.name != "schema"

    @property
    def is_part(self) -> bool:
        """Return whether it is a part of a table, and its path begins with that."""
        return self.within.get("table") == 0

    @property
    def called(self) -> str:
        """Return the noun."""
        return self.noun or self.name.replace("_", " ").upper()

    def words(self, key: Key) -> str:
        """Return noun and name of an object, as ALTER and COMMENT write them."""
        return f"{self.called} {self.written(key)}"

    def renamed(self, key: Key, record: Record, name: str) -> str:
        """Return the SQL that gives an object, which has this key now, another name."""
        return (
            self.renaming(key, record, name) if self.renaming else f"ALTER {self.words(key)} RENAME TO {quote(name)};"
        )

    def with_name(self, key: Key, name: str) -> Key:
        """Return the key of an object that has another name."""
        at = self.name_at % len(key.path)
        return Key(key.kind, (*key.path[:at], name, *key.path[at + 1 :]))

    def table_of(self, key: Key, record: Record) -> Path | None:
        """Return the path of the table that an object is, is a part of or serves; None when there is none."""
        at = self.within.get("table")
        return key.path[at : at + 2] if at is not None else self.table(key, record)

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
