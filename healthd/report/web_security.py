"""The security of the web server: how it is protected now, which changes with its file, and who may use it."""

from __future__ import annotations

import base64
import binascii
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from healthd.config.settings import Signature
from healthd.config.target_files import signature
from healthd.config.web_config import WebConfig, protections
from healthd.errors import ConfigError
from healthd.report.tls import context_of, expires_at

if TYPE_CHECKING:
    from healthd.report.logins import Logins  # its library is optional


@dataclass(frozen=True, slots=True)
class Protection:
    """A web configuration with its certificates, as they were read."""

    config: WebConfig
    context: ssl.SSLContext | None = None
    expires_at: datetime | None = None  # the certificate
    signatures: tuple[Signature, ...] = ()  # of the files when they were read


@dataclass(slots=True)
class WebSecurity:
    """What protects the web server now; a new handshake or request goes by what is here then."""

    read: Callable[[], Protection]
    logins: Logins
    now: Protection

    def has_changed(self) -> bool:
        """Return whether a file has changed since it was read."""
        return self.now.signatures != tuple(map(signature, self.now.config.files))

    def change(self, new: Protection) -> None:
        """Use another protection; raise if it lacks something that protects now, or changes the scheme of all URLs."""
        before, after = list(protections(self.now.config)), list(protections(new.config))
        if lost := [key for key in before if key not in after]:
            hint = "restart healthd to serve without it; the old one stays in use"
            raise ConfigError(f"{new.config.path}: {lost[0]} is gone", hint=hint)
        if new.context is not None and self.now.context is None:
            raise ConfigError(f"{new.config.path}: tls_server_config is new", hint="restart healthd to serve with TLS")
        self.now = new

    async def admits(self, authorization: str, address: str) -> bool | None:
        """Return whether a request may pass; None if too many passwords wait for being checked."""
        users = self.now.config.users
        if not users:
            return True
        user, colon, password = _decoded(authorization).partition(b":")
        if not colon:
            return False
        return await self.logins.check(users, user.decode("utf-8", "replace"), password, address)


def protection_in(path: Path, read: Callable[[Path], WebConfig]) -> Protection:
    """Return the protection that a web configuration describes; its certificates are read, too."""
    first = signature(path)
    config = read(path)
    signatures = (first, *map(signature, config.files[1:]))
    if config.tls is None:
        return Protection(config, signatures=signatures)
    expires = expires_at(config.tls, path)
    return Protection(config, context_of(config.tls, path), expires, signatures)


def _decoded(authorization: str) -> bytes:
    """Return USER:PASSWORD of an Authorization header; empty if it has none."""
    scheme, _, word = authorization.partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(word.strip(), validate=True)
    except (binascii.Error, ValueError):
        return b""
