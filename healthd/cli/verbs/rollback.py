"""Roll back migrations."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

from healthd.cli.chosen_target import one_target
from healthd.cli.completion import migration_ids, target_names
from healthd.cli.migration_runs import keeping, patient, ran, run_options
from healthd.cli.options import out, say, verb
from healthd.cli.tracing import tracing
from healthd.config.settings import Settings
from healthd.expected.files import read_migrations
from healthd.expected.store import read_lock
from healthd.migrations.safe_run import rollback as undo


@verb()
@click.option(
    "--target",
    metavar="NAME",
    shell_complete=target_names,
    help="The target to roll back; required if there are several.",
)
@click.option(
    "--to",
    metavar="ID",
    shell_complete=migration_ids,
    help="Roll back all migrations after this one (default: only the last one).",
)
@click.option("--all", "every", is_flag=True, help="Roll back all migrations.")
@click.option("--allow-inexact", is_flag=True, help="Run rollbacks that are not proven to restore the schema exactly.")
@click.option("--allow-breaking", is_flag=True, help="Run rollbacks that break an expectation of a contract.")
@click.option("--allow-data-loss", is_flag=True, help="Lose rows or values without asking for confirmation.")
@patient
def rollback(
    settings: Settings,
    style: str,
    target: str | None,
    to: str | None,
    every: bool,
    allow_inexact: bool,
    allow_breaking: bool,
    allow_data_loss: bool,
    **options: Any,
) -> None:
    """Roll back the last migration, or several.

    Without options, the last migration is rolled back; with --to, all migrations after ID; with --all, all of them.
    The newest migration is rolled back first.

    If a migration has no file here, because a newer release applied it, the copy of its rollback in the ledger is
    used. It must be as it was applied, and the database as expected.

    rollback refuses to start if a rollback file is missing, if the lock file does not prove that a rollback restores
    exactly the previous schema, or if it would break an expectation of a contract. If rows or values would be lost,
    it asks for confirmation on a terminal, and refuses elsewhere. Afterwards the database is compared with the lock
    file.

    \b
    Exit codes:
      0  rolled back, or nothing to roll back
      2  refused or failed, or the result does not match the lock file;
         the message states what was changed
      3  cannot tell, or cannot connect

    \b
    Examples:
      healthd rollback
      healthd rollback --to 0011_invoices
    """
    if every and to is not None:
        raise click.UsageError("--all and --to exclude each other")
    chosen = one_target(settings, target).migrating
    settings = settings.of(chosen)

    def agree(lost: Sequence[str]) -> bool:
        if allow_data_loss or not sys.stdin.isatty():
            return allow_data_loss
        say(f"{chosen.name}: rolling back loses " + ", ".join(lost))
        return click.confirm("Continue?", err=True)

    migrations, lock = read_migrations(settings.sources), read_lock(settings)
    notices: list[dict[str, Any]] = []
    how = run_options(settings, options, keeping(notices))
    with tracing() as traces, traces.run("rollback", chosen) as run:
        done = ran(
            undo(
                chosen,
                migrations,
                lock,
                run.traced(how),
                agree=agree,
                allow_inexact=allow_inexact,
                allow_breaking=allow_breaking,
                to=to,
                every=every,
                name=settings.lock.name,
            ),
            notices,
        )
    for reason in done.unproven:
        say(f"not proven: {reason}")
    document = {
        "target": chosen.name,
        "rolled_back": list(done.ids),
        "from_ledger": list(done.copied),
        "unproven": list(done.unproven),
        "breaks": [{"migration": one.migration, **one.document()} for one in done.breaks],
        "notices": notices,
    }
    out(style, f"{chosen.name}: {len(done.ids)} rolled back", document)
