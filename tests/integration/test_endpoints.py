"""Endpoints: whatever an application does, it is told in one line, bounded in time and memory."""

import asyncio
import os
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from servers import tool

from healthd.config.reader import read_settings
from healthd.config.settings import Endpoint
from healthd.contracts.json_shape import load, mismatches
from healthd.errors import ConfigError
from healthd.model.findings import Report
from healthd.model.severity import Severity
from healthd.report.board import Board
from healthd.report.documents import answer, text
from healthd.report.exposition import Exposition
from healthd.report.page import overview, target
from healthd.rounds.endpoints import ask, examine_endpoint
from healthd.rounds.requests import LIMIT_BYTES

PIPE = b"a pipe"  # instead of a file with this content
GOOD = b'{"status": "ok", "items": [{"id": 1, "state": "active", "note": null}]}'
SHAPE = load(
    """{"fields": {
        "status": {"type": "string", "values": ["ok"]},
        "items": {"type": "array"},
        "items[].id": {"type": "integer"},
        "items[].state": {"type": "string", "values": ["active", "inactive"]},
        "items[].note": {"type": "string", "nullable": true},
        "items[].extra": {"required": false}
    }}"""
)

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def http(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def saying(*pieces: bytes, times: int = 1) -> Talk:
    """Return a server that reads the request, says these pieces, the last of them so many times, and hangs up."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for piece in (*pieces[:-1], *pieces[-1:] * times):
            writer.write(piece)
            await writer.drain()
        writer.close()

    return talk


@asynccontextmanager
async def serving(talk: Talk, context: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    ended: list[asyncio.Task[None]] = []

    async def quietly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        ended.append(task)
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(quietly, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"{'https' if context else 'http'}://127.0.0.1:{port}/"
    finally:
        server.close()
        for task in ended:
            task.cancel()
        await asyncio.gather(*ended, return_exceptions=True)


def endpoint(url: str, **words: Any) -> Endpoint:
    return replace(Endpoint("api", url, deadline_s=5.0, max_latency_s=5.0), **words)


async def report_of(talk: Talk, **words: Any) -> Report:
    async with serving(talk) as url:
        return await examine_endpoint(endpoint(url, **words))


def reported(report: Report) -> list[str]:
    return [one.problem for one in report.findings]


async def test_an_endpoint_that_answers_as_it_should_is_no_finding() -> None:
    report = await report_of(saying(http(GOOD)), shape=SHAPE)

    assert () == report.findings
    assert {"endpoints": Severity.OK} == report.checks


async def hang(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        writer.write(b"a")
        await writer.drain()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("talk", [hang, drip])
async def test_an_endpoint_that_hangs_is_given_up_at_its_deadline(talk: Talk) -> None:
    report = await report_of(talk, deadline_s=0.3)

    assert ["endpoint_unavailable"] == reported(report)
    assert "no answer within 0.3 s" in report.findings[0].message


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (http(b"", "500 Internal Server Error"), "status 500"),
        (http(b"", "302 Found", "Location: /"), "status 302 (a redirect, which is not followed)"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "HTTP request failed (RemoteProtocolError)"),
        (b"", "HTTP request failed (RemoteProtocolError)"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "HTTP request failed ("),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 1_000_000, "HTTP request failed ("),
    ],
)
async def test_another_answer_is_unavailable_in_one_line(said: bytes, words: str) -> None:
    report = await report_of(saying(said))

    assert ["endpoint_unavailable"] == reported(report)
    assert words in report.findings[0].message
    assert "\n" not in report.findings[0].message


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://no-such-host.invalid/", "http://[::1]:99999/"])
async def test_an_endpoint_that_cannot_be_reached_is_unavailable(url: str) -> None:
    assert ["endpoint_unavailable"] == reported(await examine_endpoint(endpoint(url)))


@pytest.fixture
def unknown(tmp_path: Path) -> ssl.SSLContext:
    """A server's certificate that it has signed itself."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([tool("openssl"), *words, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def by_turns(*talks: Talk) -> tuple[Talk, list[int]]:
    """Return a server that answers each connection as the next of these, and the list of those that it has seen."""
    seen: list[int] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(len(seen))
        await talks[min(seen[-1], len(talks) - 1)](reader, writer)

    return talk, seen


BROKEN = saying(http(b"", "500 No"))
OTHER = saying(http(GOOD.replace(b'"ok"', b'"swordfish"')))


@pytest.mark.parametrize("first", [BROKEN, OTHER, saying(b""), hang])
async def test_what_passes_before_the_second_question_is_not_told(first: Talk) -> None:
    talk, seen = by_turns(first, saying(http(GOOD)))
    report = await report_of(talk, shape=SHAPE, deadline_s=0.5)

    assert [] == reported(report)
    assert {"endpoints": Severity.OK} == report.checks
    assert [0, 1] == seen


async def test_what_is_wrong_twice_is_told_as_it_was_the_second_time() -> None:
    talk, seen = by_turns(BROKEN, OTHER, saying(http(GOOD)))
    report = await report_of(talk, shape=SHAPE)

    assert ["endpoint_mismatch"] == reported(report)
    assert [0, 1] == seen


async def test_an_endpoint_that_is_well_is_asked_once() -> None:
    talk, seen = by_turns(saying(http(GOOD)))
    await report_of(talk, shape=SHAPE)

    assert [0] == seen


async def test_a_certificate_that_nobody_vouches_for_is_told(unknown: ssl.SSLContext) -> None:
    async with serving(saying(http(GOOD)), unknown) as url:
        report = await examine_endpoint(endpoint(url))

    assert ["endpoint_unavailable"] == reported(report)
    assert "certificate verify failed" in report.findings[0].message


async def test_a_body_without_end_is_not_read_to_its_end() -> None:
    sent = 0

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        for _ in range(1000):
            writer.write(b" " * 1_000_000)
            await writer.drain()
            sent += 1_000_000

    report = await report_of(pour, shape=SHAPE)

    assert [f"the body is longer than {LIMIT_BYTES} bytes"] == [one.actual for one in report.findings]
    assert sent < 100_000_000


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (GOOD, ()),
        (b"<html>", ("the body is not JSON",)),
        (b"\xff", ("the body is not JSON",)),
        (b"[" * 100_000, ("the body is not JSON",)),
        (b"[]", ("status is missing", "items is missing", "items[].id is missing", "items[].state is missing",
                 "items[].note is missing")),
        (GOOD.replace(b'"ok"', b'"swordfish"'), ("status has a value that is not one of: ok",)),
        (GOOD.replace(b'"ok"', b"null"), ("status is null",)),
        (GOOD.replace(b"1", b"true"), ("items[].id is not of type integer",)),
        (GOOD.replace(b'"active"', b'"ACTIVE"'), ("items[].state has a value that is not one of: active, inactive",)),
        (b'{"status": "ok", "items": []}', ()),
    ],
)  # fmt: skip
def test_a_body_is_held_against_its_contract_and_its_values_are_not_quoted(
    body: bytes, expected: tuple[str, ...]
) -> None:
    assert expected == mismatches(body, SHAPE)


