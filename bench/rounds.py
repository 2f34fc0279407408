"""How long a round takes, as a ratio to `pg_dump --schema-only` of the same database in the same run.

Usage: python bench/rounds.py [TABLES …]. Prints, for each size, medians in seconds and ratios to pg_dump. The runs of
what is compared take turns, so that a machine whose speed drifts does not favour one of them.
"""

import asyncio
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median

from processes import resident_mb
from reference import schema

from healthd.comparison.roles import for_comparison
from healthd.config.reader import read_settings
from healthd.config.settings import Target
from healthd.database.connection import connect
from healthd.database.snapshot.reading import take_snapshot
from healthd.expected.files import read_migrations
from healthd.expected.lockfile import Locked, LockFile
from healthd.expected.lockfile_text import dump
from healthd.expected.store import read_files
from healthd.migrations.execution import execute
from healthd.migrations.run_options import RunOptions
from healthd.migrations.run_plan import plan_apply
from healthd.model.snapshots import Snapshot, diff
from healthd.postgres import embedded
from healthd.postgres.programs import find_binaries
from healthd.rounds.examination import examine_again

RUNS = 7
# pg_dump locks every table; and the server has as much memory as it comes with.
SERVER = embedded.THROW_AWAY | {"max_locks_per_transaction": "1024", "shared_buffers": "128MB"}

Work = Callable[[], Awaitable[object]]


async def timed(works: dict[str, tuple[Work, Work]]) -> dict[str, float]:
    """Return the median of each work in seconds, without what prepares it.

    They run in turns, and the first turn warms up and is not counted.
    """
    taken: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(RUNS + 1):
        for name, (ready, work) in works.items():
            await ready()
            start = time.monotonic()
            await work()
            if turn:
                taken[name].append(time.monotonic() - start)
    return {name: median(times) for name, times in taken.items()}


async def prepare(url: str, folder: Path, tables: int, *more: str) -> None:
    """Apply the reference schema through the runner, and write the lock file that fits it."""
    sources = folder / "sql"
    sources.mkdir()
    (sources / "0001_reference.sql").write_text("\n".join((*schema(tables), *more)) + "\n")
    (folder / "yoyo.ini").write_text("[DEFAULT]\nsources = sql\n")
    (one,) = migrations = read_migrations([sources])
    await execute(await plan_apply(url, migrations, None, say=lambda _: None), RunOptions(say=lambda _: None))
    async with connect(url) as connection:
        there = for_comparison(await take_snapshot(connection), connection.info.user)
        await connection.execute("VACUUM ANALYZE")
    effects = diff(Snapshot(there.server_version, {}), there)
    locked = Locked(one.id, one.digest, None, True, effects, "missing")
    (sources / "schema.lock").write_text(dump(LockFile(there.server_version // 10000 * 10000, {}, (locked,))))


@asynccontextmanager
async def empty_database() -> AsyncIterator[tuple[str, Path]]:
    """Lend the URL of an empty database on a server of its own, and a folder."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # noqa: ASYNC240 # nothing else runs here
        with embedded.start(folder / "data", durable=False, settings=SERVER) as server:
            async with connect(server.url()) as connection:
                await connection.execute("CREATE DATABASE bench TEMPLATE template0")
            yield server.url("bench"), folder


async def measure(tables: int) -> None:
    """Measure one size and print a line for each figure."""
    async with empty_database() as (url, folder):
        await compare(url, folder, tables)


async def compare(url: str, folder: Path, tables: int) -> None:
    """Measure everything on one database."""
    await prepare(url, folder, tables)
    files = read_files(read_settings(folder / "yoyo.ini"))
    target = Target("bench", url, deadline_s=600)
    base_mb = resident_mb()
    last = await examine_again(target, files, await examine_again(target, files, None))

    async def dumped() -> None:
        await run(find_binaries() / "pg_dump", "--schema-only", "-d", url, "-f", "/dev/null")

    async def whole() -> None:
        await run(Path(sys.executable).with_name("healthd"), "check", "--database", url, cwd=folder)

    async def full() -> None:
        nonlocal last
        last = await examine_again(target, files, last)
        assert not last.report.findings, last.report.findings[:3]

    async with connect(url) as other:

        async def alter() -> None:
            await other.execute("ALTER TABLE app.t_00000 SET (fillfactor = 90)")
            await other.execute("ALTER TABLE app.t_00000 RESET (fillfactor)")

        async def write() -> None:
            await other.execute("UPDATE app.t_00000 SET amount = 1")
            await other.execute("SELECT pg_catalog.txid_current()")

        async def quiet() -> None:
            nonlocal last
            before = last.report
            last = await examine_again(target, files, last)
            assert last.report.checks is before.checks, "it was read in full"

        taken = await timed(
            {
                "pg_dump --schema-only": (nothing, dumped),
                "healthd check, whole process": (nothing, whole),
                "a full round in the daemon, after DDL": (alter, full),
                "a quiet round, nothing committed": (full, quiet),
                "a quiet round, other work committed": (write, quiet),
            }
        )
    await last.close()
    floor = taken["pg_dump --schema-only"]
    print(f"{tables} tables, {len(files.lock.migrations[0].effects)} objects")
    for name, seconds in taken.items():
        print(f"  {name:40}{seconds:9.4f} s  {seconds / floor:8.2%}")
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  memory before {base_mb:.0f} MB, now {resident_mb():.0f} MB, peak with preparing {peak_mb:.0f} MB")


async def run(*command: str | Path, cwd: Path | None = None) -> None:
    """Run a program to its end; a bad one ends the benchmark."""
    process = await asyncio.create_subprocess_exec(*command, cwd=cwd, stdout=subprocess.DEVNULL)
    assert await process.wait() == 0, command


async def nothing() -> None:
    """Prepare nothing."""


if __name__ == "__main__":
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # nobody's process compiles its modules each time
    for size in map(int, sys.argv[1:] or ("100", "1000")):
        asyncio.run(measure(size))
