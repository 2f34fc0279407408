"""Who may use the web server, and what may change behind it."""

import base64
import ssl
from pathlib import Path

import bcrypt
import httpx
import pytest

from healthd.config.web_config import REQUIRED, Tls, WebConfig
from healthd.errors import ConfigError
from healthd.report.board import Board
from healthd.report.logins import Logins
from healthd.report.web import application
from healthd.report.web_context import HEADERS, WebContext
from healthd.report.web_security import Protection, WebSecurity, protection_in
from unit.report.test_web import NOW, problem

FILE = Path("/etc/healthd/web.yml")
USERS = {"alice": bcrypt.hashpw("größer:9".encode(), bcrypt.gensalt(4)).decode()}
TLS = Tls(Path("/cert.pem"), Path("/key.pem"))


def security_of(config: WebConfig) -> WebSecurity:
    def read() -> Protection:
        raise AssertionError("nothing is read")

    return WebSecurity(read, Logins(), Protection(config))


def basic(text: str | bytes) -> str:
    return "Basic " + base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


async def web(security: WebSecurity | None, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    async def reload() -> None: ...

    app = application(WebContext(Board(), lambda: NOW, reload, "/runbook", security=security))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1") as client:
        return await client.request(method, path, headers=headers)


PATHS = ["/", "/metrics", "/probe?target=app", "/-/healthy", "/-/ready", "/runbook", "/targets/app", "/api/v1/targets"]


@pytest.mark.parametrize("path", [*PATHS, "/nosuch"])
@pytest.mark.parametrize("authorization", ["", basic("alice:wrong"), basic("bob:größer:9")])
async def test_nothing_is_shown_without_user_and_password(path: str, authorization: str) -> None:
    security = security_of(WebConfig(FILE, users=USERS))
    answer = await web(security, path, authorization=authorization)

    problem(answer, 401)
    assert 'Basic realm="healthd", charset="UTF-8"' == answer.headers["www-authenticate"]
    assert HEADERS == {name: answer.headers.get(name) for name in HEADERS}


async def test_nothing_is_reloaded_without_user_and_password() -> None:
    security = security_of(WebConfig(FILE, users=USERS))

    assert 401 == (await web(security, "/-/reload", "POST")).status_code
    assert 200 == (await web(security, "/-/reload", "POST", authorization=basic("alice:größer:9"))).status_code


async def test_a_user_sees_what_everybody_does_without_users() -> None:
    for security in (security_of(WebConfig(FILE, users=USERS)), security_of(WebConfig(FILE)), None):
        found = {path: (await web(security, path, authorization=basic("alice:größer:9"))).status_code for path in PATHS}

        assert {"/": 200, "/targets/app": 404, "/probe?target=app": 400}.items() <= found.items()
        assert 421 == (await web(security, "/", host="evil.example", authorization=basic("alice:größer:9"))).status_code


@pytest.mark.parametrize(
    "authorization",
    [
        "Basic",
        "Basic !",
        "Basic YWxpY2U=",
        basic("alice:größer:9").replace("=", "!="),
        f"Bearer {basic('alice:größer:9')}",
        basic(b"\xff:\xff"),
        "basic:",
        " ",
    ],
)
async def test_what_is_no_login_is_refused(authorization: str) -> None:
    assert 401 == (await web(security_of(WebConfig(FILE, users=USERS)), "/", authorization=authorization)).status_code


async def test_a_scheme_has_no_case() -> None:
    security = security_of(WebConfig(FILE, users=USERS))

    assert await security.admits(basic("alice:größer:9").replace("Basic", "bAsIC"), "")


async def test_too_many_passwords_are_refused_for_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("healthd.report.logins.MOST", 0)
    answer = await web(security_of(WebConfig(FILE, users=USERS)), "/", authorization=basic("alice:größer:9"))

    problem(answer, 429)
    assert "5" == answer.headers["retry-after"]


async def test_headers_of_the_file_win_over_ours() -> None:
    own = {"Content-Security-Policy": "default-src 'self'", "Strict-Transport-Security": "max-age=600"}
    security = security_of(WebConfig(FILE, headers=own))
    for path in ("/", "/metrics", "/nosuch"):
        answer = await web(security, path)
        assert own == {name: answer.headers[name] for name in own}
        assert "nosniff" == answer.headers["x-content-type-options"]
    assert "strict-transport-security" not in (await web(security_of(WebConfig(FILE)), "/")).headers


def test_what_protects_does_not_vanish_while_a_file_is_written() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    mutual = Tls(TLS.cert_file, TLS.key_file, REQUIRED, allowed_names=("a",))
    security = security_of(WebConfig(FILE, mutual, USERS))
    security.now = full = Protection(security.now.config, context)
    for tls, users, key in (
        (None, USERS, "tls_server_config"),
        (mutual, {}, "basic_auth_users"),
        (TLS, USERS, "client_auth_type"),
        (Tls(TLS.cert_file, TLS.key_file, REQUIRED), USERS, "client_allowed_sans"),
    ):
        with pytest.raises(ConfigError, match=f"{FILE}: .*{key}.* is gone"):
            security.change(Protection(WebConfig(FILE, tls, users), context))
    assert full is security.now


def test_users_and_certificates_may_change() -> None:
    security = security_of(WebConfig(FILE))
    security.change(Protection(WebConfig(FILE, users=USERS)))
    security.change(other := Protection(WebConfig(FILE, users={"bob": "x"})))

    assert other is security.now
    with pytest.raises(ConfigError, match="tls_server_config is new"):
        security.change(Protection(WebConfig(FILE, TLS, {"bob": "x"}), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)))


def test_a_file_that_changes_while_it_is_read_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "web.yml"
    path.write_text("")

    def read(path: Path) -> WebConfig:
        path.write_text("# other")
        return WebConfig(path)

    security = security_of(WebConfig(path))
    security.now = protection_in(path, WebConfig)
    assert not security.has_changed()
    security.now = protection_in(path, read)
    assert security.has_changed()
