"""The data folder of an embedded server: whose it is, whether it is in use, and what a killed process left in it.

Two locks protect it: this process holds `healthd.pid`, and all server processes hold `postgres.log`.
"""

import fcntl
import os
import socket
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from typing import IO, Literal, NamedTuple

from healthd.postgres.programs import EmbeddedError, Programs, account_name

Mode = Literal["smart", "fast", "immediate"]
STOP_TIMEOUT_S = 30.0

OURS = ("healthd.pid", "postgres.log", "initdb.unfinished", "initdb.finished")


class Pidfile(NamedTuple):
    """What a server writes about itself in postmaster.pid."""

    pid: int
    socket: Path
    status: str


def read_pidfile(data: Path) -> Pidfile | None:
    try:
        lines = (data / "postmaster.pid").read_text().splitlines() + [""] * 8  # it grows while the server starts
        return Pidfile(int(lines[0]), Path(lines[4]), lines[7].strip())
    except (FileNotFoundError, ValueError):
        return None


def listening(data: Path) -> Pidfile | None:
    """Return the server that accepts connections on a data folder; another process may have its process id by now."""
    state = read_pidfile(data)
    if state is not None:
        with socket.socket(socket.AF_UNIX) as client, suppress(OSError):
            client.connect(str(state.socket / ".s.PGSQL.5432"))
            return state
    return None


def prepare(data: Path, programs: Programs) -> None:
    """Create the data folder, or verify that the existing one is usable."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = data.stat().st_uid
    content = {entry.name for entry in data.iterdir()} if owner in (os.geteuid(), programs.uid) else {"unknown"}
    ours_to_fill = all(name in OURS for name in content)
    if owner != programs.uid and not (ours_to_fill and owner == os.geteuid()):
        raise EmbeddedError(
            f"{data} belongs to {account_name(owner)}, but PostgreSQL would run as {account_name(programs.uid)}",
            hint="name another data folder",
        )
    if ours_to_fill:
        programs.give(data)
    elif not content & {"PG_VERSION", "initdb.finished"}:
        raise EmbeddedError(
            f"{data} is not empty, and is not a PostgreSQL data folder",
            hint="name a folder that does not exist",
        )
    elif "PG_VERSION" in content and (major := (data / "PG_VERSION").read_text().strip()) != programs.major:
        raise EmbeddedError(
            f"{data} was initialized by PostgreSQL {major}, but {programs.bin} is PostgreSQL {programs.major}",
            hint=f"name the binaries of PostgreSQL {major}, or another data folder",
        )
    if not programs.can_write(data):
        raise EmbeddedError(
            f"the account {account_name(programs.uid)}, which would run PostgreSQL, cannot write to {data}",
            hint="name a data folder below folders that every account can enter, for example in /var/lib",
        )


def hold(data: Path) -> IO[str]:
    """Take the lock that makes us the only healthd on a data folder."""
    lock = open_own(data / "healthd.pid")
    if not _lock(lock):
        holder = lock.read().strip()
        lock.close()
        raise EmbeddedError(
            f"another healthd process (pid {holder}) runs the server on {data}",
            hint=f"use that server, stop the process (kill {holder}), or name another data folder",
        )
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def release(lock: IO[str]) -> None:
    if not lock.closed:
        fcntl.flock(lock, fcntl.LOCK_UN)  # closing is not enough while a forked process has it open too
        lock.close()


def _lock(file: IO[str], *, timeout_s: float = 0) -> bool:
    deadline = monotonic() + timeout_s
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if monotonic() > deadline:
                return False
            sleep(0.01)
        else:
            return True


def open_own(path: Path) -> IO[str]:
    """Open a file of ours to read and append, never through a link that the server's account may have put there."""
    number = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    return os.fdopen(number, "r+", errors="replace")


def end_survivors(data: Path, log: IO[str], programs: Programs) -> None:
    """Stop the server that a killed healthd left running, and remove what would prevent the next start."""
    modes: tuple[Mode, ...] = ("fast", "immediate")
    for mode in modes:
        if not _lock(log):
            with suppress(EmbeddedError):  # it may have stopped already
                programs.run("pg_ctl", "stop", "-D", str(data), "-m", mode, "-t", f"{STOP_TIMEOUT_S:.0f}")
    if not _lock(log, timeout_s=STOP_TIMEOUT_S):
        raise EmbeddedError(
            f"a PostgreSQL server on {data} does not stop", hint=f"kill it with: fuser -k -KILL {data}/postgres.log"
        )
    if server := listening(data):
        raise EmbeddedError(
            f"a PostgreSQL server (pid {server.pid}) that healthd did not start is running on {data}",
            hint=f"stop it (kill -INT {server.pid}), or name another data folder",
        )
    # If another process has the process id of a dead server, PostgreSQL would take it for that server; it also refuses
    # an empty file. Otherwise the file is kept: PostgreSQL uses it to find users of the dead server's shared memory.
    if (state := read_pidfile(data)) is None or _exists(state.pid):
        (data / "postmaster.pid").unlink(missing_ok=True)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
