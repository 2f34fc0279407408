"""What `healthd migrate` of many small files costs, as a ratio to psql with the same books.

Usage: python bench/migrate.py [FILES …] (default 200 1000). The files are those of `locks.py`. psql runs each of them
and an INSERT into a ledger in BEGIN … COMMIT; `migrate` is a whole process, with all checks before it and the proof
after it. Seconds, and processor seconds with the server's share, on an empty database; the lowest of several runs,
which take turns.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
from locks import BINARIES, COMPILED, Cost, cost, healthd, write
from processes import processor_with_children_s

from healthd.postgres import embedded
from healthd.postgres.programs import find_binaries

RUNS = 3


def psql(url: str, folder: Path) -> None:
    """Apply the files and record each of them, as a script for psql does."""
    script = "CREATE TABLE books (name text PRIMARY KEY, at timestamptz);\n"
    for path in sorted((folder / "sql").glob("*.sql")):
        if not path.name.endswith(".rollback.sql"):
            script += f"BEGIN;\n\\i {path}\nINSERT INTO books VALUES ('{path.stem}', now());\nCOMMIT;\n"
    command = [str(find_binaries(BINARIES) / "psql"), "-q", "-X", "-v", "ON_ERROR_STOP=1", "-d", url]
    subprocess.run(command, input=script, text=True, check=True)


def migrate(url: str, folder: Path) -> None:
    """Apply the files with healthd."""
    command = [sys.executable, "-m", "healthd", "migrate", "--database", url]
    quiet = subprocess.DEVNULL
    subprocess.run(command, cwd=folder, env=COMPILED, stdout=quiet, stderr=quiet, check=True)


def measured(count: int) -> dict[str, Cost]:
    """Return what each way of applying as many files takes."""
    with (
        tempfile.TemporaryDirectory() as name,
        embedded.temporary(binaries=BINARIES) as server,
        psycopg.connect(server.url(), autocommit=True) as administrator,
    ):
        folder, url = Path(name), server.url("bench")
        write(folder, range(count))
        healthd(folder, "lock")

        def run(work: Callable[[], object]) -> Cost:
            administrator.execute("DROP DATABASE IF EXISTS bench WITH (FORCE)")
            administrator.execute("CREATE DATABASE bench TEMPLATE template0")
            before = processor_with_children_s(server.pid)
            wall_s, busy_s = cost(work)
            time.sleep(0.2)  # until the server has noticed that its clients have left
            return Cost(wall_s, busy_s + processor_with_children_s(server.pid) - before)

        ways: dict[str, Callable[[], object]] = {
            "psql": lambda: psql(url, folder),
            "migrate": lambda: migrate(url, folder),
        }
        found: dict[str, list[Cost]] = {way: [] for way in ways}
        for _ in range(RUNS):
            for way, work in ways.items():
                found[way].append(run(work))
    return {way: min(costs, key=lambda one: one.processor_s) for way, costs in found.items()}


def main(counts: list[int]) -> None:
    """Print a table for each number of files."""
    for count in counts:
        found = measured(count)
        theirs = found["psql"]
        print(f"{count} files      seconds   to psql   processor   to psql")
        for way, (wall_s, busy_s) in found.items():
            ratios = wall_s / theirs.wall_s, busy_s / theirs.processor_s
            print(f"  {way:10} {wall_s:9.2f} {ratios[0]:9.2f} {busy_s:11.2f} {ratios[1]:9.2f}", flush=True)


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [200, 1000])
