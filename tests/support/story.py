"""The stories in drift/: a migrated database, a manual change to it, and the expected findings.

A file is `-- Title.`, then lines `-- word: …`, then SQL:

    -- expect: PROBLEM KEY     a finding; one line for each, or `nothing`
    -- repair: no, REASON      why the SQL of the findings does not repair everything
    -- contract: JSON          what an application expects
    -- role: NAME              a role that must exist
    -- lost: MIGRATION         a migration whose file is missing
    -- partitions: TABLE WORD  how the partitions of a table are compared
    -- slow: REASON            it changes no catalog: only the next full round detects it
    -- since: MAJOR            the first PostgreSQL version that supports this SQL
    -- given:                  from here: an additional migration, which is expected
    -- drift:                  from here: the manual change

A statement that must fail contains `-- fails: SQLSTATE`. The extension is `vector`, which the embedded PostgreSQL
includes; if HEALTHD_PG_BIN names another server, it is one that every PostgreSQL includes.
"""

from __future__ import annotations

import asyncio
import functools
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pg_dump
import psycopg
from explained import unexplained
from psycopg import sql as compose
from runs import migrate

from healthd.background import Later
from healthd.comparison.roles import comparable, for_comparison
from healthd.config.settings import Target
from healthd.contracts import load as load_contract
from healthd.database.connection import connect
from healthd.database.notifications import Notifications
from healthd.database.snapshot.change_token import look, take_mark
from healthd.database.snapshot.reading import read, take_snapshot
from healthd.errors import HealthdError
from healthd.expected.files import Migration, read_migrations
from healthd.expected.lockfile import Locked, LockFile
from healthd.expected.lockfile_lines import load
from healthd.expected.lockfile_text import dump
from healthd.expected.store import Files, expected_digests
from healthd.model.contracts import Contract
from healthd.model.findings import Report
from healthd.model.names import Key
from healthd.model.snapshots import diff
from healthd.replay.replay import replay
from healthd.rounds.changed_reading import add_script, see_changes
from healthd.rounds.examination import examine_again
from healthd.rounds.remembering import remember
from healthd.rounds.round import Round, Seen
from healthd.rounds.session import Session
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
    """Return the story in this file; raise ValueError if it is invalid."""
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
        raise ValueError(f"{path.name} has no title, or no `expect` line")
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
    """Return the lock file of sql/, measured by a replay, and read from its text."""
    return load(dump(asyncio.run(replay(migrations(), postgres_bin=BINARIES))))


def files(lock: LockFile, migrations: Sequence[Migration]) -> Files:
    """Return the files that a round compares with."""
    return Files(lock, tuple((one.id, one.digest) for one in migrations))


@dataclass(frozen=True, slots=True)
class Scene:
    """A story that was played, the report of the round after it, and what is needed for another round.

    All rounds share a connection, as those of the daemon do, but for those of a slow story.
    """

    story: Story
    url: str
    target: Target
    files: Files
    report: Report
    after: Round
    printed: str  # the output of pg_dump before the change; "": that of the template
    woken: Seen | None = None  # what a round saw that read only what had changed, if that was possible

    async def again(self) -> Report:
        """Return the report of another round, the last one."""
        last = await examine_again(self.target, self.files, None if self.story.slow else self.after)
        await last.close()
        return last.report

    async def unexplained(self) -> list[str]:
        """Return the differences that `healthd diff` lists, and that the report neither reports nor lists in a note."""
        if self.after.session is None or self.after.session.connection.closed:
            async with connect(self.url) as connection:
                reading = await read(connection)
        else:
            reading = await read(self.after.session.connection)
        applied = [one.id for one in reading.ledger.applied]
        expected = self.files.lock.on(reading.snapshot.server_version).expected(applied)
        both = comparable(expected, reading.snapshot, reading.ledger.owner)
        return unexplained(*both, self.report)


async def play(
    story: Story, url: str, folder: Path, connection: psycopg.Connection[Any], *, watched: bool = False
) -> Scene:
    """Play the story in the migrated database of both `url` and `connection`."""
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
    listening = await listening_to(before, target) if watched and not story.slow else None
    printed = pg_dump.printed(url) if story.given else ""
    run(connection, story.drift)
    # The previous round is available, as in the daemon: the change must not be overlooked.
    if story.slow:
        await before.close()
    woken = await see_changed(before, target, compared, listening) if listening is not None else None
    after = await examine_again(target, compared, None if story.slow else before)
    if story.slow:
        await after.close()
    return Scene(story, url, target, compared, after.report, after, printed, woken)


async def listening_to(one: Round, target: Target) -> Session | None:
    """Return the session of a round as it is where the DDL watch is installed; None if that makes no difference."""
    assert one.session
    assert one.files
    session = replace(one.session, notifications=Notifications(one.session.connection))
    wanted = expected_digests(Later.made(one.files), session.connection.info.server_version)
    found = await remember(target, one.files, session, await read(session.connection, digests=wanted))
    return found if found.remembered is not None else None


async def see_changed(one: Round, target: Target, compared: Files, session: Session) -> Seen | None:
    """Return what a round sees that is woken by the change, with its script; None if it reads everything."""
    assert session.mark
    try:
        _, mark = await look(session.connection, session.mark)
    except HealthdError:  # the ledger is gone
        return None
    seen = await see_changes(target, compared, replace(session, mark=mark), session.mark)
    if seen is None or seen.owed is None:
        return seen
    return await add_script(session.connection, replace(one, owed=seen.owed), session)


async def _busy(one: Round) -> Round:
    """Return a round of a server on which other transactions commit: the next change must change the sums."""
    assert one.session
    return replace(one, session=replace(one.session, mark=await take_mark(one.session.connection, busy=True)))


async def _lock_given(url: str, locked: LockFile, known: Sequence[Migration]) -> LockFile:
    """Apply the migration that a story gives, and return the lock file with its effects."""
    await migrate(url, known, None, say=lambda _: None)
    async with connect(url) as connection:
        effects = diff(locked.expected(), for_comparison(await take_snapshot(connection), connection.info.user))
    given = Locked(GIVEN, known[-1].digest, None, True, effects, "missing")
    return load(dump(replace(locked, migrations=(*locked.migrations, given))))


def migrate_shipped(url: str) -> None:
    """Apply sql/ to an empty database."""
    asyncio.run(migrate(url, migrations(), lock(), say=lambda _: None))


def run(connection: psycopg.Connection[Any], text: str) -> None:
    """Run a text statement by statement, each committed immediately, as in psql."""
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


def written(folder: Path, files: Mapping[str, str]) -> tuple[Migration, ...]:
    """Write these files, as `write_sql` does, and return the migrations of the folder."""
    return read_migrations([write_sql(folder, files)])


def write_sql(folder: Path, files: Mapping[str, str]) -> Path:
    """Write these files, from NAME to the content of NAME.sql, and return their folder."""
    for name, text in files.items():
        (folder / f"{name}.sql").write_text(text)
    return folder


async def with_lock(folder: Path, files: Mapping[str, str]) -> tuple[tuple[Migration, ...], LockFile]:
    """Write these files, as `write_sql` does, and return the migrations of the folder and their lock file."""
    migrations = written(folder, files)
    return migrations, await replay(migrations, postgres_bin=BINARIES)


def replayed(folder: Path, files: Mapping[str, str]) -> str:
    """Write these files, as `written` does, and return the text of their lock file."""
    return dump(asyncio.run(replay(written(folder, files), postgres_bin=BINARIES)))
