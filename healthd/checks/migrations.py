"""Migrations: what is applied is what the files say, and nothing waits or runs ahead."""

from collections.abc import Iterator

from healthd.expected.status import FAULTS
from healthd.model.findings import Evidence, Finding, Problem
from healthd.model.ledger import State
from healthd.model.names import Key
from healthd.model.severity import Severity

PROBLEMS = (
    Problem(
        "migration_pending",
        200,
        Severity.WARNING,
        "A migration waits to be applied",
        meaning="""
The files have a migration that this database does not have yet.
That is not drift: the database is compared with what its applied migrations make.
If an *applied* migration is newer than the pending one, it is out of order,
and `healthd migrate` refuses it until you say otherwise.""",
        see="""
`healthd status` lists every migration and its state.""",
        mend="""
`healthd migrate`.
For one that is out of order: rename it to come last, or `healthd migrate --allow-out-of-order`.""",
    ),
    Problem(
        "not_adopted",
        200,
        Severity.WARNING,
        "The database is not adopted yet",
        meaning="""
The database holds objects and has no ledger: nobody can say which migrations made it.
It is not compared with `sql/` before somebody says which version it is at, and nothing is repaired.
An empty database without a ledger is not adopted either, but simply pending.""",
        see="""
`healthd baseline --dry-run` says at which version it is, or what differs from the closest one.
`healthd status` says the same as this finding. A ledger that was there is in the backup:
the tables `_yoyo_migration`, `_yoyo_log`, `_yoyo_version` and `_healthd_migration`.""",
        mend="""
`healthd baseline` proves the version and writes the ledger; no file is run
(`healthd docs adopt`).
Where what it holds has nothing to do with `sql/`, `healthd migrate` applies the files from the first one on.
If there was a ledger, bring its tables back instead.""",
    ),
    Problem(
        "migration_edited",
        500,
        Severity.CRITICAL,
        "An applied migration was edited",
        meaning="""
The file is no longer what this database was given.
Another database, migrated from today's files, will be another one.""",
        see="""
`healthd status` names it; `git log -p sql/NAME.sql` shows the edit.""",
        mend="""
Bring the file back (`git checkout`), and put the change into a new migration.""",
    ),
    Problem(
        "migration_missing",
        500,
        Severity.CRITICAL,
        "The file of an applied migration is gone",
        meaning="""
The lock file and the database know a migration whose file was deleted or renamed.
It can no longer be rolled back or replayed.""",
        see="""
`healthd status` names it; `git log -- sql/NAME.sql` shows when it went.""",
        mend="""
Bring the file back (`git checkout COMMIT -- sql/NAME.sql`).""",
    ),
    Problem(
        "migration_unknown",
        500,
        Severity.CRITICAL,
        "The database is ahead of the files",
        meaning="""
The database has a migration that neither the files nor the lock file know:
a newer release was deployed from other files, or these are the wrong files for this database.
What that migration changed shows up as drift.""",
        see="""
`healthd status`, `plan` and `check` name it and exit with 2; so does `migrate`, whether anything waits or not.""",
        mend="""
Give healthd the files that the newest release was deployed from, and reload it.
`healthd migrate --allow-drift` applies what waits all the same, and says what the files do not know.""",
    ),
    Problem(
        "migration_interrupted",
        500,
        Severity.CRITICAL,
        "A migration is in only in part",
        meaning="""
The file says `-- transactional: false`, and its run ended between two statements:
one of them failed, the process was killed, or the connection was lost.
What came before is in the database and stays; what comes after is not.
An index that was being built with `CONCURRENTLY` may be there and INVALID:
every write pays for it, and no query uses it.
What this migration changes is not judged until it is whole.""",
        see="""
`healthd status` says how far it has come; `healthd resume --dry-run` looks at the database
and says which statements are in, which index is INVALID, and what it would do.""",
        mend="""
Mend what made the statement fail, then `healthd resume` (or `healthd migrate`, which does the same first).
When nobody can know whether a statement is in, it asks you to look, and to say `--from-statement N`.""",
    ),
    Problem(
        "lock_outdated",
        503,
        Severity.UNKNOWN,
        "The lock file does not know an applied migration",
        meaning="""
The migration has its file, but `sql/schema.lock` was not written since.
What the database must look like is therefore not known.""",
        see="""
`healthd lock --check`.""",
        mend="""
`healthd lock`, review and commit the result, deploy it, reload healthd.""",
    ),
)

_SAYS = {
    State.PENDING: ("migration_pending", Severity.WARNING, "{} waits to be applied"),
    State.OUT_OF_ORDER: ("migration_pending", Severity.WARNING, "{} waits, but newer ones are applied"),
    State.EDITED: ("migration_edited", Severity.CRITICAL, f"{{}} was {FAULTS[State.EDITED]}"),
    State.MISSING: ("migration_missing", Severity.CRITICAL, f"{{}} is {FAULTS[State.MISSING]}"),
    State.UNKNOWN: ("migration_unknown", Severity.CRITICAL, f"{{}} is {FAULTS[State.UNKNOWN]}"),
    State.INTERRUPTED: ("migration_interrupted", Severity.CRITICAL, "{} was interrupted"),
}


def check(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding for each migration that is not simply applied."""
    for migration in evidence.migrations:
        key = Key("migration", (migration.id,))
        if migration.state in _SAYS:
            problem, severity, words = _SAYS[migration.state]
            yield Finding(
                problem,
                key,
                ": ".join(filter(None, (words.format(migration.id), migration.note))),
                severity,
                expected="applied as it is in sql/",
                actual=" ".join(filter(None, (str(migration.state).replace("_", " "), migration.note))),
            )
        if migration.id in evidence.unlocked:
            words = f"{migration.id} is applied, but the lock file does not know it"
            yield Finding("lock_outdated", key, words, Severity.UNKNOWN, "in the lock file", "not there")
