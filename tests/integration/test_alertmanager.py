"""Whatever an Alertmanager does, requests to it are bounded, repeated, and of no concern to anything else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import structlog.testing
from unit.report.test_board import EXTRA, LOST, report

from healthd.config.settings import Alertmanager, Settings
from healthd.daemon import alertmanager
from healthd.daemon.alertmanager import BATCH, ENDS_AFTER, Alertmanagers, again_s
from healthd.report.board import Board, Delivery

HEAD = b"HTTP/1.1 %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"


def answer(status: str = "200 OK", body: bytes = b"") -> bytes:
    return HEAD % (status.encode(), len(body)) + body


OK = answer()


@dataclass
class Fake:
    """An Alertmanager that answers as it is set to, and what it has received."""

    url: str
    says: bytes | None = OK  # None: nothing, and the connection stays open
    requests: list[list[dict[str, Any]]] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = int(head.lower().partition("content-length: ")[2].split()[0])
            body = await reader.readexactly(length)
        except asyncio.IncompleteReadError:  # the test is over
            writer.close()
            return
        self.requests.append(json.loads(body))
        self.heads.append(head)
        if self.says is None:
            await reader.read()
        else:
            writer.write(self.says)
        writer.close()

    @property
    def labels(self) -> list[tuple[str, str]]:
        """Return alert and target of what the last request with alerts contained."""
        found: list[dict[str, Any]] = next((one for one in reversed(self.requests) if one), [])
        return [(one["labels"]["alertname"], one["labels"]["target"]) for one in found]


@asynccontextmanager
async def serving(says: bytes | None = OK) -> AsyncIterator[Fake]:
    fake = Fake("", says)
    async with await asyncio.start_server(fake.talk, "127.0.0.1", 0) as server:
        fake.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield fake
        server.close()


@asynccontextmanager
async def sending(*urls: str, resend_s: float = 60.0, **words: Any) -> AsyncIterator[Alertmanagers]:
    """Send the alerts of a board with one target, app."""
    board = Board()
    board.watch([("app", 10.0)])
    sender = Alertmanagers(board)
    sender.follow(settings(*urls, resend_s=resend_s, **words))
    try:
        yield sender
    finally:
        tasks = sender.stop()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def settings(*urls: str, **words: Any) -> Settings:
    here = Path("/nowhere")
    return Settings(None, (here,), here / "schema.lock", here, alertmanager=Alertmanager(urls, **words))


def post(sender: Alertmanagers, *findings: Any, **words: Any) -> None:
    found = report(*findings, **words)
    sender.board.post(found)
    sender.posted(found.target)


def is_known(sender: Alertmanagers, number: int) -> bool:
    return known(sender) == number


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 # what it waits for has no event
            await asyncio.sleep(0.01)


def delivery(sender: Alertmanagers, fake: Fake) -> Delivery:
    return sender.board.alertmanagers[fake.url.removeprefix("http://")]


@pytest.fixture(autouse=True)
def _soon_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alertmanager, "AGAIN_S", 0.01)


async def test_what_appears_is_sent_at_once_and_what_is_as_before_is_not_sent_again() -> None:
    async with serving() as fake, sending(fake.url) as sender:
        await until(lambda: fake.requests)
        assert [[]] == fake.requests
        post(sender, LOST)
        await until(lambda: len(fake.requests) == 2)
        assert [("HealthdSchemaMismatch", "app")] == fake.labels
        post(sender, LOST, EXTRA, at_s=10)
        other = replace(LOST, problem="enum_mismatch", check="enums")
        post(sender, LOST, other, at_s=20)
        await until(lambda: len(fake.requests) == 3)
        assert [("HealthdEnumMismatch", "app")] == fake.labels


async def test_what_is_new_is_repeated_sooner_and_postpones_nothing() -> None:
    async with serving() as fake, sending(fake.url) as sender:
        [(peer, _)] = sender.peers.values()
        await until(lambda: peer.resend_at)  # the first request is answered
        times = [peer.resend_at]
        for number in range(1, 3):
            post(sender, *(replace(LOST, problem=problem) for problem in ("enum_mismatch", "contract_broken")[:number]))
            await until(partial(is_known, sender, number))
            await asyncio.sleep(0.1)
            times.append(peer.resend_at)
        assert times[0] > times[1] == times[2]


async def test_everything_is_sent_again_and_ends_some_resends_later() -> None:
    async with serving() as fake, sending(fake.url, resend_s=1.0) as sender:
        post(sender, LOST)
        await until(lambda: sum(map(bool, fake.requests)) == 3)
        [first, *_, last] = [one[0] for one in fake.requests if one]
        assert first["startsAt"] == last["startsAt"]
        assert first["endsAt"] < last["endsAt"]
        assert ENDS_AFTER > 2


async def test_what_has_ended_is_resolved_after_a_while_and_then_sent_no_more() -> None:
    async with serving() as fake, sending(fake.url, resend_s=1.0) as sender:
        post(sender, LOST)
        await until(lambda: fake.labels)
        firing = [one for one in fake.requests if one][-1][0]
        post(sender, at_s=10)
        lingers = [until for _, until in sender.current.gone.values()]
        await until(lambda: len([one for one in fake.requests if one]) == 2)
        resolved = [one for one in fake.requests if one][-1][0]
        assert firing["labels"] == resolved["labels"]
        assert lingers[0].isoformat() <= resolved["endsAt"] < firing["endsAt"]
        number = len(fake.requests)
        await until(lambda: len(fake.requests) == number + 2)
        assert [[], []] == fake.requests[number:]


@pytest.mark.parametrize(
    ("says", "words"),
    [
        (answer("500 Internal Server Error"), "it answers with status 500"),
        (answer("302 Found"), "it answers with status 302"),
        (answer("401 Unauthorized", b'{"hunter2": 1}'), "it answers with status 401"),
        (answer("404 Not Found"), "it answers with status 404"),
        (answer("200 OK", b"\n<!DOCTYPE html><title>Log in</title>"), "it answers with a page for people"),
        (b"220 mail.example ESMTP\r\n", "HTTP request failed (RemoteProtocolError)"),
        (b"", "HTTP request failed (RemoteProtocolError)"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf", "HTTP request failed (RemoteProtocolError)"),
        (None, "no answer within 0.2 s"),
    ],
)
async def test_a_failure_is_logged_once_repeated_and_over_when_it_is(says: bytes | None, words: str) -> None:
    with structlog.testing.capture_logs() as lines:
        async with serving(says) as fake, sending(fake.url, timeout_s=0.2) as sender:
            post(sender, LOST)
            await until(lambda: delivery(sender, fake).failed > 2)
            assert delivery(sender, fake).reached is False
            assert delivery(sender, fake).sent == 0
            fake.says = OK
            await until(lambda: delivery(sender, fake).reached)
            assert [("HealthdSchemaMismatch", "app")] == fake.labels
    place = fake.url.removeprefix("http://")
    assert [("alertmanager.failed", place), ("alertmanager.reached", place)] == [
        (line["event"], line["alertmanager"]) for line in lines
    ]
    assert words in lines[0]["error"]
    assert lines[0]["hint"]
    assert "hunter2" not in str(lines)


def test_the_pause_after_a_failure_doubles_up_to_a_resend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alertmanager, "AGAIN_S", 1.0)

    assert [1, 2, 4, 8, 16, 32, 60, 60] == [again_s(failures, 60) for failures in range(1, 9)]
    assert 3600 == again_s(10_000, 3600)


async def test_what_ended_while_nobody_answered_is_resolved_afterwards() -> None:
    async with serving() as fake, sending(fake.url, resend_s=1.0, timeout_s=0.2) as sender:
        post(sender, LOST)
        await until(lambda: known(sender))
        fake.says = None
        post(sender, at_s=10)
        await until(lambda: not sender.current.lingering(datetime.now(UTC)))
        fake.says = OK
        fake.requests.clear()
        await until(lambda: fake.labels)
        await until(lambda: not known(sender))


def known(sender: Alertmanagers) -> int:
    """Return how many alerts the first Alertmanager was sent as firing."""
    [peer, *_] = [peer for peer, _ in sender.peers.values()]
    return len(peer.sent)


async def test_a_member_that_hangs_delays_no_other_and_no_round() -> None:
    async with serving(None) as silent, serving() as fake, sending(silent.url, fake.url) as sender:
        await until(lambda: silent.requests)
        post(sender, LOST)
        await until(lambda: fake.labels)
        assert [[]] == silent.requests
        assert delivery(sender, silent).reached is None


async def test_many_alerts_are_sent_in_several_requests() -> None:
    async with serving() as fake, sending(fake.url) as sender:
        await until(lambda: fake.requests)
        names = [f"t{number}" for number in range(2 * BATCH + 1)]
        sender.board.watch([(name, 10.0) for name in names])
        for name in names:
            post(sender, LOST, target=name)
        await until(lambda: len(fake.requests) == 4)
        assert [0, BATCH, BATCH, 1] == list(map(len, fake.requests))


async def test_a_reload_changes_labels_and_a_removed_target_ends() -> None:
    async with serving() as fake, sending(fake.url, resend_s=1.0) as sender:
        post(sender, LOST)
        await until(lambda: fake.labels)
        sender.board.watch([])
        sender.follow(settings(fake.url, resend_s=1.0, labels={"cluster": "eu"}))
        fake.requests.clear()
        await until(lambda: fake.labels)
        [ended] = [one for one in fake.requests if one][-1]
        assert "cluster" not in ended["labels"]
        await until(lambda: not known(sender))


async def test_a_token_is_read_for_each_request_and_one_that_is_missing_is_a_failure(tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as lines:
        async with serving() as fake, sending(fake.url, token_file=tmp_path / "token") as sender:
            await until(lambda: delivery(sender, fake).failed)
            (tmp_path / "token").write_text("abc\n")
            await until(lambda: fake.heads)
            assert "Authorization: Bearer abc\r\n" in fake.heads[0]
    assert "cannot read the token in" in lines[0]["error"]


async def test_an_error_in_healthd_ends_neither_rounds_nor_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving() as fake, sending(fake.url) as sender:
        await until(lambda: fake.requests)

        def broken(*_words: object) -> Any:
            raise KeyError("x")

        with structlog.testing.capture_logs() as lines, monkeypatch.context() as patch:
            patch.setattr(alertmanager, "alerts_of", broken)
            post(sender, LOST)
        assert ["alertmanager.failed"] == [line["event"] for line in lines]
        post(sender, LOST, at_s=10)
        await until(lambda: fake.labels)
