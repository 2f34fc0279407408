"""How long a round takes, as a ratio to `pg_dump --schema-only` of the same database in the same run.

Usage: python bench/rounds.py [TABLES …]. Prints, for each size, medians in seconds and ratios to pg_dump.
"""

import asyncio
import gc
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from reference import schema

from healthd import embedded
from healthd.config import Target
from healthd.database import connect, take_snapshot
from healthd.migrations.files import read_migrations
from healthd.migrations.lockfile import Locked, LockFile, dump
from healthd.migrations.runner import migrate
from healthd.model import Snapshot, diff
from healthd.programs import find_binaries
from healthd.rounds import examine
from healthd.sources import Files

RUNS = 5


def timed(work: Callable[[], object]) -> float:
    """Return the median of the runs, in seconds; the first run warms up and is not counted."""
    work()
    taken = []
    for _ in range(RUNS):
        start = time.monotonic()
        work()
        taken.append(time.monotonic() - start)
    return median(taken)


async def prepare(url: str, folder: Path, tables: int) -> Files:
    """Apply the reference schema through the runner, and write the lock file that fits it."""
    sources = folder / "sql"
    sources.mkdir()
    (sources / "0001_reference.sql").write_text("\n".join(schema(tables)) + "\n")
    migrations = read_migrations([sources])
    await migrate(url, migrations, None, say=lambda _: None)
    async with connect(url) as connection:
        there = await take_snapshot(connection)
    effects = diff(Snapshot(there.server_version, {}), there)
    one = migrations[0]
    lock = LockFile(
        there.server_version // 10000 * 10000, {}, (Locked(one.id, one.digest, None, True, effects, "missing"),)
    )
    (sources / "schema.lock").write_text(dump(lock))
    (folder / "yoyo.ini").write_text("[DEFAULT]\nsources = sql\n")
    return Files(lock, ((one.id, one.digest),))


async def measure(tables: int) -> None:
    """Measure one size and print a line for each figure."""
    with embedded.temporary() as server, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with connect(server.url()) as connection:
            await connection.execute("CREATE DATABASE bench TEMPLATE template0")
        url = server.url("bench")
        files = await prepare(url, folder, tables)
        async with connect(url) as connection:
            await connection.execute("ANALYZE")
        command = [find_binaries() / "pg_dump", "--schema-only", "-d", url, "-f", "/dev/null"]
        floor = timed(lambda: subprocess.run(command, check=True))
        healthd = [Path(sys.executable).with_name("healthd"), "check", "--database", url]
        whole = timed(lambda: subprocess.run(healthd, check=True, cwd=folder, capture_output=True))
        target = Target("bench", url, deadline_s=600)
        rounds = []
        for _ in range(RUNS + 1):
            start = time.monotonic()
            report = await examine(target, files)
            rounds.append(time.monotonic() - start)
            assert not report.findings, report.findings[:3]
        inside = median(rounds[1:])
        gc.collect()
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{tables} tables, {len(files.lock.migrations[0].effects)} objects")
        print(f"  pg_dump --schema-only            {floor:7.3f} s")
        print(f"  healthd check, whole process     {whole:7.3f} s  {whole / floor:.2f}")
        print(f"  a round inside the daemon        {inside:7.3f} s  {inside / floor:.2f}")
        print(f"  peak memory of this process      {peak_mb:7.0f} MB")


if __name__ == "__main__":
    for size in map(int, sys.argv[1:] or ("100", "1000")):
        asyncio.run(measure(size))
