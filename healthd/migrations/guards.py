"""What must hold before a database is changed: each guard raises an error, which names the option that overrides it."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from healthd.catalog import KINDS
from healthd.errors import HealthdError, MigrationFailed, PermissionDenied
from healthd.expected.default_places import Elsewhere
from healthd.expected.files import Migration
from healthd.expected.lockfile import Locked, LockFile
from healthd.expected.session_settings import Session
from healthd.migrations.impact import Break
from healthd.migrations.needs import Lack
from healthd.model.findings import Finding
from healthd.model.ledger import Applied
from healthd.model.names import Key, quote
from healthd.text import some

NOTHING = "nothing was changed"
TAKES = re.compile(r"\b(drop|truncate|delete)\b", re.IGNORECASE)


def unmeasured(lock: LockFile, pending: Iterable[Migration], applied: Collection[str]) -> Iterator[str]:
    """Yield, in words, how the lock file does not match the migrations that are about to be applied.

    If the lock file has a migration before them that is neither applied nor to be applied, they were measured with it.
    """
    locked = {one.id: one for one in lock.migrations}
    order = list(locked)
    furthest = -1
    pending = tuple(pending)
    for migration in pending:
        one = locked.get(migration.id)
        if one is None:
            yield f"{migration.id} is not in it"
        elif one.digest != migration.digest:
            yield f"{migration.id} differs from it"
        elif order.index(migration.id) < furthest:
            yield f"{migration.id} comes earlier in it"
        else:
            furthest = order.index(migration.id)
    chosen = {one.id for one in pending}
    for name in order[: furthest + 1]:
        if name not in chosen and name not in applied:
            yield f"{name} comes before them in it, but would not be applied"


def refuse_unmeasured(lock: LockFile, pending: Sequence[Migration], applied: Collection[str], name: str) -> None:
    """Raise if a migration was not measured as it would run: its effect is unknown, and cannot be proven."""
    if wrong := tuple(unmeasured(lock, pending, applied)):
        raise MigrationFailed(
            f"{name} does not match the migrations to be applied: {some(wrong)}; {NOTHING}",
            hint="run healthd lock and commit the result; or healthd migrate --allow-unlocked",
        )


def raised(guard: Callable[..., None], *values: object) -> tuple[HealthdError, ...]:
    """Return the error that a guard would raise, without raising it."""
    try:
        guard(*values)
    except HealthdError as error:
        return (error,)
    return ()


def refuse_elsewhere(target: str, found: Sequence[Elsewhere]) -> None:
    """Raise if sessions of the database create objects elsewhere than the replay did."""
    if found:
        raise MigrationFailed(
            f"{target}: {'; '.join(one.words for one in found)}; {NOTHING}",
            hint="; and ".join(one.cure for one in found),
        )


def refuse_unwritable(target: str, session: Session, lacks_ledger: bool) -> None:
    """Raise if a run could not write at all, or could not create the ledger that the database lacks."""
    if session.reads_only:
        raise MigrationFailed(
            f"{target} is a standby, or read-only for this role; {NOTHING}",
            hint="connect to the primary; or check default_transaction_read_only",
        )
    if lacks_ledger and not session.may_create:
        schema = next(session.path(), "public")
        raise PermissionDenied(
            f"permission denied for schema {schema}: the ledger's tables cannot be created; {NOTHING}",
            grant=f"GRANT CREATE ON SCHEMA {quote(schema)} TO {quote(session.user)};",
        )


def made_already(lock: LockFile, objects: Collection[Key]) -> str:
    """Return the names of existing objects that the files create; empty if there are none."""
    made = {effect.key for one in lock.migrations for effect in one.effects if KINDS[effect.key.kind].created_as}
    there = sorted(str(key) for key in made.intersection(objects))
    return some(there) if there else ""


def refuse_drift(target: str, drift: Sequence[Finding], unlocked: Sequence[str]) -> None:
    """Raise if a database does not match its applied migrations: the files were not written for such a database."""
    if drift:
        cure = "healthd check shows all differences, healthd repair the SQL that repairs them"
        if unlocked:
            cure = f"the lock file does not contain {some(unlocked)} as applied: regenerate it with healthd lock"
        raise MigrationFailed(
            f"{target} has drifted: {some([one.message for one in drift])}; {NOTHING}",
            hint=f"{cure}; or healthd migrate --allow-drift",
        )


def refuse_unlike_record(target: str, copied: Sequence[str], drift: Sequence[Finding]) -> None:
    """Raise if a database differs from what the files and the ledger's records of these migrations lead to."""
    if drift:
        raise MigrationFailed(
            f"{target} has drifted: {some([one.message for one in drift])}; {NOTHING}",
            hint=f"repair it first, or roll back {some(copied)} with the files that have it; or use --allow-inexact",
        )


