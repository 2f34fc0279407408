"""What psql sends when it reads a file: the statements as it splits them, recorded from the connection."""

import os
import socket
import struct
import subprocess
from collections.abc import Iterator
from contextlib import closing
from io import BufferedIOBase
from pathlib import Path
from threading import Thread

from healthd.postgres import programs

PATIENCE_S = 30.0


class Recorder:
    """A listener that psql takes for a server: it accepts every connection, and records what is sent."""

    def __init__(self, binaries: Path | None = None) -> None:
        self.psql = programs.find_binaries(binaries) / "psql"
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(PATIENCE_S)

    def close(self) -> None:
        self.listener.close()

    def sent(self, path: Path) -> list[str]:
        """Return the statements of a file, each as psql sends it."""
        queries: list[str] = []
        thread = Thread(target=self._serve, args=(queries,))
        thread.start()
        port = self.listener.getsockname()[1]
        where = f"host=127.0.0.1 port={port} user=u dbname=d sslmode=disable gssencmode=disable client_encoding=utf8"
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        done = subprocess.run(
            [self.psql, "-X", "-q", "-f", path, where], env=clean, capture_output=True, timeout=PATIENCE_S, check=False
        )
        thread.join(PATIENCE_S)
        assert not done.returncode, done.stderr
        return queries

    def _serve(self, queries: list[str]) -> None:
        connection, _ = self.listener.accept()
        with closing(connection), connection.makefile("rwb") as stream:
            (size,) = struct.unpack("!i", stream.read(4))
            stream.read(size - 4)
            settings = {"server_version": "18.0", "client_encoding": "UTF8", "standard_conforming_strings": "on"}
            statuses = (f"{name}\0{value}\0".encode() for name, value in settings.items())
            stream.write(_message(b"R", bytes(4)) + b"".join(_message(b"S", one) for one in statuses))
            stream.write(_message(b"Z", b"I"))
            stream.flush()
            for kind, body in _messages(stream):
                if kind == b"Q":
                    queries.append(body[:-1].decode())
                    stream.write(_message(b"I") + _message(b"Z", b"I"))
                    stream.flush()


def _message(kind: bytes, body: bytes = b"") -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def _messages(stream: BufferedIOBase) -> Iterator[tuple[bytes, bytes]]:
    while kind := stream.read(1):
        (size,) = struct.unpack("!i", stream.read(4))
        yield kind, stream.read(size - 4)
