"""What one round asks a database beside its snapshot: a record for each kind of answer."""

from __future__ import annotations

from dataclasses import dataclass

from healthd.model.names import Key


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
class Size:
    """How large a relation is, with its indexes; `rows` is the server's own estimate, None when it never counted."""

    size_bytes: int
    rows: int | None
