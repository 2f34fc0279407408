"""PgBouncer in front of a database of the tests."""

from __future__ import annotations

import getpass
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg
from servers import free_port, tool, wait_until_ready
from wire import wire

from healthd.postgres import embedded


class Pooler:
    """A PgBouncer with a database behind it, at `url`; it can be killed, and started again."""

    def __init__(self, folder: Path, url: str) -> None:
        self.url, self._folder = url, folder
        self.start()

    def start(self) -> None:
        command = [tool("pgbouncer"), str(self._folder / "pgbouncer.ini")]
        with (self._folder / "log").open("w") as log:
            self._process = subprocess.Popen(command, stderr=log)
        self._killed = False
        wait_until_ready(self._process, lambda: reachable(self.url.replace("/*", "/postgres")))

    def kill(self) -> None:
        self._killed = True
        self._process.kill()
        self._process.wait()

    def ended(self) -> str:
        """Return what it said last if it has ended by itself, else nothing."""
        if self._killed or self._process.poll() is None:
            return ""
        said = (self._folder / "log").read_text().splitlines()
        return f"exit code {self._process.returncode}: {' '.join(said[-3:])}"


@contextmanager
def pooler(
    server: embedded.Server,
    url: str,
    mode: str,
    *,
    size: int = 20,
    settings: Mapping[str, str] = {},
    role: str = "postgres",
) -> Iterator[Pooler]:
    """Yield a PgBouncer that opens up to `size` connections to a database, or to each (`*`)."""
    port, name = free_port(), url.rpartition("/")[2].partition("?")[0]
    user = "nobody" if os.getuid() == 0 else getpass.getuser()  # it refuses to run as root
    with tempfile.TemporaryDirectory() as temporary, wire(server, Path(temporary)):
        folder = Path(temporary)
        folder.chmod(0o755)
        (folder / ".s.PGSQL.5432").chmod(0o777)
        more = "".join(f"{key} = {value}\n" for key, value in settings.items())
        (folder / "pgbouncer.ini").write_text(
            f"[databases]\n{name} = host={folder} port=5432 user={role}\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
            f"pool_mode = {mode}\nuser = {user}\ndefault_pool_size = {size}\n{more}"
        )
        made = Pooler(folder, f"postgresql://postgres@127.0.0.1:{port}/{name}")
        try:
            yield made
        finally:
            made.kill()


@contextmanager
def pooled(server: embedded.Server, url: str, mode: str, *, size: int = 20) -> Iterator[str]:
    """Yield the URL of a database behind a PgBouncer."""
    with pooler(server, url, mode, size=size) as made:
        yield made.url


def reachable(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.Error:
        return False
    return True
