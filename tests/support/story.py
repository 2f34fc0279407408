"""The stories in drift/: a migrated database, what somebody did to it, and the findings that must come of it.

A file is `-- Title.`, then lines `-- word: …`, then SQL:

    -- expect: PROBLEM KEY     a finding; once for each, or `nothing`
    -- repair: no, REASON      why the SQL that the findings carry does not bring everything back
    -- contract: JSON          what an application believes
    -- role: NAME              a role that must exist
    -- lost: MIGRATION         a migration whose file is missing
    -- partitions: TABLE WORD  how the partitions of a table are compared
    -- slow: REASON            it moves no catalog: the next full round sees it
    -- since: MAJOR            the first PostgreSQL that knows this SQL
    -- given:                  from here: a migration more, which is expected
    -- drift:                  from here: what somebody did

A statement that fails, and shall, says `-- fails: SQLSTATE` within it. The extension is `vector`, which the embedded
PostgreSQL brings; where HEALTHD_PG_BIN names another server it is one of those that come with every PostgreSQL.
"""

from __future__ import annotations

import asyncio
import functools
import os
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
from explained import unexplained
from psycopg import sql as compose

from healthd.comparison.roles import comparable, for_comparison
from healthd.config.settings import Target
from healthd.contracts import load as load_contract
from healthd.database.connection import connect
from healthd.database.snapshot.change_token import take_mark
from healthd.database.snapshot.reading import read, take_snapshot
from healthd.expected import lockfile
from healthd.expected.files import Migration, read_migrations
from healthd.expected.lockfile import Locked, LockFile, dump
from healthd.expected.store import Files
from healthd.migrations.runner import migrate
from healthd.model.contracts import Contract
from healthd.model.findings import Report
from healthd.model.names import Key
from healthd.model.snapshots import diff
from healthd.postgres.embedded import Server
from healthd.replay.replay import replay
from healthd.rounds.examination import Round, examine, examine_again
from healthd.sqltext.statements import statements

HERE = Path(__file__).parents[1] / "stories"
SQL = Path(__file__).parents[2] / "sql"
GIVEN = "9000_given"
BINARIES = Path(os.environ["HEALTHD_PG_BIN"]) if os.environ.get("HEALTHD_PG_BIN") else None
EXTENSION = "vector" if BINARIES is None else "hstore"


@dataclass(frozen=True, slots=True)
class Story:
    """One file of drift/."""

    name: str
    title: str
    expect: frozenset[tuple[str, str]]
    given: str
    drift: str
    repair: str
    roles: tuple[str, ...]
    lost: tuple[str, ...]
    contracts: tuple[Contract, ...]
    since: int
    partitions: Mapping[Key, str]
    slow: bool


def read_story(path: Path) -> Story:
    """Return the story in this file; raise ValueError when it is none."""
    title, *lines = path.read_text(encoding="utf-8").replace("vector", EXTENSION).splitlines()
    words: dict[str, list[str]] = {}
    parts: dict[str, list[str]] = {"drift": []}
    part = "drift"
    for line in lines:
        match = re.match(r"-- (expect|repair|role|lost|contract|partitions|slow|since|given|drift): ?(.*)", line)
        if match is None:
            parts[part].append(line)
        elif match[1] in ("given", "drift"):
            part = match[1]
            parts[part] = []
        else:
            words.setdefault(match[1], []).append(match[2])
    expect = words.pop("expect", [])
    if not re.fullmatch(r"-- \S.*\.", title) or not expect:
        raise ValueError(f"{path.name} has no title, or expects neither findings nor nothing")
    contracts = enumerate(words.get("contract", []), 1)
    return Story(
        path.stem,
        title.removeprefix("-- "),
        frozenset((one.partition(" ")[0], one.partition(" ")[2]) for one in expect if one != "nothing"),
        "\n".join(parts.get("given", [])),
        "\n".join(parts["drift"]),
        words.get("repair", ["yes"])[0],
        tuple(words.get("role", [])),
        tuple(words.get("lost", [])),
        tuple(load_contract(text, f"contract {number}") for number, text in contracts),
        int(words.get("since", ["0"])[0]),
        {Key.parse(f"table:{one.split()[0]}"): one.split()[1] for one in words.get("partitions", [])},
        "slow" in words,
    )


STORIES = tuple(read_story(path) for path in sorted((HERE / "drift").glob("*.sql")))


@functools.cache
def migrations() -> tuple[Migration, ...]:
    """Return the migrations of sql/."""
    return read_migrations([SQL])


