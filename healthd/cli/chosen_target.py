"""The target of a verb, which its user names or which is the only one, and the reading of its objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthd.cli.options import finished
from healthd.errors import ConfigError
from healthd.text import natural

if TYPE_CHECKING:
    from healthd.config.settings import Settings, Target
    from healthd.database.dsn import Dsn
    from healthd.database.snapshot.transaction import Reading


def watched(settings: Settings, name: str | None = None) -> Settings:
    """Return the settings; if they have no target, with the database of the `healthd up` that runs in this folder.

    Groups get their databases: those that may have a target of this name or pattern, or all.
    """
    if settings.groups:
        from healthd.rounds.database_lists import with_lists  # few projects have groups

        return finished(with_lists(settings, name))
    if settings.targets:
        return settings
    if settings.folder is not None:
        raise ConfigError(f"no target in yoyo.ini, nor in {settings.folder.path}", hint="add a file with [target NAME]")
    from healthd.config.reader import read_settings
    from healthd.postgres import embedded  # not needed if a database is named

    url = embedded.running(settings.data, embedded.DATABASE)
    if url is None:
        raise ConfigError(
            "no database is configured",
            hint="set --database URL, HEALTHD_DATABASE or `database` in yoyo.ini; or start a database with: healthd up",
        )
    return read_settings(settings.file, database=url)


def one_target(settings: Settings, name: str | None) -> Target:
    """Return the target of this name, or the only target; raise ConfigError if there is no such target, or several."""
    settings = watched(settings, name)
    if name:
        return settings.target(name)
    settings.refuse_unlisted()
    if len(settings.targets) > 1:
        names = ", ".join(sorted((one.name for one in settings.targets), key=natural))
        raise ConfigError("several targets are configured", hint=f"choose one: --target NAME ({names})")
    return settings.targets[0]


async def reading_of(dsn: str | Dsn) -> Reading:
    """Return all objects of a database."""
    from healthd.database.connection import connect  # `new` and `explain` need no driver
    from healthd.database.snapshot.reading import always, read

    async with connect(dsn) as connection:
        return await read(connection, texts=always)
