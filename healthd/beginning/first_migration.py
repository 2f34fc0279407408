"""The first migration of a database that has none: written from the database, and proven to be the database."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from healthd.beginning.dump import as_migration, dumped, find_pg_dump
from healthd.beginning.generated import addition, generated
from healthd.catalog import KINDS
from healthd.comparison.foreign_ledgers import IN_CODE, ledgers
from healthd.comparison.judgement import message, printed_by_two
from healthd.comparison.roles import comparable, for_comparison, most_frequent
from healthd.config.settings import Target
from healthd.database.connection import connect
from healthd.database.probes.surroundings import available_extensions
from healthd.database.snapshot.reading import read
from healthd.database.snapshot.transaction import Reading
from healthd.errors import ConfigError, HealthdError, MigrationFailed
from healthd.expected.files import Migration
from healthd.expected.lockfile import LockFile
from healthd.migrations.engine.lock_waits import Say
from healthd.model.names import Key
from healthd.model.snapshots import Snapshot, diff
from healthd.postgres.embedded import FEW_LOCKS
from healthd.replay.missing_extensions import who_has
from healthd.replay.rehearsal import unlike
from healthd.replay.replay import replay
from healthd.replay.scratch import Each, scratch_on
from healthd.text import some

NAME = "0001_initial"
Writer = Literal["pg_dump", "healthd"]
BEGIN = """-- The schema of {target}, as it was when healthd began to manage it.
-- Written by {writer}. A replay of this file is the database: `healthd init` compared them.

"""
ADDED = "\n-- What {writer} does not write, added by healthd.\n"


@dataclass(frozen=True, slots=True)
class Source:
    """A database without a ledger of ours: what it has, whose it is, and the tables of another tool's ledger."""

    target: Target
    actual: Snapshot  # for a comparison, without those tables
    owner: str | None
    others: dict[Key, str]
    left_out: frozenset[Key]  # these tables, and their sequences

    @property
    def is_empty(self) -> bool:
        """Return whether there is nothing that a migration could create."""
        return not any(
            key.kind not in ("owner", "grant") and not KINDS[key.kind].provided for key in self.actual.objects
        )


@dataclass(frozen=True, slots=True)
class First:
    """A first migration; `differences` are what its replay has otherwise, in words: then it must not be written."""

    migration: Migration
    lock_file: LockFile
    writer: str
    server: str  # the major version of the server that replayed it
    differences: tuple[str, ...]
    respelled: tuple[str, ...]  # texts that the database's major version prints in another way, in words


async def read_source(target: Target, *, without_history: bool) -> Source:
    """Return what a database has; raise ConfigError if it has a ledger, ours or another tool's, or cannot be read."""
    async with connect(target.dsn) as connection:
        reading = await read(connection)
        user = connection.info.user
    if reading.ledger.schemas or reading.ledger.fault or reading.ledger.refused:
        count = len(reading.ledger.readable().applied)
        raise ConfigError(
            f"{target.name} has a ledger: {count} migration{'s are' if count != 1 else ' is'} applied to it already",
            hint="name the folder with its files in yoyo.ini, [DEFAULT], sources; then: healthd lock, healthd status",
        )
    for kind, reason in reading.snapshot.unreadable.items():
        raise ConfigError(f"{target.name}: {kind} objects cannot be read: {reason}", hint="try again, or ask its owner")
    for table_lock in reading.snapshot.locked.values():
        raise ConfigError(f"{target.name}: {table_lock.reason}", hint="try again when that session has ended")
    others = ledgers(diff(Snapshot(reading.snapshot.server_version, {}), reading.snapshot))
    if others and not without_history:
        key, tool = next(iter(others.items()))
        raise ConfigError(
            f"{target.name} has the ledger of {tool}: {key.sql}",
            hint="its migrations are programs, which cannot be imported: leave its history behind: --without-history"
            if tool in IN_CODE
            else "begin with the files of that tool: healthd init --from FOLDER; "
            "or leave its history behind: --without-history",
        )
    owner = _owner(reading) or user
    left_out = _left_out(reading.snapshot, others)
    return Source(target, for_comparison(_without(reading.snapshot, left_out), owner), owner, others, left_out)


def _owner(reading: Reading) -> str | None:
    """Return the role that owns most tables, or most objects without a table; None in an empty database."""
    owners = [(key, record.role) for key, record in reading.snapshot.objects.items() if key.kind == "owner"]
    tables = [role for key, role in owners if key.path[0] == "table"]
    return most_frequent(tables or [role for key, role in owners if key.path[0] not in ("schema", "language")])


def _without(snapshot: Snapshot, left_out: Collection[Key]) -> Snapshot:
    """Return a snapshot without these tables and sequences, and all that belongs to them."""
    paths = {key.path for key in left_out}
    there = snapshot.objects.items()
    return replace(snapshot, objects={key: one for key, one in there if not {key.path[:2], key.path[1:3]} & paths})


