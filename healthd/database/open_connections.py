"""The connections that one round has opened, and how all of them end at once, whatever the server does."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.pq import TransactionStatus

CANCEL_S = 0.4  # how long a server may take to receive a cancel request


@dataclass(slots=True)
class Opened:
    """The connections of one round; when it is `over`, no other one is opened."""

    connections: list[AsyncConnection[Any]] = field(default_factory=list)
    over: bool = False

    async def interrupt(self) -> bool:
        """Have the server cancel what runs, and return whether it took the requests; False without a connection."""
        active = [
            one
            for one in self.connections
            if not one.closed and one.info.transaction_status == TransactionStatus.ACTIVE
        ]
        requests = (one.cancel_safe(timeout=CANCEL_S) for one in active)
        answers = await asyncio.gather(*requests, return_exceptions=True)
        return bool(self.connections) and not any(isinstance(one, BaseException) for one in answers)

    def shut(self) -> None:
        """Shut the sockets: whoever waits for an answer gets an error immediately, and can close the connection.

        A socket that is closed while somebody waits for it would be watched under the number of the next one.
        """
        self.over = True
        for one in self.connections:
            shut(one)

    async def close(self) -> None:
        """Close the connections, which nobody uses any more."""
        self.over = True
        for one in self.connections:
            await one.close()


def shut(connection: AsyncConnection[Any]) -> None:
    """Shut the socket of a connection without closing it."""
    with suppress(psycopg.Error, OSError), socket.socket(fileno=os.dup(connection.pgconn.socket)) as same:
        same.shutdown(socket.SHUT_RDWR)


_OPENED: ContextVar[Opened | None] = ContextVar("healthd_opened", default=None)


@contextmanager
def collecting(opened: Opened) -> Iterator[None]:
    """Add each connection that the block, or a task that it starts, opens."""
    token = _OPENED.set(opened)
    try:
        yield
    finally:
        _OPENED.reset(token)


def current() -> Opened:
    """Return the list of the current round; outside of a round, one that nobody reads."""
    return _OPENED.get() or Opened()
