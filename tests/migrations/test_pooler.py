"""A pooler that shares sessions is noticed and refused with the reason; one that does not is as good as the server."""

from __future__ import annotations

import getpass
import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from servers import free_port, tool, wait_for
from wire import wire

from healthd import embedded
from healthd.errors import MigrationFailed
from healthd.migrations.files import read_migrations
from healthd.migrations.runner import migrate

Sql = Callable[..., list[tuple[Any, ...]]]


@contextmanager
def pooled(server: embedded.Server, url: str, mode: str) -> Iterator[str]:
    """Lend the URL of a database behind a PgBouncer."""
    port, name = free_port(), url.rpartition("/")[2].partition("?")[0]
    user = "nobody" if os.getuid() == 0 else getpass.getuser()  # it refuses to be root, who alone may enter our folders
    with tempfile.TemporaryDirectory() as temporary, wire(server, Path(temporary)):
        folder = Path(temporary)
        folder.chmod(0o755)
        (folder / ".s.PGSQL.5432").chmod(0o777)
        (folder / "pgbouncer.ini").write_text(
            f"[databases]\n{name} = host={folder} port=5432 user=postgres\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
            f"pool_mode = {mode}\nuser = {user}\n"
        )
        command = [tool("pgbouncer"), "-q", folder / "pgbouncer.ini"]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            behind = f"postgresql://postgres@127.0.0.1:{port}/{name}"
            try:
                wait_for(lambda: process.poll() is not None or reachable(behind))
                yield behind
            finally:
                process.kill()


def reachable(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.Error:
        return False
    return True


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql" / "1.sql").write_text("CREATE TABLE a ();")
    return tmp_path


async def test_a_pool_that_shares_sessions_is_refused_with_the_reason(
    database: str, folder: Path, server: embedded.Server, sql: Sql
) -> None:
    with (
        pooled(server, database, "transaction") as url,
        pytest.raises(MigrationFailed, match=re.escape("(PgBouncer, pool_mode transaction)")) as caught,
    ):
        await migrate(url, read_migrations([folder / "sql"]), None, say=lambda _: None)

    assert "pool_mode = session" in caught.value.hint
    assert [] == sql(database, "SELECT 1 FROM pg_class WHERE relnamespace = 'public'::regnamespace")
    assert [] == sql(database, "SELECT 1 FROM pg_locks WHERE locktype = 'advisory'")


async def test_a_pool_that_keeps_sessions_apart_is_as_good_as_the_server(
    database: str, folder: Path, server: embedded.Server, sql: Sql
) -> None:
    with pooled(server, database, "session") as url:
        await migrate(url, read_migrations([folder / "sql"]), None, say=lambda _: None)

    assert [("1",)] == sql(database, "SELECT migration_id FROM _yoyo_migration")
