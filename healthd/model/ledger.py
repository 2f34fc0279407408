"""What is applied in one database: the rows of the ledger, and the state of each migration."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from healthd.model.names import Key


class State(enum.StrEnum):
    """The state of one migration in one database."""

    APPLIED = "applied"
    PENDING = "pending"
    OUT_OF_ORDER = "out_of_order"  # pending, and older than one that is applied
    EDITED = "edited"  # applied, and its content is not what was applied
    MISSING = "missing"  # applied and in the lock file, but there is no file of this name
    UNKNOWN = "unknown"  # applied, but in neither the files nor the lock file: the database is ahead of the files
    INTERRUPTED = "interrupted"  # its file, or its rollback, is not one transaction and was applied only partly


@dataclass(frozen=True, slots=True)
class MigrationState:
    """One migration in one database; `applied_at` is UTC, None when it is not applied.

    `note` describes the state further: how far an interrupted migration has come, or the earlier name of a pending one.
    """

    id: str
    state: State
    applied_at: datetime | None = None
    note: str = ""


def digest_of_text(text: str) -> str:
    """Return the digest that identifies a text: its SHA-256."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


# yoyo's tables and ours are the ledger; they are not part of what the files define.
BOOKS = (
    "_yoyo_migration",
    "_yoyo_log",
    "_yoyo_version",
    "yoyo_lock",
    "_healthd_migration",
    "_healthd_progress",
    "_healthd_text",
    "_healthd_file",
)


# The advisory lock that a migration run holds: the two numbers spell "heal" and "thd".
MIGRATION_LOCK = (0x6865616C, 0x746864)


# Our table of content digests, next to yoyo's own.
DIGESTS = "_healthd_migration"


# Our table of the progress of files that are not one transaction; empty while no file is partly applied.
PROGRESS = "_healthd_progress"


# Our table of how this server prints what a migration created, if the lock file is of another major version.
TEXTS = "_healthd_text"


# Our table of copies of the files of applied migrations, for files that a release does not have.
COPIES = "_healthd_file"


@dataclass(frozen=True, slots=True)
class Copy:
    """What the ledger keeps of an applied migration: its files, UTF-8, and its record in the lock file.

    `record` is a lock file with this migration only; None if the lock file did not contain it. `seal` is what
    `seal_of` returned when the copy was written. The digests are those with which the migration was applied.
    """

    id: str
    migration: bytes
    rollback: bytes | None
    record: bytes | None
    seal: str
    digest: str | None
    rollback_digest: str | None


def seal_of(migration: bytes, rollback: bytes | None, record: bytes | None) -> str:
    """Return the digest of a copy, by which a change by hand is detected."""
    parts = (b"-" if part is None else b"%d:%b" % (len(part), part) for part in (migration, rollback, record))
    return "sha256:" + sha256(b"".join(parts)).hexdigest()


@dataclass(frozen=True, slots=True)
class Applied:
    """One row of the ledger; digests are None if stock yoyo applied it, `applied_at` is None if it cannot be read.

    `kept` is whether the ledger is known to have a copy of its rollback.
    """

    id: str
    applied_at: datetime | None
    digest: str | None
    rollback_digest: str | None
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A file that is not one transaction and was applied only partly.

    `statement` of `statements` is the last one that is known to have begun; `finished` is whether it took effect.
    """

    id: str
    operation: str  # apply or rollback
    statement: int
    statements: int
    finished: bool
    at: datetime

    @property
    def words(self) -> str:
        """Return how far it has come, for people."""
        what = "" if self.operation == "apply" else "rollback, "
        where = "after" if self.finished else "at"
        return f"{what}{where} statement {self.statement} of {self.statements}"


@dataclass(frozen=True, slots=True)
class Printed:
    """How the server of a database prints a text of the lock file: one row of our table of texts.

    `digest` is that of the lock file's text (`digest_of_text`), `text` is the server's, None where it is the same.
    It was recorded with `migration`, which gave the object its present form.
    """

    migration: str
    key: Key
    attribute: str
    digest: str
    text: str | None
