"""A repair as one script: its statements in order, each with what it is for and why it must not simply run."""

from __future__ import annotations

from dataclasses import dataclass

from healthd.model.costs import Cost
from healthd.model.names import Key
from healthd.model.snapshots import Place

COUNTED = 1000  # as many rows are counted at most


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
