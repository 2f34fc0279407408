"""How long `healthd status` and a `migrate` with nothing to do take, as whole processes, next to stock yoyo.

Usage: python bench/status.py [MIGRATIONS …] (default 1000 10000). Prints medians in seconds; the runs take turns.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from healthd.comparison.roles import for_comparison
from healthd.database.connection import connect
from healthd.database.snapshot.reading import take_snapshot
from healthd.expected.files import read_migrations
from healthd.expected.lockfile import Locked, LockFile
from healthd.expected.lockfile_text import dump
from healthd.migrations.execution import execute
from healthd.migrations.run_options import RunOptions
from healthd.migrations.run_plan import plan_apply
from healthd.model.snapshots import Difference, diff
from healthd.postgres import embedded

RUNS = 7
BIN = Path(sys.executable).parent


def write(folder: Path, count: int) -> None:
    """Write as many small migrations, of which every tenth makes a table and the others an index or a column."""
    (folder / "sql").mkdir()
    (folder / "yoyo.ini").write_text("[DEFAULT]\nsources = sql\n")
    for number in range(count):
        table = f"public.things_{number // 10:04}"
        text = {
            0: f"CREATE TABLE {table} (id bigint PRIMARY KEY);\n",
            1: f"ALTER TABLE {table} ADD COLUMN name text NOT NULL DEFAULT '';\n",
            2: f"CREATE INDEX ON {table} (name);\n",
        }.get(number % 10, f"ALTER TABLE {table} ADD COLUMN extra_{number % 10} integer;\n")
        head = f"-- Change {number}.\n-- Why:  a bench asks for it.\n-- Lock: an instant.\n"
        (folder / "sql" / f"{number:05}_change.sql").write_text(head + text)
        (folder / "sql" / f"{number:05}_change.rollback.sql").write_text(f"-- Undo {number}.\nSELECT 1;\n")


async def prepare(folder: Path, url: str) -> None:
    """Apply everything, and write the lock file from what came of it: a replay would take minutes."""
    migrations = read_migrations([folder / "sql"])
    async with connect(url) as connection:
        user = connection.info.user
        before = base = for_comparison(await take_snapshot(connection), user)
        await execute(await plan_apply(url, migrations, None, say=lambda _: None), RunOptions(say=lambda _: None))
        after = for_comparison(await take_snapshot(connection), user)
    owned: dict[str, list[Difference]] = {}
    for one in diff(before, after):
        owned.setdefault(_made_by(one), []).append(one)
    locked = tuple(
        Locked(one.id, one.digest, one.rollback_digest, True, tuple(owned.get(one.id, ())), "exact")
        for one in migrations
    )
    (folder / "sql" / "schema.lock").write_text(dump(LockFile(base.server_version, base.objects, locked)))


def _made_by(one: Difference) -> str:
    """Return the id of the migration that made an object."""
    path = one.key.path
    tens = path[1].partition("_")[2]
    last = path[-1]
    if one.key.kind == "column":
        digit = {"id": "0", "name": "1"}.get(last, last[-1])
    else:
        digit = "2" if one.key.kind == "index" else "0"
    return f"{int(tens):04}{digit}_change"


def timed(folder: Path, words: list[str], wanted: int) -> float:
    start = time.perf_counter()
    done = subprocess.run(words, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    took = time.perf_counter() - start
    if done.returncode != wanted:
        sys.exit(f"{' '.join(words)}: exit {done.returncode}\n{done.stderr.decode()}")
    return took


def main(counts: list[int]) -> None:
    """Print a table for each number of migrations."""
    for count in counts:
        with embedded.temporary() as server, tempfile.TemporaryDirectory() as name:
            folder, url = Path(name), server.url()
            write(folder, count)
            asyncio.run(prepare(folder, url))
            os.environ["HEALTHD_DATABASE"] = url
            os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # nobody's process compiles its modules each time
            theirs = url.replace("postgresql://", "postgresql+psycopg://")
            works = {
                "python -c 'import psycopg'": [f"{BIN}/python", "-c", "import psycopg"],
                "healthd status": [f"{BIN}/healthd", "status"],
                "healthd migrate, nothing to do": [f"{BIN}/healthd", "migrate"],
            }
            if count <= 1000:  # its list takes a minute at ten thousand
                works["yoyo list"] = [f"{BIN}/yoyo", "list", "-b", "-d", theirs, "sql"]
                works["yoyo apply, nothing to do"] = [f"{BIN}/yoyo", "apply", "-b", "-d", theirs, "sql"]
            found: dict[str, list[float]] = {work: [] for work in works}
            for turn in range(RUNS + 1):
                for work, words in works.items():
                    took = timed(folder, words, 0)
                    if turn:
                        found[work].append(took)
            print(f"{count} migrations applied")
            for work, times in found.items():
                print(f"  {work:32} {median(times):6.3f} s")


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [1000, 10000])