async def test_json_that_breaks_the_contract_is_a_mismatch() -> None:
    report = await report_of(saying(http(GOOD.replace(b'"ok"', b'"swordfish"'))), shape=SHAPE)

    assert ["endpoint_mismatch"] == reported(report)
    assert "swordfish" not in text(report)


async def test_an_answer_that_comes_late_is_slow() -> None:
    report = await report_of(saying(http(GOOD)), max_latency_s=0.000001)

    assert [("endpoint_slow", Severity.WARNING)] == [(one.problem, one.severity) for one in report.findings]


async def test_a_password_in_the_address_is_in_no_finding() -> None:
    async with serving(saying(http(b"", "401 Unauthorized"))) as url:
        report = await examine_endpoint(endpoint(url.replace("127", "user:swordfish@127")))

    assert "swordfish" not in text(report)
    assert "swordfish" not in repr(endpoint("http://user:swordfish@example/"))


async def test_a_bearer_token_is_read_at_each_question_and_is_in_no_finding(tmp_path: Path) -> None:
    asked: list[str] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        asked.extend(line.partition(": ")[2] for line in head.splitlines() if line.lower().startswith("authorization"))
        writer.write(http(b"{}", "401 Unauthorized"))
        writer.close()

    file = tmp_path / "token"
    async with serving(talk) as url:
        for token in ("first", "second"):
            file.write_text(f"{token}\n")
            report = await examine_endpoint(endpoint(url, token_file=file))

    assert ["Bearer first"] * 2 + ["Bearer second"] * 2 == asked
    assert "second" not in text(report)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "No such file or directory"),
        (b"", "does not contain a token"),
        (b"a\nb", "does not contain a token"),
        (b"\xff", "not ASCII"),
        (PIPE, "it is not a regular file"),
    ],
)
async def test_a_token_that_cannot_be_read_is_the_trouble(tmp_path: Path, content: bytes | None, words: str) -> None:
    if content == PIPE:
        os.mkfifo(tmp_path / "token")
    elif content is not None:
        (tmp_path / "token").write_bytes(content)
    report = await examine_endpoint(endpoint("http://127.0.0.1:1/", token_file=tmp_path / "token"))

    assert words in text(report)
    assert f"{tmp_path / 'token'}" in text(report)


