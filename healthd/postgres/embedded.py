"""The embedded PostgreSQL: find its binaries, start it, stop it.

It is for `up`, `lock` and the tests, not for production. The server listens only on a Unix-domain socket.
"""

import hashlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from time import monotonic, sleep
from typing import IO, Self
from urllib.parse import quote

from healthd.postgres.clusters import copy_of, make_cluster
from healthd.postgres.data_folder import (
    STOP_TIMEOUT_S,
    Mode,
    end_survivors,
    hold,
    listening,
    open_own,
    prepare,
    read_pidfile,
    release,
)
from healthd.postgres.programs import EmbeddedError, Programs, choose, find_binaries, last_words
from healthd.postgres.watchdog import Watchdog

SIGNALS: Mapping[Mode, signal.Signals] = {
    "smart": signal.SIGTERM,
    "fast": signal.SIGINT,
    "immediate": signal.SIGQUIT,
}
DATABASE = "app"  # of `healthd up` when no database is configured
ELSEWHERE = Path("/var/lib/healthd")  # data folders of root, if other accounts cannot enter their own place
START_TIMEOUT_S = 60.0
LOG_LIMIT_BYTES = 10_000_000
SHORT = "/tmp"  # noqa: S108 # a new folder in it, with a random name
SOCKET_FOLDER_LIMIT_BYTES = 107 - len("/.s.PGSQL.5432")  # sun_path is 108 bytes, the last one NUL

NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
# A transaction locks every relation that it creates: a dump of 10,000 tables takes about 70,000 locks. This is the
# value for 140 processes.
ROOM = {"max_locks_per_transaction": "1024"}
THROW_AWAY = NOT_DURABLE | {
    "shared_buffers": "32MB",
    "max_connections": "60",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # For 80 processes: 300,000 locks, which need 70 MB.
    "max_locks_per_transaction": "4000",
}
# For 40,000 locks: the server looks at the entire table whenever a session is asked for its locks.
FEW_LOCKS = {"max_locks_per_transaction": "512"}
FEW_OBJECTS = 10_000  # columns among them: one transaction that creates them takes fewer than 40,000 locks


