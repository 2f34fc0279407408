"""What systemd and the daemon tell each other: that it is ready, alive or stopping, and the socket to listen on."""

import os
import socket
from contextlib import suppress

from healthd.errors import ConfigError

FIRST = 3  # the descriptor of the first socket that systemd passes


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


def heard() -> bool:
    """Return whether systemd listens to what is sent."""
    return "NOTIFY_SOCKET" in os.environ


def passed_socket() -> socket.socket | None:
    """Return the listening TCP socket of a socket unit; None if there is none.

    Raises ConfigError if it is of another type, or not the only one.
    """
    number, process = os.environ.pop("LISTEN_FDS", ""), os.environ.pop("LISTEN_PID", "")
    os.environ.pop("LISTEN_FDNAMES", None)
    if process != str(os.getpid()) or not number.isdigit() or number == "0":
        return None
    if number != "1":
        raise ConfigError(f"systemd passes {number} sockets", hint="let healthd.socket have one ListenStream=")
    try:
        listener = socket.socket(fileno=FIRST)
        listening = listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise ConfigError(f"the socket that systemd passes cannot be used: {error.strerror}") from error
    if listener.family not in (socket.AF_INET, socket.AF_INET6) or not listening:
        raise ConfigError("the socket that systemd passes does not listen on TCP", hint="ListenStream=127.0.0.1:9899")
    listener.set_inheritable(False)
    return listener


def watchdog_interval_s() -> float | None:
    """Return the interval of the watchdog notifications, None without a watchdog."""
    micros = os.environ.get("WATCHDOG_USEC", "")
    return int(micros) / 2_000_000 if micros.isdigit() and int(micros) else None
