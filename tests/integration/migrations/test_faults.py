"""A server that cannot: its disk is full, it is a standby, it restarts. One clear line, and nothing is lost."""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from acceptance.test_cli import Result, healthd
from conftest import BINARIES
from story import replayed, write_sql

from healthd.postgres import embedded

Sql = Callable[..., list[tuple[Any, ...]]]

ROWS = "SELECT n, repeat(md5(n::text), 30) FROM generate_series(1, 20000) AS n"  # some 20 MB
FILES = {
    "1_small": "CREATE TABLE public.small (n int, word text);",
    "1_small.rollback": "DROP TABLE public.small;",
    "2_whole": f"CREATE TABLE public.whole (n int, word text);\nINSERT INTO public.whole {ROWS};",
    "2_whole.rollback": "DROP TABLE public.whole;",
    "3_steps": f"""-- transactional: false
CREATE TABLE public.steps (n int, word text);
INSERT INTO public.steps {ROWS};
CREATE INDEX CONCURRENTLY steps_word ON public.steps (word, n);
""",
    "3_steps.rollback": "-- transactional: false\nDROP TABLE public.steps;",
}


@pytest.fixture(scope="module")
def lock(tmp_path_factory: pytest.TempPathFactory) -> str:
    return replayed(tmp_path_factory.mktemp("sql"), FILES)


