"""Which migrations would run, and what they would lock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from healthd.background import Later
from healthd.cli.fleet import Result, on_targets, several
from healthd.cli.options import finished, say, verb
from healthd.config.settings import Settings, Target
from healthd.database.held_connection import HeldConnection, lent
from healthd.database.probes.surroundings import Surroundings, look_around
from healthd.database.relation_sizes import read_sizes
from healthd.database.snapshot.reading import read
from healthd.expected.files import Migration, read_migrations
from healthd.expected.lockfile import LockFile
from healthd.expected.status import AHEAD, FAULTS
from healthd.expected.store import Files, expected_digests, read_lock
from healthd.migrations.guards import NOTHING
from healthd.migrations.impact import Foreseen, foresee
from healthd.migrations.needs import lacks, tight
from healthd.migrations.plan import Planned, document, planned, relations, text, with_breaks
from healthd.migrations.refusals import Outlook, outlook
from healthd.migrations.standing import Standing, standing
from healthd.model.ledger import MigrationState, State
from healthd.model.observations import Size

if TYPE_CHECKING:
    from healthd.report.ci.annotations import Outcome

Seen = tuple[dict[str, Size], Foreseen, Surroundings | None]

SAID = {**FAULTS, State.INTERRUPTED: "interrupted: run healthd resume"}


@verb(ci=True)
@several
def plan(settings: Settings, style: str, target: str | None, every: bool) -> int:
    """Show what migrate would do: statements, locks, rewrites and table sizes.

    For each pending migration and statement, plan shows the locks that it takes, the tables that it rewrites or
    reads in full, and how large they are in this database. It only reads. Use it before "healthd migrate".

    It also shows which expectations of the target's contracts a migration would break, what a migration needs and
    the server lacks (a role, a schema, an extension) with the SQL that creates it, and why migrate would refuse to
    start.

    \b
    Exit codes:
      0  nothing to do
      1  migrations are pending
      2  a migration was interrupted, an applied migration was edited,
         is missing or is unknown, or migrate would refuse to start
      3  cannot tell: a pending file is not in the lock file
    """
    return on_targets(settings, style, target, _plan, every=every)


def _plan(settings: Settings, target: Target) -> Result:
    chosen = target.migrating
    migrations, known = read_migrations(settings.sources), read_lock(settings)
    stand, found, (sizes, foreseen, there), ahead = finished(_read(chosen, migrations, known, settings.lock.name))
    found = with_breaks(found, foreseen)
    lacking = lacks([one.migration for one in found], known, there) if there else ()
    measured, ours = known.server_version // 10000, stand.server_version // 10000
    if found and measured != ours:
        say(f"the locks were measured on PostgreSQL {measured}; this server is PostgreSQL {ours}")
    if stand.maintenance:
        say(f"{stand.maintenance}: some of these migrations may be applied by now")
    for words in tight([one.locked for one in found if one.locked], there) if there else ():
        say(words)
    faults = {one.id: _fault(one) for one in stand.migrations if one.state in SAID}
    lines = [f"{name}  {words}" for name, words in faults.items()]
    lines += [f"{one.migration}  needs {one.words}: {one.cure}" for one in lacking]
    reasons = [{"error": str(one).removesuffix(f"; {NOTHING}"), "hint": one.hint} for one in ahead.refusals]
    document_ = {
        "target": chosen.name,
        "migrations": document(found, sizes),
        "faults": faults,
        "refusals": reasons,
        "marked": list(ahead.marked),
        "lacks": [one.document() for one in lacking],
    }
    lines += [text(found, sizes) or ("nothing to apply" if faults else "nothing to do")]
    for name in ahead.marked:
        say(f"{name}: migrate marks it as applied: the database already has its changes")
    for one in reasons:
        say(f"migrate would refuse: {one['error']}")
        say(f"    hint: {one['hint']}")
    unknown = any(one.locked is None for one in found)
    code = 3 if unknown else 2 if faults or lacking or reasons else 1 if found else 0
    outcome = partial(_outcome, settings, migrations, stand, document_, found, sizes)
    return Result(code, "\n".join(lines), document_, outcome=outcome)


def _fault(one: MigrationState) -> str:
    """Return what is wrong with a migration, and whether it could be rolled back without its files."""
    return f"{SAID[one.state]}; {one.note}" if one.state in AHEAD and one.note else SAID[one.state]


def _outcome(
    settings: Settings,
    migrations: Iterable[Migration],
    stand: Standing,
    document_: Mapping[str, Any],
    found: Sequence[Planned],
    sizes: Mapping[str, Size],
) -> Outcome:
    """Return the plan for CI systems."""
    from healthd.report.ci.plans import Places, of_plan

    places = Places({one.id: str(one.path) for one in migrations}, str(settings.lock))
    return of_plan(document_, found, sizes, {one.id: one.state for one in stand.migrations}, places)


async def _read(
    target: Target, migrations: tuple[Migration, ...], known: LockFile, name: str
) -> tuple[Standing, tuple[Planned, ...], Seen, Outlook]:
    """Return the states of the migrations, what would run, what `_look` returns, and why it would be refused."""
    async with HeldConnection(target.dsn) as held:
        stand = await standing(held, migrations, known)
        found = planned(migrations, stand.migrations, known)
        seen = await _look(held, target, found, known)
        return stand, found, seen, await outlook(target, migrations, known, stand, name=name, where=held)


async def _look(held: HeldConnection, target: Target, found: tuple[Planned, ...], known: LockFile) -> Seen:
    """Return the sizes of the relations, the broken expectations, and what the server provides."""
    names, pending = relations(found), [one.migration for one in found]
    if not pending:
        return {}, Foreseen(), None
    async with lent(held) as connection:
        there = await look_around(connection)
        sizes = await read_sizes(connection, names) if names else {}
        if not target.contracts:
            return sizes, Foreseen(), there
        digests = expected_digests(Later.made(Files.of(known, pending)), connection.info.server_version)
        reading = await read(connection, digests=digests)
    return sizes, foresee(target.contracts, known, reading.ledger, reading.snapshot, pending), there