def refuse_lacks(target: str, found: Sequence[Lack]) -> None:
    """Raise if the server lacks something that the migrations need."""
    if found:
        needs = [f"{one.migration} needs {one.words}" for one in found]
        cures = list(dict.fromkeys(one.cure for one in found))
        raise MigrationFailed(f"{target}: {some(needs)}; {NOTHING}", hint=some(cures, 20))


def refuse_breaks(target: str, found: Sequence[Break]) -> None:
    """Raise if expectations of applications would be broken; each was reported before."""
    if found:
        whose = some(sorted({one.contract for one in found}))
        raise MigrationFailed(
            f"{target}: {len(found)} expectation{'s' * (len(found) > 1)} of {whose} would be broken; {NOTHING}",
            hint="first deploy a version of the application that works with the change, and give healthd its contract; "
            "or use --allow-breaking",
        )


def inexact(lock: LockFile, undone: Iterable[Migration], applied: Iterable[Applied]) -> Iterator[str]:
    """Yield, in words, why rolling these back would not restore exactly the previous schema."""
    locked = {one.id: one for one in lock.migrations}
    given = {one.id: one.digest for one in applied}
    for migration in undone:
        one = locked.get(migration.id)
        if one is None:
            yield f"the rollback of {migration.id} was never measured"
        elif one.rollback_digest != migration.rollback_digest:
            yield f"the rollback of {migration.id} was edited since it was measured"
        elif given.get(migration.id) not in (None, one.digest):
            yield f"{migration.id} was applied with other content than its rollback was measured with"
        elif one.rollback == "differs":
            yield f"the rollback of {migration.id} does not restore {some(one.rollback_differences)}"
        elif one.rollback != "exact":
            yield f"the rollback of {migration.id} failed when it was measured"


def refuse_inexact(lock: LockFile, undone: Sequence[Migration], applied: Iterable[Applied]) -> None:
    """Raise if a rollback is not proven to restore exactly the previous schema."""
    if wrong := tuple(inexact(lock, undone, applied)):
        raise MigrationFailed(
            f"{some(wrong)}; {NOTHING}",
            hint="fix the rollback, then prove it with: healthd lock; or use --allow-inexact",
        )


def refuse_stranding(lock: LockFile, undone: Sequence[Migration]) -> None:
    """Raise if one of several rollbacks is known to fail: the run would stop there, with the others done."""
    locked = {one.id: one for one in lock.migrations}
    fails = [
        migration.id
        for migration in undone
        if (one := locked.get(migration.id)) is not None
        and one.rollback == "fails"
        and one.rollback_digest == migration.rollback_digest
    ]
    if fails and len(undone) > 1:
        after = f"; or roll back only to it: healthd rollback --to {fails[0]}" if fails[0] != undone[0].id else ""
        raise MigrationFailed(
            f"the rollback of {some(fails)} failed when it was measured, so the run would stop halfway; {NOTHING}",
            hint=f"fix the rollback, then prove it with: healthd lock{after}",
        )


def may_take(lock: LockFile, undone: Sequence[Migration], applied: Iterable[str]) -> tuple[Key, ...]:
    """Return the tables, and the columns of remaining tables, whose content is lost when these are rolled back.

    These are the tables and columns that the migrations created, if a rollback drops anything at all: a rollback that
    renames keeps every row.
    """
    if not any(TAKES.search(one.rollback or "") for one in undone):
        return ()
    applied = frozenset(applied)
    kinds = frozenset({"table", "column"})
    before = lock.expected(applied, kinds).objects
    after = lock.expected(applied - {one.id for one in undone}, kinds).objects
    gone = [key for key in before if key not in after]
    tables = {key.path for key in gone if key.kind == "table"}
    return tuple(sorted(key for key in gone if key.kind == "table" or key.path[:2] not in tables))


def refuse_losses(losses: Sequence[str]) -> None:
    """Raise if rows or values would be lost."""
    if losses:
        raise MigrationFailed(
            f"rolling back would lose {some(losses)}; {NOTHING}",
            hint="write a migration that keeps them; or use --allow-data-loss",
        )


def left_over(locked: Iterable[Locked], undone: Collection[str]) -> frozenset[str]:
    """Return the names of the objects that these rollbacks were measured not to restore."""
    return frozenset(name for one in locked if one.id in undone for name in one.rollback_differences)
