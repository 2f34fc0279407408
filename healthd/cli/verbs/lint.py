"""Check the migration files before they run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from healthd.cli.fleet import projects_of
from healthd.cli.options import out, say, verb
from healthd.cli.screen import shown
from healthd.config.named_files import is_named, missing_folder
from healthd.config.settings import Settings
from healthd.errors import ConfigError, LockFileError
from healthd.expected.files import Migration, read_migrations, text_of
from healthd.expected.folder import strays
from healthd.expected.lockfile import LockFile
from healthd.expected.store import read_lock
from healthd.lint import squawk
from healthd.lint.judge import LINK, judge
from healthd.lint.source import Advice, Source, source
from healthd.model.migration_names import canonical
from healthd.model.severity import Severity
from healthd.report.lines import Line, plain

if TYPE_CHECKING:
    from healthd.report.ci.annotations import Outcome

SEVERITIES = {"error": Severity.CRITICAL, "warning": Severity.WARNING}


@verb(database=False, ci=True)
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--no-squawk", is_flag=True, help="Apply only healthd's own rules, not those of squawk.")
def lint(settings: Settings, style: str, paths: tuple[Path, ...], no_squawk: bool) -> int:
    """Check migration files for statements that would fail or do harm.

    Checks the files and folders PATHS, or all files in sql/. Use it while you write a migration, and in CI. It
    needs no database. `healthd docs lint` explains each rule.

    \b
    To silence a rule, write a comment above the statement:
      -- lint: ignore RULE why

    \b
    Exit codes:
      0  nothing found, or only notes
      1  warnings
      2  errors
      3  cannot tell: a file cannot be read

    \b
    Examples:
      healthd lint
      healthd lint sql/0012_orders.sql
    """
    advice: list[Advice] = []
    count = 0
    for own, given in _of_projects(projects_of(settings, None), paths):
        sources, found = _advice(own, given, no_squawk=no_squawk)
        count, advice = count + sources, [*advice, *(one for one in found if one not in advice)]
    nothing = f"{count} file{'s' * (count != 1)}: nothing found"
    lines = tuple(_lines(advice)) or (Line((nothing,), Severity.OK, marked="nothing found"),)
    document = {"advice": [asdict(one) for one in advice]}
    out(style, plain(lines), document, partial(shown, lines), partial(_outcome, settings, advice))
    links = dict.fromkeys(one.link for one in advice)
    for link in links if style == "text" else ():
        say(f"see {link.replace(LINK, 'healthd docs lint#')}")
    severities = {one.severity for one in advice}
    return 2 if "error" in severities else 1 if "warning" in severities else 0


def _outcome(settings: Settings, advice: Sequence[Advice]) -> Outcome:
    from healthd.cli.ci_output import home_of
    from healthd.report.ci.advice import of_advice
    from healthd.report.ci.annotations import Outcome

    return home_of(settings, Outcome(tuple(map(of_advice, advice))), "lint")


def _of_projects(projects: Sequence[Settings], paths: Sequence[Path]) -> list[tuple[Settings, tuple[Path, ...]]]:
    """Return with each project its part of these paths, and all of its files if there are none.

    A path that is in no project belongs to the first one.
    """
    if not paths:
        return [(own, ()) for own in projects]
    theirs: dict[int, list[Path]] = {}
    for path in paths:
        inside = (number for number, own in enumerate(projects) if _is_in(path, own.sources))
        theirs.setdefault(next(inside, 0), []).append(path)
    return [(projects[number], tuple(given)) for number, given in theirs.items()]


def _is_in(path: Path, folders: Sequence[Path]) -> bool:
    return any(path.resolve().is_relative_to(folder.resolve()) for folder in folders)


def _advice(settings: Settings, paths: Sequence[Path], *, no_squawk: bool) -> tuple[int, list[Advice]]:
    """Return how many files were judged, and the advice on them."""
    migrations, chosen = _chosen(paths or settings.sources)
    lock = _lock(settings)
    folders = dict.fromkeys(one.path.parent for one in migrations)
    lost = [source(str(path), text_of(path), is_rollback=True, applies=False) for path in strays(folders)]
    every = (*_sources(migrations, lock), *lost)
    sources = [one for one in every if chosen is None or canonical(one.path) in chosen]
    theirs = {} if no_squawk else _squawk(sources, lock)
    return len(sources), [said for one in sources for said in judge(one, theirs.get(one.path, ()))]


def _lines(advice: Sequence[Advice]) -> Iterator[Line]:
    """Yield a line for each piece of advice; for the notes of a rule only the first, with the number of the others."""
    notes = Counter(one.rule for one in advice if one.severity == "note")
    shown: set[str] = set()
    for one in advice:
        others = notes[one.rule] - 1 if one.severity == "note" else 0
        if one.severity != "note" or one.rule not in shown:
            text = _line(one) + (f" (and {others} more)" if others else "")
            yield Line((text,), SEVERITIES.get(one.severity), marked=f"{one.severity}:")
        shown.add(one.rule)


def _line(one: Advice) -> str:
    return f"{one.path}:{one.line}:{one.column}: {one.severity}: {one.message} [{one.rule}]"


def _chosen(paths: Sequence[Path]) -> tuple[tuple[Migration, ...], frozenset[str] | None]:
    """Return the migrations of the folders that contain these paths, and the files to check (None: all)."""
    for path in paths:
        if not is_named(path):
            raise ConfigError(f"no such file or folder: {path}", hint="name a folder of migrations, or files in it")
    folders = dict.fromkeys(path.parent if missing_folder(path) else path for path in paths)
    migrations = tuple(one for folder in folders for one in read_migrations([folder]))
    if not any(map(missing_folder, paths)):
        return migrations, None
    inside = {one for one in migrations if one.path.parent in paths}
    whole = {path for one in inside for path in (one.path, one.rollback_path)}
    whole |= {path for path in paths if missing_folder(path)}
    return migrations, frozenset(canonical(str(path)) for path in whole)


def _lock(settings: Settings) -> LockFile | None:
    try:
        return read_lock(settings)
    except LockFileError as error:
        say(f"rollbacks are not checked: {error}")
        return None


def _sources(migrations: Sequence[Migration], lock: LockFile | None) -> list[Source]:
    locked = {one.id: one for one in lock.migrations} if lock else {}
    found = []
    for one in migrations:
        known = locked.get(one.id)
        known = known if known and (known.digest, known.transactional) == (one.digest, one.transactional) else None
        verdict = known.rollback if known and known.rollback_digest == one.rollback_digest else None
        for path, text, is_rollback in ((one.path, one.apply, False), (one.rollback_path, one.rollback, True)):
            if text is not None:
                made = source(
                    str(path),
                    text,
                    is_rollback=is_rollback,
                    transactional=one.transactional,
                    has_rollback=one.rollback is not None,
                    verdict=verdict,
                    steps=known.steps if known and not is_rollback else None,
                    effects=known.effects if known and not is_rollback else None,
                )
                found.append(made)
    return found


def _squawk(sources: Sequence[Source], lock: LockFile | None) -> Mapping[str, list[Advice]]:
    """Return the advice of squawk about the files that apply; print a message if squawk is not installed."""
    found = squawk.program()
    if found is None:
        say("squawk is not installed, so its rules were not applied: pip install 'healthd[lint]'")
        return {}
    theirs: dict[str, list[Advice]] = {}
    for transactional in (True, False):
        paths = [Path(one.path) for one in sources if not one.is_rollback and one.transactional is transactional]
        version = lock.server_version if lock else 0
        theirs.update(squawk.ask(found, paths, transactional=transactional, server_version=version))
    return theirs