@dataclass(slots=True, eq=False)
class Server:
    """A running PostgreSQL server. It stops with `stop`, or when our process ends."""

    data: Path
    socket: Path  # the folder with the socket, libpq's `host`
    bin: Path
    _process: subprocess.Popen[bytes]
    _watchdog: Watchdog
    _lock: IO[str]

    @property
    def pid(self) -> int:
        return self._process.pid

    def url(self, database: str = "postgres") -> str:
        """Return the URL of a database, as psql, psycopg, yoyo and SQLAlchemy accept it."""
        return _url(self.socket, database)

    def running(self) -> bool:
        return self._process.poll() is None

    def stop(self, mode: Mode = "fast") -> None:
        """Stop the server, with stronger signals if it takes too long; a second stop does nothing."""
        if self._process.stdin is not None:
            self._process.stdin.close()  # if it has not begun, it ends now
        for number, timeout_s in (
            (SIGNALS[mode], STOP_TIMEOUT_S),
            (signal.SIGQUIT, 10),
            (signal.SIGKILL, 10),
        ):
            deadline = monotonic() + timeout_s
            while self.running() and monotonic() < deadline:
                self._process.send_signal(number)
                # Again after a second: what was started in the background ignores signals until it handles them itself.
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(1)
        self._watchdog.end()
        release(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start(
    data: Path, *, binaries: Path | None = None, durable: bool = True, settings: Mapping[str, str] = {}
) -> Server:
    """Start a server on a data folder, initialized if missing or empty, and wait until it accepts connections."""
    settings = {**ROOM, **({} if durable else NOT_DURABLE), **settings}
    return _start(data, find_binaries(binaries), durable=durable, settings=settings)


@contextmanager
def temporary(*, binaries: Path | None = None, settings: Mapping[str, str] = {}) -> Iterator[Server]:
    """Provide a scratch server; its folder is removed with it, even when our process is killed."""
    settings = {**THROW_AWAY, **settings}
    data = Path(tempfile.gettempdir(), f"healthd-{token_hex(8)}")  # it is made when it is watched
    server = _start(data, find_binaries(binaries), durable=False, settings=settings, scratch=True)
    try:
        yield server
    finally:
        server.stop("immediate")


def room_for(objects: int) -> Mapping[str, str]:
    """Return the settings of a scratch server on which so many objects are created, maybe in one transaction."""
    return FEW_LOCKS if objects < FEW_OBJECTS else {}


def within_reach(data: Path, *, binaries: Path | None = None) -> Path:
    """Return a data folder that PostgreSQL's account can enter: this one, or for root one that it becomes a link to.

    In a container that forbids user namespaces, root runs PostgreSQL as the account nobody, which cannot enter /root.
    """
    programs = choose(find_binaries(binaries), data)
    above = next(folder for folder in (data, *data.parents) if folder.exists())
    if programs.account is None or programs.can_enter(above):
        return data
    elsewhere = ELSEWHERE / hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
    elsewhere.mkdir(mode=0o700, parents=True, exist_ok=True)
    data.parent.mkdir(parents=True, exist_ok=True)
    if not data.is_symlink():
        data.symlink_to(elsewhere)
    return elsewhere


def running(data: Path, database: str) -> str | None:
    """Return the URL of a database on the server that runs on a data folder; None when no server runs."""
    server = listening(data)
    return None if server is None else _url(server.socket, database)


def _start(data: Path, binaries: Path, *, durable: bool, settings: Mapping[str, str], scratch: bool = False) -> Server:
    data = data.absolute()
    with _in_our_words(data), ExitStack() as undo:
        programs = choose(binaries, data)
        folder = _socket_folder(data, programs)
        litter = [*([data, copy_of(data)] if scratch else []), *([folder] if folder != data else [])]
        watchdog = Watchdog(data, litter)
        undo.callback(watchdog.end)
        if scratch:
            data.mkdir(mode=0o700)
        prepare(data, programs)
        lock = hold(data)
        undo.callback(release, lock)
        log = undo.enter_context(open_own(data / "postgres.log"))
        end_survivors(data, log, programs)
        make_cluster(data, programs, durable=durable, scratch=scratch)
        if (log_start := log.seek(0, os.SEEK_END)) > LOG_LIMIT_BYTES:
            log_start = log.truncate(0)
        quoted = '"{}"'.format(str(folder).replace('"', '""'))
        options = {"listen_addresses": "", "unix_socket_directories": quoted, "port": "5432", **settings}
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        held = programs.hold("postgres", "-D", str(data), *words, output=log)
        server = Server(data, folder, programs.bin, held.process, watchdog, lock)
        undo.callback(server.stop, "immediate")
        watchdog.follow(server.pid)
        held.begin()
        _wait_until_ready(server, log, log_start)
        log.close()
        undo.pop_all()
    return server


def _socket_folder(data: Path, programs: Programs) -> Path:
    """Return the data folder, or a new one if the path of a socket in it would not be usable."""
    if "," not in str(data) and _fits(data):  # a comma separates libpq's hosts
        return data
    for parent in (None, SHORT):
        folder = Path(tempfile.mkdtemp(prefix="healthd-", dir=parent))
        if "," not in str(folder) and _fits(folder):
            programs.give(folder)
            return folder
        folder.rmdir()
    raise EmbeddedError(
        f"no path of a socket is short enough: not in {data}, and not in {tempfile.gettempdir()}",
        hint="set TMPDIR to a folder with a short path",
    )


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder)) <= SOCKET_FOLDER_LIMIT_BYTES


def _wait_until_ready(server: Server, log: IO[str], log_start: int) -> None:
    deadline = monotonic() + START_TIMEOUT_S
    while (state := read_pidfile(server.data)) is None or (state.pid, state.status) != (server.pid, "ready"):
        running = server.running()
        if not running or monotonic() > deadline:
            log.seek(log_start)
            what = f"was not ready after {START_TIMEOUT_S:.0f} s" if running else "did not start"
            raise EmbeddedError(
                f"PostgreSQL {what} on {server.data}: {last_words(log.read())}",
                hint=f"see {server.data / 'postgres.log'}",
            )
        sleep(0.01)


def _url(folder: Path, database: str) -> str:
    # The port is specified so that PGPORT is not used.
    return f"postgresql://postgres@/{quote(database, safe='')}?host={quote(str(folder), safe='')}&port=5432"


@contextmanager
def _in_our_words(data: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EmbeddedError(
            f"cannot use {data} as a data folder: {error}", hint="name a folder that you may write to"
        ) from error


def main(arguments: Sequence[str]) -> None:
    """Become psql on the database of the `healthd up` that runs in this folder."""
    try:
        if arguments[:1] != ["psql"]:
            raise EmbeddedError(
                "psql is the only command", hint="use: python -m healthd.postgres.embedded psql [ARGUMENTS]"
            )
        psql = find_binaries() / "psql"
        data = Path(".healthd/data").absolute()
        if (server := listening(data)) is None:
            raise EmbeddedError(f"no PostgreSQL server is running on {data}", hint="start it with: healthd up")
    except EmbeddedError as error:
        sys.stderr.write(f"healthd: {error}\n    hint: {error.hint}\n")
        sys.exit(3)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    options = ("-X", "-v", "ON_ERROR_STOP=1", "-d", _url(server.socket, DATABASE))
    words = [str(psql), *options, *arguments[1:]]
    os.execve(psql, words, environment | {"PGCLIENTENCODING": "UTF8"})  # noqa: S606 # in our place, with our stdin


if __name__ == "__main__":
    main(sys.argv[1:])
