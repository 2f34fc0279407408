"""Undo migrations."""

from __future__ import annotations

import asyncio
from typing import Any

import click

from healthd.command import live, one_target, out, patience, patient, say, verb
from healthd.config import Settings
from healthd.migrations.files import read_migrations
from healthd.migrations.runner import rollback as undo
from healthd.sources import read_lock


@verb()
@click.option("--target", metavar="NAME", help="Which target, when there are several.")
@click.option("--to", metavar="ID", help="Roll back everything after this one (default: the last one only).")
@patient
def rollback(settings: Settings, style: str, target: str | None, to: str | None, **options: Any) -> None:
    """Undo the last migration, or all after --to, the newest first."""
    chosen = one_target(settings, target)
    migrations, known, how = read_migrations(settings.sources), read_lock(settings), patience(settings, options)
    done = asyncio.run(undo(chosen.dsn, migrations, known, say=say, live=live(), to=to, **how, **options))
    out(style, f"{chosen.name}: {len(done)} rolled back", {"target": chosen.name, "rolled_back": list(done)})
