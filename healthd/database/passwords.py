"""Passwords that a command prints: short-lived ones of a cloud or a vault, asked for when a connection is opened.

What the command prints is never shown, whatever is wrong with it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from weakref import WeakKeyDictionary

from healthd.errors import DatabaseUnreachable
from healthd.text import mask_value

LIMIT_S = 10.0  # of one command
MOST_BYTES = 64 << 10  # that are read of what it prints
AT_ONCE = 8  # commands that run at a time: a client of a cloud takes as much memory as this process
HINT = "run the command as the user of healthd; what it prints is not shown"

# What a command learns about the connection for which it prints the password.
VARIABLES = {"host": "PGHOST", "hostaddr": "PGHOSTADDR", "port": "PGPORT", "user": "PGUSER", "dbname": "PGDATABASE"}


@dataclass(frozen=True, slots=True)
class PasswordCommand:
    """A command whose first line on stdout is a password, which is good for some seconds; 0: for one connection."""

    words: tuple[str, ...] = field(repr=False)
    ttl_s: float = 0.0
    folder: Path | None = None  # in which it runs


@dataclass(frozen=True, slots=True)
class _Kept:
    value: str = field(repr=False)
    until: float  # monotonic seconds


_kept: dict[tuple[PasswordCommand, tuple[str, ...]], _Kept] = {}
_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


async def password_of(
    command: PasswordCommand, known: Mapping[str, str], *, limit_s: float = LIMIT_S, again: bool = False
) -> str:
    """Return the password for a connection with these parameters; `again` means that the last one was refused.

    Raises DatabaseUnreachable if the command fails, and kills it if it has not finished in time.
    """
    variables = {name: known[parameter] for parameter, name in VARIABLES.items() if parameter in known}
    of = (command, tuple(variables.values()))
    kept = _kept.pop(of, None)
    if kept is None or again or kept.until <= monotonic():
        begin_s, limit_s = monotonic(), min(limit_s, LIMIT_S)
        try:
            async with asyncio.timeout(limit_s), _turn():
                kept = _Kept(_password(await _printed(command, variables)), begin_s + command.ttl_s)
        except TimeoutError:
            raise _failed(f"has not finished within {limit_s:g} s") from None
        mask_value(kept.value)
    if command.ttl_s:
        _kept[of] = kept
    return kept.value


def _turn() -> asyncio.Semaphore:
    return _turns.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE))


def _password(output: bytes) -> str:
    """Return the first line of what a command printed."""
    if len(output) > MOST_BYTES:
        raise _failed(f"printed more than {MOST_BYTES // 1024} KiB")
    try:
        first = output.split(b"\n", 1)[0].removesuffix(b"\r").decode()
    except UnicodeDecodeError:
        raise _failed("printed something that is not UTF-8") from None
    if not first or "\0" in first:
        raise _failed("printed nothing" if not output else "printed no password on its first line")
    return first


async def _printed(command: PasswordCommand, variables: Mapping[str, str]) -> bytes:
    """Run a command without a shell, and return what it printed; it leaves no process and no descriptor."""
    ours, theirs = os.pipe()
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(ours, "rb", 0))
    process = None
    try:
        try:
            process = _started(command, variables, theirs)
        finally:
            os.close(theirs)
        output = bytearray()
        while len(output) <= MOST_BYTES and (piece := await reader.read(MOST_BYTES)):
            output += piece
        if len(output) <= MOST_BYTES and (status := await _ended(process)):
            raise _failed(f"ended with exit status {status}" if status > 0 else f"was ended by signal {-status}")
        return bytes(output)
    finally:
        transport.close()
        if process is not None and process.returncode is None:  # not waited for: no other process has its number
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            with suppress(TimeoutError):
                async with asyncio.timeout(1.0):  # a process that waits for a disk cannot even be killed
                    await _ended(process)


def _started(command: PasswordCommand, variables: Mapping[str, str], stdout: int) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command.words,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.DEVNULL,
            cwd=command.folder,
            env=os.environ | variables,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise _failed(f"cannot be started: {getattr(error, 'strerror', None) or 'not a command'}") from None


async def _ended(process: subprocess.Popen[bytes]) -> int:
    """Return the exit status of a process that has closed its output, and so ends at once."""
    while (status := process.poll()) is None:  # noqa: ASYNC110 # nothing reports the end of a process
        await asyncio.sleep(0.005)
    return status


def _failed(why: str) -> DatabaseUnreachable:
    return DatabaseUnreachable(f"password_command {why}", hint=HINT)
