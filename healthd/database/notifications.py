"""Notifications of DDL, on the connection that rounds share: received during a round, and awaited between two."""

from __future__ import annotations

import asyncio
import os
from time import monotonic
from typing import Any

from psycopg import AsyncConnection

from healthd.database.connection import rows_of
from healthd.database.driver_errors import translated
from healthd.errors import HealthdError
from healthd.model.ddl_watch import CHANNEL

POOLER = "a connection pooler is between healthd and the server, and would not deliver notifications"


class Notifications:
    """The notifications that a connection receives; `refused` is why it receives none, empty if it does."""

    def __init__(self, connection: AsyncConnection[Any], refused: str = "", *, missed: bool = False) -> None:
        self.connection, self.refused = connection, refused
        self._arrived = arrived = [monotonic()] if missed else []
        connection.add_notify_handler(lambda _: arrived.append(monotonic()))

    def take(self) -> tuple[float, ...]:
        """Return when notifications have arrived since the last call, in monotonic seconds.

        The connection must be idle. Raises HealthdError if it is lost.
        """
        with translated():
            self.connection.pgconn.consume_input()
        while notification := self.connection.pgconn.notifies():
            if self.connection.pgconn.notify_handler:
                self.connection.pgconn.notify_handler(notification)
        arrived = tuple(self._arrived)
        self._arrived.clear()
        return arrived

    async def wait(self, timeout_s: float) -> bool:
        """Wait until the server has sent something on the idle connection, or closed it; return False after the time.

        Somebody else may close the connection meanwhile, so what is watched is a copy of its descriptor.
        """
        loop, ready = asyncio.get_running_loop(), asyncio.Event()
        with translated():
            descriptor = os.dup(self.connection.pgconn.socket)
        loop.add_reader(descriptor, ready.set)
        try:
            await asyncio.wait_for(ready.wait(), timeout_s)
        except TimeoutError:
            return False
        finally:
            loop.remove_reader(descriptor)
            os.close(descriptor)
        return True


async def listen(connection: AsyncConnection[Any], *, missed: bool = False) -> Notifications:
    """Let a connection receive the notifications of its database, if its server and what is between allow that.

    If some may have been `missed`, it is as if one had arrived. A pooler sends the number of a session that is not the
    server's: PgBouncer would accept LISTEN, and deliver nothing.
    """
    try:
        with translated():
            ((pid,),) = await rows_of(connection, "SELECT pg_catalog.pg_backend_pid()")
            if pid != connection.info.backend_pid:
                return Notifications(connection, POOLER)
            await connection.execute(f"LISTEN {CHANNEL}".encode())
    except HealthdError as error:
        if connection.closed:
            raise
        return Notifications(connection, str(error))
    return Notifications(connection, missed=missed)
