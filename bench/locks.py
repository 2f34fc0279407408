"""What `healthd lock` costs, as a ratio to psql, which applies the same files once in one session.

Usage: python bench/locks.py [FILES …] (default 400 1000). Each row is a whole process with the PostgreSQL server that
it starts and stops; psql gets such a server, too. The second ratio is without the constant, which is what the same
takes for a folder of one file. Processor seconds include the server's: they depend less on other work.
The lowest of several runs, which take turns; `lock` of all files is run once.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from healthd.postgres import embedded
from healthd.postgres.programs import find_binaries

BINARIES = Path(os.environ["HEALTHD_PG_BIN"]) if "HEALTHD_PG_BIN" in os.environ else None
RUNS = 3
# An installed program is compiled; without this, Python may compile it at each start.
COMPILED = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}


class Cost(NamedTuple):
    """What something took, with all processes that it started."""

    wall_s: float
    processor_s: float


def pair(number: int) -> tuple[str, str]:
    """Return a migration and its rollback: of ten, one makes a table, one an index, and the others a column."""
    table = f"public.things_{number // 10:04}"
    match number % 10:
        case 0:
            return f"CREATE TABLE {table} (id bigint PRIMARY KEY);", f"DROP TABLE {table};"
        case 1:
            index = f"things_{number // 10:04}_id"
            return f"CREATE INDEX {index} ON {table} (id);", f"DROP INDEX public.{index};"
        case last:
            column = f"extra_{last}"
            return f"ALTER TABLE {table} ADD COLUMN {column} integer;", f"ALTER TABLE {table} DROP COLUMN {column};"


def write(folder: Path, numbers: range) -> None:
    """Write pairs of files, and the settings."""
    (folder / "sql").mkdir(exist_ok=True)
    bin_ = f"[healthd]\npostgres_bin = {BINARIES}\n" if BINARIES else ""
    (folder / "yoyo.ini").write_text(f"[DEFAULT]\nsources = sql\n{bin_}")
    for number in numbers:
        apply, rollback = pair(number)
        (folder / "sql" / f"{number:05}_change.sql").write_text(f"-- Change {number}.\n{apply}\n")
        (folder / "sql" / f"{number:05}_change.rollback.sql").write_text(f"-- Undo {number}.\n{rollback}\n")


def cost(work: Callable[[], object]) -> Cost:
    """Return what something takes."""
    start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(time.monotonic() - start, busy_s)


def psql(folder: Path) -> None:
    """Apply the files as psql does, each in a transaction, on a server of its own."""
    files = (path for path in sorted((folder / "sql").glob("*.sql")) if not path.name.endswith(".rollback.sql"))
    script = "".join(f"BEGIN;\n\\i {path}\nCOMMIT;\n" for path in files)
    with embedded.temporary(binaries=BINARIES) as server:
        command = [str(find_binaries(BINARIES) / "psql"), "-q", "-X", "-v", "ON_ERROR_STOP=1", "-d", server.url()]
        subprocess.run(command, input=script, text=True, check=True)


def healthd(folder: Path, *words: str) -> None:
    """Run the program as users do."""
    command = [sys.executable, "-m", "healthd", *words]
    subprocess.run(command, cwd=folder, env=COMPILED, stdout=subprocess.DEVNULL, check=True)


def measured(count: int) -> dict[str, Cost]:
    """Return what each way of processing as many files takes."""
    with tempfile.TemporaryDirectory() as name:
        folder, lock = Path(name), Path(name) / "sql" / "schema.lock"
        write(folder, range(count))
        found: dict[str, list[Cost]] = {
            "psql": [],
            "lock": [cost(lambda: healthd(folder, "lock"))],
            "lock, one new file": [],
            "--check": [],
        }
        before = lock.read_text()
        write(folder, range(count, count + 1))
        for _ in range(RUNS):
            found["psql"].append(cost(lambda: psql(folder)))
            lock.write_text(before)
            found["lock, one new file"].append(cost(lambda: healthd(folder, "lock")))
            found["--check"].append(cost(lambda: healthd(folder, "lock", "--check")))
    return {what: min(costs, key=lambda one: one.processor_s) for what, costs in found.items()}


def main(counts: list[int]) -> None:
    """Print a table for each number of files."""
    constant = measured(1)
    for count in counts:
        found = measured(count)
        theirs, least = found["psql"], constant["psql"]
        print(f"{count} files                seconds  processor   to psql   without the constant")
        for name, (wall_s, processor_s) in found.items():
            whole = processor_s / theirs.processor_s
            more = (processor_s - constant[name].processor_s) / max(theirs.processor_s - least.processor_s, 0.01)
            print(f"  {name:20} {wall_s:9.2f} {processor_s:10.2f} {whole:9.2f} {more:9.2f}", flush=True)


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [400, 1000])
