"""The files of applied migrations, as the ledger keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from healthd.cli.chosen_target import one_target
from healthd.cli.completion import migration_ids, target_names
from healthd.cli.options import finished, out, say, verb
from healthd.cli.verbs import VERBS
from healthd.config.settings import Settings
from healthd.errors import ConfigError
from healthd.expected import file_export
from healthd.migrations.missing_files import copies_of
from healthd.model.ledger import Copy
from healthd.model.migration_names import canonical
from healthd.text import did_you_mean, printable, some


@click.group(invoke_without_command=True, short_help=VERBS["ledger"])
@click.pass_context
def ledger(context: click.Context) -> None:
    """Write the files of applied migrations again, from the copies that the ledger keeps.

    See "healthd ledger export --help", and `healthd docs roll-back`.
    """
    if context.invoked_subcommand is None:
        raise click.UsageError("missing command: export", context)


@verb(summary="Write the files of applied migrations again")
@click.argument("migrations", nargs=-1, metavar="[MIGRATION…]", shell_complete=migration_ids)
@click.option(
    "--target", metavar="NAME", shell_complete=target_names, help="The target to ask; required if there are several."
)
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Write into this folder (default: the first folder of migrations).",
)
def export(settings: Settings, style: str, migrations: tuple[str, ...], target: str | None, to: Path | None) -> None:
    """Write NAME.sql and NAME.rollback.sql of applied migrations.

    Without MIGRATION, the files of all migrations are written of which the ledger keeps a copy. The text is what was
    applied: its line ends are LF. A file that exists with the same text is left as it is; if one has another text,
    nothing is written. A copy that was changed in the database is refused.

    \b
    Exit codes:
      0  written, or nothing to write
      2  a copy was changed; nothing was written
      3  a file has another text, the ledger has no such copy, or cannot tell

    \b
    Examples:
      healthd ledger export 0007_orders
      healthd ledger export --to /tmp/sql
    """
    chosen = one_target(settings, target)
    folder = to or settings.of(chosen).sources[0]
    copies = _named(finished(copies_of(chosen.migrating.dsn)), migrations)
    exported = file_export.export(copies, folder)
    if not copies:
        say(f"{chosen.name}: the ledger keeps no copy of a file")
    document = {
        "target": chosen.name,
        "written": [str(path) for path in exported.written],
        "unchanged": [str(path) for path in exported.unchanged],
    }
    lines = [printable(str(path)) for path in exported.written]
    out(style, "\n".join(lines) or f"{chosen.name}: nothing to write", document)


def _named(copies: Sequence[Copy], names: Sequence[str]) -> Sequence[Copy]:
    """Return the copies of these migrations, or all; raise ConfigError if there is none of one of them."""
    wanted, known = [canonical(name) for name in names], [copy.id for copy in copies]
    for name in wanted:
        if name not in known:
            hint = f"{did_you_mean(name, known)}there are copies of: {some(known) or 'none'}"
            raise ConfigError(f"the ledger keeps no copy of {name!r}", hint=hint)
    return [copy for copy in copies if not wanted or copy.id in wanted]


ledger.add_command(export)
