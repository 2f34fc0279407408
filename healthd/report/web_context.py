"""What the web server needs from the daemon, and the headers of every response."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from healthd.config.hosts import Site
from healthd.expected.origins import Origin
from healthd.model.findings import Finding
from healthd.report.board import Board
from healthd.report.web_security import WebSecurity

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


async def _unknown(_target: str, _finding: Finding) -> Origin | None:
    """Return no origin: without files none is known."""
    return None


@dataclass(frozen=True, slots=True)
class WebContext:
    """What the web server needs from the daemon: the board, the time, a reload, its address, and what protects it."""

    board: Board
    clock: Callable[[], datetime]
    reload: Callable[[], Awaitable[None]]
    runbook: str
    listen: str = "127.0.0.1"
    security: WebSecurity | None = None
    origin: Callable[[str, Finding], Awaitable[Origin | None]] = _unknown  # of a finding of a target, in its files

    @property
    def headers(self) -> Mapping[str, str]:
        """Return the headers of every response."""
        return HEADERS if self.security is None else {**HEADERS, **self.security.now.config.headers}

    @property
    def site(self) -> Site:
        """Return the host names that are accepted in requests."""
        return Site(self.listen, self.board.external_url, self.board.allowed_hosts, self.board.machine)

    @property
    def runbook_url(self) -> str:
        """Return the address of the runbook: with the external URL, if it is one of our own pages."""
        return f"{self.board.external_url}{self.runbook}" if self.runbook.startswith("/") else self.runbook

    @property
    def base(self) -> str:
        """Return the prefix of all links: the path of the external URL."""
        return urlsplit(self.board.external_url).path
