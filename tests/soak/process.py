"""The daemon as a process, and what it uses: memory, descriptors and threads."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

START_S, END_S = 120.0, 60.0


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process uses at one moment."""

    resident_mb: float
    descriptors: int
    threads: int


@dataclass(frozen=True, slots=True)
class Daemon:
    """A `healthd serve` in a folder, which is its project."""

    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def page(self) -> str:
        """Return the URL of its page, without a trailing /; empty until it listens."""
        lines = [line.split(None, 1) for line in (self.folder / "stdout").read_text().splitlines()]
        return next((words[1].strip().rstrip("/") for words in lines if words[0] == "page"), "")

    @property
    def log(self) -> str:
        """Return what it has logged."""
        return (self.folder / "stderr").read_text()

    def usage(self) -> Usage:
        """Return what it uses now."""
        own = Path("/proc") / str(self.process.pid)
        pages = int((own / "statm").read_text().split()[1])
        return Usage(
            pages * resource.getpagesize() / 2**20,
            len(os.listdir(own / "fd")),  # noqa: PTH208 # the names suffice
            len(os.listdir(own / "task")),  # noqa: PTH208
        )

    def reload(self) -> None:
        """Let it read its settings again."""
        self.process.send_signal(signal.SIGHUP)


def configure(folder: Path, sql: Path, urls: Mapping[str, str], *, interval_s: float, deadline_s: float) -> None:
    """Write the settings of these targets; a daemon that reads them meanwhile has the old ones or the new ones."""
    lines = ["[DEFAULT]", f"sources = {sql}", "[healthd]", f"interval_s = {interval_s}", f"deadline_s = {deadline_s}"]
    lines += ["rehearse = no", "log_format = json", "state_dir = state"]
    for name, url in urls.items():
        lines += [f"[target {name}]", f"database = {url.replace('%', '%%')}"]
    (folder / "yoyo.ini.new").write_text("\n".join(lines) + "\n")
    (folder / "yoyo.ini.new").replace(folder / "yoyo.ini")


@asynccontextmanager
async def daemon(folder: Path) -> AsyncIterator[Daemon]:
    """Run a daemon for the block; it must end in good order."""
    command = [sys.executable, "-m", "healthd", "serve", "--listen", "127.0.0.1:0"]
    with (folder / "stdout").open("w") as out, (folder / "stderr").open("w") as err:
        process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=err)  # noqa: ASYNC220 # nothing else runs yet
        made = Daemon(process, folder)
    try:
        async with asyncio.timeout(START_S):
            while not made.page:
                assert made.process.poll() is None, made.log
                await asyncio.sleep(0.05)
        yield made
        made.process.terminate()
        assert await asyncio.to_thread(made.process.wait, END_S) == 0, "the daemon did not end in good order"
    finally:
        if made.process.poll() is None:
            made.process.kill()
            made.process.wait()
