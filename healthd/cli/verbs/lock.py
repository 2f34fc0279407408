"""Write or verify sql/schema.lock."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace as changed
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from healthd.cli.fleet import Result, of_target, on_projects
from healthd.cli.major_versions import by_major, listed, refuse_to_lose
from healthd.cli.merging import joined, merge_of
from healthd.cli.options import CI_STYLES, finished, progress, say, verb
from healthd.config.settings import Settings
from healthd.errors import LockFileChanged, LockFileError
from healthd.expected.files import Migration, read_migrations
from healthd.expected.lockfile import Locked, LockFile, disagreements
from healthd.expected.lockfile_lines import verified
from healthd.expected.lockfile_text import dump, linked
from healthd.expected.measurements import in_words
from healthd.expected.merge_conflict import best_known
from healthd.expected.store import read_lock
from healthd.postgres.programs import find_binaries, major
from healthd.replay.other_major import replay_on
from healthd.replay.replay import replay
from healthd.text import some

if TYPE_CHECKING:
    from healthd.report.ci.annotations import Outcome


@verb(database=False, ci=True)
@click.option("--check", is_flag=True, help="Write nothing; exit 2 if the lock file does not match the files.")
@click.option(
    "--resolve", is_flag=True, help="After a merge: write the lock file of both branches in place of the conflict."
)
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
    resolve: bool,
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

    Two branches that both change the files conflict in the lock file. After "git merge", resolve the conflicts in the
    migration files, if there are any, then use --resolve: it reads the lock files of both branches, from git or from
    the conflict markers, measures what one of them was not measured on, and replaces the conflict. If the files of both
    branches cannot be applied together, the conflict stays as it is.

    \b
    Exit codes:
      0  written, or with --check: the lock file matches the files
      2  a migration failed, and the lock file is as it was; or with --check:
         the lock file does not match
      3  cannot tell: a file cannot be read, or the scratch server cannot start;
         with --resolve: there is no conflict

    \b
    Examples:
      healthd lock && git diff sql/schema.lock
      healthd lock --check
      healthd lock --check --full
      healthd lock --resolve && git add sql/schema.lock
      healthd lock --also-on /usr/lib/postgresql/15/bin
    """
    if style in CI_STYLES and not check:
        raise click.UsageError(f"--format {style} needs --check")
    if check and resolve:
        raise click.UsageError("--check and --resolve exclude each other")
    run = _check if check else partial(_write, forget=forget, resolve=resolve)
    return on_projects(settings, style, target, partial(run, also_on=also_on, full=full))


def _write(settings: Settings, *, also_on: Sequence[Path], full: bool, forget: Sequence[int], resolve: bool) -> Result:
    """Replay the files and write their lock file."""
    migrations = read_migrations(settings.sources)
    folders = by_major(settings, (*settings.also_on, *(folder.absolute() for folder in also_on)))
    merge = merge_of(settings.lock, migrations) if resolve else None
    before = merge.conflict.sides if merge else _before(settings)
    refuse_to_lose(settings, before, folders.keys() | set(forget) | {major(find_binaries(settings.postgres_bin))})
    known = None if full else _known(before, folders, migrations)
    with joined(settings.lock, merge) if merge else contextlib.nullcontext():
        made = _replayed(settings, migrations, known, folders)
    settings.lock.write_text(dump(made), encoding="utf-8")
    for one in made.needed:
        say(f"{one.kind} {one.name}, which {one.migration} names and no file creates, was created for the replay")
    text = "\n".join((*map(_said, made.migrations), *(merge.lines() if merge else ())))
    too = f", also for PostgreSQL {listed(folders)}" if folders else ""
    document = _document(settings.lock, made, folders) | ({"resolved": merge.document()} if merge else {})
    return Result(0, f"{text}\nwrote {settings.lock}{too}", document)


def _replayed(
    settings: Settings, migrations: tuple[Migration, ...], known: LockFile | None, folders: Mapping[int, Path]
) -> LockFile:
    """Return the lock file of the migrations, also with what they create on these other major versions."""
    with progress() as each:
        made = finished(replay(migrations, known=known, postgres_bin=settings.postgres_bin, say=say, each=each))
        also = {
            number: finished(replay_on(migrations, made, folder, known=known, each=each))
            for number, folder in folders.items()
        }
    return linked(changed(made, also=also))


def _document(path: Path, made: LockFile, majors: Iterable[int]) -> dict[str, Any]:
    """Return what was written as a JSON object."""
    return {
        "file": str(path),
        "rollbacks": {one.id: one.rollback for one in made.migrations},
        "measured": {one.id: {"locks": one.locks, "rewrites": list(one.rewrites)} for one in made.migrations},
        "also": sorted(majors),
        "needed": [{"kind": one.kind, "name": one.name, "migration": one.migration} for one in made.needed],
    }


def _said(one: Locked) -> str:
    """Return the line that shows the rollback verdict, the locks and the rewrites of a migration."""
    words = in_words(one.locks, one.rewrites)
    differs = f": {some(one.rollback_differences)}" if one.rollback_differences else ""
    return f"{one.id}  rollback {one.rollback}{differs}" + (f"; {words}" if words else "")


def _before(settings: Settings) -> tuple[LockFile, ...]:
    """Return the lock file that is about to be replaced; none if it cannot be read."""
    with contextlib.suppress(LockFileError):
        return (read_lock(settings),)
    return ()


def _known(before: Iterable[LockFile], majors: Collection[int], migrations: Sequence[Migration]) -> LockFile | None:
    """Return the lock file with the most records that are still valid.

    One that cannot be read, or that does not have exactly these other major versions, is of no use.
    """
    found = []
    for one in before:
        with contextlib.suppress(LockFileError):
            found += [verified(one)] if one.also.keys() == set(majors) else []
    return best_known(found, migrations)


def _check(settings: Settings, *, also_on: Sequence[Path], full: bool) -> Result:
    """Replay the files and compare the result with their lock file."""
    migrations = read_migrations(settings.sources)
    folders = by_major(settings, (*settings.also_on, *(folder.absolute() for folder in also_on)))
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
            f"the digests match, but the result on PostgreSQL {listed(unseen)} was not compared: "
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
