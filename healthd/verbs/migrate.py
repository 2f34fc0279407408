"""Apply what is pending."""

from __future__ import annotations

import asyncio
from typing import Any

import click

from healthd.command import live, one_target, out, patience, patient, say, verb
from healthd.config import Settings, Target
from healthd.migrations.files import read_migrations
from healthd.migrations.lockfile import disagreements
from healthd.migrations.runner import migrate as apply
from healthd.sources import read_lock


@verb()
@click.option("--target", metavar="NAME", help="Which target, when there are several.")
@click.option("--to", metavar="ID", help="Stop after this migration.")
@patient
@click.option("--allow-out-of-order", is_flag=True, help="Apply one that is older than what is applied.")
@click.option("--allow-edited", is_flag=True, help="Go on although an applied file was edited.")
def migrate(settings: Settings, style: str, target: str | None, **options: Any) -> None:
    """Apply what is pending: each file, its mark and its digest together or not at all.

    A lock that is not free within --lock-timeout is given up, so that nobody waits behind it for longer, and tried
    again for --max-wait. A file that was interrupted goes on where it was.
    """
    chosen = one_target(settings, target)
    done = migrate_and_say(settings, chosen, **options)
    out(style, f"{chosen.name}: {len(done)} applied", {"target": chosen.name, "applied": list(done)})


def migrate_and_say(settings: Settings, target: Target, **options: Any) -> tuple[str, ...]:
    """Apply what is pending on a target, telling each, and return the ids; see `runner.migrate`."""
    migrations, known = read_migrations(settings.sources), read_lock(settings)
    for line in sorted(disagreements(known, migrations)):
        say(f"{settings.lock.name}: {line} (healthd lock writes it anew)")
    how = patience(settings, options)
    return asyncio.run(apply(target.dsn, migrations, known, say=say, live=live(), **how, **options))
