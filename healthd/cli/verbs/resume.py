"""Complete an interrupted migration."""

from __future__ import annotations

from typing import Any

import click

from healthd.cli.chosen_target import one_target
from healthd.cli.completion import target_names
from healthd.cli.migration_runs import keeping, patient, ran, run_options
from healthd.cli.options import out, say, verb
from healthd.cli.tracing import tracing
from healthd.config.settings import Settings
from healthd.expected.files import read_migrations
from healthd.expected.store import read_lock
from healthd.migrations.safe_run import resume as go_on


@verb()
@click.option(
    "--target",
    metavar="NAME",
    shell_complete=target_names,
    help="The target to migrate; required if there are several.",
)
@click.option("--dry-run", is_flag=True, help="Show what was applied and what would be done; change nothing.")
@click.option(
    "--from-statement",
    type=click.IntRange(min=1),
    metavar="N",
    help="State that the statements before statement N were applied, and no others.",
)
@patient
def resume(settings: Settings, style: str, target: str | None, dry_run: bool, **options: Any) -> None:
    """Complete an interrupted migration.

    A file with "-- transactional: false" stays partly applied if a statement fails or the process is killed.
    "healthd status" shows such a file as interrupted. resume determines from the database which statements were
    applied, and runs only the others. An INVALID index is dropped and built again. If it cannot be determined
    whether a statement was applied, resume stops: check the database, then use --from-statement.

    Afterwards the database is compared with the lock file.

    \b
    Exit codes:
      0  completed, or nothing was interrupted
      2  failed, or the result does not match the lock file;
         the message states what was changed
      3  cannot tell, or cannot connect

    \b
    Examples:
      healthd resume --dry-run
      healthd resume
      healthd resume --from-statement 4
    """
    chosen = one_target(settings, target).migrating
    settings = settings.of(chosen)
    migrations, known = read_migrations(settings.sources), read_lock(settings)
    lines: list[str] = []
    notices: list[dict[str, Any]] = []
    how = run_options(settings, options, lines.append if dry_run else keeping(notices))
    with tracing(when=not dry_run) as traces, traces.run("resume", chosen) as run:
        done = ran(
            go_on(
                chosen,
                migrations,
                known,
                run.traced(how),
                name=settings.lock.name,
                dry_run=dry_run,
                **options,
            ),
            notices,
        )
    for reason in done.unproven:
        say(f"not proven: {reason}")
    text = "\n".join(lines) or f"{chosen.name}: {', '.join(done.ids) or 'nothing'} resumed"
    document = {
        "target": chosen.name,
        "resumed": list(done.ids),
        "would": lines,
        "unproven": list(done.unproven),
        "notices": notices,
    }
    out(style, text, document)
