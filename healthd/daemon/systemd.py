"""Tell systemd that we are ready, alive or stopping: one datagram, when there is somebody to tell."""

import os
import socket
from contextlib import suppress


def notify(*lines: str) -> None:
    """Send lines such as READY=1 to the socket in NOTIFY_SOCKET; do nothing without one that takes them."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    # Neither a listener that is gone nor one that is busy may stop us from watching.
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender, suppress(OSError):
        sender.setblocking(False)
        sender.connect(address)
        sender.sendall("\n".join(line.replace("\n", " ") for line in lines).encode())


def watchdog_interval_s() -> float | None:
    """Return how often systemd wants to hear from us, None when it does not."""
    micros = os.environ.get("WATCHDOG_USEC", "")
    return int(micros) / 2_000_000 if micros.isdigit() and int(micros) else None
