"""How far a file that is no transaction has come: the table that keeps it, and what its rows mean."""

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
RUNNER = "runner_pid"  # the column that tables of before lack
UPGRADE = "ALTER TABLE {table} ADD COLUMN runner_pid integer, ADD COLUMN runner_since timestamptz"
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
    """One step that was begun: the digest of its text, and what was there before it, or after it once it is in."""

    statement: int
    digest: str
    noted: str | None
    started_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Standing:
    """The steps of a file that are in, those that are not, and the row of the one that may be."""

    done: tuple[Step, ...]
    left: tuple[Step, ...]
    begun: Row | None
    noted: str | None = None  # after the last step that is in


def standing(steps: Sequence[Step], rows: Sequence[Row], name: str) -> Standing:
    """Return how far a file has come; raise MigrationFailed when what is in is not what its text says now."""
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
            f"{name}: statement {lost[0]} is in, but the file has no such statement now; nothing was changed",
            hint="bring the file's text back; only what comes after the interruption may be changed",
        )
    begun = known.get(left[0].number) if left else None
    if begun is not None and begun.digest != left[0].digest:
        raise changed(left[0], name)
    return Standing(tuple(done), left, begun, known[done[-1].number].noted if done else None)


def changed(step: Step, name: str) -> MigrationFailed:
    """Return the error about a step whose text is no longer the one that was sent."""
    return MigrationFailed(
        f"{name}, line {step.line}: statement {step.number} ({excerpt(step.text)}) is not what was sent when the run "
        "was interrupted; nothing was changed",
        hint=f"bring its text back, or say where to go on: healthd resume --from-statement {step.number}",
    )


def undecided(step: Step, row: Row, name: str, words: str) -> MigrationFailed:
    """Return the error about a step that may or may not be in."""
    return MigrationFailed(
        f"{name}, line {step.line}: statement {step.number} ({excerpt(step.text)}) was begun at "
        f"{row.started_at:%Y-%m-%d %H:%M:%S %Z} and never confirmed, and {words}; nothing was changed",
        hint=f"look, then: healthd resume --from-statement {step.number + 1} when it is in, "
        f"--from-statement {step.number} when it is not",
    )
