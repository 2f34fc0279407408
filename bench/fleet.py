"""How a daemon bears a fleet: many databases on one server, and many targets of which half are slow, down or silent.

Usage: python bench/fleet.py [DATABASES [TARGETS]] (default 500 1000; 0 leaves a part out). The daemon is a process of
its own; what it says is read from its /metrics, and its connections are counted on the server every 50 ms. Processor
seconds depend less on other work than the time that everything takes.
"""

import asyncio
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import httpx
import psycopg
from processes import processor_s, resident_mb

from healthd.expected.files import read_migrations
from healthd.migrations.execution import execute
from healthd.migrations.run_options import RunOptions
from healthd.migrations.run_plan import plan_apply
from healthd.postgres import embedded

SQL = Path(__file__).parents[1] / "sql"
INTERVAL_S = 30
AFTERWARDS_S = 75  # how long the daemon is watched after its first rounds: two intervals and more
PATIENCE_S = 900
SCRAPE_S = 3
SERVER = embedded.THROW_AWAY | {"max_connections": "100", "shared_buffers": "128MB"}
OURS = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'healthd/%'"
DELAY_S = 0.05  # before each answer of a slow server: a first round has some forty
SHARED = 10  # targets on one server of the mixed fleet
GOOD, SLOW, DOWN, SILENT = "good", "slow", "down", "silent"


@dataclass
class Watched:
    """What was seen of a daemon."""

    first_s: dict[str, float] = field(default_factory=dict)  # by target, since the start
    began: dict[str, list[float]] = field(default_factory=dict)  # the rounds of each target
    backends: Counter[int] = field(default_factory=Counter)
    scrapes_s: list[float] = field(default_factory=list)
    body: str = ""

    def see(self, since_s: float, body: str) -> None:
        """Note what a scrape shows."""
        self.body = body
        for name, begun in series(body, "healthd_check_last_run_timestamp_seconds").items():
            self.first_s.setdefault(name, since_s)
            times = self.began.setdefault(name, [])
            if not times or times[-1] != begun:
                times.append(begun)

    def pauses(self) -> list[float]:
        """Return how long it was from one round of a target to its next one."""
        return sorted(b - a for times in self.began.values() for a, b in pairwise(times))


def series(body: str, name: str) -> dict[str, float]:
    """Return a metric by target."""
    samples = re.findall(rf'(?m)^{name}{{.*?target="([^"]*)".*}} (\S+)$', body)
    return {target: float(value) for target, value in samples}


