"""A proxy between a client and PostgreSQL that breaks at a chosen message, and a runner that can be killed there."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from urllib.parse import quote

from runs import migrate

from healthd.expected.files import read_migrations
from healthd.migrations.engine.yoyo_backend import opened, yoyo_migration
from healthd.postgres.embedded import Server

Happening = Callable[[int], bool]  # receives the number of a message; True breaks the connection


class Wire:
    """Forwards messages between clients and the server, one request with its response at a time, and counts requests.

    `before` is called before a request is forwarded, `after` when its response has arrived and is not forwarded yet.
    """

    def __init__(self, server: Server, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.before: Happening = lambda _: False
        self.after: Happening = lambda _: False
        self.questions: list[bytes] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / ".s.PGSQL.5432"))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, url: str) -> str:
        """Return a database's URL through this proxy."""
        return url.replace(quote(str(self.server.socket), safe=""), quote(str(self.folder), safe="")).replace(
            str(self.server.socket), str(self.folder)
        )

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server, suppress(OSError, EOFError):
            server.connect(str(self.server.socket / ".s.PGSQL.5432"))
            server.sendall(_startup(client))
            client.sendall(_until(server, b"Z"))
            while True:
                question = _until(client, b"QSX")
                number = len(self.questions)
                self.questions.append(question)
                if self.before(number):
                    return
                server.sendall(question)
                answer = _until(server, b"Z")
                if self.after(number):
                    return
                client.sendall(answer)


def _exactly(end: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        if not (more := end.recv(size - len(found))):
            raise EOFError
        found += more
    return found


def _startup(client: socket.socket) -> bytes:
    head = _exactly(client, 4)
    return head + _exactly(client, struct.unpack("!I", head)[0] - 4)


def _until(end: socket.socket, last: bytes) -> bytes:
    """Return complete messages up to one of these types."""
    found = b""
    while True:
        head = _exactly(end, 5)
        found += head + _exactly(end, struct.unpack("!I", head[1:])[0] - 4)
        if head[:1] in last:
            return found


@contextmanager
def wire(server: Server, folder: Path) -> Iterator[Wire]:
    """Yield a proxy to a server; `folder` must be short enough for the name of a socket."""
    made = Wire(server, folder)
    try:
        yield made
    finally:
        made.close()


PROCESSES = get_context("forkserver")
# What a runner imports; also pytest, which each of its child processes would import again.
PROCESSES.set_forkserver_preload(
    ["healthd.migrations.engine.yoyo_backend", "healthd.migrations.execution", "psycopg", "psycopg_binary", "pytest"]
)


def _run(verb: str, url: str, folder: Path) -> None:
    os.close(2)  # a broken connection makes it print errors
    os.open(os.devnull, os.O_WRONLY)
    if verb == "migrate":
        asyncio.run(migrate(url, read_migrations([folder]), None, say=lambda _: None))
        return
    with opened(url, wait_s=10.0, say=lambda _: None) as backend:
        for migration in read_migrations([folder]):
            getattr(backend, verb)(yoyo_migration(migration))


def start(verb: str, url: str, folder: Path) -> int:
    """Start a runner in its own process, and return its pid; `end` waits for it."""
    process = PROCESSES.Process(target=_run, args=(verb, url, folder), daemon=True)
    process.start()
    assert process.pid is not None
    RUNNING[process.pid] = process
    return process.pid


RUNNING: dict[int, BaseProcess] = {}


def end(pid: int) -> int | None:
    """Wait for a runner, and return its exit code: negative if it was killed by a signal."""
    process = RUNNING.pop(pid)
    process.join(60)
    return process.exitcode


def kill(pid: int) -> None:
    """Kill a process."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
