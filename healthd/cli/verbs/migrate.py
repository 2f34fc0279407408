"""Apply pending migrations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from healthd.cli.chosen_target import watched
from healthd.cli.completion import migration_ids, target_names
from healthd.cli.fleet import chosen, refuse_unlisted
from healthd.cli.migration_runs import keeping, patient, raised, ran, run_options
from healthd.cli.options import finished, out, say, verb
from healthd.cli.screen import shown
from healthd.cli.tracing import Run, tracing
from healthd.config.settings import Settings, Target
from healthd.errors import HealthdError
from healthd.expected.quick_read import glance
from healthd.migrations.up_to_date import up_to_date
from healthd.model.severity import Severity
from healthd.report.lines import Line, plain

if TYPE_CHECKING:
    from healthd.expected.files import Migration
    from healthd.expected.lockfile import LockFile
    from healthd.migrations.fleet import Outcome
    from healthd.migrations.safe_run import Changed


@verb()
@click.option(
    "--target",
    metavar="NAME",
    shell_complete=target_names,
    help="The target or group to migrate, or a pattern with * and ?; required if there are several.",
)
@click.option("--to", metavar="ID", shell_complete=migration_ids, help="Stop after this migration.")
@patient
@click.option("--allow-out-of-order", is_flag=True, help="Apply a migration that is older than an applied one.")
@click.option("--allow-edited", is_flag=True, help="Proceed although an applied file was edited or renamed.")
@click.option("--allow-drift", is_flag=True, help="Proceed although the database has drifted or is ahead of the files.")
@click.option("--allow-unlocked", is_flag=True, help="Apply files that are not in the lock file, or differ from it.")
@click.option("--allow-breaking", is_flag=True, help="Apply migrations that break an expectation of a contract.")
@click.option("--all", "every", is_flag=True, help="Migrate all targets in yoyo.ini; stop after a failure.")
@click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="With --all: targets at a time (default 4).")
@click.option(
    "--canary",
    metavar="NAME",
    shell_complete=target_names,
    help="With --all: migrate this target first, alone (default: the first one).",
)
@click.option("--keep-going", is_flag=True, help="With --all: continue after a failure, unless the canary failed.")
def migrate(
    settings: Settings,
    style: str,
    target: str | None,
    every: bool,
    jobs: int | None,
    canary: str | None,
    keep_going: bool,
    **options: Any,
) -> int:
    """Apply the pending migrations.

    Each file is applied and recorded in one transaction, or not at all. A file with "-- transactional: false" runs
    statement by statement; if it was interrupted, it continues where it stopped. Run "healthd plan" first to see
    what would run and which locks it would take.

    migrate refuses to start if the database has drifted, if a file is not what the lock file contains, or if a
    migration would break an expectation of a contract. The message names the reason and the option that overrides
    it. Afterwards the database is compared with the lock file.

    A migration queues for a lock for --lock-timeout, so that other sessions do not wait behind it for longer, and
    tries again for --max-wait.

    \b
    Exit codes (with --all, the worst of all targets):
      0  everything that was pending is applied, or nothing was pending
      2  refused or failed, or the result does not match the lock file;
         the message states what was changed
      3  cannot tell, or cannot connect

    \b
    Examples:
      healthd migrate
      healthd migrate --to 0012_orders
      healthd migrate --all --jobs 8 --canary orders-eu
    """
    settings = watched(settings, target)
    targets = chosen(settings, target, every=every)
    if every or len(targets) > 1:
        return _migrate_all(settings, targets, style, options, jobs=jobs or 4, canary=canary, keep_going=keep_going)
    if jobs or canary or keep_going:
        raise click.UsageError("--jobs, --canary and --keep-going require --all")
    (one,) = targets
    refuse_unlisted(settings, one)
    notices: list[dict[str, Any]] = []
    with tracing() as traces, traces.run("migrate", one) as run:
        done = migrate_and_say(settings, one, run, notices=notices, **options)
    document = {
        "target": one.name,
        "applied": list(done.ids) if done else [],
        "marked": list(done.marked) if done else [],
        "unproven": list(done.unproven) if done else [],
        "breaks": [{"migration": one.migration, **one.document()} for one in done.breaks] if done else [],
        "notices": notices,
    }
    marked = f", {len(document['marked'])} marked as applied" if document["marked"] else ""
    out(style, f"{one.name}: {len(document['applied'])} applied{marked}", document)
    return 0


def migrate_and_say(
    settings: Settings, target: Target, run: Run, *, notices: list[dict[str, Any]] | None = None, **options: Any
) -> Changed | None:
    """Apply the pending migrations of a target and print each; see `safe_run.migrate`. None if nothing is pending.

    What the `run` does is traced if that run is. Messages that the migrations raise are added to `notices`.
    """
    settings, target = settings.of(target), target.migrating
    found = glance(settings.sources)
    try:
        if options.get("to") is None and finished(up_to_date(target.dsn, found)):
            return None
    except HealthdError:
        _files(settings)  # errors in the files are reported first: they are the same for every database
        raise
    from healthd.migrations.safe_run import migrate as apply

    migrations, lock = _files(settings)
    notices = [] if notices is None else notices
    done = ran(
        apply(
            target,
            migrations,
            lock,
            run.traced(run_options(settings, options, keeping(notices))),
            name=settings.lock.name,
            **options,
        ),
        notices,
    )
    for reason in done.unproven:
        say(f"not proven: {reason}")
    return done


def _files(settings: Settings) -> tuple[tuple[Migration, ...], LockFile]:
    from healthd.expected.files import read_migrations
    from healthd.expected.store import read_lock  # imports all kinds: not needed if nothing is pending

    return read_migrations(settings.sources), read_lock(settings)


def _migrate_all(
    settings: Settings,
    targets: Sequence[Target],
    style: str,
    options: dict[str, Any],
    *,
    jobs: int,
    canary: str | None,
    keep_going: bool,
) -> int:
    """Apply the pending migrations of these targets, and print a table of the outcomes."""
    from healthd.migrations.fleet import fleet
    from healthd.migrations.safe_run import migrate as apply

    files = {path: _files(own) for path, own in replace(settings, targets=tuple(targets), groups=()).projects().items()}
    first = next((one for one in targets if one.name == canary), None) if canary else None
    if canary and first is None:
        settings.target(canary)  # an unknown name is an error of its own
        raise click.UsageError(f"the canary {canary} is not one of the targets")
    how = replace(run_options(settings, options, say), live=None)  # several runs would rewrite one line
    notices: dict[str, list[dict[str, Any]]] = {one.name: [] for one in targets}

    async def run(target: Target) -> Changed:
        def tell(text: str) -> None:
            notices[target.name].extend(raised(text))
            say(f"{target.name}: {text}")

        refuse_unlisted(settings, target)
        path = settings.of(target).lock
        with traces.run("migrate", target) as this:
            traced = this.traced(replace(how, say=tell))
            return await apply(target.migrating, *files[path], traced, name=path.name, **options)

    with tracing() as traces:
        outcomes = finished(fleet(targets, run, jobs=jobs, canary=first, keep_going=keep_going))
    rows = [asdict(one) | {"notices": notices[one.target]} for one in outcomes]
    lines = _table(outcomes)
    counts = Counter(one.outcome for one in outcomes)
    out(style, plain(lines), {"targets": rows, "outcomes": counts}, partial(shown, lines))
    for one in outcomes:
        for reason in one.unproven:
            say(f"{one.target}: not proven: {reason}")
        if one.hint:
            say(f"{one.target}: hint: {one.hint}")
    return max(one.exit_code for one in outcomes)


def _table(outcomes: Sequence[Outcome]) -> list[Line]:
    """Return a line for each target, in columns, and a line with the counts."""
    width = max(len("target"), *(len(one.target) for one in outcomes))
    lines = [Line((f"{'target':{width}}  outcome        applied  seconds  error",))]
    for one in outcomes:
        count = "?" if one.applied is None else len(one.applied)
        error = " ".join(one.error.split())
        text = f"{one.target:{width}}  {one.outcome:13}  {count:>7}  {one.duration_s:7.1f}  {error}".rstrip()
        lines.append(Line((text,), SEVERITIES.get(one.outcome, Severity.CRITICAL), marked=f"  {one.outcome}"))
    counts = Counter(one.outcome for one in outcomes)
    lines.append(Line((", ".join(f"{count} {outcome}" for outcome, count in counts.items()),)))
    return lines


SEVERITIES = {"applied": Severity.OK, "nothing to do": Severity.OK, "not started": Severity.WARNING}