@pytest.fixture
def project(tmp_path: Path, lock: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    sql = tmp_path / "sql"
    sql.mkdir()
    write_sql(sql, FILES)
    (sql / "schema.lock").write_text(lock)
    (tmp_path / "yoyo.ini").write_text("[DEFAULT]\nsources = sql\n")
    monkeypatch.chdir(tmp_path)
    return sql


def printed(url: str, *words: str, code: int) -> Result:
    result = healthd(*words, "--database", url)

    assert code == result.code, result
    assert "healthd itself" not in result.err
    return result


# ── a disk that is full ─────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Disk:
    """A file system of its own, in memory, that can be made larger."""

    place: Path

    def size(self, megabytes: int) -> None:
        subprocess.run(["mount", "-o", f"remount,size={megabytes}m", self.place], check=True, capture_output=True)

    def room_for(self, megabytes: int) -> None:
        """Leave so much room and no more."""
        there = os.statvfs(self.place)
        used = (there.f_blocks - there.f_bfree) * there.f_frsize
        kilobytes = used // 1024 + megabytes * 1024
        subprocess.run(["mount", "-o", f"remount,size={kilobytes}k", self.place], check=True, capture_output=True)


@contextmanager
def disk(owner: int) -> Iterator[Disk]:
    """Mount a disk; skip where that is not allowed."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        place = Path(folder) / "disk"
        place.mkdir()
        words = ["mount", "-t", "tmpfs", "-o", f"size=200m,uid={owner},mode=700", "tmpfs", str(place)]
        try:
            mounted = subprocess.run(words, capture_output=True, text=True, check=False)
        except OSError as error:
            pytest.skip(f"no disk can be mounted: {error}")
        if mounted.returncode:
            pytest.skip(f"no disk can be mounted: {mounted.stderr.strip()}")
        try:
            yield Disk(place)
        finally:
            subprocess.run(["umount", "-l", place], check=True)


@pytest.fixture
def data() -> Iterator[Path]:
    """A folder that PostgreSQL's account can enter."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "data"


@pytest.fixture
def full(server: embedded.Server, sql: Sql) -> Iterator[tuple[str, Disk]]:
    """A database on a disk of its own."""
    with disk(server.data.stat().st_uid) as own:
        sql(server.url(), f"CREATE TABLESPACE tight LOCATION '{own.place}'")
        sql(server.url(), "CREATE DATABASE tight TEMPLATE template0 TABLESPACE tight")
        sql(server.url(), "CHECKPOINT")  # what is a hole in the new files would need room when it is written later
        try:
            yield server.url("tight"), own
        finally:
            sql(server.url(), "DROP DATABASE tight WITH (FORCE)")
            sql(server.url(), "DROP TABLESPACE tight")


def test_a_disk_that_is_full_in_a_transaction_leaves_nothing(project: Path, full: tuple[str, Disk], sql: Sql) -> None:
    url, own = full
    printed(url, "migrate", "--to", "1_small", code=0)
    own.room_for(5)
    error = printed(url, "migrate", "--to", "2_whole", code=2).err

    assert "2_whole.sql, line 2: could not extend file" in error
    assert "(53100), statement 2: INSERT INTO public.whole" in error
    assert "nothing was changed" in error
    assert "hint: free disk space on the server, then run it again" in error
    assert "1_small  applied\n2_whole  pending\n" in printed(url, "status", code=1).out
    own.size(200)
    printed(url, "migrate", code=0)
    printed(url, "status", code=0)
    assert [(20000,)] == sql(url, "SELECT count(*)::int FROM public.whole")


def test_a_disk_that_is_full_between_two_statements_is_told_and_goes_on_there(
    project: Path, full: tuple[str, Disk], sql: Sql
) -> None:
    url, own = full
    printed(url, "migrate", "--to", "2_whole", code=0)
    own.room_for(5)
    error = printed(url, "migrate", code=2).err

    assert "3_steps.sql, line 3: could not extend file" in error
    assert "the 1 statement before it was applied, and the file is not recorded as complete" in error
    assert "hint: free disk space on the server, then: healthd resume" in error
    assert "3_steps  interrupted: after statement 1 of 3" in printed(url, "status", code=2).out
    own.size(200)
    assert "not proven" not in printed(url, "resume", code=0).err
    printed(url, "status", code=0)
    assert [(20000,)] == sql(url, "SELECT count(*)::int FROM public.steps")


def test_a_disk_that_is_full_in_an_index_build_leaves_no_invalid_index(
    project: Path, full: tuple[str, Disk], sql: Sql
) -> None:
    url, own = full
    path = project / "3_steps.sql"
    text = path.read_text()
    path.write_text(text.replace("CREATE INDEX", "SELECT 1/0;\nCREATE INDEX"))
    printed(url, "migrate", "--allow-unlocked", code=2)
    path.write_text(text)
    sql(url, "CHECKPOINT")
    own.room_for(3)
    error = printed(url, "resume", code=2).err

    assert "(53100), statement 3: CREATE INDEX CONCURRENTLY steps_word" in error
    assert "the INVALID index public.steps_word that it left behind was dropped" in error.replace(
        "index steps", "index public.steps"
    )
    assert [] == sql(url, "SELECT 1 FROM pg_index WHERE indrelid = 'public.steps'::regclass")
    own.size(200)
    assert "not proven" not in printed(url, "resume", code=0).err
    printed(url, "status", code=0)


def test_a_log_without_room_takes_the_server_down_and_nothing_with_it(project: Path, data: Path, sql: Sql) -> None:
    settings = {"max_wal_size": "64MB", "min_wal_size": "32MB", "wal_recycle": "off"}
    embedded.start(data, durable=False, settings=settings, binaries=BINARIES).stop()
    with disk(data.stat().st_uid) as own:
        wal = own.place / "pg_wal"
        subprocess.run(["cp", "-a", data / "pg_wal", wal], check=True)
        subprocess.run(["rm", "-r", data / "pg_wal"], check=True)
        (data / "pg_wal").symlink_to(wal)
        server = embedded.start(data, durable=False, settings=settings, binaries=BINARIES)
        try:
            url = server.url()
            printed(url, "migrate", "--to", "1_small", code=0)
            own.room_for(3)
            error = printed(url, "migrate", "--to", "2_whole", code=2).err

            assert "2_whole.sql" in error
            assert "nothing was changed" in error
            assert "Traceback" not in error
            own.size(200)
            server.stop("immediate")
            server = embedded.start(data, durable=False, settings=settings, binaries=BINARIES)
            assert "1_small  applied\n2_whole  pending\n" in printed(server.url(), "status", code=1).out
            printed(server.url(), "migrate", code=0)
            printed(server.url(), "status", code=0)
        finally:
            server.stop("immediate")


# ── a server that only reads ────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def pair(lock: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[embedded.Server, embedded.Server]]:
    """A primary, and a standby that follows it."""
    settings = {"wal_level": "replica", "max_wal_senders": "4"}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        first, second = Path(folder) / "first", Path(folder) / "second"
        embedded.start(first, durable=False, settings=settings, binaries=BINARIES).stop()
        subprocess.run(["cp", "-a", first, second], check=True)
        (second / "standby.signal").touch()
        with embedded.start(first, durable=False, settings=settings, binaries=BINARIES) as primary:
            with psycopg.connect(primary.url()) as connection:
                user = connection.info.user
            follow = {**settings, "primary_conninfo": f"host={primary.socket} user={user}"}
            with embedded.start(second, durable=False, settings=follow, binaries=BINARIES) as standby:
                yield primary, standby


async def _follows(primary: str, standby: str, sql: Sql) -> None:
    """Wait until the standby has what the primary has; what that has not written to its log yet is not sent."""
    sql(primary, "SET synchronous_commit = on; SELECT pg_logical_emit_message(true, 'tests', '')")
    ((position,),) = sql(primary, "SELECT pg_current_wal_lsn()::text")
    for _ in range(3000):
        if sql(standby, "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", position) == [(True,)]:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the standby does not follow")


WRITING = (["migrate"], ["rollback", "--allow-data-loss"], ["baseline", "--to", "2_whole"])


async def test_a_standby_is_read_by_status_and_changed_by_nobody(
    project: Path, pair: tuple[embedded.Server, embedded.Server], sql: Sql
) -> None:
    primary, standby = (server.url() for server in pair)

    def all_of_it(code: int, state: str) -> None:
        assert state in printed(standby, "status", code=code).out
        for words in WRITING:
            error = printed(standby, *words, code=2).err

            assert "is a standby, which is read-only; nothing was changed" in error, words
            assert "hint: connect to the primary" in error, words
            assert 2 == len(error.splitlines()), error

    await asyncio.to_thread(printed, primary, "migrate", "--to", "1_small", code=0)
    sql(primary, "DELETE FROM _healthd_migration")  # so that baseline has something to write
    await _follows(primary, standby, sql)
    sql(primary, "CREATE TABLE public.whole (n int, word text)")
    await _follows(primary, standby, sql)
    await asyncio.to_thread(all_of_it, 1, "2_whole  pending")
    sql(primary, "DROP TABLE public.whole")


async def test_an_interrupted_file_is_not_resumed_on_a_standby(
    project: Path, pair: tuple[embedded.Server, embedded.Server], sql: Sql
) -> None:
    sql(pair[0].url(), "CREATE DATABASE half TEMPLATE template0")
    primary, standby = (server.url("half") for server in pair)
    path = project / "3_steps.sql"
    text = path.read_text()
    path.write_text(text.replace("CREATE INDEX", "SELECT 1/0;\nCREATE INDEX"))
    await asyncio.to_thread(printed, primary, "migrate", "--allow-unlocked", code=2)
    path.write_text(text)
    await _follows(primary, standby, sql)

    def all_of_it() -> None:
        assert "3_steps  interrupted: after statement 2" in printed(standby, "status", code=2).out
        assert "is a standby, which is read-only; nothing was changed" in printed(standby, "resume", code=2).err
        printed(primary, "resume", code=0)

    await asyncio.to_thread(all_of_it)
    await _follows(primary, standby, sql)
    await asyncio.to_thread(printed, standby, "status", code=0)


async def test_a_drift_of_a_standby_is_shown_adopted_and_waived_but_not_repaired_there(
    project: Path, pair: tuple[embedded.Server, embedded.Server], sql: Sql
) -> None:
    sql(pair[0].url(), "CREATE DATABASE drifted TEMPLATE template0")
    primary, standby = (server.url("drifted") for server in pair)
    await asyncio.to_thread(printed, primary, "migrate", code=0)
    sql(primary, "ALTER TABLE public.small ADD COLUMN more text")
    await _follows(primary, standby, sql)

    def all_of_it() -> None:
        script = printed(standby, "repair", "--no-rehearsal", code=1).out
        error = printed(standby, "repair", "--apply", code=2).err

        assert "-- This is a standby: run it on the primary." in script
        assert "is a standby, which is read-only; nothing was changed" in error
        assert "hint: connect to the primary" in error
        assert 2 == len(error.splitlines()), error
        assert "ADD COLUMN more text" in printed(standby, "adopt", "more", "--dry-run", code=0).out  # they only read
        printed(standby, "waive", "column:public.small.more", "--until", "30d", "--reason", "x", code=0)
        printed(standby, "check", code=0)
        printed(primary, "repair", "--apply", code=0)

    await asyncio.to_thread(all_of_it)


def test_a_database_that_only_reads_is_told_by_every_verb_that_writes(project: Path, database: str, sql: Sql) -> None:
    printed(database, "migrate", "--to", "1_small", code=0)
    sql(database, "DELETE FROM _healthd_migration; CREATE TABLE public.whole (n int, word text)")
    alter = "ALTER DATABASE %I SET default_transaction_read_only = on"
    sql(database, f"DO $$ BEGIN EXECUTE format('{alter}', current_database()); END $$")

    assert "2_whole  pending" in printed(database, "status", code=1).out
    for words in (*WRITING, ["repair", "--apply"]):
        error = printed(database, *words, code=2).err

        assert "is read-only (default_transaction_read_only is on); nothing was changed" in error, words
        assert 2 == len(error.splitlines()), error
