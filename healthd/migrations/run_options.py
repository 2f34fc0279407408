"""The options of a run: how it waits for other sessions, and where it reports."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from healthd.expected.files import Migration
from healthd.migrations.engine.lock_waits import DEFAULT, Patience, Say

Traced = Callable[[Migration, str], AbstractContextManager[None]]


def untraced(_migration: Migration, _direction: str) -> AbstractContextManager[None]:
    """Do nothing more around a migration."""
    return nullcontext()


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a run waits for other sessions, and where it reports."""

    say: Say  # receives a line for each event
    live: Say | None = None  # receives transient state, such as progress
    wait_s: float = 60.0  # for the migration lock
    patience: Patience = DEFAULT  # for the locks of other sessions
    traced: Traced = untraced  # is entered for each file that runs, with its direction: apply or rollback
