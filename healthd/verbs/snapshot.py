"""What is there."""

from __future__ import annotations

import click

from healthd.command import finished, one_target, out, reading_of, say, verb
from healthd.config import Settings
from healthd.judging.judge import one_line, summary
from healthd.migrations.entries import encode_objects
from healthd.printable import printable


@verb()
@click.option("--target", metavar="NAME", help="Which target, when there are several.")
def snapshot(settings: Settings, style: str, target: str | None) -> int:
    """Print every object of a database. Exit 3 when a kind could not be read."""
    reading = finished(reading_of(one_target(settings, target).dsn))
    taken = reading.snapshot
    lines = [printable(f"{key}  {one_line(summary(key, record))}") for key, record in sorted(taken.objects.items())]
    for kind, reason in taken.unreadable.items():
        say(f"{kind} cannot be read: {reason}")
    out(
        style,
        "\n".join(lines),
        {
            "server_version": taken.server_version,
            "migrator": reading.ledger.owner,
            "unreadable": dict(taken.unreadable),
            "objects": encode_objects(taken.objects),
        },
    )
    return 3 if taken.unreadable else 0
