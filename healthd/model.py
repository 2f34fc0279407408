"""The nouns: what a database holds, how two databases differ, and what is concluded from it."""

from __future__ import annotations

import dataclasses
import enum
import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from healthd.respelling import respelled

Record = Any  # a frozen dataclass of one kind: str, int, bool, None and tuples of them


class Severity(enum.IntEnum):
    """How bad a finding is; the numbers are the exit codes of `healthd check`."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """The name of one object, the same in every database, URL, metric and log."""

    kind: str
    path: tuple[str, ...]

    def __str__(self) -> str:
        """Return `kind:schema.name…`; the third part of a routine is its argument types, in parentheses.

        What hangs on another object names that object's kind first: `owner:table.public.machines`.
        """
        first, kind = (1, self.path[0]) if self.kind in HANGING else (0, self.kind)
        end = first + 2 if kind in ROUTINES else len(self.path)
        arguments = self.path[end] if len(self.path) > end and ARGUMENTS.fullmatch(self.path[end]) else ""
        names = (self.path[:end], self.path[end + 1 :] if arguments else self.path[end:])
        before, after = (".".join(map(quote, one)) for one in names)
        if first and PLAIN.match(self.path[0]):
            before = before.replace(quote(self.path[0]), self.path[0], 1)  # a kind, even if SQL reserves its word
        return f"{self.kind}:{before}{arguments}{'.' if after else ''}{after}"

    @property
    def sql(self) -> str:
        """Return the name as SQL writes it: what follows the colon."""
        return str(self).partition(":")[2]

    @classmethod
    def parse(cls, text: str) -> Key:
        """Return the key that prints as `text`; raise ValueError when none does."""
        kind, colon, rest = text.partition(":")
        parts: list[str] = []
        while colon and (match := NAME.match(rest)):
            parts.append(match[1] if match[1] is not None else match[2].replace('""', '"'))
            rest = rest[match.end() :]
            first, routine = (1, parts[0]) if kind in HANGING else (0, kind)
            if routine in ROUTINES and len(parts) == first + 2 and (match := ARGUMENTS.match(rest)):
                parts.append(match[0])
                rest = rest[match.end() :]
            if not rest.startswith("."):
                break
            rest = rest[1:] or "."  # a name must follow
        if not parts or rest:
            raise ValueError(f"not the name of an object: {text!r}")
        return cls(kind, tuple(parts))


ROUTINES = frozenset({"function", "aggregate", "operator"})
HANGING = frozenset({"owner", "grant", "comment", "security_label"})  # their paths begin with a kind
ARGUMENTS = re.compile(r'\((?:[^"()]|"(?:[^"]|"")*")*\)')
NAME = re.compile(r'([^".():\s][^".()]*)|"((?:[^"]|"")+)"')
PLAIN = re.compile(r"[a-z_][a-z0-9_$]*\Z")

# Words that PostgreSQL (any of 13 to 18) does not take as a bare table or column name.
RESERVED = frozenset(
    """all analyse analyze and any array as asc asymmetric authorization binary both case cast check
    collate collation column concurrently constraint create cross current_catalog current_date
    current_role current_schema current_time current_timestamp current_user default deferrable desc
    distinct do else end except false fetch for foreign freeze from full grant group having ilike in
    initially inner intersect into is isnull join lateral leading left like limit localtime
    localtimestamp natural not notnull null offset on only or order outer overlaps placing primary
    references returning right select session_user similar some symmetric system_user table tablesample
    then to trailing true union unique user using variadic verbose when where window with""".split()
)


def quote(name: str) -> str:
    """Return an identifier as it must be written in SQL, with quotes only where they are needed."""
    if PLAIN.match(name) and name not in RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text as an SQL string constant."""
    return "'" + text.replace("'", "''") + "'"


@dataclass(frozen=True, slots=True)
class Attribute:
    """What a difference in one field of a record means; fields carry it as Annotated[type, …].

    `severity` None is worth no finding. `deparsed` is text that the server prints from its parse tree:
    majors print it in their own ways. `veiled` is what not every role may see: None then, and not compared.
    `passing` is what means something in this process only: None in a file.
    """

    severity: Severity | None = Severity.CRITICAL
    deparsed: bool = False
    veiled: bool = False
    passing: bool = False


