"""A repair as one script: its statements in order, each with what it is for and why it must not simply run."""

from __future__ import annotations

from dataclasses import dataclass

from healthd.model.costs import Cost
from healthd.model.names import Key
from healthd.model.snapshots import Place

COUNTED = 1000  # as many rows are counted at most
REFUSED = -1  # in place of a number: the query fails at a value


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a script.

    A statement with a reason in `held` is printed as a comment: a person must decide, or something must happen first.
    """

    sql: str
    causes: tuple[Place, ...]  # the differences that it repairs
    notes: tuple[str, ...] = ()  # what a reader should know before it runs, a line each
    held: str = ""  # why it is not run; "": it can run
    alone: bool = False  # cannot run in a transaction, or should not
    rows: str = ""  # a query for the rows that forbid it, or that would lose something
    costs: tuple[Cost, ...] = ()  # what it does to relations that exist
    key: Key | None = None  # the object that it creates, changes or drops


Script = tuple[Statement, ...]

Steps = tuple[tuple[str, bool, tuple[Place, ...]], ...]


def steps_of(script: Script) -> Steps:
    """Return what a script does, and for what; the rows and the sizes that its comments name may change."""
    return tuple((one.sql, bool(one.held), one.causes) for one in script if one.sql)


def running(script: Script) -> tuple[str, ...]:
    """Return the statements of a script that run."""
    return tuple(one.sql for one in script if one.sql and not one.held)


NONE, RUNNING, FINISHED, FAILED = "none", "running", "done", "failed"


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """How far the rehearsal of a script in the background is, and its result in one line."""

    state: str = NONE
    words: str = ""
    steps: Steps = ()