def _left_out(snapshot: Snapshot, tables: Collection[Key]) -> frozenset[Key]:
    """Return these tables, and the sequences that their columns own."""
    paths = {key.path for key in tables}
    sequences = ((key, record) for key, record in snapshot.objects.items() if key.kind == "sequence")
    owned = {key for key, one in sequences if one.owned_by and Key.parse(f"column:{one.owned_by}").path[:2] in paths}
    return frozenset(owned | set(tables))


async def first_migration(
    source: Source, path: Path, *, writer: Writer | None, postgres_bin: Path | None, say: Say, each: Each
) -> First:
    """Return the migration that creates what a database has, replayed on a scratch server and compared.

    Without a `writer`, pg_dump writes it if there is one that can, and healthd otherwise. Raises MigrationFailed if
    the file cannot be replayed, and ConfigError if a scratch server lacks an extension.
    """
    await _refuse_unavailable(source, postgres_bin)
    found: list[First] = []
    failed: list[HealthdError] = []
    for words, text in _texts(source, writer, postgres_bin, say, failed):
        sql = text if text is not None else await _generated(source, postgres_bin, say)
        made = Migration(path.stem, path, BEGIN.format(target=source.target.name, writer=words) + sql, None, True, ())
        each(f"replay what {words} wrote")
        try:
            found.append(await _proven(source, made, words, postgres_bin=postgres_bin, say=say, each=each))
        except MigrationFailed as error:
            say(f"{words}: its replay fails: {error}")
            failed.append(error)
            continue
        if not found[-1].differences:
            break
        say(f"{words}: its replay is not the database: {some(found[-1].differences)}")
    if not found:
        raise failed[-1]
    return min(found, key=lambda one: len(one.differences))


def _texts(
    source: Source, writer: Writer | None, postgres_bin: Path | None, say: Say, failed: list[HealthdError]
) -> Iterator[tuple[str, str | None]]:
    """Yield who writes the file, and the text; None for healthd, whose text is made on a scratch server."""
    program = None if writer == "healthd" else find_pg_dump(source.actual.server_version, postgres_bin)
    if program is not None:
        try:
            yield program.words, as_migration(dumped(source.target.dsn, program, source.left_out))
        except HealthdError as error:
            say(str(error))
            failed.append(error)
    elif writer == "pg_dump":
        number = source.actual.server_version // 10000
        raise ConfigError(
            f"no pg_dump of PostgreSQL {number} or newer was found", hint="install it, or use --writer healthd"
        )
    if writer != "pg_dump":
        yield "healthd", None


async def _generated(source: Source, postgres_bin: Path | None, say: Say) -> str:
    async with scratch_on(postgres_bin, say, FEW_LOCKS) as scratch:
        return generated(source.actual, await scratch.snapshot())


async def _proven(
    source: Source, migration: Migration, words: str, *, postgres_bin: Path | None, say: Say, each: Each
) -> First:
    """Replay a migration, and add to it what it lacks, for example the owners that pg_dump was asked to leave out."""
    lock_file = await replay([migration], postgres_bin=postgres_bin, say=say, each=each)
    built = lock_file.expected([migration.id])
    wrong = unlike(source.actual, built, source.owner)
    if more := addition(*comparable(source.actual, built, source.owner), wrong.values()) if wrong else "":
        migration = replace(migration, apply=f"{migration.apply}{ADDED.format(writer=words)}{more}")
        each("replay it with what it lacked")
        lock_file = await replay([migration], postgres_bin=postgres_bin, say=say, each=each)
        built = lock_file.expected([migration.id])
        wrong = unlike(source.actual, built, source.owner)
    left = tuple(message(one, than="the database") for one in wrong.values())
    server = str(built.server_version // 10000)
    return First(migration, lock_file, words, server, left, tuple(_respelled(source, built)))


def _respelled(source: Source, built: Snapshot) -> Iterator[str]:
    """Yield the texts that two major versions print differently; the file has the database's own."""
    sides = comparable(source.actual, built, source.owner)
    for one in diff(*sides):
        if one.key.kind in KINDS and printed_by_two(KINDS[one.key.kind], *sides, one):
            yield f"{one.key} {one.attribute}"


async def _refuse_unavailable(source: Source, postgres_bin: Path | None) -> None:
    """Raise ConfigError if the scratch server lacks an extension of the database."""
    wanted = {key.path[0] for key in source.actual.objects if key.kind == "extension"}
    if not wanted:
        return
    async with scratch_on(postgres_bin, lambda _: None, FEW_LOCKS) as scratch:
        missing = wanted - (await available_extensions(scratch.connection)).keys()
    if missing:
        names = " and ".join(sorted(missing))
        raise ConfigError(
            f"{source.target.name} has the extension {names}, which the scratch server lacks; nothing was written",
            hint=who_has(missing, option="--postgres-bin"),
        )
