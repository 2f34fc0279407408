"""Handshakes: with certificates of every kind, in a time and number that are limited, and without a restart."""

import asyncio
import re
import shutil
import socket
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from certificates import CURVE, Certificate, authority, signed
from servers import run

from healthd.config.web_config import OPTIONAL, REQUIRED, Tls, WebConfig
from healthd.errors import ConfigError
from healthd.report import connections
from healthd.report.connections import Clients
from healthd.report.logins import Logins
from healthd.report.tls import context_of, expires_at
from healthd.report.web_context import HEADERS
from healthd.report.web_security import Protection, WebSecurity, protection_in
from healthd.report.web_server import server_for

FILE = Path("/etc/healthd/web.yml")
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
ANSWER = b"x" * 5_000_000  # more than the sockets of both sides hold


@dataclass(frozen=True)
class Papers:
    """An authority, what it signed, and a certificate of somebody else."""

    authority: Certificate
    server: Certificate
    client: Certificate
    stranger: Certificate


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    folder, other = tmp_path_factory.mktemp("papers"), tmp_path_factory.mktemp("other")
    known = authority(folder)
    client = signed(known, "client", names="DNS:prometheus.example,IP:fd00::1", usage="clientAuth")
    stranger = signed(authority(other), "stranger", usage="clientAuth")
    return Papers(known, signed(known, "server"), client, stranger)


def tls_of(papers: Papers, **words: Any) -> Tls:
    return Tls(papers.server.file, papers.server.key, **words)


def security_of(tls: Tls) -> WebSecurity:
    def read() -> Protection:
        return protection_in(FILE, lambda path: WebConfig(path, tls))

    return WebSecurity(read, Logins(), read())


