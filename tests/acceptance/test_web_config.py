"""The daemon with TLS and users: who reads its pages, what it says of wrong files, and what Prometheus needs."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import bcrypt
import httpx
import pytest
from certificates import Certificate, authority, signed
from servers import call, free_port, running, tool, wait_for
from structlog.testing import capture_logs

from acceptance.test_bad_input import LOCAL, refused
from acceptance.test_cli import make_project
from acceptance.test_daemon import PATIENCE_S, Daemon, configure
from healthd.config.web_file import read_web_config
from healthd.daemon.web_file import WebFile
from healthd.report.board import Board
from healthd.report.logins import Logins
from healthd.report.web_security import WebSecurity, protection_in

SECRET = "hunter2 hunter2"
HASH = bcrypt.hashpw(SECRET.encode(), bcrypt.gensalt(10)).decode()
ALICE = ("alice", SECRET)
USERS = f"basic_auth_users:\n  alice: {HASH}\n"
TLS = "tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n"
NOWHERE = "postgresql://nobody@127.0.0.1:1/nowhere"
RELOADED, EXPIRES = "healthd_config_last_reload_successful", "healthd_web_certificate_expires_timestamp_seconds"


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def server(signer: Certificate) -> Certificate:
    return signed(signer, "server")


@pytest.fixture
def folder(tmp_path: Path, server: Certificate, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose only database is down, with the certificate and the key of a web server."""
    made = make_project(tmp_path / "project")
    configure(made, "", app=NOWHERE)
    ini = made / "yoyo.ini"
    ini.write_text(ini.read_text().replace("[healthd]\n", "[healthd]\nweb_config = web.yml\n"))
    use(made, server)
    monkeypatch.chdir(made)
    return made


def use(folder: Path, one: Certificate) -> None:
    shutil.copy(one.key, folder / "key.pem")
    shutil.copy(one.file, folder / "cert.pem")


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as made:
        yield made


def start(folder: Path, stack: ExitStack, text: str, *words: str) -> Daemon:
    """Start a daemon with a web configuration."""
    (folder / "web.yml").write_text(text)
    daemon = Daemon(folder, *(words or ("serve",)))
    stack.callback(daemon.process.wait, PATIENCE_S)
    stack.callback(daemon.process.kill)
    return daemon


def client(signer: Certificate, daemon: Daemon, auth: tuple[str, str] | None = None) -> httpx.Client:
    """Return a client that knows the authority."""
    context = ssl.create_default_context(cafile=signer.file)
    base = daemon.lines()["page"]
    return httpx.Client(base_url=base, verify=context, timeout=PATIENCE_S, auth=auth)


def is_answered(web: httpx.Client, path: str, status: int) -> bool:
    return web.get(path, auth=ALICE).status_code == status


def value(client: httpx.Client, series: str) -> float | None:
    found = [line for line in client.get("/metrics").text.splitlines() if line.startswith(f"{series} ")]
    return float(found[0].rpartition(" ")[2]) if found else None


def test_users_read_everything_over_tls_and_others_nothing(folder: Path, stack: ExitStack, signer: Certificate) -> None:
    daemon = start(folder, stack, TLS + USERS)
    web = stack.enter_context(client(signer, daemon))

    assert daemon.lines()["metrics"].startswith("https://127.0.0.1:")
    for path in ("/", "/metrics", "/targets/app", "/api/v1/targets/app", "/-/healthy", "/nosuch"):
        expected = 404 if path == "/nosuch" else 503 if path.startswith("/api") else 200
        wait_for(partial(is_answered, web, path, expected))
        for auth in (None, ("alice", "wrong"), ("bob", SECRET)):
            answer = web.get(path, auth=auth)
            assert (401, "nosniff") == (answer.status_code, answer.headers["x-content-type-options"])
            assert answer.headers["www-authenticate"].startswith("Basic ")
    port = httpx.URL(daemon.lines()["page"]).port
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE_S, trust_env=False)
    web.auth = ALICE
    origin = daemon.lines()["page"].rstrip("/")
    assert 200 == web.post("/-/reload", headers={"Origin": origin, "Sec-Fetch-Site": "same-origin"}).status_code
    assert 403 == web.post("/-/reload", headers={"Origin": "https://evil.example"}).status_code
    assert 421 == web.get("/", headers={"Host": "evil.example"}).status_code
    assert SECRET not in daemon.stderr.read_text() + daemon.stdout.read_text()
    assert HASH not in daemon.stderr.read_text() + web.get("/metrics").text
    assert 0 == daemon.end()