async def databases(server: embedded.Server, number: int) -> list[str]:
    """Create databases from a template, and return their names."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE of_sql")
        plan = await plan_apply(server.url("of_sql"), read_migrations([SQL]), None, say=lambda _: None)
        await execute(plan, RunOptions(say=lambda _: None))
        names = [f"app_{number:04}" for number in range(number)]
        for name in names:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE of_sql STRATEGY file_copy")
    return names


@contextmanager
def daemon(folder: Path, urls: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    """Start a daemon for these targets; provide its process and the URL of its metrics."""
    targets = "".join(f"[target {name}]\ndatabase = {url.replace('%', '%%')}\n" for name, url in urls.items())
    settings = (
        f"[DEFAULT]\nsources = {SQL}\n[healthd]\ninterval_s = {INTERVAL_S}\nlisten = 127.0.0.1:0\nrehearse = no\n"
    )
    (folder / "yoyo.ini").write_text(settings + targets)
    command = [str(Path(sys.executable).with_name("healthd")), "serve"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert process.stdout is not None
        places = dict(process.stdout.readline().split(None, 1) for _ in range(2))
        yield process.pid, places["metrics"].strip()
    finally:
        process.terminate()
        process.wait(30)


async def watch(pid: int, metrics: str, server: embedded.Server, expected: int) -> Watched:
    """Watch a daemon until it has examined so many targets, and some time longer."""
    seen, start, before_s = Watched(), time.monotonic(), processor_s(server.pid)
    counting = asyncio.create_task(_count(server, seen.backends))
    until, done = start + PATIENCE_S, False
    async with httpx.AsyncClient(timeout=60) as client:
        while time.monotonic() < until:
            begin = time.monotonic()
            body = (await client.get(metrics)).text
            seen.scrapes_s.append(time.monotonic() - begin)
            seen.see(time.monotonic() - start, body)
            if len(seen.first_s) >= expected and not done:
                done, until = True, time.monotonic() + AFTERWARDS_S
                line("processor, first rounds", f"{processor_s(pid):.1f} s daemon", _server_s(server, before_s))
                before_s, pid_s = processor_s(server.pid), processor_s(pid)
                seen.began, seen.scrapes_s = {}, []
            await asyncio.sleep(SCRAPE_S)
    counting.cancel()
    if done:
        spent_s = processor_s(pid) - pid_s
        line(f"processor, next {AFTERWARDS_S} s", f"{spent_s:.1f} s daemon", _server_s(server, before_s))
    return seen


def _server_s(server: embedded.Server, before_s: float) -> str:
    return f"{processor_s(server.pid) - before_s:.1f} s server"


def line(what: str, *figures: str) -> None:
    """Print a line of the result."""
    print(f"    {what:32}{', '.join(figures)}", flush=True)


async def _count(server: embedded.Server, backends: Counter[int]) -> None:
    async with await psycopg.AsyncConnection.connect(server.url(), autocommit=True) as connection:
        while True:
            ((number,),) = await (await connection.execute(OURS)).fetchall()
            backends[number] += 1
            await asyncio.sleep(0.05)


def report(seen: Watched, pid: int) -> None:
    """Print what was seen."""
    first, pauses, scrapes = sorted(seen.first_s.values()), seen.pauses(), sorted(seen.scrapes_s)
    line("first round seen after", f"{first[len(first) // 2]:.1f} s median", f"{first[-1]:.1f} s last")
    line("then, from round to round", f"{pauses[len(pauses) // 2]:.1f} s median", f"{pauses[-1]:.1f} s longest")
    line("connections on the server", f"{max(seen.backends)} at most")
    line("memory of the daemon", f"{resident_mb(pid):.0f} MB")
    line("then, a scrape", f"{scrapes[len(scrapes) // 2]:.3f} s median", f"{scrapes[-1]:.3f} s longest")
    line("its body", f"{len(seen.body) / 1e6:.2f} MB", f"{len(seen.body.splitlines())} lines")


async def one_server(folder: Path, server: embedded.Server, number: int) -> None:
    """Measure many databases on one server."""
    urls = {name: server.url(name) for name in await databases(server, number)}
    print(f"{number} databases on one server")
    with daemon(folder, urls) as (pid, metrics):
        seen = await watch(pid, metrics, server, number)
        line("up at the end", f"{sum(series(seen.body, 'healthd_target_up').values()):.0f} of {number}")
        report(seen, pid)


async def mixed(folder: Path, server: embedded.Server, number: int) -> None:
    """Measure targets of which half are slow, down or silent, ten on each server."""
    names = await databases(server, number // 2 + number // 10)
    urls: dict[str, str] = {}
    stubs = []
    for place in range(number // SHARED):
        sort = (GOOD, SLOW, GOOD, DOWN, GOOD, SILENT, GOOD, DOWN, GOOD, SILENT)[place % 10]
        socket = folder / f"server_{place:03}"
        if sort == GOOD:
            socket.symlink_to(server.socket)
        else:
            socket.mkdir()
        if sort in (SLOW, SILENT):
            serve = _delayed(server) if sort == SLOW else _never
            stubs.append(await asyncio.start_unix_server(serve, socket / ".s.PGSQL.5432"))
        for one in range(SHARED):
            database = names.pop() if sort in (GOOD, SLOW) else "nothing"
            urls[f"{sort}-{place:03}-{one}"] = f"host={socket} user=postgres dbname={database}"
    print(f"{number} targets, half of them slow, down or silent")
    with daemon(folder, urls) as (pid, metrics):
        seen = await watch(pid, metrics, server, number)
        up, wrong = series(seen.body, "healthd_target_up"), series(seen.body, "healthd_findings")
        for sort in (GOOD, SLOW, DOWN, SILENT):
            own = [name for name in urls if name.startswith(sort)]
            line(
                sort,
                f"{sum(up.get(name, 0) for name in own):.0f} of {len(own)} up",
                f"{len(wrong.keys() & set(own))} with findings",
                f"first round of the last after {max(seen.first_s[name] for name in own):.1f} s",
            )
        report(seen, pid)
    for stub in stubs:
        stub.close()


async def _never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take what a client sends, and never answer."""
    with suppress(OSError, asyncio.CancelledError):
        while await reader.read(65536):
            pass
    writer.close()


def _delayed(server: embedded.Server) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    """Return what forwards to a server, and each of its answers late."""

    async def forward(source: asyncio.StreamReader, sink: asyncio.StreamWriter, delay_s: float) -> None:
        with suppress(OSError, asyncio.CancelledError):
            while data := await source.read(65536):
                await asyncio.sleep(delay_s)
                sink.write(data)
                await sink.drain()
        sink.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_unix_connection(server.socket / ".s.PGSQL.5432")
        with suppress(asyncio.CancelledError):
            await asyncio.gather(forward(reader, to_server, 0.0), forward(from_server, writer, DELAY_S))

    return serve


def main() -> None:
    """Measure both fleets, each with a server of its own."""
    sizes = [int(word) for word in sys.argv[1:]] or [500, 1000]
    for measure, number in zip((one_server, mixed), sizes, strict=False):
        if number:
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                folder.chmod(0o755)
                with embedded.start(folder / "data", durable=False, settings=SERVER) as server:
                    asyncio.run(measure(folder, server, number))


if __name__ == "__main__":
    main()
