"""What must hold before a database is changed: each guard raises what is wrong, and the flag that lets it pass."""

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
    """Yield, in words, what was never measured of the migrations that are about to be applied.

    A lock file that has further migrations, which are neither applied nor about to be, was measured with them.
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
            yield f"{migration.id} is not what was locked"
        elif order.index(migration.id) < furthest:
            yield f"{migration.id} comes earlier in it"
        else:
            furthest = order.index(migration.id)
    chosen = {one.id for one in pending}
    for name in order[: furthest + 1]:
        if name not in chosen and name not in applied:
            yield f"{name} comes before them in it, and would not have run"


def refuse_unmeasured(lock: LockFile, pending: Sequence[Migration], applied: Collection[str], name: str) -> None:
    """Raise when a migration was not measured as it would run: nobody could say what it does, or prove it."""
    if wrong := tuple(unmeasured(lock, pending, applied)):
        raise MigrationFailed(
            f"{name} does not say what would run: {some(wrong)}; {NOTHING}",
            hint="measure it and commit the result: healthd lock; or healthd migrate --allow-unlocked",
        )


def raised(guard: Callable[..., None], *values: object) -> tuple[HealthdError, ...]:
    """Return what a guard would raise, for who only wants to know."""
    try:
        guard(*values)
    except HealthdError as error:
        return (error,)
    return ()


def refuse_elsewhere(target: str, found: Sequence[Elsewhere]) -> None:
    """Raise when the sessions of a database put things elsewhere than the replay did."""
    if found:
        raise MigrationFailed(
            f"{target}: {'; '.join(one.words for one in found)}; {NOTHING}",
            hint="; and ".join(one.cure for one in found),
        )


def refuse_unwritable(target: str, session: Session, lacks_ledger: bool) -> None:
    """Raise when a run could not write at all, or could not make the ledger that a database lacks."""
    if session.reads_only:
        raise MigrationFailed(
            f"{target} is a standby, or read-only for this role; {NOTHING}",
            hint="name the primary; or SHOW default_transaction_read_only",
        )
    if lacks_ledger and not session.may_create:
        schema = next(session.path(), "public")
        raise PermissionDenied(
            f"permission denied for schema {schema}: the ledger's tables cannot be made; {NOTHING}",
            grant=f"GRANT CREATE ON SCHEMA {quote(schema)} TO {quote(session.user)};",
        )


def made_already(lock: LockFile, objects: Collection[Key]) -> str:
    """Return, in words, what there is of what the files make; nothing when that is nothing."""
    made = {effect.key for one in lock.migrations for effect in one.effects if KINDS[effect.key.kind].created_as}
    there = sorted(str(key) for key in made.intersection(objects))
    return some(there) if there else ""


def refuse_drift(target: str, drift: Sequence[Finding], unlocked: Sequence[str]) -> None:
    """Raise when a database is not what its applied migrations make: the files were not written for that."""
    if drift:
        cure = "healthd check tells all, healthd repair the SQL that mends it"
        if unlocked:
            cure = f"the lock file does not know {some(unlocked)}: healthd lock writes it anew"
        raise MigrationFailed(
            f"{target} has drifted: {some([one.message for one in drift])}; {NOTHING}",
            hint=f"{cure}; or healthd migrate --allow-drift",
        )


def refuse_lacks(target: str, found: Sequence[Lack]) -> None:
    """Raise when the server does not have what the migrations need."""
    if found:
        needs = [f"{one.migration} needs {one.words}" for one in found]
        cures = list(dict.fromkeys(one.cure for one in found))
        raise MigrationFailed(f"{target}: {some(needs)}; {NOTHING}", hint=some(cures, 20))


def refuse_breaks(target: str, found: Sequence[Break]) -> None:
    """Raise when beliefs of applications would be broken, each of which was told."""
    if found:
        whose = some(sorted({one.contract for one in found}))
        raise MigrationFailed(
            f"{target}: {len(found)} belief{'s' * (len(found) > 1)} of {whose} would be broken; {NOTHING}",
            hint="deploy the application that does without first, and give healthd its contract; or --allow-breaking",
        )


def inexact(lock: LockFile, undone: Iterable[Migration], applied: Iterable[Applied]) -> Iterator[str]:
    """Yield, in words, why rolling these back would not bring back exactly what was there."""
    locked = {one.id: one for one in lock.migrations}
    given = {one.id: one.digest for one in applied}
    for migration in undone:
        one = locked.get(migration.id)
        if one is None:
            yield f"the rollback of {migration.id} was never measured"
        elif one.rollback_digest != migration.rollback_digest:
            yield f"the rollback of {migration.id} is not what was measured"
        elif given.get(migration.id) not in (None, one.digest):
            yield f"{migration.id} was applied from another text than its rollback was measured with"
        elif one.rollback == "differs":
            yield f"the rollback of {migration.id} leaves {some(one.rollback_differences)} different"
        elif one.rollback != "exact":
            yield f"the rollback of {migration.id} fails where it was measured"


def refuse_inexact(lock: LockFile, undone: Sequence[Migration], applied: Iterable[Applied]) -> None:
    """Raise when a rollback is not proven to bring back what was there."""
    if wrong := tuple(inexact(lock, undone, applied)):
        raise MigrationFailed(
            f"{some(wrong)}; {NOTHING}",
            hint="mend the rollback, then prove it: healthd lock; or --allow-inexact",
        )


def refuse_stranding(lock: LockFile, undone: Sequence[Migration]) -> None:
    """Raise when one of several rollbacks is known to fail: those before it would be done, and the rest would not."""
    locked = {one.id: one for one in lock.migrations}
    fails = [
        migration.id
        for migration in undone
        if (one := locked.get(migration.id)) is not None
        and one.rollback == "fails"
        and one.rollback_digest == migration.rollback_digest
    ]
    if fails and len(undone) > 1:
        after = f"; or those after it: healthd rollback --to {fails[0]}" if fails[0] != undone[0].id else ""
        raise MigrationFailed(
            f"the rollback of {some(fails)} fails where it was measured, and the others would be gone; {NOTHING}",
            hint=f"fix the rollback, then prove it: healthd lock{after}",
        )


def may_take(lock: LockFile, undone: Sequence[Migration], applied: Iterable[str]) -> tuple[Key, ...]:
    """Return the tables and the columns, of tables that stay, whose content goes when these are rolled back.

    Those that the migrations made, when a rollback drops anything at all: one that renames keeps every row.
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
    """Raise when rows or values would be lost."""
    if losses:
        raise MigrationFailed(
            f"rolling back would lose {some(losses)}; {NOTHING}",
            hint="write a migration that keeps them; or --allow-data-loss",
        )


def left_over(locked: Iterable[Locked], undone: Collection[str]) -> frozenset[str]:
    """Return the names of what these rollbacks were measured to leave different."""
    return frozenset(name for one in locked if one.id in undone for name in one.rollback_differences)
