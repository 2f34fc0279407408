"""How long a round takes that finds thousands of tables which no file creates, as a ratio to `pg_dump --schema-only`.

Usage: python bench/drift.py [TABLES …]. The deadline is the one that a target has if nothing is configured: a round
that has not read everything by then says so, and the next one gets more time. `rounds.py` measures without a drift.
"""

import asyncio
import os
import sys
from pathlib import Path

from processes import resident_mb
from reference import schema
from rounds import empty_database, nothing, prepare, run, timed

from healthd.config.reader import read_settings
from healthd.config.settings import Target
from healthd.database.connection import connect
from healthd.database.snapshot.reading import take_snapshot
from healthd.expected.store import read_files
from healthd.postgres.programs import find_binaries
from healthd.rounds.examination import examine_again
from healthd.rounds.round import Round

OF_FILES = 10  # tables
INCOMPLETE = "round_incomplete"


async def measure(tables: int) -> None:
    """Measure one size and print a line for each figure."""
    async with empty_database() as (url, folder):
        await prepare(url, folder, OF_FILES)
        async with connect(url) as other:
            for statement in list(schema(OF_FILES + tables))[len(list(schema(OF_FILES))) :]:
                await other.execute(statement.encode())
            await other.execute("VACUUM ANALYZE")
        await compare(url, folder, tables)


async def compare(url: str, folder: Path, tables: int) -> None:
    """Measure everything on one database."""
    files = read_files(read_settings(folder / "yoyo.ini"))
    target = Target("bench", url)
    base_mb = resident_mb()
    last: Round | None = None

    async def dumped() -> None:
        await run(find_binaries() / "pg_dump", "--schema-only", "-d", url, "-f", "/dev/null")

    tries: list[int] = []

    async def first() -> None:
        nonlocal last
        if last is not None:
            await last.close()
        last = await examine_again(target, files, None)
        tries.append(1)
        while INCOMPLETE in problems(last):
            last = await examine_again(target, files, last)
            tries[-1] += 1

    async def full() -> None:
        nonlocal last
        last = await examine_again(target, files, last)
        assert problems(last) == {"unexpected_object"}, problems(last)

    async def read() -> None:
        async with connect(url) as connection:
            await take_snapshot(connection)

    async def alter() -> None:
        await run(find_binaries() / "psql", "-qd", url, "-c", "ALTER TABLE app.t_00000 ALTER note SET STATISTICS 7")
        await run(find_binaries() / "psql", "-qd", url, "-c", "ALTER TABLE app.t_00000 ALTER note SET STATISTICS -1")

    taken = await timed(
        {
            "pg_dump --schema-only": (nothing, dumped),
            "all objects read once, on a new connection": (nothing, read),
            "a daemon's first rounds, until one is complete": (nothing, first),
            "a full round in the daemon, after DDL": (alter, full),
        }
    )
    assert last is not None
    every = last.report.findings
    await last.close()
    floor = taken["pg_dump --schema-only"]
    objects = sum(one.count for one in every)
    print(f"{tables} tables that no file creates: {objects} objects in {len(every)} findings")
    for name, seconds in taken.items():
        print(f"  {name:48}{seconds:9.4f} s  {seconds / floor:8.2%}")
    print(f"  first rounds until one was complete, with deadline_s = {target.deadline_s:g}: {tries[1:]}")
    print(f"  memory before {base_mb:.0f} MB, now {resident_mb():.0f} MB")


def problems(this: Round) -> set[str]:
    """Return the problems of a round's findings."""
    return {one.problem for one in this.report.findings}


async def main() -> None:
    """Measure the sizes that are named."""
    for size in map(int, sys.argv[1:] or ("3000", "10000")):
        await measure(size)


if __name__ == "__main__":
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # nobody's process compiles its modules each time
    asyncio.run(main())
