"""PgBouncer in front of a database of the tests."""

from __future__ import annotations

import getpass
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from servers import free_port, tool, wait_until_ready
from wire import wire

from healthd.postgres import embedded


@contextmanager
def pooled(server: embedded.Server, url: str, mode: str, *, size: int = 20) -> Iterator[str]:
    """Yield the URL of a database behind a PgBouncer that opens up to `size` connections to it."""
    port, name = free_port(), url.rpartition("/")[2].partition("?")[0]
    user = "nobody" if os.getuid() == 0 else getpass.getuser()  # it refuses to run as root
    with tempfile.TemporaryDirectory() as temporary, wire(server, Path(temporary)):
        folder = Path(temporary)
        folder.chmod(0o755)
        (folder / ".s.PGSQL.5432").chmod(0o777)
        (folder / "pgbouncer.ini").write_text(
            f"[databases]\n{name} = host={folder} port=5432 user=postgres\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
            f"pool_mode = {mode}\nuser = {user}\ndefault_pool_size = {size}\n"
        )
        command = [tool("pgbouncer"), "-q", str(folder / "pgbouncer.ini")]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            behind = f"postgresql://postgres@127.0.0.1:{port}/{name}"
            try:
                wait_until_ready(process, lambda: reachable(behind))
                yield behind
            finally:
                process.kill()


def reachable(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.Error:
        return False
    return True
