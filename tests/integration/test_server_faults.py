"""Faults of a server and of what stands before it: unknown with the true reason, and well again with the next round.

In each of these tests the rounds of another target go on.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from certificates import Certificate, authority, signed
from conftest import BINARIES
from pooler import pooler
from servers import DEBIAN, asking_for_passwords, lacking
from story import migrate_shipped

from healthd.config.settings import Target
from healthd.expected.store import Files
from healthd.model.severity import Severity
from healthd.postgres import embedded, programs
from healthd.rounds.examination import examine_again
from healthd.rounds.round import Round

DEADLINE_S = 20  # none of these faults makes a round wait for it, unless a test sets another one
# What is committed is not lost by a crash of the server.
SETTINGS = embedded.THROW_AWAY | {
    "wal_level": "replica",
    "max_wal_senders": "4",
    "synchronous_commit": "on",
    "full_page_writes": "on",
}
WELL: tuple[str | None, list[str]] = (None, [])


async def ended(url: str, known: Files, last: Round | None = None, *, deadline_s: float = DEADLINE_S) -> Round:
    """Return the next round of a target; the last one's connection is closed, or used again."""
    return await examine_again(Target("app", url, deadline_s=deadline_s), known, last)


def said(found: Round) -> tuple[str | None, list[str]]:
    """Return why a round failed, and its problems."""
    unknown = {one.severity for one in found.report.findings} <= {Severity.UNKNOWN}
    return found.report.failure, [one.problem if unknown else str(one) for one in found.report.findings]


def message(found: Round) -> str:
    return found.report.findings[0].message


@pytest.fixture(autouse=True)
async def other(shipped: str, make_database: Any, known: Files) -> AsyncIterator[str]:
    """The URL of another database, of which all rounds during the test must be well."""
    url, found, last = make_database(shipped), [], None

    async def watch() -> None:
        nonlocal last
        while True:
            last = await ended(url, known, last)
            found.append(said(last))
            await asyncio.sleep(0.05)

    task = asyncio.create_task(watch())
    yield url
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    if last is not None:
        await last.close()
    assert found == [WELL] * max(1, len(found))


@pytest.fixture
def at_query(other: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Callable[[], None]], None]:
    """Return a function that lets something happen before the n-th statement of a round."""

    def happen(number: int, act: Callable[[], None]) -> None:
        original, asked = psycopg.AsyncCursor.execute, 0

        async def execute(cursor: Any, *words: Any, **more: Any) -> Any:
            nonlocal asked
            its_own = cursor.connection.info.dbname == urlsplit(other).path[1:]
            asked += not its_own
            if asked == number and not its_own:
                await asyncio.to_thread(act)
            return await original(cursor, *words, **more)

        monkeypatch.setattr(psycopg.AsyncCursor, "execute", execute)

    return happen


# ── a crash, a standby, a promotion ─────────────────────────────────────────────────────────────────────


class Pair:
    """A server with sql/ in its database app, and a standby of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.primary = self._start("primary")

    def _start(self, name: str, **more: str) -> embedded.Server:
        return embedded.start(self._folder / name, durable=False, settings=SETTINGS | more, binaries=BINARIES)

    def restart(self) -> None:
        self.primary = self._start("primary")

    def follow(self) -> embedded.Server:
        """Start a standby from a copy of the stopped server."""
        self.primary.stop()
        subprocess.run(["cp", "-a", self._folder / "primary", self._folder / "standby"], check=True)
        (self._folder / "standby" / "standby.signal").touch()
        self.restart()
        return self._start("standby", primary_conninfo=f"host={self.primary.socket} user=postgres")


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)  # PostgreSQL may have another account
        made = Pair(Path(name))
        with psycopg.connect(made.primary.url(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE app TEMPLATE template0")
        migrate_shipped(made.primary.url("app"))
        yield made
        made.primary.stop("immediate")


async def test_a_server_that_crashes_in_mid_round_is_unreachable_until_it_runs_again(
    pair: Pair, known: Files, at_query: Any
) -> None:
    url = pair.primary.url("app")
    at_query(9, lambda: pair.primary.stop("immediate"))
    crashed = await ended(url, known)
    down = await ended(url, known, crashed)
    await asyncio.to_thread(pair.restart)
    again = await ended(url, known, down)
    await again.close()

    gone = ("unreachable", ["database_unreachable"])
    assert [gone, gone, WELL] == [said(one) for one in (crashed, down, again)]
    assert "cannot reach database app" in message(down)


async def test_a_standby_is_examined_as_ever_also_while_it_is_promoted(pair: Pair, known: Files, at_query: Any) -> None:
    with await asyncio.to_thread(pair.follow) as standby:
        url = standby.url("app")
        follows = await ended(url, known)
        await follows.close()

        def promote() -> None:
            with psycopg.connect(url, autocommit=True) as connection:
                assert connection.execute("SELECT pg_is_in_recovery(), pg_promote()").fetchone() == (True, True)

        at_query(9, promote)
        promoted = await ended(url, known)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("ALTER TABLE machines ALTER name DROP NOT NULL")
        drifted = await ended(url, known, promoted)
        await drifted.close()

    assert [WELL, WELL] == [said(follows), said(promoted)]
    assert ["column:public.machines.name"] == [str(one.key) for one in drifted.report.findings]


# ── what lets nobody in any more ────────────────────────────────────────────────────────────────────────


@pytest.fixture
def data() -> Iterator[Path]:
    """A folder that PostgreSQL's account can enter."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name) / "data"


