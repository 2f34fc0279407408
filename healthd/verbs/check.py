"""One round on every target."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from healthd.command import out, say, verb, watched
from healthd.config import Settings
from healthd.endpoints import examine_endpoint
from healthd.rounds import examine

if TYPE_CHECKING:
    from healthd.model import Report
    from healthd.sources import Files


@verb()
@click.option("--target", metavar="NAME", help="Only this target.")
def check(settings: Settings, style: str, target: str | None) -> int:
    """Examine every target, and ask every endpoint, once. Exit 0 clean, 1 warning, 2 critical, 3 cannot tell."""
    settings = watched(settings)
    targets = [settings.target(target)] if target else list(settings.targets)

    async def all_rounds() -> list[Report]:
        files = asyncio.ensure_future(asyncio.to_thread(_load, settings))
        endpoints = () if target else settings.endpoints
        rounds = [*(examine(one, files) for one in targets), *map(examine_endpoint, endpoints)]
        reports = await asyncio.gather(*rounds)
        await files  # what is wrong with them is told, whatever the databases say
        return reports

    reports = asyncio.run(all_rounds())

    from healthd.report.answer import document, text

    out(style, "\n".join(map(text, reports)), [document(one) for one in reports])
    return int(max(one.severity for one in reports))


def _load(settings: Settings) -> Files:
    """Return the files, and load the kinds and the checks on the way, while the servers answer."""
    from healthd.database import reading  # noqa: F401 # what the round needs first
    from healthd.migrations.files import read_migrations
    from healthd.migrations.lockfile import disagreements
    from healthd.sources import Files, read_lock

    migrations, lock = read_migrations(settings.sources), read_lock(settings)
    for line in sorted(disagreements(lock, migrations)):
        say(f"{settings.lock.name}: {line}")
    from healthd import conclusion  # noqa: F401

    return Files(lock, [(one.id, one.digest) for one in migrations])
