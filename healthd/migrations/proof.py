"""The proof of a run: afterwards the database matches the lock file, as far as it did before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from healthd.catalog import KINDS
from healthd.catalog.schema_members import schema_of
from healthd.comparison.privileges import held_by_another
from healthd.comparison.roles import for_comparison
from healthd.config.settings import Target
from healthd.database.held_connection import HeldConnection
from healthd.errors import MigrationFailed
from healthd.expected.store import Files
from healthd.migrations.database_state import Look, look
from healthd.migrations.refusals import unlocked
from healthd.model.findings import Finding, Identity, identity
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.rounds.conclusion import conclude
from healthd.rounds.observation import Observation
from healthd.rounds.tenant_folding import is_of_tenant
from healthd.text import some

if TYPE_CHECKING:
    from healthd.expected.lockfile import LockFile


async def prove(
    target: Target,
    files: Files,
    held: HeldConnection,
    before: Look,
    what: str,
    *,
    name: str,
    left: frozenset[str] = frozenset(),
) -> tuple[str, ...]:
    """Return what could not be proven; raise MigrationFailed if the run had another result than was measured.

    Findings from before the run do not count; `left` are the objects that the run was allowed not to restore.
    """
    after = await look(target, files, held)
    applied = [one.id for one in after.reading.ledger.applied]
    if missing := unlocked(files.lock, applied, files.migrations):
        return (f"{name} does not contain {some(missing)} as applied",)
    known = _known(target, files, before, after.reading.ledger.owner)
    news = [
        one
        for one in after.found
        if one.severity in (Severity.CRITICAL, Severity.WARNING)
        and identity(one) not in known
        and not _stood(one, files.lock, before, after)
    ]
    tenants = [one for one in news if is_of_tenant(one, after.verdict)]
    news = [one for one in news if one not in tenants]
    if made := [one.message for one in news if str(one.key) not in left and not held_by_another(one)]:
        raise MigrationFailed(
            f"{what}, but {target.name} does not match {name} afterwards: {some(made)}",
            hint="healthd check shows all differences, healthd repair the SQL that repairs them",
        )
    return (*(one.message for one in (*after.unclear, *news)), *_on_tenants(tenants))


def _on_tenants(news: Sequence[Finding]) -> Iterator[str]:
    """Yield that schemas of tenants differ now: the run changed their template, and something else changes them."""
    if news:
        names = tuple(dict.fromkeys(schema_of(one.key) or "" for one in news))
        words = "schemas of tenants differ" if len(names) > 1 else "schema of a tenant differs"
        yield f"{len(names):,} {words} from the template now ({some(names)}): healthd check shows how"


def _known(target: Target, files: Files, before: Look, owner: str | None) -> set[Identity]:
    """Return what was found before the run, with the names that apply now that `owner` is the role that migrates."""
    reading = before.reading
    if owner != reading.ledger.owner:
        reading = replace(reading, ledger=replace(reading.ledger, owner=owner))
        before = Look(reading, conclude(target, files, Observation(reading)))
    return {identity(one) for one in before.found}


def _stood(finding: Finding, lock: LockFile, before: Look, after: Look) -> bool:
    """Return whether a finding is about an object that existed before the run and that the files do not touch."""
    key, owner = finding.key, after.reading.ledger.owner
    there = for_comparison(before.reading.snapshot, owner).objects
    if finding.problem == "unexpected_object" and key in there:
        return True
    if any(effect.key == key for one in lock.migrations for effect in one.effects):
        return False
    if key.kind == "owner":
        return Key(key.path[0], key.path[1:]) in there
    now = for_comparison(after.reading.snapshot, owner).objects
    return KINDS[key.kind].with_roles is not None and key in there and there[key] == now.get(key)
