"""A rehearsal in a process of its own, for a daemon that must not wait: `python -m healthd.replay.rehearsal_process`.

The process reads one job from its standard input and writes the result to its standard output. It ends by itself
after the time limit, or when the process that started it has ended, and its server ends with it.
"""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import signal
import sys
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

from healthd.model.scripts import Script
from healthd.model.snapshots import Snapshot
from healthd.replay.rehearsal import Rehearsal, rehearse

NICE = 19
STOP_S = 5.0  # how long the process may take to stop its server and to remove its folder


@dataclass(frozen=True, slots=True)
class Job:
    """What is rehearsed; the snapshots are complete, as for a comparison."""

    script: Script
    expected: Snapshot
    actual: Snapshot
    migrator: str | None
    postgres_bin: Path | None
    limit_s: float

    def packed(self) -> bytes:
        """Return it as bytes; objects that would be computed when they are needed are computed."""
        sides = (replace(side, objects=dict(side.objects)) for side in (self.expected, self.actual))
        expected, actual = sides
        return pickle.dumps(replace(self, expected=expected, actual=actual), pickle.HIGHEST_PROTOCOL)


async def rehearsed_apart(packed: bytes, *, limit_s: float) -> Rehearsal:
    """Return the result of a packed job; if this is cancelled, the process ends, with its server."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "healthd.replay.rehearsal_process",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(limit_s + STOP_S):
            process.stdin.write(packed)  # it stays open: that it is closed means that nobody waits any more
            with suppress(ConnectionError):
                await process.stdin.drain()
            output = await process.stdout.read()
            await process.wait()  # asyncio logs a warning about one that ends while it is being terminated
        return _result(output)
    except TimeoutError:
        return late(limit_s)
    finally:
        await _end(process)
        process.stdin.close()


def late(limit_s: float) -> Rehearsal:
    """Return the result of a rehearsal that took too long."""
    return Rehearsal(problem=f"it took longer than {limit_s:g} s")


def _result(output: bytes) -> Rehearsal:
    try:
        found = json.loads(output)
    except ValueError:
        return Rehearsal(problem="its process was ended")
    return Rehearsal(**{**found, "left": tuple(found["left"])})


async def _end(process: asyncio.subprocess.Process) -> None:
    """End the process, if it still runs: it stops its server. If it cannot, the server's watchdog does."""
    with suppress(ProcessLookupError):
        if process.returncode is None:
            process.terminate()
            with suppress(TimeoutError):
                async with asyncio.timeout(STOP_S):
                    await process.wait()
        if process.returncode is None:
            process.kill()


def main() -> None:
    """Rehearse the job on standard input."""
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: the daemon decides when this process ends
    _yield_to_others()
    job: Job = pickle.load(sys.stdin.buffer)  # noqa: S301 # our own process wrote it
    threading.Thread(target=_end_with_our_starter, daemon=True).start()
    signal.signal(signal.SIGALRM, _expire)
    signal.setitimer(signal.ITIMER_REAL, job.limit_s)
    try:
        found = asyncio.run(_rehearse(job))
    except _Expired:
        found = late(job.limit_s)
    signal.setitimer(signal.ITIMER_REAL, 0)
    sys.stdout.write(json.dumps(asdict(found)))
    sys.stdout.flush()


async def _rehearse(job: Job) -> Rehearsal:
    return await rehearse(
        job.script,
        job.expected,
        job.actual,
        migrator=job.migrator,
        postgres_bin=job.postgres_bin,
        say=lambda _: None,
    )


def _yield_to_others() -> None:
    """Run when nothing else needs a processor, and be the first to end when memory is short."""
    with suppress(OSError):
        os.nice(NICE)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def _end_with_our_starter() -> None:
    """Wait until standard input is closed, and stop."""
    if not os.read(sys.stdin.fileno(), 1):
        os.kill(os.getpid(), signal.SIGTERM)


class _Expired(BaseException):
    """The time limit was reached; no handler of errors on the way may take it for one."""


def _expire(*_: Any) -> NoReturn:
    raise _Expired


def _stop(*_: Any) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough: the rest of the time belongs to cleaning up
    sys.exit(1)


if __name__ == "__main__":
    main()
