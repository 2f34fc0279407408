"""A file that is to be run, and the SQL that records it in the ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from healthd.expected.files import Migration


@dataclass(frozen=True)
class Job:
    """A file to be run, and a function that returns the SQL that records it. Post-apply files are not `resumable`."""

    migration: Migration
    hash: str
    operation: str
    text: str
    path: Path
    make_books: Callable[[], str]
    resumable: bool = True

    @cached_property
    def books(self) -> str:
        """Return the SQL that records the file in the ledger, computed once."""
        return self.make_books()

    @property
    def name(self) -> str:
        """Return the file's name, for messages."""
        return self.path.name