def trusting(papers: Papers, own: Certificate | None = None) -> ssl.SSLContext:
    """Return what a client needs that knows the authority."""
    context = ssl.create_default_context(cafile=papers.authority.file)
    if own is not None:
        context.load_cert_chain(own.file, own.key)
    return context


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer with the scheme, or with much."""
    body = ANSWER if scope["path"] == "/large" else scope["scheme"].encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


class Served:
    """A server, and clients of it."""

    def __init__(self, port: int, clients: Clients) -> None:
        self.port, self.clients = port, clients
        self.writers: list[asyncio.StreamWriter] = []

    async def connect(
        self, context: ssl.SSLContext | None, sent: bytes = b""
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        name = "localhost" if context else None
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=context, server_hostname=name)
        self.writers.append(writer)
        writer.write(sent)
        await writer.drain()
        return reader, writer

    async def answer(self, context: ssl.SSLContext | None, sent: bytes = REQUEST) -> bytes:
        """Return the whole answer; with TLS 1.3, a client whose certificate is refused only notices it here."""
        reader, _ = await self.connect(context, sent)
        return await asyncio.wait_for(reader.read(), 20)


@asynccontextmanager
async def serving(security: WebSecurity, most: int = 100) -> AsyncIterator[Served]:
    clients = Clients(most, Counter(), lambda: HEADERS)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = server_for(app, clients, security)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:  # noqa: ASYNC110 # uvicorn has a flag for it
            await asyncio.sleep(0.01)
        served = Served(listener.getsockname()[1], clients)
        yield served
        for writer in served.writers:
            writer.transport.abort()
        server.should_exit = True
        await task
    assert {} == clients.connected


async def refused(served: Served, context: ssl.SSLContext | None) -> None:
    """Have a handshake fail, on whichever side."""
    before = served.clients.closed["handshake"]
    with suppress(ssl.SSLError, ConnectionError):
        assert await served.answer(context) == b""
    while served.clients.closed["handshake"] == before:  # noqa: ASYNC110 # the server may notice later
        await asyncio.sleep(0.01)


# ── handshakes ──────────────────────────────────────────────────────────────────────────────────────────


async def test_a_client_that_knows_the_authority_is_answered(papers: Papers) -> None:
    async with serving(security_of(tls_of(papers))) as served:
        answers = [await served.answer(trusting(papers)) for _ in range(3)]
        with pytest.raises(ssl.SSLCertVerificationError):
            await served.answer(ssl.create_default_context())
        await refused(served, None)

        assert [b"https"] * 3 == [answer.rpartition(b"\r\n")[2] for answer in answers]
        assert (await served.answer(trusting(papers))).endswith(b"https")


async def test_a_connection_may_be_used_again(papers: Papers) -> None:
    async with serving(security_of(tls_of(papers))) as served:
        reader, writer = await served.connect(trusting(papers))
        for _ in range(3):
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\nhttps"), 20)).startswith(b"HTTP/1.1 200")
        assert 1 == len(served.clients.connected)


async def test_what_is_no_http_is_answered_with_the_headers_of_every_response(papers: Papers) -> None:
    async with serving(security_of(tls_of(papers))) as served:
        answer = (await served.answer(trusting(papers), b"nonsense\r\n\r\n")).decode()

    assert answer.startswith("HTTP/1.1 400")
    assert "Invalid HTTP request received." in answer
    assert re.search(r"x-request-id: [0-9a-f]{32}\r\n", answer, re.IGNORECASE)
    for name, value in HEADERS.items():
        assert f"{name}: {value}".casefold() in answer.casefold()


@pytest.mark.parametrize(("lowest", "highest"), [("TLS12", "TLS12"), ("TLS13", "TLS13")])
async def test_the_version_is_what_the_file_says(lowest: str, highest: str, papers: Papers) -> None:
    other = ssl.TLSVersion.TLSv1_3 if highest == "TLS12" else ssl.TLSVersion.TLSv1_2
    context = trusting(papers)
    context.minimum_version = context.maximum_version = other
    async with serving(security_of(tls_of(papers, min_version=lowest, max_version=highest))) as served:
        await refused(served, context)

        assert (await served.answer(trusting(papers))).endswith(b"https")


async def test_cipher_and_curve_are_what_the_file_says(papers: Papers) -> None:
    wanted = "ECDHE-ECDSA-AES256-GCM-SHA384"
    tls = tls_of(papers, max_version="TLS12", ciphers=(wanted,), curve="secp384r1")
    async with serving(security_of(tls)) as served:
        _, writer = await served.connect(trusting(papers))
        assert wanted == writer.get_extra_info("cipher")[0]
        other = trusting(papers)
        other.set_ecdh_curve("prime256v1")
        await refused(served, other)
        other = trusting(papers)
        other.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
        await refused(served, other)


# ── certificates of clients ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("inline", [False, True])
async def test_a_client_without_a_certificate_of_the_authority_is_refused(inline: bool, papers: Papers) -> None:
    ca: dict[str, Any] = {"client_ca_file": papers.authority.file}
    if inline:
        ca = {"client_ca": papers.authority.file.read_text()}
    async with serving(security_of(tls_of(papers, client_auth=REQUIRED, **ca))) as served:
        await refused(served, trusting(papers))
        await refused(served, trusting(papers, papers.stranger))
        await refused(served, trusting(papers, papers.server))  # a certificate that is for servers

        assert (await served.answer(trusting(papers, papers.client))).endswith(b"https")


async def test_a_certificate_that_is_given_is_verified(papers: Papers) -> None:
    tls = tls_of(papers, client_auth=OPTIONAL, client_ca_file=papers.authority.file)
    async with serving(security_of(tls)) as served:
        await refused(served, trusting(papers, papers.stranger))

        assert (await served.answer(trusting(papers))).endswith(b"https")
        assert (await served.answer(trusting(papers, papers.client))).endswith(b"https")


@pytest.mark.parametrize(
    ("names", "admitted"),
    [(("prometheus.example",), True), (("other", "fd00::1"), True), (("PROMETHEUS", "example"), False)],
)
async def test_a_certificate_must_have_one_of_the_names(names: tuple[str, ...], admitted: bool, papers: Papers) -> None:
    tls = tls_of(papers, client_auth=REQUIRED, client_ca_file=papers.authority.file, allowed_names=names)
    async with serving(security_of(tls)) as served:
        if admitted:
            assert (await served.answer(trusting(papers, papers.client))).endswith(b"https")
        else:
            await refused(served, trusting(papers, papers.client))


# ── limits ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"], ids=["silent", "begun"])
async def test_handshakes_that_never_end_make_room_for_others(sent: bytes, papers: Papers) -> None:
    async with serving(security_of(tls_of(papers)), most=5) as served:
        for _ in range(30):
            await served.connect(None, sent)

        assert (await served.answer(trusting(papers))).endswith(b"https")
        assert {"full": 26} == served.clients.closed


@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"], ids=["silent", "begun"])
async def test_a_handshake_that_never_ends_is_ended(
    sent: bytes, papers: Papers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_S", 0.05)
    async with serving(security_of(tls_of(papers))) as served:
        assert await served.answer(None, sent) == b""
        assert ({"idle": 1}, {}) == (served.clients.closed, served.clients.connected)


async def test_a_client_that_makes_no_request_after_its_handshake_is_disconnected(
    papers: Papers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_S", 0.5)
    async with serving(security_of(tls_of(papers))) as served:
        reader, _ = await served.connect(trusting(papers))
        with pytest.raises((ssl.SSLError, ConnectionError, AssertionError)):
            assert await asyncio.wait_for(reader.read(), 20)
        assert ({"idle": 1}, {}) == (served.clients.closed, served.clients.connected)


async def test_a_client_that_does_not_read_is_disconnected(papers: Papers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "WHOLE_S", 0.05)
    monkeypatch.setattr(connections, "HEAD_S", 1.0)
    async with serving(security_of(tls_of(papers))) as served:
        _, writer = await served.connect(trusting(papers))
        writer.transport.pause_reading()  # type: ignore[attr-defined] # a transport that reads
        writer.write(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        while not served.clients.closed:  # noqa: ASYNC110 # the client itself notices nothing
            await asyncio.sleep(0.01)

        assert {"slow": 1} == served.clients.closed


async def test_clients_that_leave_in_their_handshake_are_forgotten(papers: Papers) -> None:
    async with serving(security_of(tls_of(papers))) as served:
        for sent in (b"", b"\x16\x03\x01\x02\x00\x01"):
            _, writer = await served.connect(None, sent)
            while not served.clients.connected:  # noqa: ASYNC110 # it is accepted later
                await asyncio.sleep(0.01)
            writer.transport.abort()
            while served.clients.connected:  # noqa: ASYNC110 # the server notices later
                await asyncio.sleep(0.01)
        assert {} == served.clients.closed  # they were not disconnected


# ── files that change ───────────────────────────────────────────────────────────────────────────────────


async def test_a_new_handshake_has_the_new_certificate_and_a_connection_stays(papers: Papers, tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    shutil.copy(papers.server.file, cert)
    shutil.copy(papers.server.key, key)
    security = security_of(Tls(cert, key))
    async with serving(security) as served:
        reader, writer = await served.connect(trusting(papers))
        before = writer.get_extra_info("ssl_object").getpeercert()["serialNumber"]
        other = signed(papers.authority, "other")
        shutil.copy(other.file, cert)
        assert security.has_changed()
        with pytest.raises(ConfigError, match=r"key_file: the key does not belong to cert_file"):
            security.read()
        shutil.copy(other.key, key)
        security.change(security.read())

        _, new = await served.connect(trusting(papers))
        assert before != new.get_extra_info("ssl_object").getpeercert()["serialNumber"]
        writer.write(REQUEST)
        assert (await asyncio.wait_for(reader.read(), 20)).endswith(b"https")


# ── files that are wrong ────────────────────────────────────────────────────────────────────────────────


def cause(tls: Tls) -> str:
    with pytest.raises(ConfigError) as caught:
        protection_in(FILE, lambda path: WebConfig(path, tls))
    assert caught.value.hint
    return str(caught.value)


def test_a_certificate_or_key_that_cannot_be_used_is_named(papers: Papers, tmp_path: Path) -> None:
    tls, none = tls_of(papers), tmp_path / "none.pem"
    junk, locked = tmp_path / "junk.pem", tmp_path / "locked.pem"
    junk.write_text("junk")
    run("openssl", "ec", "-in", papers.server.key, "-out", locked, "-aes256", "-passout", "pass:hunter2")
    for wrong, words in (
        (replace(tls, cert_file=none), f"cert_file: cannot read {none}: No such file or directory"),
        (replace(tls, key_file=none), f"key_file: cannot read {none}: No such file or directory"),
        (replace(tls, cert_file=tmp_path), f"cert_file: {tmp_path} is not a regular file"),
        (replace(tls, cert_file=junk), f"cert_file: {junk} is not a certificate in PEM format"),
        (replace(tls, cert_file=papers.server.key), "cert_file: "),
        (replace(tls, key_file=junk), f"key_file: {junk} is not a key in PEM format"),
        (replace(tls, key_file=papers.server.file), "key_file: "),
        (replace(tls, key_file=papers.client.key), "key_file: the key does not belong to cert_file"),
        (replace(tls, key_file=locked), f"key_file: {locked} has a password"),
        (replace(tls, client_auth=REQUIRED, client_ca_file=none), f"client_ca_file: cannot read {none}"),
        (replace(tls, client_auth=REQUIRED, client_ca_file=junk), "client_ca_file: not a certificate in PEM format"),
        (replace(tls, client_auth=REQUIRED, client_ca="junk"), "client_ca: not a certificate in PEM format"),
    ):
        assert cause(wrong).startswith(f"{FILE}: tls_server_config.{words}")


def test_a_certificate_that_is_cut_off_is_refused(papers: Papers, tmp_path: Path) -> None:
    text, cut = papers.server.file.read_text().splitlines(), tmp_path / "cut.pem"
    for lines in (text[:1] + text[-1:], text[:3] + text[-1:], text[:-1]):
        cut.write_text("\n".join(lines))
        assert "cert_file" in cause(replace(tls_of(papers), cert_file=cut))


def test_it_is_known_when_a_certificate_expires(papers: Papers, tmp_path: Path) -> None:
    expired, chain = signed(papers.authority, "expired", days=-1), tmp_path / "chain.pem"
    century = signed(papers.authority, "century", days=36525)
    for one in (papers.server, expired, century, papers.authority):
        _, text = run("openssl", "x509", "-in", one.file, "-noout", "-enddate")
        known = datetime.strptime(text.strip(), "notAfter=%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)
        assert known == expires_at(Tls(one.file, one.key), FILE)
    chain.write_text(papers.server.file.read_text() + expired.file.read_text())
    assert expires_at(Tls(chain, expired.key), FILE) < datetime.now(UTC) < expires_at(tls_of(papers), FILE)


def test_an_rsa_key_is_as_good_as_another(papers: Papers, tmp_path: Path) -> None:
    own = Certificate(tmp_path / "cert.pem", tmp_path / "key.pem")
    words = ("-newkey", "rsa:2048", *CURVE[-1:], "-keyout", own.key, "-out", own.file, "-subj", "/CN=rsa")
    run("openssl", "req", "-x509", *words)

    assert ssl.CERT_NONE is context_of(Tls(own.file, own.key), FILE).verify_mode
