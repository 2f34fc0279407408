"""The web configuration while the daemon runs: read again when one of its files changes, and kept while it is wrong."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

import structlog

from healthd.config.hosts import is_loopback
from healthd.config.web_config import NONE
from healthd.errors import HealthdError
from healthd.report.board import Board
from healthd.report.tls_names import is_for
from healthd.report.web_security import WebSecurity

log = structlog.get_logger()


@dataclass(slots=True)
class WebFile:
    """What protects the web server, and whether it is what the files say."""

    security: WebSecurity
    board: Board
    refused: str = ""  # why the files are not in use as they are
    expired: datetime | None = None  # the certificate about which that was logged
    named: object = None  # the certificate and the host that were compared

    async def follow(self, look_again_s: float) -> None:
        """Use the files as they are whenever they change; regularly, forever."""
        while True:
            self.show()
            await asyncio.sleep(look_again_s)
            try:
                changed: bool = await asyncio.to_thread(self.security.has_changed)
                if changed or self.refused:
                    await self.reload()
            except HealthdError:
                continue  # it is logged
            except Exception as error:  # whatever it is: what protects the web server stays
                log.exception("web_config.failed", error=type(error).__name__)

    async def reload(self) -> None:
        """Read the files again; if they are wrong, keep what they were, log it once, and raise the error."""
        before = self.security.now
        try:
            self.security.change(await asyncio.to_thread(self.security.read))
        except HealthdError as error:
            if str(error) != self.refused:
                log.error("web_config.rejected", error=str(error), hint=error.hint)
            self.refused, self.board.web_ok = str(error), False
            raise
        if self.refused or before.signatures != self.security.now.signatures:
            log.info("web_config.loaded", file=str(before.config.path))
        self.refused, self.board.web_ok = "", True
        self.show()

    def show(self) -> None:
        """Show until when the certificate is valid, and log once that it is not, or is for another name."""
        self._compare_names()
        expires_at = self.board.certificate_expires_at = self.security.now.expires_at
        if expires_at is None or expires_at > datetime.now(UTC) or self.expired == expires_at:
            return
        self.expired = expires_at
        hint = "renew it; a new file is used without a restart"
        log.warning("web_certificate.expired", expired_at=expires_at.isoformat(), hint=hint)

    def _compare_names(self) -> None:
        """Log once that the certificate is not for the host of the address under which others reach the pages."""
        url, now = urlsplit(self.board.external_url), self.security.now
        if self.named == (about := (url.hostname, now.signatures)):
            return
        self.named = about
        if url.scheme != "https" or not url.hostname or now.context is None or now.config.tls is None:
            return
        if not is_for(url.hostname, now.context, now.config.tls.cert_file):
            hint = "let it name this host, unless a proxy with a certificate of its own answers there"
            log.warning("web_certificate.other_name", host=url.hostname, hint=hint)


def warn_unprotected(host: str, security: WebSecurity | None) -> None:
    """Log what is missing if others than this host can connect."""
    if is_loopback(host):
        return
    config = security.now.config if security is not None else None
    tls = config is not None and config.tls is not None
    known = config is not None and (config.users or (config.tls is not None and config.tls.client_auth != NONE))
    missing = [word for word, there in (("TLS", tls), ("users", known)) if not there]
    if missing:
        hint = "set web_config (healthd docs tls), or leave both to a proxy"
        log.warning("web.unprotected", listen=host, missing=" and ".join(missing), hint=hint)