async def test_a_password_that_has_expired_is_the_reason_until_it_is_renewed(data: Path, known: Files) -> None:
    hba, role = "local all postgres trust\nlocal all all scram-sha-256\n", "CREATE ROLE me LOGIN PASSWORD 'token'"
    grant = "GRANT pg_read_all_data TO me" if _has_read_all(BINARIES) else "ALTER ROLE me SUPERUSER"
    with asking_for_passwords(data, role, grant, hba=hba, binaries=BINARIES) as server:
        await asyncio.to_thread(migrate_shipped, server.url())
        url = server.url().replace("postgres@", "me:token@")
        well = await ended(url, known)
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("ALTER ROLE me VALID UNTIL '2000-01-01'")
            kept = await ended(url, known, well)  # a session that is open stays so
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'me'")
            expired = await ended(url, known, kept)
            connection.execute("ALTER ROLE me VALID UNTIL 'infinity'")
        renewed = await ended(url, known, expired)
        await renewed.close()

    refused = ("unreachable", ["database_unreachable"])
    assert [WELL, WELL, refused, WELL] == [said(one) for one in (well, kept, expired, renewed)]
    assert 'password authentication failed for user "me"' in message(expired)
    assert "token" not in message(expired)


def _has_read_all(binaries: Path | None) -> bool:
    return programs.major(programs.find_binaries(binaries)) >= 14


ADDRESS = f"127.{os.getpid() >> 8 & 255}.{os.getpid() & 255}.7"  # a loopback address of this process


async def test_a_certificate_that_has_expired_is_the_reason_until_there_is_another_one(
    tmp_path: Path, data: Path, known: Files
) -> None:
    if not DEBIAN.exists():
        raise lacking(f"no server that knows TLS in {DEBIAN}")
    by = authority(tmp_path)
    good, late = signed(by, "good"), signed(by, "late", days=-1)
    settings = embedded.THROW_AWAY | {"listen_addresses": ADDRESS}
    with embedded.start(data, durable=False, binaries=DEBIAN, settings=settings) as server:
        await asyncio.to_thread(migrate_shipped, server.url())
        with (server.data / "pg_hba.conf").open("a") as hba:
            hba.write("hostssl all all 127.0.0.0/8 trust\n")
        url = f"postgresql://postgres@{ADDRESS}:5432/postgres?sslmode=verify-ca&sslrootcert={by.file}"
        found = []
        for certificate in (good, late, good):
            _present(server, certificate)
            found.append(await ended(url, known))
            if (session := found[-1].session) is not None:
                await session.connection.close()

    # The lock file is of another major version: nothing else is compared here.
    refused = ("unreachable", ["database_unreachable"])
    assert [None, refused, None] == [said(one) if one.report.failure else None for one in found]
    assert "the server's certificate has expired, or " in message(found[1])


def _present(server: embedded.Server, certificate: Certificate) -> None:
    """Let a server present a certificate from now on."""
    for source, place in (
        (certificate.file, server.data / "server.crt"),
        (certificate.key, server.data / "server.key"),
    ):
        shutil.copy(source, place)
        shutil.chown(place, server.data.owner(), server.data.group())
        place.chmod(0o600)
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET ssl = on")
        ((before,),) = connection.execute("SELECT pg_conf_load_time()").fetchall()
        connection.execute("SELECT pg_reload_conf()")
    for _ in range(500):
        with psycopg.connect(server.url()) as connection:
            if connection.execute("SELECT pg_conf_load_time() > %s", [before]).fetchone() == (True,):
                return
        time.sleep(0.02)
    raise AssertionError("the server did not read its settings")


# ── PgBouncer ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("mode", ["session", "transaction"])
async def test_a_pooler_that_is_killed_is_the_reason_until_it_runs_again(
    url: str, known: Files, server: embedded.Server, mode: str, at_query: Any
) -> None:
    with pooler(server, url, mode) as between:
        well = await ended(between.url, known)
        await asyncio.to_thread(between.kill)
        down = await ended(between.url, known, well)
        await asyncio.to_thread(between.start)
        again = await ended(between.url, known, down)
        await again.close()
        at_query(9, between.kill)
        cut = await ended(between.url, known)
        await asyncio.to_thread(between.start)
        last = await ended(between.url, known, cut)
        await last.close()

    gone = ("unreachable", ["database_unreachable"])
    assert [WELL, gone, WELL, gone, WELL] == [said(one) for one in (well, down, again, cut, last)]
    assert "Connection refused" in message(down)


@pytest.mark.parametrize("mode", ["session", "transaction"])
async def test_a_pool_that_is_exhausted_is_unknown_within_the_deadline(
    url: str, known: Files, server: embedded.Server, mode: str
) -> None:
    with pooler(server, url, mode, size=1) as between:
        with psycopg.connect(between.url) as holder:
            holder.execute("SELECT 1")  # a transaction that is open has the only connection
            waits = await ended(between.url, known, deadline_s=1)
        again = await ended(between.url, known, waits)
        await again.close()

    assert [("timeout", ["round_failed"]), WELL] == [said(one) for one in (waits, again)]
    assert "the round took longer than 1 s" == message(waits)  # the pooler itself answers
    assert waits.report.duration_s < 2


async def test_a_pool_that_gives_up_says_so(url: str, known: Files, server: embedded.Server) -> None:
    with pooler(server, url, "transaction", size=1, settings={"query_wait_timeout": "1"}) as between:
        with psycopg.connect(between.url) as holder:
            holder.execute("SELECT 1")
            refused = await ended(between.url, known)
        again = await ended(between.url, known, refused)
        await again.close()

    assert [("unreachable", ["database_unreachable"]), WELL] == [said(one) for one in (refused, again)]
    assert "query_wait_timeout" in message(refused)
