"""The web server answers whatever other clients do."""

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from healthd.report import connections
from healthd.report.connections import Clients, most_connections
from healthd.report.web_server import server_for

ANSWER = b"x" * 5_000_000  # more than the sockets of both sides hold


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer /large with much, and everything else after the whole body has arrived."""
    message = await receive()
    while message.get("more_body"):
        message = await receive()
    body = ANSWER if scope["path"] == "/large" else b"ok"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


Open = Callable[[bytes], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


@asynccontextmanager
async def serving(clients: Clients) -> AsyncIterator[Open]:
    """Serve, and provide a function that connects and sends something."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = server_for(app, clients)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        writers = []

        async def connect(data: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            reader, writer = await asyncio.open_connection(*listener.getsockname())
            writers.append(writer)
            writer.write(data)
            await writer.drain()
            return reader, writer

        while not server.started:  # noqa: ASYNC110 # uvicorn has a flag for it
            await asyncio.sleep(0.01)
        yield connect
        for writer in writers:
            writer.transport.abort()
        server.should_exit = True
        await task


async def answered(connect: Open) -> bytes:
    reader, _ = await connect(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    return (await asyncio.wait_for(reader.read(), 20)).rpartition(b"\r\n")[2]


async def gone(reader: asyncio.StreamReader) -> None:
    """Wait until the server has closed a connection."""
    try:
        while await asyncio.wait_for(reader.read(1_000_000), 20):
            pass
    except ConnectionError:
        pass


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHo"])
async def test_clients_without_a_request_make_room_for_others(sent: bytes) -> None:
    closed = Counter[str]()
    async with serving(Clients(5, closed)) as connect:
        silent = [await connect(sent) for _ in range(30)]

        assert b"ok" == await answered(connect)
        await gone(silent[0][0])

    assert {"full": 26} == closed


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n"])
async def test_a_client_that_makes_no_request_is_disconnected(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_S", 0.05)
    clients = Clients()
    async with serving(clients) as connect:
        reader, _ = await connect(sent)
        await gone(reader)

        assert {"idle": 1} == clients.closed
        assert b"ok" == await answered(connect)


@pytest.mark.parametrize(
    "sent",
    [b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1", b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n"],
    ids=["never sends its body", "never reads"],
)
async def test_a_client_that_does_not_finish_is_disconnected(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "WHOLE_S", 0.05)
    monkeypatch.setattr(connections, "HEAD_S", 1.0)  # from when a response waits to be read
    clients = Clients()
    async with serving(clients) as connect:
        await connect(sent)
        while not clients.closed:  # noqa: ASYNC110 # the client itself notices nothing
            await asyncio.sleep(0.01)

        assert {"slow": 1} == clients.closed
        assert {} == clients.connected


async def test_a_connection_may_be_used_again() -> None:
    clients = Clients(1)
    async with serving(clients) as connect:
        reader, writer = await connect(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        for _ in range(3):
            assert b"HTTP/1.1 200 OK\r\n" == await reader.readline()
            assert b"ok" == (await reader.readuntil(b"ok"))[-2:]
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert 1 == len(clients.connected)

    assert {} == clients.closed


@pytest.mark.parametrize(
    ("descriptors", "targets", "most"),
    [(1024, 10, 512), (256, 50, 124), (64, 10, 12), (64, 100, 8), (1_000_000, 0, 512)],
)
def test_databases_come_before_web_clients(descriptors: int, targets: int, most: int) -> None:
    assert most == most_connections(descriptors, targets)