MAJOR = Attribute()
MINOR = Attribute(Severity.WARNING)
DEPARSED = Attribute(deparsed=True)
VEILED = Attribute(veiled=True)
SECRET = Attribute(None, veiled=True, passing=True)  # a salted digest: it tells that a secret changed, not which


def attributes(record: type[Any]) -> Mapping[str, Attribute]:
    """Return what each field of a record type means, in their order; MAJOR where it does not say."""
    known: Mapping[str, Attribute] = _attributes(record)  # type: ignore[arg-type] # types are hashable
    return known


@functools.cache
def _attributes(record: Any) -> Mapping[str, Attribute]:
    noted = {name: getattr(hint, "__metadata__", (MAJOR,))[0] for name, hint in record.__annotations__.items()}
    return {field.name: noted[field.name] for field in dataclasses.fields(record)}


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


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All objects of one database at one instant.

    `server_version` is PostgreSQL's number (180004 = 18.4); `unreadable` names each kind that could not be
    read, with the reason; `omitted` those that were left out, for a digest proved them to be as the other side's.
    """

    server_version: int
    objects: Mapping[Key, Record]
    unreadable: Mapping[str, str] = field(default_factory=dict)
    omitted: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Difference:
    """One disagreement: an attribute, or the whole object when `attribute` is None.

    For a whole object the missing side is None and the other side is the record.
    """

    key: Key
    attribute: str | None
    expected: Any
    actual: Any

    @property
    def missing(self) -> bool:
        """Return whether the whole object is expected and not there; a lost default is no lost column."""
        return self.attribute is None and self.actual is None

    @property
    def unexpected(self) -> bool:
        """Return whether the whole object is there and not expected."""
        return self.attribute is None and self.expected is None


UNREADABLE = "unreadable"
NAME_OF = "name"  # the attribute that differs where an object was renamed; no record has it
SCHEMA_OF = "in_schema"  # and where it was moved
SWAPPED = "swapped"  # and of a table where columns of it have each other's names


def diff(expected: Snapshot, actual: Snapshot, *, exact: bool = False) -> tuple[Difference, ...]:
    """Return every disagreement of two snapshots, sorted by key; empty means the same.

    A text that the server prints otherwise once it was dumped and restored is the same, unless all is to be `exact`.
    A kind that either side could not read is never the same: it is told as the attribute `unreadable`.
    """
    blind = expected.unreadable.keys() | actual.unreadable.keys()
    found = [
        Difference(Key(kind, ("*",)), UNREADABLE, expected.unreadable.get(kind), actual.unreadable.get(kind))
        for kind in blind
    ]
    for key, record in expected.objects.items():
        other = actual.objects.get(key)
        if other == record or key.kind in blind:
            continue
        if other is None:
            found.append(Difference(key, None, record, None))
        else:
            found.extend(_unlike(key, record, other, exact=exact))
    found.extend(
        Difference(key, None, None, record)
        for key, record in actual.objects.items()
        if key not in expected.objects and key.kind not in blind
    )
    return tuple(sorted(found, key=lambda one: (one.key, one.attribute or "")))


def _unlike(key: Key, expected: Record, actual: Record, *, exact: bool) -> Iterator[Difference]:
    for name, noted in attributes(type(expected)).items():
        one, other = getattr(expected, name), getattr(actual, name)
        if one == other or (noted.veiled and None in (one, other)):
            continue
        if noted.deparsed and not exact and None not in (one, other) and respelled(one) == respelled(other):
            continue
        yield Difference(key, name, one, other)


@dataclass(frozen=True, slots=True)
class Problem:
    """A class of findings: its stable name, what it answers over HTTP, and what people should know.

    `meaning`, `see` and `mend` are Markdown, one section of docs/runbook.md; `{}` fields are not replaced.
    """

    name: str
    status: int
    severity: Severity
    title: str
    meaning: str
    see: str
    mend: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong. `facts` are the further members of its answer over HTTP, by name."""

    problem: str
    key: Key
    message: str
    severity: Severity
    expected: str | None = None
    actual: str | None = None
    attribute: str | None = None
    repair: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    check: str = ""


class State(enum.StrEnum):
    """Where one migration stands in one database."""

    APPLIED = "applied"
    PENDING = "pending"
    OUT_OF_ORDER = "out_of_order"  # pending, and older than one that is applied
    EDITED = "edited"  # applied, and its content is not what was applied
    MISSING = "missing"  # applied and known to the lock file, but its file is gone
    UNKNOWN = "unknown"  # applied, and neither file nor lock file knows it: the database is ahead
    INTERRUPTED = "interrupted"  # its file, or its rollback, is no transaction and is in only in part


