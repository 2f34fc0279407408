"""Undo migrations."""

from __future__ import annotations

import asyncio

import click

from healthd.command import one_target, out, say, verb
from healthd.config import Settings
from healthd.migrations.files import read_migrations
from healthd.migrations.runner import rollback as undo
from healthd.sources import read_lock


@verb()
@click.option("--target", metavar="NAME", help="Which target, when there are several.")
@click.option("--to", metavar="ID", help="Roll back everything after this one (default: the last one only).")
def rollback(settings: Settings, style: str, target: str | None, to: str | None) -> None:
    """Undo the last migration, or all after --to, the newest first."""
    chosen = one_target(settings, target)
    done = asyncio.run(undo(chosen.dsn, read_migrations(settings.sources), read_lock(settings), say=say, to=to))
    out(style, f"{chosen.name}: {len(done)} rolled back", {"target": chosen.name, "rolled_back": list(done)})
