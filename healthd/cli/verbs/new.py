"""Create a migration."""

from __future__ import annotations

import click

from healthd.cli.fleet import of_target, one_project
from healthd.cli.options import out, verb
from healthd.config.settings import Settings
from healthd.expected.new_files import new_migration


@verb(database=False)
@click.argument("name")
@of_target
def new(settings: Settings, style: str, name: str, target: str | None) -> None:
    """Create an empty migration and its rollback.

    Writes two files to sql/, with the next number, NAME, and a header to fill in.

    \b
    Example:
      healthd new add_orders_note
    """
    paths = [str(path) for path in new_migration(one_project(settings, target).sources[0], name)]
    out(style, "\n".join(paths), {"files": paths})