@dataclass(frozen=True, slots=True)
class MigrationState:
    """One migration in one database; `applied_at` is UTC, None when it is not applied.

    `note` says more of its state, in words: how far an interrupted one has come, what a pending one was called before.
    """

    id: str
    state: State
    applied_at: datetime | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """One value's way from Python through PostgreSQL and back; `trouble` is None when it arrived intact."""

    key: Key
    case: str
    trouble: str | None


@dataclass(frozen=True, slots=True)
class Sample:
    """How many of the rows of a table that were looked at hold what the models in `who` cannot read: never the values.

    `trouble` is a word of contracts.samples.TROUBLES; `example` is the primary key of one such row, None where it is
    not told; `query` is the SQL that shows all of them.
    """

    key: Key
    trouble: str
    who: tuple[str, ...]
    count: int
    rows: int
    example: str | None
    query: str


@dataclass(frozen=True, slots=True)
class Unsampled:
    """A table whose rows were not looked at: denied (these columns, to this role), policy, lock, time, a SQLSTATE."""

    key: Key
    why: str
    role: str = ""
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Access:
    """Whether a role holds a privilege that a contract needs; `held` is None when the role does not exist."""

    contract: str
    role: str
    privilege: str
    key: Key
    held: bool | None


@dataclass(frozen=True, slots=True)
class Counter:
    """How far a sequence that does not begin again has counted, and how far it can.

    `minimum` and `maximum` are the sequence's own limits, or those of the type of the column that it serves where
    these are closer. `last` is None when nothing was drawn yet, or when it is not ours to see: not `readable`.
    """

    key: Key
    increment: int
    minimum: int
    maximum: int
    last: int | None
    readable: bool
    column: str | None = None  # schema.table.column, where the column's type is the limit
    type: str = "bigint"  # whose limits these are

    @property
    def used(self) -> float:
        """Return the share of its values that is behind it, 0 to 1."""
        if self.last is None:
            return 0.0
        first, end = (self.minimum, self.maximum) if self.increment > 0 else (self.maximum, self.minimum)
        return min(1.0, max(0.0, abs(self.last - first) / (abs(end - first) or 1)))

    @property
    def left(self) -> int:
        """Return how many values it can still give."""
        if self.last is None:
            return (self.maximum - self.minimum) // abs(self.increment) + 1
        end = self.maximum - self.last if self.increment > 0 else self.last - self.minimum
        return max(0, end // abs(self.increment))


@dataclass(frozen=True, slots=True)
class TouchedColumn:
    """When one column of a table was last changed, as the catalog's own row versions say; for who must know.

    `name` is None of one that was dropped. `at` can only be compared: what is larger is later. It is `untouched` when
    the transaction that made the table, or that applied a migration, changed it last. `migrated_table` says whether
    a migration that the ledger knows made the table.
    """

    name: str | None
    at: tuple[int, int]
    untouched: bool = False
    migrated_table: bool = False


@dataclass(frozen=True, slots=True)
class SortedBy:
    """The versions of what sorts for a database or for a collation that something in it uses.

    Both are what the library calls itself; where they differ, indexes may be in a wrong order.
    """

    key: Key
    recorded: str
    actual: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking one endpoint: `status` is None without an answer, `trouble` why there is no whole one."""

    key: Key
    wanted: int
    status: int | None
    duration_s: float
    max_latency_s: float
    trouble: str | None = None
    mismatches: tuple[str, ...] = ()
    before: Asked | None = None  # what came a moment earlier and looked wrong, so that it was asked again


@dataclass(frozen=True, slots=True)
class Member:
    """One attribute of a model: the column that keeps it, and what the application believes of that.

    `python` is a word of contracts.fits.PYTHON; `optional` says whether it may be None, None: the model does not say.
    `left_to_server` is what an INSERT leaves out when the application gives no value. `values` are those that an enum
    writes, in order; `names` says that they are the names of its members, which have other values. `type` is the
    name of the type that the application casts them to, without a schema where it names none.
    """

    column: str
    python: str = "any"
    optional: bool | None = None
    left_to_server: bool = False
    values: tuple[str, ...] | None = None
    names: bool = False
    type: str | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """A class of an application whose instances are rows of a table (`schema.table`); `inserts`: it makes them, too."""

    table: str
    members: Mapping[str, Member]
    inserts: bool = True


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that an application runs; `parameters` is how many values it sends, None when that is not said."""

    sql: str
    parameters: int | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the server said of a contract's statement: nothing (None), or its words and where in the statement.

    `parameters` is how many values the server would want; `line` and `column` begin at 1.
    """

    contract: str
    statement: str
    trouble: str | None = None
    sqlstate: str | None = None
    line: int | None = None
    column: int | None = None
    parameters: int | None = None


@dataclass(frozen=True, slots=True)
class Contract:
    """What an application believes about the database.

    `tables` maps `schema.table` to column names and their types (None: any type); `enums` maps
    `schema.type` to labels in order; `privileges` maps `schema.table` to what `role` must hold on it.
    `models` are its classes by name, `statements` what it runs by name, found along `search_path`.
    """

    name: str
    tables: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    enums: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    role: str | None = None
    privileges: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    models: Mapping[str, Model] = field(default_factory=dict)
    statements: Mapping[str, Statement] = field(default_factory=dict)
    search_path: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that one round learned about one target: what checks judge.

    `differences` leaves out what follows from another: a lost table is one, not one for each column.
    `printed` are the texts of `expected` that are known as the actual server prints them, each with the migration
    that it was recorded with; `texts_grant` is the SQL that would let us read more of them.
    `unlocked` are the applied migrations that the lock file does not know: without them the expected
    snapshot is not known either. `aligned` are the objects that are there under the names that are expected of
    them, where some were renamed. `lenient` are differences that are a warning at most, and make an object unexpected.
    """

    target: str
    expected: Snapshot
    actual: Snapshot
    differences: tuple[Difference, ...]
    contracts: tuple[Contract, ...] = ()
    migrations: tuple[MigrationState, ...] = ()
    unlocked: tuple[str, ...] = ()
    round_trips: tuple[RoundTrip, ...] = ()
    samples: tuple[Sample, ...] = ()
    unsampled: tuple[Unsampled, ...] = ()
    access: tuple[Access, ...] = ()
    prepared: tuple[Prepared, ...] = ()
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    aligned: Mapping[Key, Record] = field(default_factory=dict)
    consequences: Mapping[tuple[Key, str | None], tuple[Difference, ...]] = field(default_factory=dict)
    inside: frozenset[tuple[Key, str | None]] = frozenset()
    lenient: frozenset[tuple[Key, str | None]] = frozenset()
    counters: tuple[Counter, ...] = ()
    sorted_by: tuple[SortedBy, ...] = ()
    asked: tuple[Asked, ...] = ()
    printed: Mapping[tuple[Key, str | None], str] = field(default_factory=dict)
    texts_grant: str | None = None


Check = Callable[[Evidence], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class Report:
    """The result of one round.

    `checks` maps each check to its worst severity; UNKNOWN is a check that could not tell. `failure` says in
    a word why the round could not be made (unreachable, denied, timeout, error), None when it was. `questions` are the
    seconds that each question to the server took, in the order of asking.
    """

    target: str
    started_at: datetime
    duration_s: float
    findings: tuple[Finding, ...]
    next_round_s: float = 0.0
    checks: Mapping[str, Severity] = field(default_factory=dict)
    migrations: tuple[MigrationState, ...] = ()
    notes: tuple[str, ...] = ()
    maintenance: str | None = None
    server_version: int | None = None
    failure: str | None = None
    asked: Asked | None = None  # in the round of an endpoint
    unreported: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # what differs and is no finding, by why
    not_adopted: Finding | None = None  # of a database that holds something and has no ledger
    questions: tuple[tuple[str, float], ...] = ()

    @property
    def severity(self) -> Severity:
        """Return the worst severity: not seeing outranks seeing wrong."""
        return max((finding.severity for finding in self.findings), default=Severity.OK)


def digest_of_text(text: str) -> str:
    """Return what tells a text from any other: its SHA-256."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def some(texts: Sequence[str], most: int = 3) -> str:
    """Return the first few of these as one text, and how many more there are."""
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more


def shown(value: Any) -> str:
    """Return a value of a record as a person reads it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(shown, value)) or "none"
    return str(value)
