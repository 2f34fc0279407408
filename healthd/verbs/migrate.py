"""Apply what is pending."""

from __future__ import annotations

import asyncio
from typing import Any

import click

from healthd.command import one_target, out, say, verb
from healthd.config import Settings, Target
from healthd.migrations.files import read_migrations
from healthd.migrations.proven import Changed
from healthd.migrations.proven import migrate as apply
from healthd.sources import read_lock


@verb()
@click.option("--target", metavar="NAME", help="Which target, when there are several.")
@click.option("--to", metavar="ID", help="Stop after this migration.")
@click.option("--wait", "wait_s", type=float, default=60.0, metavar="SECONDS", help="For another run's lock.")
@click.option("--allow-out-of-order", is_flag=True, help="Apply one that is older than what is applied.")
@click.option("--allow-edited", is_flag=True, help="Go on although an applied file was edited.")
@click.option("--allow-drift", is_flag=True, help="Go on although the database is not what was applied.")
@click.option("--allow-unlocked", is_flag=True, help="Apply what the lock file does not know, or knows otherwise.")
def migrate(settings: Settings, style: str, target: str | None, **options: Any) -> None:
    """Apply what is pending: each file, its mark and its digest together or not at all.

    Refuses to start on a database that has drifted. Afterwards the database is proven to be what the lock file
    says: exit 2, with what differs, when it is not.
    """
    chosen = one_target(settings, target)
    done = migrate_and_say(settings, chosen, **options)
    document = {"target": chosen.name, "applied": list(done.ids), "unproven": list(done.unproven)}
    out(style, f"{chosen.name}: {len(done.ids)} applied", document)


def migrate_and_say(settings: Settings, target: Target, **options: Any) -> Changed:
    """Apply what is pending on a target, telling each, and return what came of it; see `proven.migrate`."""
    migrations, lock = read_migrations(settings.sources), read_lock(settings)
    done = asyncio.run(apply(target, migrations, lock, say=say, name=settings.lock.name, **options))
    for reason in done.unproven:
        say(f"not proven: {reason}")
    return done
