"""One round on every target."""

from __future__ import annotations

import asyncio
from typing import Any

import click

from healthd.command import out, say, verb, watched
from healthd.config import Settings
from healthd.migrations.files import read_migrations
from healthd.migrations.lockfile import disagreements
from healthd.report.answer import document, text
from healthd.rounds import examine
from healthd.sources import Files, read_lock


@verb()
@click.option("--target", metavar="NAME", help="Only this target.")
def check(settings: Settings, style: str, target: str | None) -> int:
    """Examine every target once. Exit 0 clean, 1 warning, 2 critical, 3 cannot tell."""
    settings = watched(settings)
    targets = [settings.target(target)] if target else list(settings.targets)
    migrations, known = read_migrations(settings.sources), read_lock(settings)
    for line in sorted(disagreements(known, migrations)):
        say(f"{settings.lock.name}: {line}")
    files = Files(known, [(one.id, one.digest) for one in migrations])

    async def all_rounds() -> Any:
        return await asyncio.gather(*(examine(one, files) for one in targets))

    reports = asyncio.run(all_rounds())
    out(style, "\n".join(map(text, reports)), [document(one) for one in reports])
    return int(max(one.severity for one in reports))
