"""What one round reads from a database in addition to its snapshot: a record for each kind of observation."""

from __future__ import annotations

from dataclasses import dataclass

from healthd.model.names import Key


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """One value sent from Python to PostgreSQL and back; `trouble` is None if it came back unchanged."""

    key: Key
    case: str
    trouble: str | None


@dataclass(frozen=True, slots=True)
class Sample:
    """How many of the examined rows of a table contain what the models in `who` cannot read: never the values.

    `trouble` is a word of contracts.row_conditions.TROUBLES; `example` is the primary key of one such row, None if it
    must not be shown; `query` is the SQL that shows all of them.
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
    """A table whose rows were not examined: denied (these columns, to this role), policy, lock, time, a SQLSTATE."""

    key: Key
    why: str
    role: str = ""
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Access:
    """Whether a role holds a privilege that a contract needs; `held` is None if the role does not exist."""

    contract: str
    role: str
    privilege: str
    key: Key
    held: bool | None


@dataclass(frozen=True, slots=True)
class Counter:
    """How far a sequence without CYCLE has counted, and how far it can count.

    `minimum` and `maximum` are the sequence's own limits, or those of the type of the column that uses it, if these
    are narrower. `last` is None if no value was drawn yet, or if healthd may not read it: not `readable`.
    """

    key: Key
    increment: int
    minimum: int
    maximum: int
    last: int | None
    readable: bool
    column: str | None = None  # schema.table.column, where the column's type is the limit
    type: str = "bigint"  # the type whose limits these are

    @property
    def used(self) -> float:
        """Return the share of its values that is used up, 0 to 1."""
        if self.last is None:
            return 0.0
        first, end = (self.minimum, self.maximum) if self.increment > 0 else (self.maximum, self.minimum)
        return min(1.0, max(0.0, abs(self.last - first) / (abs(end - first) or 1)))

    @property
    def left(self) -> int:
        """Return how many values are left."""
        if self.last is None:
            return (self.maximum - self.minimum) // abs(self.increment) + 1
        end = self.maximum - self.last if self.increment > 0 else self.last - self.minimum
        return max(0, end // abs(self.increment))


@dataclass(frozen=True, slots=True)
class TouchedColumn:
    """When one column of a table was last changed, according to the row versions of the catalog.

    `name` is None for a dropped column. `at` can only be compared: larger is later. The column is `untouched` if
    the transaction that created the table, or that applied a migration, changed it last. `migrated_table` is whether
    a migration in the ledger created the table. It is `kept` if it was last changed when it was added, or got or
    lost its default, or got NOT NULL, and `late` if something else changed it after the last column was added.
    """

    name: str | None
    at: tuple[int, int]
    untouched: bool = False
    migrated_table: bool = False
    kept: bool = False
    late: bool = False


@dataclass(frozen=True, slots=True)
class SortedBy:
    """The versions of the library that provides a database's sort order, or that of a collation in use.

    Both are as the library reports them; if they differ, indexes may be in a wrong order.
    """

    key: Key
    recorded: str
    actual: str


@dataclass(frozen=True, slots=True)
class Asked:
    """The result of one request to an endpoint; `status` is None without a response, `trouble` is why it failed."""

    key: Key
    wanted: int
    status: int | None
    duration_s: float
    max_latency_s: float
    trouble: str | None = None
    mismatches: tuple[str, ...] = ()
    before: Asked | None = None  # the result of the first request, if it was wrong and a second one was sent


@dataclass(frozen=True, slots=True)
class Listed:
    """How many databases of a server match the patterns of a group; `left_out` are those without a target, and why."""

    name: str
    patterns: tuple[str, ...]
    count: int
    left_out: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the server reported about a contract's statement: nothing (None), or a message with its position.

    `parameters` is how many values the server expects; `line` and `column` begin at 1.
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
    """How large a relation is, with its indexes; `rows` is the server's estimate, None without one.

    It is 0 only if it is certain that there are no rows.
    """

    size_bytes: int
    rows: int | None


@dataclass(frozen=True, slots=True)
class Rights:
    """What a role lacks that a repair may need: `foreign` are the roles whose objects it may not change.

    `unassumable` are the roles to which it cannot give an object, `closed` the schemas in which it may not create one.
    `superusers` are the roles of which nobody should become a member for this.
    """

    role: str
    superuser: bool = False
    in_recovery: bool = False  # the server is a standby
    foreign: frozenset[str] = frozenset()
    unassumable: frozenset[str] = frozenset()
    closed: frozenset[str] = frozenset()
    superusers: frozenset[str] = frozenset()
