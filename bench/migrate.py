"""What `healthd migrate` of many small files costs, as a ratio to psql with the same books.

Usage: python bench/migrate.py [--throw-away] [FILES …] (default 200 1000). The files are those of `locks.py`. psql runs
each of them and an INSERT into a ledger in BEGIN … COMMIT; `migrate` is a whole process, with all checks before it and
the proof after it. `yoyo` is stock yoyo with the same files; `dbmate` is measured if it is in PATH. The server writes
what is committed to the disk, unless it is to be thrown away. Seconds, and processor seconds with the server's share,
on an empty database; the lowest of several runs, which take turns.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from locks import BINARIES, COMPILED, Cost, cost, healthd, write
from processes import processor_with_children_s

from healthd.postgres import embedded
from healthd.postgres.programs import find_binaries

RUNS = 5
DURABLE = {"autovacuum": "off"}


def psql(url: str, folder: Path) -> None:
    """Apply the files and record each of them, as a script for psql does."""
    script = "CREATE TABLE books (name text PRIMARY KEY, at timestamptz);\n"
    for path in applied(folder):
        script += f"BEGIN;\n\\i {path}\nINSERT INTO books VALUES ('{path.stem}', now());\nCOMMIT;\n"
    command = [str(find_binaries(BINARIES) / "psql"), "-q", "-X", "-v", "ON_ERROR_STOP=1", "-d", url]
    subprocess.run(command, input=script, text=True, check=True)


def applied(folder: Path) -> list[Path]:
    """Return the files that are not rollbacks."""
    return [path for path in sorted((folder / "sql").glob("*.sql")) if not path.name.endswith(".rollback.sql")]


def migrate(url: str, folder: Path) -> None:
    """Apply the files with healthd."""
    _run(folder, sys.executable, "-m", "healthd", "migrate", "--database", url)


def yoyo(url: str, folder: Path) -> None:
    """Apply the files with stock yoyo."""
    address = url.replace("postgresql://", "postgresql+psycopg://")
    _run(folder, sys.executable, "-m", "yoyo", "apply", "--batch", "--no-config-file", "--database", address, "sql")


def dbmate(url: str, folder: Path) -> None:
    """Apply the same statements with dbmate, whose files have both directions."""
    _run(folder, "dbmate", "--url", url, "--migrations-dir", "dbmate", "--no-dump-schema", "up")


def write_for_dbmate(folder: Path) -> None:
    """Write the files once more, as dbmate reads them."""
    (folder / "dbmate").mkdir()
    for path in applied(folder):
        text = f"-- migrate:up\n{path.read_text()}\n-- migrate:down\n"
        (folder / "dbmate" / path.name).write_text(text)


def _run(folder: Path, *command: str) -> None:
    quiet = subprocess.DEVNULL
    subprocess.run(command, cwd=folder, env=COMPILED, stdout=quiet, stderr=quiet, check=True)


@contextmanager
def server_in(folder: Path, throw_away: bool) -> Iterator[embedded.Server]:
    """Run a server for the block."""
    if throw_away:
        with embedded.temporary(binaries=BINARIES) as server:
            yield server
    else:
        with embedded.start(folder / "data", binaries=BINARIES, settings=DURABLE) as server:
            yield server


def measured(count: int, throw_away: bool) -> dict[str, Cost]:
    """Return what each way of applying as many files takes."""
    with (
        tempfile.TemporaryDirectory() as name,
        server_in(Path(name), throw_away) as server,
        psycopg.connect(server.url(), autocommit=True) as administrator,
    ):
        folder, url = Path(name), server.url("bench")
        write(folder, range(count))
        write_for_dbmate(folder)
        healthd(folder, "lock")

        def run(work: Callable[[str, Path], None]) -> Cost:
            administrator.execute("DROP DATABASE IF EXISTS bench WITH (FORCE)")
            administrator.execute("CREATE DATABASE bench TEMPLATE template0")
            before = processor_with_children_s(server.pid)
            wall_s, busy_s = cost(lambda: work(url, folder))
            time.sleep(0.2)  # until the server has noticed that its clients have left
            return Cost(wall_s, busy_s + processor_with_children_s(server.pid) - before)

        ways = [psql, migrate, yoyo] + ([dbmate] if shutil.which("dbmate") else [])
        found: dict[str, list[Cost]] = {way.__name__: [] for way in ways}
        for _ in range(RUNS):
            for way in ways:
                found[way.__name__].append(run(way))
    return {way: min(costs, key=lambda one: one.wall_s) for way, costs in found.items()}


def main(counts: list[int], throw_away: bool) -> None:
    """Print a table for each number of files."""
    for count in counts:
        found = measured(count, throw_away)
        theirs = found["psql"]
        print(f"{count} files      seconds   to psql   processor   to psql")
        for way, (wall_s, busy_s) in found.items():
            ratios = wall_s / theirs.wall_s, busy_s / theirs.processor_s
            print(f"  {way:10} {wall_s:9.2f} {ratios[0]:9.2f} {busy_s:11.2f} {ratios[1]:9.2f}", flush=True)


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    main(numbers or [200, 1000], "--throw-away" in sys.argv)
