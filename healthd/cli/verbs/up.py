"""The main job: apply pending migrations, then serve; on the bundled PostgreSQL if no database is configured."""

from __future__ import annotations

import asyncio
import shlex
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

import click

from healthd.cli.chosen_target import watched
from healthd.cli.options import say, verb
from healthd.cli.tracing import tracing
from healthd.cli.verbs.migrate import migrate_and_say
from healthd.cli.verbs.serve import again, given, places, security_of, set_up_log, web_config_option, welcome
from healthd.config.settings import Settings
from healthd.daemon.service import serve as serve_forever
from healthd.database.connection import connect
from healthd.database.dsn import Dsn
from healthd.database.probes.surroundings import available_extensions
from healthd.expected.extensions import created
from healthd.expected.files import Migration, read_migrations
from healthd.expected.store import read_lock
from healthd.model.names import Key
from healthd.postgres import embedded
from healthd.postgres.programs import find_binaries
from healthd.replay.missing_extensions import refuse_unavailable
from healthd.report.web_server import listening


@verb()
@click.option("--listen", metavar="HOST:PORT", help="Address of the web server (default 127.0.0.1:9899).")
@web_config_option
def up(settings: Settings, style: str, listen: str | None, web_config: str | None) -> None:
    """Apply the pending migrations, then watch and serve.

    Use this to try healthd, and in development. If no database is configured, up starts the bundled PostgreSQL,
    which keeps its data in .healthd/data. It prints the URLs of the page, the metrics and the database, and a
    command to try. Ctrl-C stops it.

    \b
    Exit codes:
      0  stopped
      2  a migration was refused or failed
      3  could not start; the message names the cause
    """
    instead = given(listen, web_config)
    settings = replace(settings, **instead)
    set_up_log(settings)
    security = security_of(settings)
    with ExitStack() as stack:
        listener = stack.enter_context(listening(settings.host, settings.port))
        load, attempt = again(settings, instead), "healthd check"
        if settings.folder is not None or settings.groups:
            settings = watched(settings)  # it must have a target
            settings.refuse_unlisted()
        if not settings.targets:
            data = embedded.within_reach(settings.data, binaries=settings.postgres_bin)
            say(f"no database is configured: starting PostgreSQL on {data}")
            server = stack.enter_context(embedded.start(data, binaries=settings.postgres_bin))
            asyncio.run(_create_database(server, embedded.DATABASE, read_migrations(settings.sources)))
            load = again(settings, instead, database=server.url(embedded.DATABASE))
            settings = load()
            attempt = _attempt(settings)
        with tracing() as traces:
            for target in settings.targets:
                with traces.run("migrate", target) as run:
                    migrate_and_say(settings, target, run, allow_ahead=True)  # the page reports it
        lines = places(listener, settings, security) | {"database": Dsn.of(settings.targets[0].dsn).url}
        asyncio.run(
            serve_forever(settings, load, listener, started=lambda: welcome(style, lines, attempt), security=security)
        )
        say("stopping")


def _attempt(settings: Settings) -> str:
    """Return a command that causes drift in the embedded database, if sql/ defines the enum that it changes."""
    enum = read_lock(settings).expected().objects.get(Key("enum", ("public", "machinestatus")))
    if enum is None or "active" not in enum.labels:
        return "healthd check"
    bundled = shlex.quote(str(find_binaries(settings.postgres_bin) / "psql"))
    psql = "psql" if shutil.which("psql") else bundled
    drift = "ALTER TYPE machinestatus RENAME VALUE 'active' TO 'ACTIVE'"
    return f"{psql} '{Dsn.of(settings.targets[0].dsn).url}' -c \"{drift}\"  # then reload the page"


async def _create_database(server: embedded.Server, name: str, migrations: Sequence[Migration]) -> None:
    """Create the database if it is missing; raise if the server lacks an extension that the files create."""
    async with connect(server.url()) as connection:
        if wanted := tuple(created(migrations)):
            refuse_unavailable(wanted, await available_extensions(connection), server.bin)
        known = await connection.execute("SELECT FROM pg_database WHERE datname = %s", [name])
        if await known.fetchone() is None:
            await connection.execute(f'CREATE DATABASE "{name}"')
