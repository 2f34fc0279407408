"""systemd is told, on a real socket; nobody who should listen and does not can do harm."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from healthd.daemon.systemd import notify, watchdog_interval_s

# How many datagrams Linux keeps for a socket that nobody reads; the next one would wait.
LIMIT = Path("/proc/sys/net/unix/max_dgram_qlen")
MOST_WAITING = int(LIMIT.read_text()) if LIMIT.exists() else 10_000


@pytest.fixture
def listener(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A datagram socket where NOTIFY_SOCKET leads to."""
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(10)
        yield listener


def test_lines_arrive_as_one_datagram(listener: socket.socket) -> None:
    notify("READY=1", "STATUS=watching 2 targets, Größe")

    assert "READY=1\nSTATUS=watching 2 targets, Größe" == listener.recv(4096).decode()


def test_a_line_end_in_a_text_makes_no_second_assignment(listener: socket.socket) -> None:
    notify("STATUS=one\nMAINPID=1")

    assert b"STATUS=one MAINPID=1" == listener.recv(4096)


def test_an_abstract_socket_is_reached_by_its_at_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"healthd-test-{os.getpid()}"
    monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0{name}")
        listener.settimeout(10)
        notify("READY=1")

        assert b"READY=1" == listener.recv(4096)


def test_without_systemd_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify("READY=1")


def test_a_listener_that_is_gone_does_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    notify("READY=1")


def test_a_listener_that_does_not_read_does_not_stop_us(listener: socket.socket) -> None:
    for _ in range(MOST_WAITING + 100):
        notify("WATCHDOG=1")

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        with pytest.raises(BlockingIOError):
            sender.sendto(b"one more", listener.getsockname())
    assert b"WATCHDOG=1" == listener.recv(4096)


@pytest.mark.parametrize(("micros", "interval_s"), [("30000000", 15.0), ("0", None), ("", None), ("soon", None)])
def test_the_watchdog_is_fed_twice_in_its_time(
    micros: str, interval_s: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", micros)

    assert interval_s == watchdog_interval_s()
