"""Convert the migrations of another tool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import click

from healthd.cli.fleet import of_target, one_project
from healthd.cli.options import out, say, verb
from healthd.config.settings import Settings
from healthd.errors import ConfigError
from healthd.importing.tools import TOOLS
from healthd.importing.transfer import needing_a_human, read_pairs, rows, write_pairs


@verb(database=False)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--from",
    "tool",
    type=click.Choice(list(TOOLS)),
    metavar="TOOL",
    help=f"The tool (default: recognized by its files): {', '.join(TOOLS)}.",
)
@click.option("--to", type=click.Path(path_type=Path), metavar="FOLDER", help="Where to write (default: sql/).")
@click.option("--placeholder", "placeholders", multiple=True, metavar="NAME=VALUE", help="Replace ${NAME}; repeatable.")
@of_target
@click.option("--dry-run", is_flag=True, help="Show what would be written; write nothing.")
@click.option("--force", is_flag=True, help="Overwrite existing files.")
def import_(
    settings: Settings,
    style: str,
    folder: Path,
    tool: str | None,
    to: Path | None,
    placeholders: tuple[str, ...],
    target: str | None,
    dry_run: bool,
    force: bool,
) -> int:
    """Convert the migrations of another tool.

    Reads FOLDER and writes each migration as NAME.sql and NAME.rollback.sql to sql/, in the order in which the tool
    applies them. The SQL is kept byte for byte, with a few exceptions that are reported: BEGIN and COMMIT around an
    entire file are removed, and "-- transactional: false" is added to a file that cannot run in one transaction.

    \b
    Exit codes:
      0  done
      1  done, but something needs a human
      3  nothing was written

    \b
    Next steps:
      healthd lock       replay the migrations and prove their rollbacks
      healthd baseline   adopt a database that the other tool has migrated

    \b
    Example:
      healthd import db/migrations --from flyway --placeholder reader=app_reader
    """
    tool, reading, pairs = read_pairs(folder, tool, _placeholders(placeholders))
    to = to or one_project(settings, target).sources[0]
    written = () if dry_run else write_pairs(pairs, to, force=force)
    human = needing_a_human(reading, pairs)
    document = {
        "tool": tool,
        "ledger": TOOLS[tool].ledger or None,
        "migrations": [{name: value for name, value in asdict(one).items() if name not in TEXTS} for one in pairs],
        "left": dict(reading.left),
        "human": human,
        "written": [str(path) for path in written],
    }
    out(style, "\n".join(rows(pairs)), document)
    for file, reason in reading.left.items():
        say(f"omitted: {file}: {reason}")
    for words in human:
        say(f"needs a human: {words}")
    count = f"{len(pairs)} migration{'s' * (len(pairs) != 1)} of {tool}"
    say(f"{count}: nothing written (--dry-run)" if dry_run else f"{count} written to {to}; next: healthd lock")
    return 1 if human else 0


TEXTS = ("apply", "rollback")


def _placeholders(given: tuple[str, ...]) -> Mapping[str, str]:
    found = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals:
            raise ConfigError(f"not NAME=VALUE: {one}", hint="write, for example: --placeholder schema=public")
        found[name.strip()] = value
    return found
