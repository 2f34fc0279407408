"""One round on every target."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from healthd.background import Later
from healthd.cli.options import finished, out, say, verb, watched
from healthd.config.settings import Settings
from healthd.contracts import load
from healthd.errors import ConfigError
from healthd.rounds.endpoints import examine_endpoint
from healthd.rounds.examination import examine_alone
from healthd.text import natural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthd.config.settings import Endpoint, Target
    from healthd.expected.store import Files
    from healthd.model.contracts import Contract
    from healthd.model.findings import Report


@verb()
@click.option("--target", metavar="NAME", help="Only this target, or endpoint:NAME.")
@click.option("--contract", "contracts", multiple=True, metavar="FILE|NAME", help="Only this contract; repeatable.")
def check(settings: Settings, style: str, target: str | None, contracts: tuple[str, ...]) -> int:
    """Examine every target, and ask every endpoint, once. Exit 0 clean, 1 warning, 2 critical, 3 cannot tell.

    --contract holds what one application believes, a file of `healthd contract export` or a name in yoyo.ini,
    against the targets: in CI, before that application is deployed. No endpoint is asked then.
    """
    targets, endpoints = _chosen(settings, target)
    if contracts:
        if target and endpoints:
            raise click.UsageError("--contract is held against databases: no endpoint is asked for it")
        chosen = tuple(_contract(settings, one) for one in contracts)
        targets, endpoints = [replace(one, contracts=chosen) for one in targets], ()

    async def all_rounds() -> list[Report]:
        files = Later(lambda: _load(settings))
        rounds = [*(examine_alone(one, files) for one in targets), *map(examine_endpoint, endpoints)]
        return await asyncio.gather(*rounds)

    reports = sorted(finished(all_rounds()), key=lambda one: natural(one.target))

    from healthd.report.documents import document, text

    out(style, "\n".join(text(one, settings.external_url) for one in reports), [document(one) for one in reports])
    return int(max(one.severity for one in reports))


def _chosen(settings: Settings, name: str | None) -> tuple[Sequence[Target], Sequence[Endpoint]]:
    """Return the targets and the endpoints that a name means: all of them without one."""
    endpoints = {one.name: one for one in settings.endpoints}
    if name in endpoints:
        return (), (endpoints[name],)
    settings = watched(settings)
    targets = {one.name: one for one in settings.targets}
    if name is None:
        return settings.targets, settings.endpoints
    if name in targets:
        return (targets[name],), ()
    known = ", ".join(sorted([*targets, *endpoints], key=natural))
    raise ConfigError(f"no target is called {name!r}", hint=f"known targets: {known}")


def _contract(settings: Settings, word: str) -> Contract:
    """Return the contract that yoyo.ini calls so, or that stands in a file."""
    for one in settings.contracts:
        if one.name == word:
            return one
    known = ", ".join(one.name for one in settings.contracts) or "none"
    try:
        return load(Path(word).read_text(encoding="utf-8"), Path(word).stem)
    except OSError as error:
        hint = f"known contracts: {known}; write a file with: healthd contract export"
        raise ConfigError(f"no contract and no file is called {word!r}", hint=hint) from error
    except ValueError as error:  # UnicodeDecodeError is one
        raise ConfigError(f"{word}: {error}", hint="write it with: healthd contract export") from error


def _load(settings: Settings) -> Files:
    """Return the files, and load what concludes and answers on the way, while the servers are busy."""
    from healthd.expected.files import read_migrations
    from healthd.expected.lockfile import disagreements
    from healthd.expected.store import Files, read_lock

    migrations, lock = read_migrations(settings.sources), read_lock(settings)
    for line in sorted(disagreements(lock, migrations)):
        say(f"{settings.lock.name}: {line}")
    from healthd.report import documents  # noqa: F401
    from healthd.rounds import conclusion  # noqa: F401

    return Files.of(lock, migrations)
