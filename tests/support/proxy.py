"""A TCP proxy before a server: it passes on, delays, swallows, cuts or replaces what the server answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path


class Proxy:
    """Forwards connections to a server's socket; `mode` is pass, delay, swallow, cut or garbage, at any time."""

    def __init__(self, path: Path) -> None:
        self.path, self.mode, self.open = path, "pass", 0
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def url(self, database: str) -> str:
        """Return the URL of a database through this proxy."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}?sslmode=disable&gssencmode=disable"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client."""
        self.open += 1
        server: asyncio.StreamWriter | None = None
        try:
            if self.mode == "cut":
                return
            try:
                answers, server = await asyncio.open_unix_connection(self.path)
            except OSError:  # the server is down, or takes no more connections
                return
            there = asyncio.ensure_future(self._copy(reader, server, back=False))
            back = asyncio.ensure_future(self._copy(answers, writer, back=True))
            _, rest = await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
            for one in rest:
                one.cancel()
        finally:
            self.open -= 1
            for end in (server, writer):
                if end is not None:
                    with suppress(OSError):
                        end.close()

    async def _copy(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, back: bool) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                if self.mode == "cut":
                    return
                if self.mode == "swallow":
                    continue
                if self.mode == "delay":
                    await asyncio.sleep(0.05)
                if self.mode == "garbage" and back:
                    data = b"\x00\xff garbage " * 8
                sink.write(data)
                await sink.drain()


@asynccontextmanager
async def proxy(path: Path) -> AsyncIterator[Proxy]:
    """Yield a proxy to the server whose Unix socket has this path."""
    made = Proxy(path)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
