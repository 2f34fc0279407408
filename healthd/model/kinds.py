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
Statements = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dependent:
    """An object that may depend on another one: what its texts name, and which paths are known besides."""

    record: Record
    names: frozenset[tuple[str, str]]  # qualified: an object with its schema, a column with its table
    known: AbstractSet[Path]  # the first two parts of the path of everything that is expected


@dataclass(frozen=True, slots=True)
class Around:
    """What SQL that creates an object must know of others: those that it becomes a part of, and its own parts."""

    objects: Mapping[Key, Record]
    columns: Mapping[Path, tuple[Key, ...]] = field(default_factory=dict)  # of a table, by its path
    counters: Mapping[Path, Key] = field(default_factory=dict)  # the sequences that columns own, by the column's path
    drawing: Mapping[Key, tuple[Key, ...]] = field(default_factory=dict)  # the columns that have numbers of a sequence
    new: AbstractSet[Key] = frozenset()  # what the same script creates: nobody uses these objects yet
    owner: Callable[[Key], str] = lambda _key: "(owner)"  # of the object of a privilege
    migrator: str = "(migrator)"  # the role that runs migrations, as a snapshot names it
    server_version: int = 0
    held: Callable[[Key], tuple[str, ...]] | None = None  # what a grantee holds on a new object; None: by default
    taken: AbstractSet[Key] = frozenset()  # the names that are in use now


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


def _never(_difference: Difference, _expected: Record, _actual: Record) -> bool:
    return False


def _none(_key: Key, _record: Record, _around: Around) -> Iterable[Any]:
    return ()


def _renamed(key: Key, _record: Record, name: str, _around: Around) -> Iterable[str]:
    return (f"ALTER TYPE {key.sql} RENAME TO {quote(name)};",)


def _as_usual(_difference: Difference, statements: Statements, _around: Around) -> tuple[Statements, Statements]:
    return statements, ()


def _no_shell(_key: Key, _record: Record) -> str:
    return ""


def _itself(key: Key) -> str:
    return key.sql