def test_the_option_of_exporters_is_known_too(folder: Path, stack: ExitStack, signer: Certificate) -> None:
    ini = folder / "yoyo.ini"
    ini.write_text(ini.read_text().replace("web_config = web.yml\n", ""))
    plain = start(folder, stack, TLS)
    assert plain.lines()["page"].startswith("http://")
    for words in (("--web.config.file=web.yml",), ("--web-config", str(folder / "web.yml"))):
        daemon = start(folder, stack, TLS, "serve", *words)
        assert 200 == stack.enter_context(client(signer, daemon)).get("/-/healthy").status_code
    assert plain.get("/-/healthy").status_code == 200


def test_files_that_change_are_used_and_wrong_ones_are_reported_once(
    folder: Path, stack: ExitStack, signer: Certificate, server: Certificate
) -> None:
    daemon = start(folder, stack, TLS + USERS)
    web = stack.enter_context(client(signer, daemon, auth=ALICE))
    before = value(web, EXPIRES)
    assert before
    (folder / "key.pem").write_text("junk")
    wait_for(lambda: value(web, RELOADED) == 0.0)
    with client(signer, daemon, auth=ALICE) as other:
        assert 200 == other.get("/-/healthy").status_code
    use(folder, signed(signer, "later", days=60))
    wait_for(lambda: value(web, RELOADED) == 1.0)
    after = value(web, EXPIRES)
    assert after
    assert after > before
    other_hash = bcrypt.hashpw(b"new", bcrypt.gensalt(4)).decode()
    (folder / "web.yml").write_text(f"{TLS}basic_auth_users:\n  alice: {other_hash}\n")
    wait_for(lambda: web.get("/-/healthy").status_code == 401)
    assert 200 == web.get("/-/healthy", auth=("alice", "new")).status_code

    (rejected,) = daemon.log("web_config.rejected")
    assert "web.yml: tls_server_config.key_file: " in rejected["error"]
    assert 2 == len(daemon.log("web_config.loaded"))


def test_a_reload_reads_the_files_and_answers_what_is_wrong(
    folder: Path, stack: ExitStack, signer: Certificate
) -> None:
    ini = folder / "yoyo.ini"
    ini.write_text(ini.read_text().replace("interval_s = 0.5", "interval_s = 60"))
    daemon = start(folder, stack, TLS + USERS)
    web = stack.enter_context(client(signer, daemon, auth=ALICE))
    for text, words in ((TLS, "basic_auth_users is gone"), (USERS, "tls_server_config is gone"), ("[", "not valid")):
        (folder / "web.yml").write_text(text)
        answer = web.post("/-/reload")
        assert 500 == answer.status_code
        assert words in answer.json()["detail"]
        assert 401 == web.get("/", auth=None).status_code
    (folder / "web.yml").write_text(TLS + USERS)
    assert 200 == web.post("/-/reload").status_code
    assert 1.0 == value(web, RELOADED)


def test_an_expired_certificate_is_served_and_reported(folder: Path, stack: ExitStack, signer: Certificate) -> None:
    use(folder, signed(signer, "expired", days=-1))
    daemon = start(folder, stack, TLS)

    wait_for(lambda: daemon.log("web_certificate.expired"))
    with pytest.raises(httpx.ConnectError, match="expired"):
        stack.enter_context(client(signer, daemon)).get("/")
    assert daemon.metric(EXPIRES)
    assert 1 == len(daemon.log("web_certificate.expired"))


@pytest.mark.parametrize(
    ("names", "host", "known"),
    [
        ("DNS:healthd.example", "healthd.example", True),
        ("DNS:*.shop.example", "healthd.shop.example", True),
        ("DNS:healthd.example", "other.example", False),
        ("DNS:*.shop.example", "a.healthd.shop.example", False),
        ("IP:127.0.0.1", "127.0.0.1", True),
        ("IP:127.0.0.1", "127.0.0.2", False),
    ],
)
def test_a_certificate_for_another_name_is_used_and_reported_once(
    names: str, host: str, known: bool, signer: Certificate, tmp_path: Path
) -> None:
    use(tmp_path, signed(signer, "named", names=names, days=-1 if known else 30))
    (tmp_path / "web.yml").write_text(TLS)
    now = protection_in(tmp_path / "web.yml", read_web_config)
    watched = WebFile(WebSecurity(lambda: now, Logins(), now), Board(external_url=f"https://{host}/below"))
    with capture_logs() as logged:
        watched.show()
        watched.show()

    expected = ["web_certificate.expired"] if known else ["web_certificate.other_name"]
    assert expected == [line["event"] for line in logged]


