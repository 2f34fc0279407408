"""Which migrations would run, and what they would lock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from healthd.background import Later
from healthd.cli.fleet import Result, of_results, on_targets, several
from healthd.cli.offline_plan import in_words, origin, read_taken, seen_in, target_of
from healthd.cli.options import either, finished, out, say, verb
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
from healthd.migrations.sizes_file import Taken
from healthd.migrations.standing import Standing, standing
from healthd.model.ledger import MigrationState, State
from healthd.model.observations import Size

if TYPE_CHECKING:
    from healthd.report.ci.annotations import Outcome

Seen = tuple[dict[str, Size], Foreseen, Surroundings | None]

SAID = {**FAULTS, State.INTERRUPTED: "interrupted: run healthd resume"}


@dataclass(frozen=True, slots=True)
class Prospect:
    """What is known of a target; `there` is what its server provides, `taken` the file of sizes if it was not asked."""

    stand: Standing
    found: tuple[Planned, ...]
    sizes: Mapping[str, Size]
    foreseen: Foreseen
    there: Surroundings | None
    ahead: Outlook
    taken: Taken | None = None


@verb(ci=True)
@click.option(
    "--sizes",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Ask no database: plan with the sizes and applied migrations in FILE, written by healthd sizes.",
)
@several
def plan(settings: Settings, style: str, file: Path | None, target: str | None, every: bool) -> int:
    """Show what migrate would do: statements, locks, rewrites and table sizes.

    For each pending migration and statement, plan shows the locks that it takes, the tables that it rewrites or
    reads in full, and how large they are in this database. It only reads. Use it before "healthd migrate".

    It also shows which expectations of the target's contracts a migration would break, what a migration needs and
    the server lacks (a role, a schema, an extension) with the SQL that creates it, and why migrate would refuse to
    start.

    With --sizes, it asks no database, and needs no credentials: it takes the sizes and the applied migrations from a
    file that "healthd sizes --format json" has written where the database can be reached, and says how old they are.
    It then does not know of drift, of privileges, or of what the server lacks.

    \b
    Exit codes:
      0  nothing to do
      1  migrations are pending
      2  a migration was interrupted, an applied migration was edited,
         is missing or is unknown, or migrate would refuse to start
      3  cannot tell: a pending file is not in the lock file

    \b
    Examples:
      healthd plan --target orders-eu
      healthd plan --sizes sizes.json --format markdown
    """
    if file is None:
        return on_targets(settings, style, target, _plan, every=every)
    if every or either("database"):
        raise click.UsageError(f"--sizes and {'--all' if every else '--database'} exclude each other")
    result = _offline(settings, file, target)
    out(style, result.text, result.document, outcome=of_results(settings, [result]))
    return result.code


def _plan(settings: Settings, target: Target) -> Result:
    chosen = target.migrating
    migrations, known = read_migrations(settings.sources), read_lock(settings)
    return _result(
        settings, chosen.name, migrations, known, finished(_read(chosen, migrations, known, settings.lock.name))
    )


def _offline(settings: Settings, file: Path, name: str | None) -> Result:
    """Return the plan of the target that a file of sizes is of."""
    taken = read_taken(file)
    target = target_of(settings, taken, name, file)
    own = settings if target is None else settings.of(target)
    migrations, known = read_migrations(own.sources), read_lock(own)
    stand, foreseen, ahead = seen_in(taken, target, migrations, known, own.lock.name)
    found = planned(migrations, stand.migrations, known)
    if target is None:
        say(f"no target {taken.target} is configured: what its applications expect is not known")
    say("not known without the database: drift, privileges, and what its server lacks")
    prospect = Prospect(stand, found, taken.sizes, foreseen, None, ahead, taken)
    result = _result(own, taken.target, migrations, known, prospect)
    document_ = result.document | {"sizes": origin(taken, file)}
    return replace(result, text=f"{in_words(taken, file)}\n{result.text}", document=document_)


def _result(
    settings: Settings, name: str, migrations: tuple[Migration, ...], known: LockFile, prospect: Prospect
) -> Result:
    """Return the plan of a target, and say what else is to be known."""
    stand, there, ahead, sizes = prospect.stand, prospect.there, prospect.ahead, prospect.sizes
    found = with_breaks(prospect.found, prospect.foreseen)
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
        "target": name,
        "migrations": document(found, sizes),
        "faults": faults,
        "refusals": reasons,
        "marked": list(ahead.marked),
        "lacks": [one.document() for one in lacking],
    }
    lines += [text(found, sizes) or ("nothing to apply" if faults else "nothing to do")]
    _say_ahead(ahead, reasons)
    unknown = any(one.locked is None for one in found)
    code = 3 if unknown else 2 if faults or lacking or reasons else 1 if found else 0
    outcome = partial(_outcome, settings, migrations, prospect, document_, found)
    return Result(code, "\n".join(lines), document_, outcome=outcome)


def _say_ahead(ahead: Outlook, reasons: Iterable[Mapping[str, str]]) -> None:
    for name in ahead.marked:
        say(f"{name}: migrate marks it as applied: the database already has its changes")
    for one in reasons:
        say(f"migrate would refuse: {one['error']}")
        say(f"    hint: {one['hint']}")


def _fault(one: MigrationState) -> str:
    """Return what is wrong with a migration, and whether it could be rolled back without its files."""
    return f"{SAID[one.state]}; {one.note}" if one.state in AHEAD and one.note else SAID[one.state]


def _outcome(
    settings: Settings,
    migrations: Iterable[Migration],
    prospect: Prospect,
    document_: Mapping[str, Any],
    found: Sequence[Planned],
) -> Outcome:
    """Return the plan for CI systems."""
    from healthd.report.ci.plans import Places, of_plan

    places = Places({one.id: str(one.path) for one in migrations}, str(settings.lock))
    as_of = f" (as of {prospect.taken.taken_at:%Y-%m-%d %H:%M} UTC)" if prospect.taken else ""
    states = {one.id: one.state for one in prospect.stand.migrations}
    return of_plan(document_, found, prospect.sizes, states, places, as_of=as_of)


async def _read(target: Target, migrations: tuple[Migration, ...], known: LockFile, name: str) -> Prospect:
    """Return the states of the migrations, what would run, what `_look` returns, and why it would be refused."""
    async with HeldConnection(target.dsn) as held:
        stand = await standing(held, migrations, known)
        found = planned(migrations, stand.migrations, known)
        sizes, foreseen, there = await _look(held, target, found, known)
        ahead = await outlook(target, migrations, known, stand, name=name, where=held)
        return Prospect(stand, found, sizes, foreseen, there, ahead)


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
