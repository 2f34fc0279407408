"""Write or verify sql/schema.lock."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace as changed
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from healthd.cli.fleet import Result, of_target, on_projects
from healthd.cli.options import CI_STYLES, finished, progress, say, verb
from healthd.config.settings import Settings
from healthd.errors import ConfigError, LockFileChanged, LockFileError
from healthd.expected.files import Migration, read_migrations
from healthd.expected.lockfile import Locked, LockFile, disagreements
from healthd.expected.lockfile_lines import verified
from healthd.expected.lockfile_text import dump, linked
from healthd.expected.measurements import in_words
from healthd.expected.store import read_lock
from healthd.postgres.programs import find_binaries, major
from healthd.replay.other_major import replay_on
from healthd.replay.replay import replay
from healthd.text import some

if TYPE_CHECKING:
    from healthd.report.ci.annotations import Outcome


@verb(database=False, ci=True)
@click.option("--check", is_flag=True, help="Write nothing; exit 2 if the lock file does not match the files.")
@click.option("--full", is_flag=True, help="Measure all files again, including those that have not changed.")
@click.option(
    "--also-on",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FOLDER",
    help="Also replay on the PostgreSQL of another major version whose programs are in FOLDER, and record the texts "
    "that it prints differently; repeatable.",
)
@click.option("--forget", type=int, multiple=True, metavar="MAJOR", help="Remove the texts of this major version.")
@of_target
def lock(
    settings: Settings,
    style: str,
    check: bool,
    full: bool,
    also_on: Sequence[Path],
    forget: Sequence[int],
    target: str | None,
) -> int:
    """Replay sql/ on a scratch server and write sql/schema.lock.

    Run this after you write or change a migration, and commit the lock file with it. The lock file records the
    effects of each migration, the locks that it takes, the tables that it rewrites, and whether its rollback
    restores exactly the previous schema. The scratch server is temporary; no other database is used.

    Every time all files are applied to an empty server, and the result is compared. Only files that were added or
    changed since the last time, and those after them, are measured; --full measures all.

    With --check, the files are replayed in the same way, but nothing is written. Use this in CI. The formats of CI
    systems (`healthd docs ci`) need --check.

    \b
    Exit codes:
      0  written, or with --check: the lock file matches the files
      2  a migration failed, or with --check: the lock file does not match
      3  cannot tell: a file cannot be read, or the scratch server cannot start

    \b
    Examples:
      healthd lock && git diff sql/schema.lock
      healthd lock --check
      healthd lock --check --full
      healthd lock --also-on /usr/lib/postgresql/15/bin
    """
    if style in CI_STYLES and not check:
        raise click.UsageError(f"--format {style} needs --check")
    run = _check if check else partial(_write, forget=forget)
    return on_projects(settings, style, target, partial(run, also_on=also_on, full=full))


def _write(settings: Settings, *, also_on: Sequence[Path], full: bool, forget: Sequence[int]) -> Result:
    """Replay the files and write their lock file."""
    migrations = read_migrations(settings.sources)
    folders = _by_major(settings, (*settings.also_on, *(folder.absolute() for folder in also_on)))
    _refuse_to_lose(settings, folders.keys() | set(forget) | {major(find_binaries(settings.postgres_bin))})
    known = None if full else _known(settings, folders)
    with progress() as each:
        made = finished(replay(migrations, known=known, postgres_bin=settings.postgres_bin, say=say, each=each))
        also = {
            number: finished(replay_on(migrations, made, folder, known=known, each=each))
            for number, folder in folders.items()
        }
    made = linked(changed(made, also=also))
    settings.lock.write_text(dump(made), encoding="utf-8")
    verdicts = {one.id: one.rollback for one in made.migrations}
    text = "\n".join(map(_said, made.migrations))
    too = f", also for PostgreSQL {_listed(folders)}" if folders else ""
    measured = {one.id: {"locks": one.locks, "rewrites": list(one.rewrites)} for one in made.migrations}
    for one in made.needed:
        say(f"{one.kind} {one.name}, which {one.migration} names and no file creates, was created for the replay")
    document = {
        "file": str(settings.lock),
        "rollbacks": verdicts,
        "measured": measured,
        "also": sorted(folders),
        "needed": [{"kind": one.kind, "name": one.name, "migration": one.migration} for one in made.needed],
    }
    return Result(0, f"{text}\nwrote {settings.lock}{too}", document)


def _said(one: Locked) -> str:
    """Return the line that shows the rollback verdict, the locks and the rewrites of a migration."""
    words = in_words(one.locks, one.rewrites)
    differs = f": {some(one.rollback_differences)}" if one.rollback_differences else ""
    return f"{one.id}  rollback {one.rollback}{differs}" + (f"; {words}" if words else "")


def _by_major(settings: Settings, folders: Iterable[Path]) -> dict[int, Path]:
    """Return the folders with the programs of other major versions; raise ConfigError for the same major version."""
    ours = find_binaries(settings.postgres_bin)
    found: dict[int, Path] = {}
    for folder in folders:
        number = major(folder)
        if number == major(ours):
            raise ConfigError(
                f"{folder} contains PostgreSQL {number}, with which the lock file is written anyway",
                hint="--also-on needs the programs of another major version",
            )
        found[number] = folder
    return dict(sorted(found.items()))


def _refuse_to_lose(settings: Settings, majors: Iterable[int]) -> None:
    """Raise ConfigError if the lock file has texts of a major version that is not given now."""
    try:
        lost = read_lock(settings).also.keys() - set(majors)
    except LockFileError:  # the file is about to be replaced
        return
    if lost:
        raise ConfigError(
            f"{settings.lock.name} also contains the texts of PostgreSQL {_listed(lost)}, which would be lost",
            hint="name the folder with its programs: --also-on FOLDER; "
            f"or remove them: {' '.join(f'--forget {one}' for one in sorted(lost))}",
        )


def _known(settings: Settings, majors: Collection[int]) -> LockFile | None:
    """Return the lock file as it is; None if it cannot be read, or is about to contain other major versions."""
    with contextlib.suppress(LockFileError):
        known = verified(read_lock(settings))
        return known if known.also.keys() == set(majors) else None
    return None


def _listed(majors: Iterable[int]) -> str:
    return " and ".join(map(str, sorted(majors)))


def _check(settings: Settings, *, also_on: Sequence[Path], full: bool) -> Result:
    """Replay the files and compare the result with their lock file."""
    migrations = read_migrations(settings.sources)
    folders = _by_major(settings, (*settings.also_on, *(folder.absolute() for folder in also_on)))
    unseen: list[int] = []
    try:
        known = verified(read_lock(settings))
        wrong = sorted(disagreements(known, migrations))
        if not wrong:
            believed = None if full else known
            with progress() as each:
                made = finished(replay(migrations, known=believed, postgres_bin=settings.postgres_bin, each=each))
                seen = {made.server_version // 10000: made}
                for number in known.also.keys() | {known.server_version // 10000}:
                    if number not in seen and number in folders:
                        other = replay_on(migrations, made, folders[number], known=believed, each=each)
                        seen[number] = finished(other)
            unseen = sorted({known.server_version // 10000, *known.also} - seen.keys())
            wrong = [words for number in sorted(seen) for words in _otherwise(known, number, seen[number])]
    except LockFileChanged as error:
        wrong = [str(error)]
    document = {"disagreements": wrong, "not_compared": unseen}
    if unseen:
        say(
            f"the digests match, but the result on PostgreSQL {_listed(unseen)} was not compared: "
            "its programs were not found (--also-on FOLDER)"
        )
    if wrong:
        say("    hint: regenerate it with: healthd lock")
    text = "\n".join(wrong) or f"{settings.lock.name} matches the files"
    return Result(2 if wrong else 0, text, document, outcome=partial(_outcome, settings, migrations, wrong, unseen))


def _outcome(
    settings: Settings, migrations: Iterable[Migration], wrong: Iterable[str], unseen: Iterable[int]
) -> Outcome:
    from healthd.report.ci.annotations import Outcome
    from healthd.report.ci.locks import of_disagreements, of_unseen

    lock, files = str(settings.lock), {one.id: str(one.path) for one in migrations}
    return Outcome((*of_disagreements(wrong, files, lock), *of_unseen(unseen, lock)))


def _otherwise(known: LockFile, number: int, made: LockFile) -> Iterator[str]:
    """Yield the differences between the lock file and a replay on one major version."""
    there = known.on(made.server_version)
    if there.server_version != made.server_version:
        return
    first = known.server_version == made.server_version
    where = "" if first else f" on PostgreSQL {number}"
    if first and known.needed not in ((), made.needed):
        yield "the files need other roles or tablespaces than the lock file records"
    if there.base != made.base:
        yield f"an empty database is not the same as when the lock file was written{where}"
    for one, other in zip(there.migrations, made.migrations, strict=True):
        if one != other if first else one.effects != other.effects:
            yield f"{one.id}: the replay had another result{where}"
