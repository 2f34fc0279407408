"""What a shell can complete: names from yoyo.ini, the files and the runbook, read only when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from healthd.cli.options import either

if TYPE_CHECKING:
    from healthd.config.settings import Settings

Complete = Callable[[click.Context, click.Parameter, str], list[str]]


def completing(names: Callable[[click.Context], Iterable[str]]) -> Complete:
    """Return a function that completes one of these names; if they cannot be read, it completes nothing.

    Whatever is wrong, a message would appear in the middle of the line that is being typed; the verb will print it.
    """

    def complete(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
        with suppress(Exception):
            return [name for name in names(context) if name.startswith(incomplete)]
        return []

    return complete


@completing
def target_names(context: click.Context) -> Iterable[str]:
    """Complete the name of a target."""
    from healthd.text import natural

    return sorted((target.name for target in _settings(context).declared), key=natural)


@completing
def migration_ids(context: click.Context) -> Iterable[str]:
    """Complete the id of a migration, of the target that is named before it or of all."""
    from healthd.expected.quick_read import glance

    settings, name = _settings(context), context.params.get("target")
    projects = [settings.of(settings.section(name))] if name else settings.projects().values()
    return dict.fromkeys(migration for project in projects for migration, _ in glance(project.sources))


@completing
def contract_names(context: click.Context) -> Iterable[str]:
    """Complete the name of a contract."""
    return [contract.name for contract in _settings(context).contracts]


@completing
def problem_names(_context: click.Context) -> Iterable[str]:
    """Complete the name of a problem."""
    from healthd.report.problems import SECTIONS

    return SECTIONS


def _settings(context: click.Context) -> Settings:
    from healthd.config.reader import read_settings

    return read_settings(either("config", context), database=either("database", context))
