"""Begin a project: in an empty folder, with the files of another tool, or with a database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from healthd.beginning.first_migration import NAME, First, Source, Writer, read_source
from healthd.beginning.frameworks import find_framework
from healthd.beginning.placement import place, refuse_existing
from healthd.beginning.project import project
from healthd.beginning.recipes import RECIPES
from healthd.cli.options import either, finished, out, say, verb, warn_of_password
from healthd.cli.project_start import Begun, of_database, of_example, of_folder
from healthd.config.reader import read_settings
from healthd.config.settings import Settings, Target
from healthd.database.dsn import Dsn
from healthd.errors import HealthdError, NotAdoptable
from healthd.migrations.baseline import Fit, adopt, fit
from healthd.text import printable


@dataclass(frozen=True, slots=True)
class Options:
    """The options of the verb, but for where to begin."""

    ci: str | None
    baseline: bool
    without_history: bool
    writer: Writer | None
    postgres_bin: Path | None


@verb()
@click.option(
    "--from",
    "source",
    metavar="FOLDER|URL",
    help="Begin with the migrations of another tool in FOLDER, or with the database at URL.",
)
@click.option("--ci", type=click.Choice(list(RECIPES)), help="Also write a pipeline that checks the migrations.")
@click.option("--baseline", is_flag=True, help="Also adopt the database, once the files are proven to be the database.")
@click.option(
    "--without-history", is_flag=True, help="Begin with a database although it has the ledger of another tool."
)
@click.option(
    "--writer",
    type=click.Choice(["pg_dump", "healthd"]),
    help="Who writes the first migration of a database (default: pg_dump if there is one that can, healthd otherwise).",
)
@click.option(
    "--postgres-bin",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Replay with the PostgreSQL whose programs are in FOLDER; it is written to yoyo.ini.",
)
def init(settings: Settings, style: str, source: str | None, **options: object) -> int:
    """Begin a project in this folder.

    Writes yoyo.ini, the first migrations in sql/, and a line for .healthd/ in .gitignore. It asks nothing, it looks:
    in an empty folder, it writes an example of a migration. With a FOLDER, it converts the migrations of another tool,
    as "healthd import" does; Alembic and Django projects are asked for the SQL of their migrations. With the URL of a
    database that has tables and no ledger, it writes one migration that creates what the database has.

    The first migration of a database is replayed on a scratch server, and the result is compared with the database,
    attribute by attribute. It is written, with its lock file, only if they are the same. The database is only read;
    with --baseline, it is adopted as well. Nothing is overwritten, and nothing is written in part.

    \b
    Exit codes:
      0  written
      1  written, but something needs a human
      2  a replay of the first migration fails, or is not the same as the
         database: what differs is listed, and nothing is written
      3  nothing was written; the message names the cause

    \b
    Examples:
      healthd init
      healthd init --from db/migrations --ci github
      healthd init --from postgresql://db.example/shop --baseline
    """
    return _init(settings, style, source, Options(**options))  # type: ignore[arg-type] # click has checked them


def _init(settings: Settings, style: str, source: str | None, options: Options) -> int:
    folder = Path.cwd()
    refuse_existing(folder, settings.file, [RECIPES[options.ci].file] if options.ci else ())
    path = Path(source) if source and not ("://" in source or "=" in source) else None
    if source and path is None:
        warn_of_password(source, "--from")
        settings = read_settings(None, database=source)
    named = bool(source and path is None) or bool(either("database"))
    target = settings.targets[0] if settings.targets else None
    database = finished(read_source(target, without_history=options.without_history)) if target and not path else None
    begun = _begun(folder, path, database, target, options)
    if begun.first is not None and begun.first.differences:
        return _refused(style, begun.first, target)
    proven = _proven(database, begun.first) if options.baseline else None
    files = project(
        begun.files,
        database=_url(target) if target is not None and named else "",
        postgres_bin=options.postgres_bin and options.postgres_bin.absolute(),
        ci=options.ci,
    )
    paths = [str(one) for one in place(files, folder)]
    if proven is not None and target is not None:
        _adopt(target, proven, begun.first)
    document = {"kind": begun.kind, "files": paths, "adopted": proven is not None, "human": list(begun.human)}
    out(style, "\n".join((*begun.lines, *paths)), document | dict(begun.document))
    for words in begun.human:
        say(f"needs a human: {words}")
    _say_next(begun, target, adopted=proven is not None)
    return 1 if begun.human else 0


def _begun(folder: Path, path: Path | None, database: Source | None, target: Target | None, options: Options) -> Begun:
    """Return what the project begins with: what is named, or what is found."""
    if database is not None and not database.is_empty:
        programs = options.postgres_bin and options.postgres_bin.absolute()
        return of_database(database, folder, writer=options.writer, postgres_bin=programs)
    if options.baseline:
        raise click.UsageError("--baseline needs a database that has tables: --from URL")
    if path is None and database is None and find_framework(folder) is not None:
        path = folder
    return of_example(target) if path is None else of_folder(path)


def _url(target: Target) -> str:
    """Return the URL for yoyo.ini, without a password."""
    dsn = Dsn.of(target.dsn)
    if dsn.has_password:
        say("note: the password is not written to yoyo.ini; keep it in a passfile or in HEALTHD_DATABASE")
    return dsn.url


def _refused(style: str, first: First, target: Target | None) -> int:
    """Print what a replay has otherwise than the database."""
    name = target.name if target else ""
    document = {"kind": "database", "files": [], "writer": first.writer, "differences": list(first.differences)}
    out(style, "\n".join(map(printable, first.differences)), document)
    say(f"healthd: a replay of what {first.writer} wrote is not the same as {name}; nothing was written")
    say("    hint: resolve the differences in the database, or try another --writer or --postgres-bin")
    return 2


def _proven(database: Source | None, first: First | None) -> Fit:
    """Return that a database matches its first migration; raise NotAdoptable if it has changed in the meantime."""
    assert database is not None
    assert first is not None
    texts = bool(first.respelled)
    found = finished(fit(database.target.migrating, [first.migration], first.lock_file, to=NAME, record_texts=texts))
    if found.findings:
        raise NotAdoptable(
            f"{database.target.name} cannot be adopted: {found.findings[0].message}; nothing was written",
            hint="try again, or begin without --baseline",
        )
    return found


def _adopt(target: Target, proven: Fit, first: First | None) -> None:
    """Adopt a database; if that fails, the error says that the files are there."""
    assert first is not None
    try:
        finished(adopt(target.migrating, proven, first.lock_file, say=say))
    except HealthdError as error:
        say(f"the files are written, but {target.name} was not adopted")
        error.hint = f"{error.hint}; then: healthd baseline" if error.hint else "then: healthd baseline"
        raise


def _say_next(begun: Begun, target: Target | None, *, adopted: bool) -> None:
    if begun.first is not None and target is not None:
        said = f"{begun.first.writer} wrote {NAME}; its replay on PostgreSQL {begun.first.server} is {target.name}"
        say(f"{said}, attribute by attribute" + ("; it is adopted" if adopted else ""))
    say("next: " + ("commit the files; healthd check; healthd serve" if adopted else begun.next))