def test_a_flood_of_wrong_passwords_delays_nobody_who_has_the_right_one(
    folder: Path, stack: ExitStack, signer: Certificate
) -> None:
    daemon = start(folder, stack, TLS + USERS)
    web = stack.enter_context(client(signer, daemon, auth=ALICE))
    assert 200 == web.get("/metrics").status_code
    over, statuses = threading.Event(), set[int]()

    def flood() -> None:
        with client(signer, daemon) as wrong:
            while not over.is_set():
                statuses.add(wrong.get("/", auth=("alice", os.urandom(4).hex())).status_code)

    threads = [threading.Thread(target=flood) for _ in range(12)]
    for thread in threads:
        thread.start()
    stack.callback(over.set)
    wait_for(lambda: {401, 429} <= statuses)
    assert [200] * 5 == [web.get("/metrics").status_code for _ in range(5)]
    # From another address, and asked for the first time: it waits for one wrong password at most.
    elsewhere = httpx.HTTPTransport(local_address="127.0.0.2", verify=ssl.create_default_context(cafile=signer.file))
    with httpx.Client(transport=elsewhere, timeout=PATIENCE_S) as other:
        url = f"{daemon.lines()['page']}-/healthy"
        assert 401 == other.get(url, auth=("alice", "another")).status_code
    over.set()
    for thread in threads:
        thread.join()
    assert {401, 429} == statuses


def test_half_open_handshakes_keep_nobody_from_being_answered(
    folder: Path, stack: ExitStack, signer: Certificate
) -> None:
    daemon = start(folder, stack, TLS)
    port = httpx.URL(daemon.lines()["page"]).port
    assert port
    for number in range(600):  # more than may be connected
        one = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S))
        one.sendall(b"\x16\x03\x01\x02" if number % 2 else b"")

    web = stack.enter_context(client(signer, daemon))
    wait_for(lambda: (value(web, 'healthd_web_disconnections_total{reason="full"}') or 0) >= 88)


@pytest.mark.parametrize("verb", ["serve", "up"])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tls_server_config:\n  cert_file: cert.pem\n", "web.yml:2: tls_server_config: key_file is missing"),
        (TLS.replace("key.pem", "none.pem"), "tls_server_config.key_file: cannot read"),
        (TLS.replace("key.pem", "web.yml"), "web.yml: tls_server_config.key_file: "),
        ("basic_auth_users:\n  alice: hunter2\n", "web.yml:2: basic_auth_users.alice: not a bcrypt hash"),
        ("basic_auth_users: [\n", "web.yml:2: not valid YAML"),
        ("basic_auth_user: {}\n", "web.yml:1: unknown key 'basic_auth_user'"),
    ],
)
def test_a_wrong_file_is_one_line_with_file_and_key(verb: str, text: str, words: str, folder: Path) -> None:
    (folder / "web.yml").write_text(text)

    assert words in refused(verb, "--listen", LOCAL)


def test_a_file_that_is_not_there_is_refused(folder: Path) -> None:
    assert f"{folder / 'web.yml'}: no such file" in refused("serve", "--listen", LOCAL)


def test_a_library_that_is_missing_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "web.yml").write_text(USERS)
    monkeypatch.setitem(sys.modules, "bcrypt", None)
    monkeypatch.delitem(sys.modules, "healthd.report.logins", raising=False)

    text = refused("serve", "--listen", LOCAL)
    assert "needs the library bcrypt" in text
    assert "pip install 'healthd[web]'" in text


SCRAPES = """
scrape_configs:
  - job_name: healthd
    scrape_interval: 1s
    scheme: https
    tls_config: {{ca_file: {ca}, cert_file: {cert}, key_file: {key}}}
    basic_auth: {{username: alice, password_file: {password}}}
    static_configs: [{{targets: ["localhost:{port}"]}}]
"""


def test_prometheus_scrapes_with_tls_a_certificate_and_a_password(
    folder: Path, stack: ExitStack, signer: Certificate, tmp_path: Path
) -> None:
    program, own, port = tool("prometheus"), signed(signer, "prometheus", usage="clientAuth"), free_port()
    mutual = f"{TLS}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: {signer.file}\n"
    daemon = start(folder, stack, mutual + USERS)
    (tmp_path / "password").write_text(SECRET)
    config, scraped = tmp_path / "prometheus.yml", httpx.URL(daemon.lines()["page"]).port
    config.write_text(
        SCRAPES.format(ca=signer.file, cert=own.file, key=own.key, password=tmp_path / "password", port=scraped)
    )
    words = (f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'data'}")
    url = stack.enter_context(
        running(port, tmp_path / "log", program, *words, f"--web.listen-address=127.0.0.1:{port}")
    )

    def up() -> bool:
        found = call(f"{url}/api/v1/query?query=up%20*%20on(job)%20healthd_build_info")["data"]["result"]
        return [one["value"][1] for one in found] == ["1"]

    wait_for(up, timeout_s=PATIENCE_S)
    with pytest.raises(httpx.TransportError):
        stack.enter_context(client(signer, daemon, auth=ALICE)).get("/metrics")
