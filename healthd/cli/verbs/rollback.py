"""Undo migrations."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

from healthd.cli.options import finished, keeping, live, one_target, out, patience, patient, say, verb
from healthd.config.settings import Settings
from healthd.expected.files import read_migrations
from healthd.expected.store import read_lock
from healthd.migrations.safe_run import rollback as undo


@verb()
@click.option("--target", metavar="NAME", help="Which target, when there are several.")
@click.option("--to", metavar="ID", help="Roll back everything after this one (default: the last one only).")
@click.option("--all", "every", is_flag=True, help="Roll back everything.")
@click.option("--allow-inexact", is_flag=True, help="Although it is not proven to bring back what was there.")
@click.option("--allow-breaking", is_flag=True, help="Although it breaks the beliefs of a contract.")
@click.option("--allow-data-loss", is_flag=True, help="Although rows or values go with it; a terminal is asked.")
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
    """Undo the last migration, all after --to, or every one with --all, the newest first.

    Refuses several when the rollback of one is missing, or failed where it was measured. Refuses what the lock file
    does not prove to bring back exactly what was there, what would break what a contract of the target believes, and
    what would lose rows.
    Afterwards the database is proven to be what the lock file says of the migrations that are left.
    """
    if every and to is not None:
        raise click.UsageError("--all and --to: say one of them")
    chosen = one_target(settings, target)

    def agree(lost: Sequence[str]) -> bool:
        if allow_data_loss or not sys.stdin.isatty():
            return allow_data_loss
        say(f"{chosen.name}: rolling back loses " + ", ".join(lost))
        return click.confirm("Go on?", err=True)

    migrations, lock = read_migrations(settings.sources), read_lock(settings)
    notices: list[dict[str, Any]] = []
    done = finished(
        undo(
            chosen,
            migrations,
            lock,
            say=keeping(notices),
            agree=agree,
            allow_inexact=allow_inexact,
            allow_breaking=allow_breaking,
            to=to,
            every=every,
            name=settings.lock.name,
            live=live(),
            **patience(settings, options),
            **options,
        )
    )
    for reason in done.unproven:
        say(f"not proven: {reason}")
    document = {
        "target": chosen.name,
        "rolled_back": list(done.ids),
        "unproven": list(done.unproven),
        "breaks": [{"migration": one.migration, **one.document()} for one in done.breaks],
        "notices": notices,
    }
    out(style, f"{chosen.name}: {len(done.ids)} rolled back", document)
