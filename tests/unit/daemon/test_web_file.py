"""What protects the web server is read again when a file changes; what is wrong is logged once, and changes nothing."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from healthd.config.web_config import REQUIRED, Tls, WebConfig
from healthd.daemon.web_file import WebFile, warn_unprotected
from healthd.errors import ConfigError
from healthd.report.board import Board
from healthd.report.logins import Logins
from healthd.report.web_security import Protection, WebSecurity

FILE = Path("/etc/healthd/web.yml")
TLS = Tls(Path("/cert.pem"), Path("/key.pem"))
MUTUAL = Tls(Path("/cert.pem"), Path("/key.pem"), REQUIRED)
USERS = {"alice": "hash"}


def security_of(config: WebConfig, read: Any = None, **words: Any) -> WebSecurity:
    return WebSecurity(read or (lambda: Protection(config)), Logins(), Protection(config, **words))


@pytest.mark.parametrize(
    ("host", "config", "missing"),
    [
        ("0.0.0.0", None, "TLS and users"),
        ("::", WebConfig(FILE), "TLS and users"),
        ("10.0.0.1", WebConfig(FILE, TLS), "users"),
        ("10.0.0.1", WebConfig(FILE, users=USERS), "TLS"),
        ("10.0.0.1", WebConfig(FILE, TLS, USERS), None),
        ("10.0.0.1", WebConfig(FILE, MUTUAL), None),
        ("127.0.0.1", None, None),
        ("localhost", None, None),
        ("::1", None, None),
    ],
)
def test_what_others_could_read_is_a_warning(host: str, config: WebConfig | None, missing: str | None) -> None:
    with capture_logs() as logged:
        warn_unprotected(host, security_of(config) if config is not None else None)

    assert ([missing] if missing else []) == [line["missing"] for line in logged]


async def test_what_is_wrong_is_logged_once_and_until_it_is_right() -> None:
    errors = ["a", "a", "b", ""]

    def read() -> Protection:
        if error := errors.pop(0):
            raise ConfigError(error)
        return Protection(WebConfig(FILE, users=USERS))

    watched = WebFile(security_of(WebConfig(FILE), read), Board())
    with capture_logs() as logged:
        for _ in range(3):
            with pytest.raises(ConfigError):
                await watched.reload()
            assert not watched.board.web_ok
            assert {} == watched.security.now.config.users
        await watched.reload()

    assert ["a", "b", None] == [line.get("error") for line in logged]
    assert watched.board.web_ok
    assert USERS == watched.security.now.config.users


async def test_files_are_followed_whatever_goes_wrong(tmp_path: Path) -> None:
    path, reads = tmp_path / "web.yml", asyncio.Queue[int]()
    path.write_text("")
    loop = asyncio.get_running_loop()

    def read() -> Protection:
        loop.call_soon_threadsafe(reads.put_nowait, 1)
        raise RuntimeError("bug")

    watched = WebFile(security_of(WebConfig(path), read), Board())
    with capture_logs() as logged:
        task = asyncio.create_task(watched.follow(0.01))
        for _ in range(2):
            await asyncio.wait_for(reads.get(), 20)
        task.cancel()

    assert {"web_config.failed"} == {line["event"] for line in logged}


def test_a_certificate_is_shown_with_its_end_and_logged_once_when_that_has_come() -> None:
    past, future = (datetime.now(UTC) + timedelta(days=days) for days in (-1, 1))
    for expires_at, events in ((future, []), (past, ["web_certificate.expired"])):
        watched = WebFile(security_of(WebConfig(FILE), expires_at=expires_at), Board())
        with capture_logs() as logged:
            watched.show()
            watched.show()

        assert expires_at == watched.board.certificate_expires_at
        assert events == [line["event"] for line in logged]
