"""Install the DDL watch, and show whether it is effective."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from healthd.cli.fleet import Result, of_target, on_targets, one_project, several
from healthd.cli.options import finished, out, say, verb
from healthd.cli.verbs import VERBS
from healthd.config.settings import Settings
from healthd.errors import ConfigError
from healthd.expected.ddl_watch import APPLY, NAME, ROLLBACK, installs
from healthd.expected.files import text_of
from healthd.expected.folder import is_migration
from healthd.expected.new_files import next_path, write_pair

if TYPE_CHECKING:
    from healthd.config.settings import Target
    from healthd.model.ddl_watch import WatchState


@click.group(invoke_without_command=True, short_help=VERBS["watch"])
@click.pass_context
def watch(context: click.Context) -> None:
    """Let a database notify healthd when its schema is changed.

    The DDL watch is optional: a migration with two event triggers. Where it is applied, the daemon examines the
    database as soon as a transaction with DDL commits, and not only at its next interval.
    See "healthd watch install --help", "healthd watch status --help", and `healthd docs ddl-watch`.
    """
    if context.invoked_subcommand is None:
        raise click.UsageError("missing command: install or status", context)


@verb(database=False, summary="Write the migration that installs the DDL watch")
@click.option("--name", default=NAME, metavar="NAME", help=f"The name of the migration (default {NAME}).")
@of_target
def install(settings: Settings, style: str, name: str, target: str | None) -> None:
    """Write the migration that installs the DDL watch, and its rollback.

    Writes two files to sql/, with the next number. They create schema healthd with one function, and two event
    triggers. To create these takes a superuser, or the role of a managed server that may do so.

    \b
    Exit codes:
      0  written
      3  not written: one is there already, or the name is invalid

    \b
    Example:
      healthd watch install
    """
    own = one_project(settings, target)
    known = (path for folder in own.sources for path in sorted(folder.glob("*.sql")) if is_migration(path))
    for path in known:
        if installs(text_of(path)):
            raise ConfigError(f"{path} installs the DDL watch already", hint="apply it with: healthd migrate")
    paths = [str(path) for path in write_pair(next_path(own.sources[0], name), APPLY, ROLLBACK)]
    out(style, "\n".join(paths), {"files": paths})
    say("next: healthd lock, then healthd migrate as a role that may create event triggers")


@verb(summary="Show whether the DDL watch is effective")
@several
def status(settings: Settings, style: str, target: str | None, every: bool) -> int:
    """Show whether the DDL watch is effective on a target: installed, sending, and received.

    \b
    Exit codes:
      0  effective
      1  not effective; rounds begin at their interval
      3  cannot tell
    """
    kept = _kept(settings)
    return on_targets(settings, style, target, lambda _, one: _status(one, kept=one.name in kept), every=every)


def _kept(settings: Settings) -> frozenset[str]:
    """Return the names of the targets whose connections a daemon keeps between rounds."""
    from healthd.database.idle_connections import Places
    from healthd.database.servers import servers_of

    places = Places()
    places.expect([(one.dsn, servers_of(one.dsn)) for one in settings.targets])
    return frozenset(one.name for one in settings.targets if places.keeps(one.dsn))


def _status(target: Target, *, kept: bool) -> Result:
    from healthd.model.ddl_watch import State

    found = finished(_state(target, kept=kept))
    text = f"{target.name}  {found.state.replace('_', ' ')}" + (f": {found.reason}" if found.reason else "")
    document = {"target": target.name, "state": found.state, "reason": found.reason}
    return Result(0 if found.state is State.EFFECTIVE else 1, text, document)


async def _state(target: Target, *, kept: bool) -> WatchState:
    from healthd.database.connection import connect
    from healthd.database.probes.ddl_watch import probe_watch

    async with connect(target.dsn, timeout_s=target.deadline_s) as connection:
        return await probe_watch(connection, kept=kept)


for command in (install, status):
    watch.add_command(command)