async def test_the_environments_proxy_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    async with serving(saying(http(GOOD))) as url:
        asked = await ask(endpoint(url))

    assert (200, None) == (asked.status, asked.trouble)


async def test_the_board_shows_an_endpoint_as_metrics_on_the_page_and_in_the_api() -> None:
    board = Board()
    board.watch([("endpoint:api", 30.0)])
    for talk in (saying(http(GOOD)), saying(http(b"", "500 No")), hang):
        report = await report_of(talk, deadline_s=0.5)
        board.post(report)
    now = datetime.now(UTC)
    lines = Exposition(board, lambda: now).text("")[0].decode().splitlines()

    assert 'healthd_endpoint_up{endpoint="api"} 0.0' in lines
    for code, times in (("200", 1), ("500", 2), ("none", 2)):  # what is wrong is asked twice
        assert f'healthd_endpoint_responses_total{{code="{code}",endpoint="api"}} {times}.0' in lines
    assert 'healthd_endpoint_duration_seconds_count{endpoint="api"} 5.0' in lines
    assert 'healthd_endpoint_duration_seconds_bucket{endpoint="api",le="0.5"} 3.0' in lines
    assert 'healthd_check_runs_total{target="endpoint:api"} 3.0' in lines
    assert 'healthd_target_up{target="endpoint:api"} 1.0' in lines
    assert not [line for line in lines if line.startswith("healthd_migrations") and "endpoint" in line]
    entry = board.entries["endpoint:api"]
    words: dict[str, Any] = {"now": now, "runbook": "/runbook", "version": "1"}
    assert "endpoint_unavailable" in target("endpoint:api", entry, **words)
    assert "endpoint:api" in overview(board, **words)
    status, body, headers = answer(report, fresh=True, request_id="r", now=now, last_good=None, runbook="")
    assert (503, "endpoint_unavailable") == (status, body["error_code"])
    assert "Retry-After" in headers


def settings(folder: Path, text: str) -> tuple[Endpoint, ...]:
    (folder / "yoyo.ini").write_text(f"[healthd]\ninterval_s = 7\n[endpoint api]\n{text}")
    return read_settings(folder / "yoyo.ini").endpoints


def test_an_endpoint_is_read_from_its_section(tmp_path: Path) -> None:
    (tmp_path / "shape.json").write_text('{"fields": {"status": {"values": ["ok"]}}}')
    (made,) = settings(
        tmp_path,
        "url = http://127.0.0.1:8000/healthz\nstatus = 204\nmax_latency_s = 0.5\ncontract = shape.json\n"
        "token_file = secrets/token\n",
    )

    assert ("endpoint:api", 204, 0.5, 7.0, 10.0) == (
        made.name, made.status, made.max_latency_s, made.interval_s, made.deadline_s,
    )  # fmt: skip
    assert ("ok",) == made.shape[0].values
    assert tmp_path / "secrets" / "token" == made.token_file


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "[endpoint api]: missing"),
        ("url = ftp://x/\n", "not an http:// or https:// address"),
        ("url = http://x:99999/\n", "not an http:// or https:// address"),
        ("url = http:///\n", "not an http:// or https:// address"),
        ("url = http://x/\nstatus = ok\n", "'ok' is not an HTTP status"),
        ("url = http://x/\nmax_latency_s = -1\n", "is not a number of seconds"),
        ("url = http://x/\ncontract = none.json\n", "cannot read"),
        ("url = http://x/\ncontract = yoyo.ini\n", "Expecting value"),
        ("url = http://x/\nmethod = POST\n", "unknown key"),
    ],
)
def test_a_wrong_setting_is_told_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, text)

    assert words.removeprefix("[endpoint api]: ") in str(caught.value)
    assert "[endpoint api]" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["[]", '{"fields": {}}', '{"fields": {"a b": {}}}', '{"fields": {"a": 1}}', '{"fields": {"a": {"typ": 1}}}',
     '{"fields": {"a": {"type": "uuid"}}}', "[" * 100_000],
)  # fmt: skip
def test_what_is_no_contract_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        load(text)
