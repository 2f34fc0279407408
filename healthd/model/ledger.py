"""What is applied in one database: the rows of the ledger, and the state of each migration."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from healthd.model.names import Key


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


def digest_of_text(text: str) -> str:
    """Return what tells a text from any other: its SHA-256."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


# yoyo's tables and ours keep the books; they are not part of what the files promise.
BOOKS = (
    "_yoyo_migration",
    "_yoyo_log",
    "_yoyo_version",
    "yoyo_lock",
    "_healthd_migration",
    "_healthd_progress",
    "_healthd_text",
)


# The advisory lock that a migration run holds: the two numbers spell "heal" and "thd".
MIGRATION_LOCK = (0x6865616C, 0x746864)


# Our table of content digests, beside yoyo's own.
DIGESTS = "_healthd_migration"


# Our table of what is in of files that are no transaction; empty while none is half-way.
PROGRESS = "_healthd_progress"


# Our table of how this server prints what a migration made, where the lock file is of another major.
TEXTS = "_healthd_text"


@dataclass(frozen=True, slots=True)
class Applied:
    """One row of the ledger: the digests are None when stock yoyo applied it, the instant when nobody can read it."""

    id: str
    applied_at: datetime | None
    digest: str | None
    rollback_digest: str | None


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A file that is no transaction and is in only in part.

    `statement` of `statements` is the last one that is known to have begun; `finished` says whether it is in.
    """

    id: str
    operation: str  # apply or rollback
    statement: int
    statements: int
    finished: bool
    at: datetime

    @property
    def words(self) -> str:
        """Return how far it has come."""
        what = "" if self.operation == "apply" else "rollback, "
        where = "after" if self.finished else "at"
        return f"{what}{where} statement {self.statement} of {self.statements}"


@dataclass(frozen=True, slots=True)
class Printed:
    """How the server of a database prints a text of the lock file: one row of our table of texts.

    `digest` is that of the lock file's text (`model.digest_of_text`), `text` is the server's, None where it is the
    same. It was recorded with `migration`, which made the object what it is.
    """

    migration: str
    key: Key
    attribute: str
    digest: str
    text: str | None
