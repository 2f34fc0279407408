"""Whether applications notice a daemon: latencies of pgbench and of DDL on a busy table, with it and without, in turns.

Usage: python bench/bystander.py [PAIRS [SECONDS]] (default 6 12). Each pair is so many seconds without a daemon and as
many with one, in an order that changes. Because of the DDL all its rounds read everything.
"""

import asyncio
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psycopg
from fleet import SERVER, SQL, databases

from healthd.postgres import embedded

CLIENTS, RATE = 2, 50  # transactions in a second, of all clients: the processors must have time left
INTERVAL_S = 3
HELD_S, PAUSE_S = 0.05, 0.01  # a transaction that reads the busy table, and the pause after it
DDL = ("ALTER TABLE machines ADD COLUMN extra text", "ALTER TABLE machines DROP COLUMN extra")


@dataclass(frozen=True)
class Seen:
    """Latencies in milliseconds, sorted: of transactions, and of DDL with its wait for a lock."""

    transactions: list[float]
    ddl: list[float]


def share(values: list[float], of_all: float) -> float:
    """Return the value below which this share of the sorted values is."""
    return values[min(len(values) - 1, int(of_all * len(values)))]


async def observed(server: embedded.Server, url: str, folder: Path, seconds: int) -> Seen:
    """Run pgbench, readers of one table, and DDL on it; return their latencies."""
    latencies(folder)
    words = ["-n", "-c", str(CLIENTS), "-R", str(RATE), "-T", str(seconds), "-l", f"--log-prefix={folder}/log", url]
    command = [str(server.bin / "pgbench"), *words]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    reading = [asyncio.create_task(_read(url)) for _ in range(2)]
    waits: list[float] = []
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        while process.returncode is None:
            for statement in DDL:
                begin = time.monotonic()
                await connection.execute(statement.encode())
                waits.append(1000 * (time.monotonic() - begin))
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), 0.2)
    for task in reading:
        task.cancel()
    return Seen(latencies(folder), sorted(waits))


def latencies(folder: Path) -> list[float]:
    """Return what pgbench has logged, without the time for which it came late itself, and remove the log."""
    found = []
    for file in folder.glob("log.*"):
        lines = [list(map(int, line.split())) for line in file.read_text().splitlines()]
        found += [(words[2] - words[6]) / 1000 for words in lines]
        file.unlink()
    return sorted(found)


async def _read(url: str) -> None:
    """Read the busy table in short transactions, for ever."""
    async with await psycopg.AsyncConnection.connect(url) as connection:
        while True:
            await connection.execute("SELECT count(*) FROM machines")
            await asyncio.sleep(HELD_S)
            await connection.commit()
            await asyncio.sleep(PAUSE_S)


def _fill(server: embedded.Server, url: str) -> None:
    """Create the tables of pgbench."""
    subprocess.run([str(server.bin / "pgbench"), "-i", "-q", url], check=True, capture_output=True)


@contextmanager
def daemon(folder: Path, url: str) -> Iterator[None]:
    """Run a daemon that has examined the database once."""
    settings = (
        f"[DEFAULT]\nsources = {SQL}\n[healthd]\ninterval_s = {INTERVAL_S}\nlisten = 127.0.0.1:0\nrehearse = no\n"
    )
    (folder / "yoyo.ini").write_text(f"{settings}[target app]\ndatabase = {url.replace('%', '%%')}\n")
    command = [sys.executable, "-m", "healthd", "serve"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(2)
        yield
    finally:
        process.terminate()
        process.wait(30)


def table(pairs: list[tuple[Seen, Seen]]) -> Iterator[str]:
    """Yield a line for each figure: medians of all pairs, and how the second of a pair differs from the first."""
    yield f"{'':24}{'without':>10}{'with':>10}   difference in the pairs (median, least, most), in ms"
    for what, of in (("a transaction", "transactions"), ("DDL on a busy table", "ddl")):
        for name, part in (("p50", 0.5), ("p99", 0.99)):
            both = [tuple(share(getattr(seen, of), part) for seen in pair) for pair in pairs]
            differences = sorted(b - a for a, b in both)
            least, most = differences[0], differences[-1]
            figures = f"{median(a for a, _ in both):10.2f}{median(b for _, b in both):10.2f}"
            yield f"{what + ', ' + name:24}{figures}   {median(differences):+.2f}, {least:+.2f}, {most:+.2f}"


async def measure(pairs: int, seconds: int) -> None:
    """Measure so many pairs on one server."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # noqa: ASYNC240 # nothing else runs here
        with embedded.start(folder / "data", durable=False, settings=SERVER) as server:
            url = server.url((await databases(server, 1))[0])
            await asyncio.to_thread(_fill, server, url)
            found = []
            for number in range(pairs):
                seen = {}
                for watched in (True, False) if number % 2 else (False, True):
                    with daemon(folder, url) if watched else nullcontext():
                        seen[watched] = await observed(server, url, folder, seconds)
                found.append((seen[False], seen[True]))
    print(f"{pairs} pairs of {seconds} s, load of the machine {os.getloadavg()[0]:.1f}")
    print("\n".join(table(found)))


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:] if re.fullmatch(r"\d+", word)]
    asyncio.run(measure(*(given + [6, 12][len(given) :])))