@functools.cache
def lock() -> LockFile:
    """Return what a replay of sql/ measures, by way of the text of a lock file."""
    return lockfile.load(lockfile.dump(asyncio.run(replay(migrations(), postgres_bin=BINARIES))))


def files(lock: LockFile, migrations: Sequence[Migration]) -> Files:
    """Return what a round compares with."""
    return Files(lock, tuple((one.id, one.digest) for one in migrations))


@dataclass(frozen=True, slots=True)
class Scene:
    """A story that was played, what the first round told of it, and the means for another round."""

    story: Story
    url: str
    target: Target
    files: Files
    report: Report

    async def again(self) -> Report:
        """Return the report of another round."""
        return await examine(self.target, self.files)

    async def unexplained(self) -> list[str]:
        """Return what `healthd diff` lists, and the report neither reports nor lists in a note."""
        async with connect(self.url) as connection:
            reading = await read(connection)
        applied = [one.id for one in reading.ledger.applied]
        expected = self.files.lock.on(reading.snapshot.server_version).expected(applied)
        both = comparable(expected, reading.snapshot, reading.ledger.owner)
        return unexplained(*both, self.report)


async def play(story: Story, url: str, folder: Path, connection: psycopg.Connection[Any]) -> Scene:
    """Make the story happen in the migrated database that both `url` and `connection` lead to."""
    known, locked = list(migrations()), lock()
    for role in story.roles:
        if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchone() is None:
            connection.execute(compose.SQL("CREATE ROLE {}").format(compose.Identifier(role)))
    if story.given:
        path = folder / f"{GIVEN}.sql"
        path.write_text(story.given)
        (migration,) = read_migrations([folder])
        known.append(migration)
        locked = await _lock_given(url, locked, known)
    kept = [one for one in known if one.id not in story.lost]
    target = Target(story.name, url, contracts=story.contracts, partitions=story.partitions)
    compared = files(locked, kept)
    before = await _busy(await examine_again(target, compared, None))
    run(connection, story.drift)
    # The round before is at hand, as it is in the daemon: what happened must not look like nothing.
    if story.slow:
        await before.close()
    after = await examine_again(target, compared, None if story.slow else before)
    await after.close()
    return Scene(story, url, target, compared, after.report)


async def _busy(one: Round) -> Round:
    """Return a round of a server where other work goes on: what happens next must move the sums."""
    assert one.session
    return replace(one, session=replace(one.session, mark=await take_mark(one.session.connection, busy=True)))


async def _lock_given(url: str, locked: LockFile, known: Sequence[Migration]) -> LockFile:
    """Apply the migration that a story gives, and return the lock file with what it did."""
    await migrate(url, known, None, say=lambda _: None)
    async with connect(url) as connection:
        effects = diff(locked.expected(), for_comparison(await take_snapshot(connection), connection.info.user))
    given = Locked(GIVEN, known[-1].digest, None, True, effects, "missing")
    return lockfile.load(lockfile.dump(replace(locked, migrations=(*locked.migrations, given))))


@asynccontextmanager
async def migrated(server: Server, administrator: psycopg.Connection[Any], name: str) -> AsyncIterator[str]:
    """Make a database with sql/ applied, to be copied from, and drop it again."""
    administrator.execute(compose.SQL("CREATE DATABASE {} TEMPLATE template0").format(compose.Identifier(name)))
    await migrate(server.url(name), migrations(), lock(), say=lambda _: None)
    yield name
    administrator.execute(compose.SQL("DROP DATABASE {} WITH (FORCE)").format(compose.Identifier(name)))


def run(connection: psycopg.Connection[Any], text: str) -> None:
    """Run a text statement by statement, each committed at once, as somebody at psql does."""
    for statement in statements(text):
        wanted = re.search(r"-- fails: (\w+)$", statement.text, re.MULTILINE)
        try:
            connection.execute(statement.text.encode())
        except psycopg.Error as error:
            if wanted is None or error.sqlstate != wanted[1]:
                raise
        else:
            if wanted:
                raise AssertionError(f"this did not fail: {statement.text}")


def replayed(folder: Path, files: Mapping[str, str]) -> str:
    """Write these files, NAME to what NAME.sql says, and return the text of their lock file."""
    for name, text in files.items():
        (folder / f"{name}.sql").write_text(text)
    return dump(asyncio.run(replay(read_migrations([folder]), postgres_bin=BINARIES)))
