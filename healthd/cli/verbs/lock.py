"""Write or verify sql/schema.lock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace as changed
from pathlib import Path

import click

from healthd.cli.options import finished, out, say, verb
from healthd.config.settings import Settings
from healthd.errors import ConfigError, LockFileChanged, LockFileError
from healthd.expected.files import Migration, read_migrations
from healthd.expected.lockfile import Locked, LockFile, disagreements, dump, verified
from healthd.expected.measurements import in_words
from healthd.expected.store import read_lock
from healthd.postgres.programs import find_binaries, major
from healthd.replay.replay import replay, replay_on


@verb(database=False)
@click.option("--check", is_flag=True, help="Write nothing; exit 2 when the files and the lock file disagree.")
@click.option(
    "--also-on",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FOLDER",
    help="Replay with the programs of another major version of PostgreSQL too, and keep what it prints otherwise.",
)
@click.option("--forget", type=int, multiple=True, metavar="MAJOR", help="No longer keep what this one prints.")
def lock(settings: Settings, style: str, check: bool, also_on: Sequence[Path], forget: Sequence[int]) -> int:
    """Replay sql/ on a throw-away PostgreSQL and write what it makes to sql/schema.lock."""
    migrations = read_migrations(settings.sources)
    folders = _by_major(settings, (*settings.also_on, *(folder.absolute() for folder in also_on)))
    if check:
        return _check(settings, style, migrations, folders)
    _refuse_to_lose(settings, folders.keys() | set(forget) | {major(find_binaries(settings.postgres_bin))})
    made = finished(replay(migrations, postgres_bin=settings.postgres_bin, say=say))
    made = changed(made, also={number: _on(migrations, made, folder) for number, folder in folders.items()})
    settings.lock.write_text(dump(made), encoding="utf-8")
    verdicts = {one.id: one.rollback for one in made.migrations}
    text = "\n".join(map(_said, made.migrations))
    also = f", also for PostgreSQL {_listed(folders)}" if folders else ""
    measured = {one.id: {"locks": one.locks, "rewrites": list(one.rewrites)} for one in made.migrations}
    for one in made.needed:
        say(f"{one.kind} {one.name}, which {one.migration} names and no file makes, was made for the replay")
    document = {
        "file": str(settings.lock),
        "rollbacks": verdicts,
        "measured": measured,
        "also": sorted(folders),
        "needed": [{"kind": one.kind, "name": one.name, "migration": one.migration} for one in made.needed],
    }
    out(style, f"{text}\nwrote {settings.lock}{also}", document)
    return 0


def _said(one: Locked) -> str:
    """Return a migration's verdicts in a line."""
    words = in_words(one.locks, one.rewrites)
    return f"{one.id}  rollback {one.rollback}" + (f"; {words}" if words else "")


def _by_major(settings: Settings, folders: Iterable[Path]) -> dict[int, Path]:
    """Return the folders with the programs of other majors; raise ConfigError for one that is no other."""
    ours = find_binaries(settings.postgres_bin)
    found: dict[int, Path] = {}
    for folder in folders:
        number = major(folder)
        if number == major(ours):
            raise ConfigError(
                f"{folder} holds PostgreSQL {number}, which the lock file is made on anyway",
                hint="name the programs of another major with --also-on",
            )
        found[number] = folder
    return dict(sorted(found.items()))


def _refuse_to_lose(settings: Settings, majors: Iterable[int]) -> None:
    """Raise ConfigError when the lock file knows of a major that nobody speaks of now."""
    try:
        lost = read_lock(settings).also.keys() - set(majors)
    except LockFileError:  # it is about to be written anew
        return
    if lost:
        raise ConfigError(
            f"{settings.lock.name} also knows what PostgreSQL {_listed(lost)} prints, and would lose it",
            hint="name the folder with its programs: --also-on FOLDER; "
            f"or leave it out: {' '.join(f'--forget {one}' for one in sorted(lost))}",
        )


def _on(migrations: Sequence[Migration], made: LockFile, folder: Path) -> LockFile:
    return finished(replay_on(migrations, made, folder))


def _listed(majors: Iterable[int]) -> str:
    return " and ".join(map(str, sorted(majors)))


def _check(settings: Settings, style: str, migrations: Sequence[Migration], folders: Mapping[int, Path]) -> int:
    unseen: list[int] = []
    try:
        known = verified(read_lock(settings))
        wrong = sorted(disagreements(known, migrations))
        if not wrong:
            made = finished(replay(migrations, postgres_bin=settings.postgres_bin))
            seen = {made.server_version // 10000: made}
            for number in known.also.keys() | {known.server_version // 10000}:
                if number not in seen and number in folders:
                    seen[number] = _on(migrations, made, folders[number])
            unseen = sorted({known.server_version // 10000, *known.also} - seen.keys())
            wrong = [words for number in sorted(seen) for words in _otherwise(known, number, seen[number])]
    except LockFileChanged as error:
        wrong = [str(error)]
    document = {"disagreements": wrong, "not_compared": unseen}
    out(style, "\n".join(wrong) or f"{settings.lock.name} is what the files make", document)
    if unseen:
        say(
            f"the digests agree, but what PostgreSQL {_listed(unseen)} makes was not compared: "
            "its programs are not at hand (--also-on FOLDER)"
        )
    if wrong:
        say("    hint: write it anew with: healthd lock")
    return 2 if wrong else 0


def _otherwise(known: LockFile, number: int, made: LockFile) -> Iterator[str]:
    """Yield the migrations that a replay on one major measured otherwise than the lock file says."""
    there = known.on(made.server_version)
    if there.server_version != made.server_version:
        return
    first = known.server_version == made.server_version
    where = "" if first else f" on PostgreSQL {number}"
    if first and known.needed not in ((), made.needed):
        yield "the server needs other roles or tablespaces"
    if there.base != made.base:
        yield f"an empty database is another one{where}"
    for one, other in zip(there.migrations, made.migrations, strict=True):
        if one != other if first else one.effects != other.effects:
            yield f"{one.id}: the replay measured something else{where}"
