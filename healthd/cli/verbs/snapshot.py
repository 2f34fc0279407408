"""The objects of a database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from healthd.cli.chosen_target import one_target, reading_of
from healthd.cli.completion import target_names
from healthd.cli.options import finished, out, say, verb
from healthd.comparison.judgement import one_line, summary
from healthd.config.settings import Settings
from healthd.expected.codec import encode_lock, encode_objects
from healthd.text import printable

if TYPE_CHECKING:
    from healthd.database.dsn import Dsn
    from healthd.database.snapshot.server_options import ServerOnly


@verb()
@click.option(
    "--target", metavar="NAME", shell_complete=target_names, help="The target to read; required if there are several."
)
@click.option("--all", "everything", is_flag=True, help="Also print option entries that only the server uses.")
def snapshot(settings: Settings, style: str, target: str | None, everything: bool) -> int:
    """Print all objects of a database.

    With --format json, the output is a snapshot file that "healthd diff" can compare.

    --all adds option entries that the server writes for its own use. They cannot be set with ALTER, pg_dump omits
    them, and healthd never compares them.

    \b
    Exit codes:
      0  printed
      3  cannot tell: a kind of object or an object could not be read

    \b
    Example:
      healthd snapshot --format json > monday.json
    """
    dsn = one_target(settings, target).dsn
    reading = finished(reading_of(dsn))
    entries = finished(_server_only(dsn)) if everything else ()
    taken = reading.snapshot
    lines = [printable(f"{key}  {one_line(summary(key, record))}") for key, record in sorted(taken.objects.items())]
    lines += [printable(f"{one.key}  {one.catalog} {one.entry} (only the server uses it)") for one in entries]
    for kind, reason in taken.unreadable.items():
        say(f"{kind} cannot be read: {reason}")
    for key, table_lock in sorted(taken.locked.items()):
        say(f"{key} cannot be read: {table_lock.reason}")
    listed = [{"key": str(one.key), "catalog": one.catalog, "entry": one.entry} for one in entries]
    document = {
        "server_version": taken.server_version,
        "migrator": reading.ledger.owner,
        "unreadable": dict(taken.unreadable),
        "locked": {str(key): encode_lock(one) for key, one in sorted(taken.locked.items())},
        "objects": encode_objects(taken.objects),
    }
    out(style, "\n".join(lines), document | ({"server_only": listed} if everything else {}))
    return 3 if taken.unreadable or taken.locked else 0


async def _server_only(dsn: str | Dsn) -> tuple[ServerOnly, ...]:
    from healthd.database.connection import connect  # `new` and `explain` need no driver
    from healthd.database.snapshot.server_options import read_server_only

    async with connect(dsn) as connection:
        return await read_server_only(connection)
