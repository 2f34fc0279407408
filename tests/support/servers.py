"""Programs that tests run: found or skipped, started on their own ports, and stopped."""

import json
import os
import shutil
import socket
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import psycopg
import pytest

from healthd.postgres import embedded, programs

# Its minor releases are published within days; the servers in packages of Python and npm are older.
DEBIAN = Path("/usr/lib/postgresql/15/bin")


def tool(name: str) -> str:
    """Return the path of a program, or skip the test; in CI, a missing program is a failure."""
    if path := shutil.which(name):
        return path
    raise lacking(f"{name} is not installed")


def lacking(reason: str) -> BaseException:
    """Return the exception that skips a test; in CI, the one that fails it."""
    return pytest.fail.Exception(reason) if "CI" in os.environ else pytest.skip.Exception(reason)


def other_major(ours: Path | None) -> Path:
    """Return the programs of a major version on the other side of 16, which began to print columns without table."""
    number = programs.major(programs.find_binaries(ours))
    embedded_ones = [programs.find_binaries()] if ours else []
    fetched = sorted((Path(__file__).parents[2] / ".matrix").glob("*/package/native/bin"))
    for folder in (*embedded_ones, *([DEBIAN] if DEBIAN.exists() else []), *fetched):
        if (programs.major(folder) < 16) != (number < 16):
            return folder
    raise lacking(f"no programs of another major version in {DEBIAN} or .matrix (run make matrix MAJORS=15)")


@contextmanager
def asking_for_passwords(data: Path, *statements: str, hba: str, binaries: Path | None) -> Iterator[embedded.Server]:
    """Run a server that asks roles for their passwords: `hba` says which, and these statements create them."""
    with embedded.start(data, binaries=binaries, durable=False) as server:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            for statement in ("SET password_encryption = 'scram-sha-256'", *statements):
                connection.execute(statement.encode())
            (data / "pg_hba.conf").write_text(hba)
            connection.execute("SELECT pg_reload_conf()")
        yield server


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a tar archive; nothing in it is written elsewhere, if this Python can see to that (since 3.11.4)."""
    with tarfile.open(archive) as packed:
        if hasattr(tarfile, "data_filter"):
            packed.extractall(folder, filter="data")
        else:
            packed.extractall(folder)


def run(*command: str | Path) -> tuple[int, str]:
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    return result.returncode, result.stdout + result.stderr


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def call(url: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = Request(url, data=data, headers={"Content-Type": "application/json"})
    with urlopen(request, timeout=5) as answer:
        text = answer.read()
    return json.loads(text) if text.startswith((b"[", b"{")) else text


def wait_for(condition: Callable[[], Any], *, timeout_s: float = 30) -> Any:
    """Return the first true value of the condition."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            if value := condition():
                return value
        except OSError:
            if time.monotonic() > deadline:
                raise
        assert time.monotonic() < deadline, f"not within {timeout_s} s"
        time.sleep(0.1)


def wait_until_ready(process: subprocess.Popen[Any], answers: Callable[[], Any], log: Path | None = None) -> None:
    """Wait until a server that was started answers; fail, with its output, if it exits instead."""
    wait_for(lambda: process.poll() is not None or answers())
    assert process.poll() is None, log.read_text() if log else f"it ended with {process.returncode}"


@contextmanager
def running(port: int, log: Path, *command: str | Path) -> Iterator[str]:
    """Run a server of the Prometheus family, and yield its URL once it is ready."""
    url = f"http://127.0.0.1:{port}"
    with log.open("w") as stream, subprocess.Popen(command, stdout=stream, stderr=stream) as process:
        try:
            wait_until_ready(process, lambda: call(f"{url}/-/ready"), log)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=30)


def alertmanager_command(config: str, port: int, folder: Path) -> list[str | Path]:
    (folder / "alertmanager.yml").write_text(config)
    program = tool("prometheus-alertmanager" if shutil.which("prometheus-alertmanager") else "alertmanager")
    return [
        program,
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]


@contextmanager
def stand_in() -> Iterator[tuple[int, dict[str, str], list[tuple[str, dict[str, Any]]]]]:
    """Yield the port of a server that exports a given text and records what a webhook sends."""
    exported = {"metrics": ""}
    received: list[tuple[str, dict[str, Any]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(exported["metrics"].encode())

        def do_POST(self) -> None:
            received.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.answer(b"")

        def answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None: ...  # noqa: A002 # the name of the base

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server.server_port, exported, received
        finally:
            server.shutdown()
            thread.join()


def left_in(folder: Path) -> list[str]:
    """Return what is in a folder, and the command lines of the processes that have its name."""
    found = [str(one) for one in folder.iterdir()]
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # the process has ended meanwhile
            words = file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            found += [words] if str(folder) in words else []
    return found
