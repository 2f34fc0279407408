"""The connections of the web server with TLS: they are counted, and their time is limited, before the handshake."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Any

from healthd.report.connections import HEAD_S, Client
from healthd.report.tls import names_of
from healthd.report.web_security import WebSecurity


class SecureClient(Client):
    """One connection whose requests follow a TLS handshake; the limit of a request's head is that of both."""

    security: WebSecurity

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._early = b""  # what the client sends right behind its handshake
        self._gone = False
        self._handshake: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin the handshake, and count the client."""
        transport.pause_reading()
        self.arrive(transport)
        self._handshake = self.loop.create_task(self._shake_hands(transport))

    def data_received(self, data: bytes) -> None:
        """Pass data on, or keep it until the end of the handshake is known here."""
        if self.transport is None:
            self._early += data
        else:
            super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client."""
        self._gone = True
        if self.transport is None:
            self.forget()
        else:
            super().connection_lost(exc)

    async def _shake_hands(self, raw: asyncio.Transport) -> None:
        """Wait for the handshake, and then for requests. Our own deadline is over before that of asyncio."""
        if self._gone:
            return
        start: Callable[..., Any] = self.loop.start_tls
        context, allowed = self._expected()
        try:
            secure = await start(raw, self, context, server_side=True, ssl_handshake_timeout=2 * HEAD_S)
        except ssl.SSLError:  # a wrong certificate, no common version or cipher, or no TLS at all
            self._refuse()
            return
        except OSError:  # the client has left
            self.forget()
            return
        if secure is None or self._gone:  # disconnected
            self.forget()
        elif allowed and names_of(secure.get_extra_info("peercert")).isdisjoint(allowed):
            self._refuse()
        else:
            self.begin(secure)
            if self._early:
                self.data_received(self._early)

    def _expected(self) -> tuple[Any, tuple[str, ...]]:
        now = self.security.now
        return now.context, now.config.tls.allowed_names if now.config.tls else ()

    def _refuse(self) -> None:
        if not self._counted:
            self.leave("handshake")
        self.forget()
