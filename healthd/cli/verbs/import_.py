"""Bring over the migrations of another tool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import click

from healthd.cli.options import out, say, verb
from healthd.config.settings import Settings
from healthd.errors import ConfigError
from healthd.importing.conversion import Pair
from healthd.importing.records import NEEDS_A_HUMAN
from healthd.importing.tools import TOOLS
from healthd.importing.transfer import read_pairs, write_pairs


@verb(database=False)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--from", "tool", type=click.Choice(list(TOOLS)), help="Whose they are (default: told by the files).")
@click.option("--to", type=click.Path(path_type=Path), metavar="FOLDER", help="Where ours go (default: sql/).")
@click.option("--placeholder", "placeholders", multiple=True, metavar="NAME=VALUE", help="Fill in ${NAME}.")
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
@click.option("--force", is_flag=True, help="Overwrite files of the same name.")
def import_(
    settings: Settings,
    style: str,
    folder: Path,
    tool: str | None,
    to: Path | None,
    placeholders: tuple[str, ...],
    dry_run: bool,
    force: bool,
) -> int:
    """Bring over the migrations of another tool: FOLDER becomes pairs in sql/, in the tool's own order.

    What stands in the files stays as it is, byte for byte, but for what is told: BEGIN and COMMIT around a
    whole file are taken out, and a file that cannot be one transaction says so in its first line.

    \b
    Exit codes: 0 done, 1 done and something needs a human, 3 nothing was written.
    Afterwards:  healthd lock       replays them and proves their rollbacks
                 healthd baseline   adopts a database that the other tool has migrated
    """
    tool, reading, pairs = read_pairs(folder, tool, _placeholders(placeholders))
    to = to or settings.sources[0]
    written = () if dry_run else write_pairs(pairs, to, force=force)
    human = [words for one in pairs for words in one.human]
    human += [f"{file}: {reason}" for file, reason in reading.left.items() if reason.endswith(NEEDS_A_HUMAN)]
    document = {
        "tool": tool,
        "ledger": TOOLS[tool].ledger or None,
        "migrations": [{name: value for name, value in asdict(one).items() if name not in TEXTS} for one in pairs],
        "left": dict(reading.left),
        "human": human,
        "written": [str(path) for path in written],
    }
    out(style, "\n".join(_rows(pairs)), document)
    for file, reason in reading.left.items():
        say(f"left: {file}: {reason}")
    for words in human:
        say(f"needs a human: {words}")
    count = f"{len(pairs)} migration{'s' * (len(pairs) != 1)} of {tool}"
    say(f"{count}: nothing written (--dry-run)" if dry_run else f"{count} in {to}; next: healthd lock")
    return 1 if human else 0


TEXTS = ("apply", "rollback")


def _rows(pairs: list[Pair]) -> list[str]:
    width = max(len(one.name) for one in pairs)
    return [
        f"{one.name:{width}}  {'' if one.rollback is not None else 'no '}rollback"
        + "".join(f"\n    {words}" for words in one.said)
        for one in pairs
    ]


def _placeholders(given: tuple[str, ...]) -> Mapping[str, str]:
    found = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals:
            raise ConfigError(f"not NAME=VALUE: {one}", hint="--placeholder schema=public")
        found[name.strip()] = value
    return found
