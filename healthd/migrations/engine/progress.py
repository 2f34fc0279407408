"""The progress of a non-transactional file: the table that records it, and the meaning of its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from healthd.errors import MigrationFailed
from healthd.sqltext.steps import Step, excerpt

CREATE = """CREATE TABLE {table} (
                migration_hash varchar(64) NOT NULL,
                operation text NOT NULL,
                statement integer NOT NULL,
                statements integer NOT NULL,
                migration_id varchar(255) NOT NULL,
                digest text NOT NULL,
                noted text,
                started_at timestamptz NOT NULL DEFAULT now(),
                finished_at timestamptz,
                runner_pid integer,
                runner_since timestamptz,
                PRIMARY KEY (migration_hash, operation, statement))"""
RUNNER = "runner_pid"  # the column that older tables lack
UPGRADE = "ALTER TABLE {table} ADD COLUMN runner_pid integer, ADD COLUMN runner_since timestamptz"
# A runner that fails runs the file no longer, though the server counts its session for a moment after it was closed.
GIVEN_UP = "UPDATE {table} SET runner_pid = NULL, runner_since = NULL WHERE runner_pid = pg_catalog.pg_backend_pid()"
_RUNNER = """pg_catalog.pg_backend_pid(), (SELECT a.backend_start
                                             FROM pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()) AS a)"""
READ = """SELECT p.statement, p.digest, p.noted, p.started_at, p.finished_at
            FROM {table} AS p
           WHERE p.migration_hash = %(hash)s AND p.operation = %(operation)s
           ORDER BY p.statement"""
_COLUMNS = "migration_hash, operation, statement, statements, migration_id, digest, runner_pid, runner_since"
_VALUES = f"%(hash)s, %(operation)s, %(statement)s, %(statements)s, %(id)s, %(digest)s, {_RUNNER}"
_UPDATED = "digest, statements, runner_pid, runner_since, finished_at"
_EXCLUDED = ", ".join(f"excluded.{name}" for name in _UPDATED.split(", "))
BEGUN = f"""INSERT INTO {{table}} ({_COLUMNS}, noted)
            VALUES ({_VALUES}, %(noted)s)
            ON CONFLICT (migration_hash, operation, statement) DO UPDATE
                SET ({_UPDATED}, noted, started_at) = ROW ({_EXCLUDED}, excluded.noted, now())"""  # noqa: S608 # our own
FINISHED = f"""INSERT INTO {{table}} ({_COLUMNS}, noted, finished_at)
               VALUES ({_VALUES}, %(noted)s, clock_timestamp())
               ON CONFLICT (migration_hash, operation, statement) DO UPDATE
                   SET ({_UPDATED}, noted) = ROW ({_EXCLUDED}, excluded.noted)"""  # noqa: S608 # our own
FORGOTTEN = """DELETE FROM {table}
                WHERE migration_hash = %(hash)s AND operation = %(operation)s AND statement >= %(statement)s"""
OTHERS = """SELECT DISTINCT p.migration_id, p.operation
              FROM {table} AS p
             WHERE (p.migration_hash, p.operation) <> (%(hash)s, %(operation)s)"""


@dataclass(frozen=True, slots=True)
class Row:
    """One step that was started: the digest of its text, and the state noted before it, or after it once applied."""

    statement: int
    digest: str
    noted: str | None
    started_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Standing:
    """The steps of a file that were applied, the others, and the row of the step that may have been applied."""

    done: tuple[Step, ...]
    left: tuple[Step, ...]
    begun: Row | None
    noted: str | None = None  # after the last applied step


def standing(steps: Sequence[Step], rows: Sequence[Row], name: str) -> Standing:
    """Return the progress of a file; raise MigrationFailed if the applied steps differ from its current text."""
    known: Mapping[int, Row] = {row.statement: row for row in rows}
    done: list[Step] = []
    for step in steps:
        row = known.get(step.number)
        if row is None or row.finished_at is None:
            break
        if row.digest != step.digest:
            raise changed(step, name)
        done.append(step)
    left = tuple(steps[len(done) :])
    if lost := [row.statement for row in rows if row.finished_at and row.statement not in {one.number for one in done}]:
        raise MigrationFailed(
            f"{name}: statement {lost[0]} was applied, but the file no longer contains it; nothing was changed",
            hint="restore the file's text; only the statements after the interruption may be changed",
        )
    begun = known.get(left[0].number) if left else None
    if begun is not None and begun.digest != left[0].digest:
        raise changed(left[0], name)
    return Standing(tuple(done), left, begun, known[done[-1].number].noted if done else None)


def changed(step: Step, name: str) -> MigrationFailed:
    """Return the error about a step whose text differs from what was sent."""
    return MigrationFailed(
        f"{name}, line {step.line}: statement {step.number} ({excerpt(step.text)}) differs from what was sent before "
        "the run was interrupted; nothing was changed",
        hint=f"restore its text, or specify where to continue: healthd resume --from-statement {step.number}",
    )


def undecided(step: Step, row: Row, name: str, words: str) -> MigrationFailed:
    """Return the error about a step that may or may not have been applied."""
    return MigrationFailed(
        f"{name}, line {step.line}: statement {step.number} ({excerpt(step.text)}) was started at "
        f"{row.started_at:%Y-%m-%d %H:%M:%S %Z} and never confirmed, and {words}; nothing was changed",
        hint=f"check the database, then: healthd resume --from-statement {step.number + 1} if it was applied, "
        f"--from-statement {step.number} if it was not",
    )
