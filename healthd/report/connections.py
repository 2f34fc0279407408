"""The connections of the web server: how many there may be, and how long a client may take.

A client that sends nothing, sends slowly or does not read must not keep others from being answered, least of all
Prometheus. If there are too many connections, the oldest one without a request makes room for the newest.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

MOST = 512
LEAST = 8
RESERVED = 32  # file descriptors for everything but targets and web clients
EACH = 2  # file descriptors of a target: its connection, and a second one for a short time

HEAD_S = 10.0  # until a request has begun: its whole head must have arrived
WHOLE_S = 30.0  # from then on until its response is complete


def most_connections(descriptors: int, targets: int) -> int:
    """Return how many clients may be connected if a process may open so many files; the databases come first."""
    return max(LEAST, min(MOST, _left(descriptors, targets)))


def most_rounds(descriptors: int) -> int:
    """Return how many rounds there may be at a time if a process may open so many files."""
    return max(1, (descriptors - RESERVED - LEAST) // EACH)


def too_few(descriptors: int, targets: int) -> bool:
    """Return whether a process that may open so many files lacks some for its databases and a few clients."""
    return _left(descriptors, targets) < LEAST


def _left(descriptors: int, targets: int) -> int:
    return descriptors - RESERVED - EACH * targets


class Clients:
    """The clients that are connected, the oldest first, and how many were disconnected, by reason."""

    def __init__(
        self,
        most: int = MOST,
        closed: Counter[str] | None = None,
        headers: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self.most, self.closed, self.headers = most, Counter[str]() if closed is None else closed, headers
        self.connected: dict[Client, None] = {}

    def protocol(self, base: type[Client] | None = None, **members: Any) -> type[asyncio.Protocol]:
        """Return the protocol of a server for these clients; the base says how a connection begins."""
        return type("_Client", (base or Client,), {"clients": self, **members})

    def arrive(self, client: Client) -> None:
        """Count a client in; if there are too many, disconnect the oldest one that has made no request."""
        self.connected[client] = None
        if len(self.connected) > self.most:
            next((one for one in self.connected if not one.busy), client).leave("full")


class Client(H11Protocol):
    """One connection, with a deadline for its request and one for its response."""

    clients: Clients

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._deadline: asyncio.TimerHandle | None = None
        self._counted = False
        self._socket: asyncio.Transport | None = None  # below TLS

    @property
    def busy(self) -> bool:
        """Return whether a request has begun and its response is not complete."""
        return bool(self.cycle) and not self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        self.arrive(transport)
        self.begin(transport)

    def arrive(self, socket: asyncio.Transport) -> None:
        """Count the client in; from now on its time is limited."""
        self._socket = socket
        self._wait("idle", HEAD_S)
        self.clients.arrive(self)

    def begin(self, transport: asyncio.Transport) -> None:
        """Take requests from now on."""
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Pass data on; a request that begins gets a deadline of its own."""
        before = self.busy
        super().data_received(data)
        if self.busy and not before:
            self._wait("slow", WHOLE_S)

    def on_response_complete(self) -> None:
        """Begin to wait for the next request, unless it is there already."""
        super().on_response_complete()
        self._wait("slow" if self.busy else "idle", WHOLE_S if self.busy else HEAD_S)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client."""
        self.forget()
        super().connection_lost(exc)

    def forget(self) -> None:
        """Count the client no longer."""
        self.clients.connected.pop(self, None)
        if self._deadline is not None:
            self._deadline.cancel()

    def leave(self, reason: str) -> None:
        """Disconnect at once, whatever is still to be sent."""
        layers = list(filter(None, (self._socket, self.transport)))  # with TLS each has a buffer of its own
        if not self._counted:
            self._counted = True
            unread = any(layer.get_write_buffer_size() > 0 for layer in layers)
            self.clients.closed["slow" if unread else reason] += 1
        self.clients.connected.pop(self, None)
        layers[0].abort()

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP, with the headers that every response has."""
        known = {"X-Request-ID": uuid.uuid4().hex, **self.clients.headers()}
        own = {"Content-Type": "text/plain; charset=utf-8", "Connection": "close", **known}
        headers = [(name.encode(), value.encode()) for name, value in own.items()]
        for event in (h11.Response(status_code=400, headers=headers), h11.Data(data=msg.encode()), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _wait(self, reason: str, seconds: float) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(seconds, self.leave, reason)
