"""The sizes of a database's relations and its applied migrations, for a plan elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from healthd.cli.chosen_target import one_target
from healthd.cli.completion import target_names
from healthd.cli.options import finished, out, say, verb
from healthd.config.settings import Settings, Target
from healthd.database.held_connection import HeldConnection, lent
from healthd.database.ledger import read_ledger
from healthd.database.relation_sizes import read_all_sizes
from healthd.migrations.sizes_file import Taken, document
from healthd.model.costs import short, sized
from healthd.text import printable


@verb()
@click.option(
    "--target", metavar="NAME", shell_complete=target_names, help="The target to read; required if there are several."
)
def sizes(settings: Settings, style: str, target: str | None) -> int:
    """Print the sizes of all tables and indexes, and which migrations are applied.

    With --format json, the output is a file for "healthd plan --sizes": a pipeline that has no credentials for the
    database plans with it. It contains names, sizes, estimated numbers of rows, and what the ledger records of the
    migrations; no row, no text of a migration, no address. It only reads, and needs no files of migrations.

    \b
    Exit codes:
      0  printed
      3  cannot tell: the database or its ledger cannot be read

    \b
    Example:
      healthd sizes --target orders-eu --format json > sizes.json
    """
    taken = finished(_take(one_target(settings, target)))
    if taken.running:
        say("a migration run is active: what is applied is about to change")
    shown = sorted(taken.sizes.items(), key=lambda entry: (-entry[1].size_bytes, entry[0]))
    lines = [printable(f"{short(name)}  {sized(size)}") for name, size in shown]
    lines.append(f"{len(taken.sizes)} relations, {len(taken.ledger.applied)} applied migrations")
    out(style, "\n".join(lines), document(taken))
    return 0


async def _take(target: Target) -> Taken:
    """Return the sizes of a target, and what its ledger records."""
    async with HeldConnection(target.dsn) as held, lent(held) as connection:
        ledger, running = await read_ledger(connection)
        found = await read_all_sizes(connection)
        version = connection.info.server_version
    now = datetime.now(UTC).replace(microsecond=0)
    return Taken(target.name, now, version, ledger.readable(), running is not None, found)
