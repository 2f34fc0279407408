"""Accept a manual change: write the migration pair that makes the files agree with a database."""

from __future__ import annotations

import sys

import click

from healthd.cli.chosen_target import one_target
from healthd.cli.completion import target_names
from healthd.cli.options import finished, out, say, verb
from healthd.config.settings import Settings
from healthd.errors import NotAdoptable
from healthd.expected.files import read_migrations
from healthd.expected.new_files import next_path, write_pair
from healthd.expected.store import read_files
from healthd.replay.adoption import Adopted, adopt_change
from healthd.text import sql_lines


@verb()
@click.argument("name", nargs=-1, required=True, metavar="[TARGET] NAME", shell_complete=target_names)
@click.option(
    "--only", multiple=True, metavar="KEY", help="Adopt only this object, or a pattern with * and ?; repeatable."
)
@click.option("--dry-run", is_flag=True, help="Print the two files; write nothing.")
def adopt(settings: Settings, style: str, name: tuple[str, ...], only: tuple[str, ...], dry_run: bool) -> int:
    """Turn a manual change of a database into a migration.

    Compares the database with sql/, and writes a migration and its rollback with the next number and NAME: where the
    migration is applied, a database gets the same change. Before they are written, both are run on a scratch server,
    on top of all files: the result must be what the database has, and the rollback must restore what the files create.

    Review the files, run "healthd lock", and commit them. "healthd migrate" then marks the migration as applied where
    the change already is, and runs it everywhere else. The database is only read.

    \b
    Exit codes:
      0  the files are written, or printed
      2  nothing to adopt, or no migration can do it:
         the message names the reason, and nothing is written
      3  cannot tell, or no scratch server can be started

    \b
    Examples:
      healthd adopt night_shift_index
      healthd adopt orders-eu grafana_access --only "grant:table.public.*"
    """
    if len(name) > 2:
        raise click.UsageError(f"one target and one name, not {len(name)}: {' '.join(name)}")
    target = one_target(settings, name[0] if len(name) == 2 else None)
    settings = settings.of(target)
    path = next_path(settings.sources[-1], name[-1])  # the last folder: its files come last
    migrations = read_migrations(settings.sources)
    found = finished(
        adopt_change(
            target,
            migrations,
            read_files(settings),
            path,
            only=only,
            postgres_bin=settings.postgres_bin,
            say=say,
        )
    )
    if found.played.problem:
        raise NotAdoptable(
            f"cannot be adopted: on a scratch server {found.played.problem}; nothing was written",
            hint="repair it (healthd repair), limit it with --only KEY, or write the migration yourself (healthd new)",
        )
    paths = [] if dry_run else [str(one) for one in write_pair(path, found.pair.apply, str(found.pair.rollback))]
    document = {
        "target": target.name,
        "migration": found.pair.id,
        "files": paths,
        "adopted": list(found.differences),
        "left": list(found.left),
        "rehearsed_on": found.played.server,
        "note": found.played.note,
        "apply": found.pair.apply,
        "rollback": found.pair.rollback,
    }
    out(style, _text(found, paths), document)
    for words in found.left:
        say(f"left: {words}")
    if found.played.note:
        say(f"note: {found.played.note}")
    say(f"rehearsed on PostgreSQL {found.played.server}: apply, roll back, apply again")
    if paths:
        say(f"next: review the files, then healthd lock; healthd migrate marks {found.pair.id} where the change is")
    return 0


def _text(found: Adopted, paths: list[str]) -> str:
    """Return the paths of the files, or, if they were not written, their text."""
    if paths:
        return "\n".join(paths)
    pair, shown = found.pair, sql_lines if sys.stdout.isatty() else str.splitlines
    files = ((pair.path.name, pair.apply), (pair.rollback_path.name, str(pair.rollback)))
    return "\n".join("\n".join((f"-- {name}", *shown(text), "")) for name, text in files).rstrip("\n")