def _nowhere(_key: Key, _record: Record) -> Path | None:
    return None


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the query of a kind that lists objects of several catalogs, and the kinds that these objects have.

    The `name` is its catalog's. Without `kinds`, it may always find something.
    """

    query: str
    name: str = ""
    kinds: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RareSubquery:
    """A subquery that finds nothing in most databases: only where `some` finds rows does a query need it.

    `nothing` has the same columns and no rows; the server plans it at almost no cost.
    """

    name: str
    some: str
    query: str
    nothing: str


OF_INDEXES = " of indexes"
INDEXES = ("pg_index", "pg_constraint", f"pg_class{OF_INDEXES}", f"pg_attribute{OF_INDEXES}")
IN_SCHEMA: Mapping[str, int] = {"schema": 0}
# What belongs to one of these has a path that begins with its path.
OF_RELATION: Mapping[str, int] = {**IN_SCHEMA, **dict.fromkeys(("table", "foreign_table", "view"), 0)}


@dataclass(frozen=True, slots=True)
class Kind:
    """One type of object: how it is read, what it belongs to, how it is repaired, and its facets.

    `query` returns one row for each object: the `depth` parts of the path, then the record's fields in their order.
    It is a text, or a function of the server's version number (140000 = 14.0) that returns one; or parts, of which only
    those are sent that can find something. `some` is a query that returns rows whenever `query` does, at almost no
    cost: most databases have no objects of most kinds. With `finds_parts`, its rows are the names of these parts.
    `rare` are the subqueries of `query` that are left out where they find nothing.
    With a `depth` of 0 the length of the path varies: it is an array in the first column.
    `change` receives a difference in one attribute and the severity that the attribute declares, and may return
    another severity. `repair` receives a difference and the complete records of both sides, None for a missing one;
    it is never called for an unexpected object. `little` receives a difference in one attribute and the expected
    record; if both values have the same meaning, it returns how they differ, and the difference is a warning.

    The other fields are facets: what code that works on all kinds has to know of each. No other list of kinds exists.
    """

    name: str
    record: type[Any]
    query: str | Callable[[int], str] | tuple[Part, ...]
    depth: int = 2
    some: str = ""
    finds_parts: bool = False
    rare: tuple[RareSubquery, ...] = ()
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
    relkinds: str = ""  # its letters in pg_class; it has locks of its own
    has_rows: bool = False  # SELECT reads from it
    is_type: bool = False  # its name is also the name of a type
    always_read: bool = False  # in each round, even if unchanged, because its values are tested
    check: str = "objects"  # which check judges it

    # ── how little of it must be read after a change ────────────────────────────────────────────────────────
    # The catalogs of which its query needs only the rows of a relation, and the columns with that, to list the objects
    # of the relation; its path begins with that of the relation. None: all objects are read.
    by_relation: Mapping[str, str] | None = field(default=None, hash=False)
    # The catalogs whose rows about a relation decide what its objects are, with OF_INDEXES those about its indexes. The
    # first one has a row for each object.
    made_of: tuple[str, ...] = ()
    names_columns: bool = False  # its texts name the columns of relations, and change when these get others

    # ── its place ───────────────────────────────────────────────────────────────────────────────────────────
    within: Mapping[str, int] = field(
        default_factory=lambda: IN_SCHEMA, hash=False
    )  # the kinds whose paths are part of its path, and from where
    name_at: int = -1  # where in its path its own name is
    types_at: int | None = None  # from where on its path consists of types
    role_last: bool = False  # the last part of its path is a role
    table: Callable[[Key, Record], Path | None] = _nowhere  # its table, if its path has none; without a record: None

    # ── how it changes ──────────────────────────────────────────────────────────────────────────────────────
    renamable: bool = False  # ALTER … RENAME TO gives it another name
    renaming: Callable[[Key, Record, str], str] | None = None  # the SQL that does it in another form
    movable: bool = False  # ALTER … SET SCHEMA moves it
    copied: bool = False  # LIKE, INHERITS and PARTITION OF copy it from another table
    created_as: tuple[str, ...] = ()  # the words of CREATE before its name, if a file contains the name
    placed_by: tuple[str, ...] = ()  # the settings that decide where it is stored

    # ── the SQL that creates and drops it ───────────────────────────────────────────────────────────────
    create: Callable[[Key, Record, Around], Iterable[str]] | None = None  # None: what `repair` yields if it is missing
    shell: Callable[[Key, Record], str] = _no_shell  # what must exist before the functions that it and they need
    creates: Callable[[Key, Record, Around], Iterable[Key]] = _none  # what that creates in addition
    complete: Callable[[Key, Record, Around], Iterable[str]] = _none  # what is set when the objects it names exist
    completed: frozenset[str] = frozenset()  # the attributes that name these
    address: Callable[[Key, Record, Around], str] | None = (
        None  # noun and name, as COMMENT and DROP write them; None: as ALTER
    )
    drop: Callable[[Key, Record, Around], Iterable[str]] | None = None  # None: DROP and the address
    replaced: Callable[[Difference, Record, Record], bool] = _never  # whether it must be dropped and created again
    put_aside: Callable[[Key, Record, str, Around], Iterable[str]] = (
        _renamed  # a type that is created again gets another name until no column has it
    )
    keeps_parts: bool = False  # DROP refuses while it has parts, as that of a schema does
    online: Callable[[Difference, Statements, Around], tuple[Statements, Statements]] = (
        _as_usual  # the same for a table with rows, under no long lock: what to do, and what when all else is done
    )
    follows_type: bool = False  # ALTER COLUMN … TYPE adapts it to the new type of a column that it uses

    # ── its relations to others ───────────────────────────────────────────────────────────────────────
    referenced: bool = False  # texts of other objects name it, with its schema
    needed: Callable[[Key, Record, Dependent], bool] | None = None  # whether dropping it drops another object
    provided: bool = False  # a provider or an administrator creates it in every new database
    if_unusual: bool = False  # every object has one, recorded only if it is not the usual one
    with_roles: Callable[[Key, Record, Mapping[str, str]], tuple[Key, Record]] | None = None  # with roles renamed
    as_known: Callable[[Record, int], Record] | None = None  # as an older server has it; the same record if it does

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

    def created(self, key: Key, record: Record, around: Around) -> Iterable[str]:
        """Return the SQL that creates an object."""
        if self.create is not None:
            return self.create(key, record, around)
        return self.repair(Difference(key, None, record, None), record, None)

    def dropped(self, key: Key, record: Record, around: Around) -> Iterable[str]:
        """Return the SQL that drops an object on which no other one depends."""
        if self.drop is not None:
            return self.drop(key, record, around)
        return (f"DROP {self.addressed(key, record, around)};",)

    def addressed(self, key: Key, record: Record | None, around: Around) -> str:
        """Return noun and name of an object, as COMMENT and DROP write them."""
        return self.address(key, record, around) if self.address is not None else self.words(key)

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

    @property
    def parts(self) -> tuple[Part, ...]:
        """Return the parts of the query; none if it is one text."""
        return self.query if isinstance(self.query, tuple) else ()

    def sql(self, server_version: int) -> str:
        """Return the query for one server version."""
        if isinstance(self.query, tuple):
            return "\n         UNION ALL".join(part.query for part in self.query)
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
