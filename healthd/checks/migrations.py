"""Migrations: the applied migrations match the files, and none is pending or unknown."""

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
        "A migration is pending",
        meaning="""
The files contain a migration that was not applied to this database yet.
This is not drift: the database is compared with the result of its applied migrations.
If an *applied* migration is newer than the pending one, the pending migration is out of order.""",
        impact="""
An application release that needs the migration can fail.
`healthd migrate` refuses a migration that is out of order until you allow it.""",
        diagnosis="""
`healthd status` lists every migration and its state. `healthd plan` shows what would run.""",
        mitigation="""
Run `healthd migrate`.
For a migration that is out of order, rename it so that it comes last, or run
`healthd migrate --allow-out-of-order`.""",
    ),
    Problem(
        "not_adopted",
        200,
        Severity.WARNING,
        "The database is not adopted yet",
        meaning="""
The database contains objects and has no ledger, so it is not known which migrations were applied.
An empty database without a ledger is not affected: its migrations are pending.""",
        impact="""
The database is not compared with `sql/`, and no repair is offered, until it has a ledger.""",
        diagnosis="""
`healthd baseline --dry-run` shows the version of the database, or how it differs from the closest version.
`healthd status` shows the same as this finding. If the database had a ledger, a backup contains its tables
`_yoyo_migration`, `_yoyo_log`, `_yoyo_version` and `_healthd_migration`.""",
        mitigation="""
`healthd baseline` proves the version and writes the ledger; it runs no migration
(`healthd docs adopt`).
If there are no files for this database yet, `healthd init --from URL` writes them from it, in an empty folder.
If the objects have nothing to do with `sql/`, `healthd migrate` applies all files, beginning with the first.
If there was a ledger, restore its tables instead.""",
    ),
    Problem(
        "migration_edited",
        500,
        Severity.CRITICAL,
        "An applied migration was edited",
        meaning="""
The content of the file is not the content that was applied to this database.""",
        impact="""
A database that is migrated with the current files will differ from this one.""",
        diagnosis="""
`healthd status` names the migration; `git log -p sql/NAME.sql` shows the edit.""",
        mitigation="""
Restore the file (`git checkout COMMIT -- sql/NAME.sql`), and make the change in a new migration.""",
    ),
    Problem(
        "migration_missing",
        500,
        Severity.CRITICAL,
        "The file of an applied migration is missing",
        meaning="""
The lock file and the ledger contain a migration whose file was deleted or renamed.""",
        impact="""
The migration can no longer be replayed, and only be rolled back if the ledger keeps a copy.""",
        diagnosis="""
`healthd status` names the migration; `git log -- sql/NAME.sql` shows when its file was removed.""",
        mitigation="""
Restore the file (`git checkout COMMIT -- sql/NAME.sql`).
`healthd ledger export NAME` writes it from the copy in the ledger.""",
    ),
    Problem(
        "migration_unknown",
        500,
        Severity.CRITICAL,
        "The database is ahead of the files",
        meaning="""
A migration was applied to the database that neither the files nor the lock file contain:
a newer release was deployed with other files, or these are the wrong files for this database.""",
        impact="""
The changes of that migration are reported as drift, and `healthd migrate` refuses to run.""",
        diagnosis="""
`healthd status`, `plan`, `check` and `migrate` name the migration and exit with 2.""",
        mitigation="""
Deploy the files of the newest release to healthd, and reload it.
To go back to this release, `healthd rollback` also rolls back a migration whose file it does not have, if the finding
says that the ledger keeps its rollback (`healthd docs roll-back`).
`healthd migrate --allow-drift` applies the pending migrations anyway, and names the unknown ones.""",
    ),
    Problem(
        "migration_interrupted",
        500,
        Severity.CRITICAL,
        "A migration was applied only partly",
        meaning="""
The file contains `-- transactional: false`, and its run stopped between two statements:
a statement failed, the process was killed, or the connection was lost.
The statements before that point were applied and stay applied; the statements after it were not.""",
        impact="""
The application may need a change that was not applied.
An index that was being built with `CONCURRENTLY` may exist and be INVALID:
every write updates it, and no query uses it.
The objects of this migration are not compared until the migration was applied completely.""",
        diagnosis="""
`healthd status` shows how many statements were applied. `healthd resume --dry-run` inspects the database
and shows which statements took effect, which index is INVALID, and what a resume would do.""",
        mitigation="""
Fix the cause of the failure, then run `healthd resume` (or `healthd migrate`, which resumes first).
If it cannot be determined whether a statement took effect, check the database
and specify the statement to continue with: `--from-statement N`.""",
    ),
    Problem(
        "lock_outdated",
        503,
        Severity.UNKNOWN,
        "The lock file does not contain an applied migration",
        meaning="""
The migration has a file, but `sql/schema.lock` was not updated since the file was added.""",
        impact="""
The expected state of the database is not known, so it cannot be compared.""",
        diagnosis="""
`healthd lock --check` shows what the lock file lacks.""",
        mitigation="""
Run `healthd lock`, review and commit the result, deploy it, and reload healthd.""",
    ),
)

_SAYS = {
    State.PENDING: ("migration_pending", Severity.WARNING, "{} is pending"),
    State.OUT_OF_ORDER: ("migration_pending", Severity.WARNING, "{} is pending, but newer migrations were applied"),
    State.EDITED: ("migration_edited", Severity.CRITICAL, f"{{}} was {FAULTS[State.EDITED]}"),
    State.MISSING: ("migration_missing", Severity.CRITICAL, f"{{}} is {FAULTS[State.MISSING]}"),
    State.UNKNOWN: ("migration_unknown", Severity.CRITICAL, f"{{}} is {FAULTS[State.UNKNOWN]}"),
    State.INTERRUPTED: ("migration_interrupted", Severity.CRITICAL, "{} was interrupted"),
}


def check(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding for each migration whose state is not applied."""
    for migration in evidence.migrations:
        key = Key("migration", (migration.id,))
        if migration.state in _SAYS:
            problem, severity, words = _SAYS[migration.state]
            yield Finding(
                problem,
                key,
                ": ".join(filter(None, (words.format(migration.id), migration.note))),
                severity,
                expected="applied as defined in sql/",
                actual=" ".join(filter(None, (str(migration.state).replace("_", " "), migration.note))),
            )
        if migration.id in evidence.unlocked:
            words = f"{migration.id} was applied, but the lock file does not contain it"
            yield Finding("lock_outdated", key, words, Severity.UNKNOWN, "in the lock file", "missing")
