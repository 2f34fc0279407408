"""Notify systemd that the daemon is ready, alive or stopping: one datagram each."""

import os
import socket
from contextlib import suppress


def notify(*lines: str) -> None:
    """Send lines such as READY=1 to the socket in NOTIFY_SOCKET; do nothing if that is not possible."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    # A listener that is missing or busy must not block the daemon.
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender, suppress(OSError):
        sender.setblocking(False)
        sender.connect(address)
        sender.sendall("\n".join(line.replace("\n", " ") for line in lines).encode())


def watchdog_interval_s() -> float | None:
    """Return the interval of the watchdog notifications, None without a watchdog."""
    micros = os.environ.get("WATCHDOG_USEC", "")
    return int(micros) / 2_000_000 if micros.isdigit() and int(micros) else None
