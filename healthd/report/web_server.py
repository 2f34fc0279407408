"""The server of the web application: its listening socket, and uvicorn without its signal handlers."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from healthd.errors import ConfigError
from healthd.report.connections import Clients
from healthd.report.secure_connections import SecureClient
from healthd.report.web_context import HEADERS
from healthd.report.web_security import WebSecurity


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """Hold the listening socket for a block; port 0 selects a free port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(128)
        except OSError as error:
            raise ConfigError(
                f"cannot listen on {host}:{port}: {error.strerror}",
                hint="stop the process that listens there, or set `listen` in [healthd] or --listen",
            ) from error
        yield listener


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers, because the daemon has its own."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def server_for(app: Any, clients: Clients | None = None, security: WebSecurity | None = None) -> uvicorn.Server:
    """Return the server of an application; setting its `should_exit` stops it within a second."""
    clients = clients or Clients(headers=lambda: HEADERS)
    secure = security is not None and security.now.context is not None
    return _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=1,
            backlog=64,  # as many connections are accepted at once
            ws="none",
            http=clients.protocol(SecureClient, security=security) if secure else clients.protocol(),
            loop="asyncio",
        )
    )
