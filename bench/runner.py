"""How long applying takes, as a ratio to one psql session that runs the same files, each in BEGIN … COMMIT.

Usage: python bench/runner.py. The runs of what is compared take turns; medians.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import psycopg

from healthd.expected.files import read_migrations
from healthd.migrations.engine.yoyo_backend import opened, yoyo_migration
from healthd.postgres import embedded
from healthd.postgres.programs import find_binaries

RUNS = 3
SETS = {
    "1,000 small files": {f"{n:04}.sql": f"CREATE TABLE t{n} (a int PRIMARY KEY, b text);" for n in range(1000)},
    "one file of 5,000 INSERTs": {
        "0001.sql": "CREATE TABLE t (a int, b text);\n"
        + "".join(f"INSERT INTO t VALUES ({n}, 'some text');\n" for n in range(5000))
    },
}


def psql(url: str, folder: Path) -> None:
    """Run the files as psql does."""
    script = "".join(f"BEGIN;\n\\i {path}\nCOMMIT;\n" for path in sorted(folder.glob("*.sql")))
    command = [str(find_binaries() / "psql"), "-q", "-X", "-v", "ON_ERROR_STOP=1", "-d", url]
    subprocess.run(command, input=script, text=True, check=True)


def runner(url: str, folder: Path) -> None:
    """Run the files as healthd does, marks and digests included."""
    with opened(url, wait_s=10.0) as backend:
        for migration in read_migrations([folder]):
            backend.apply_one(yoyo_migration(migration))


def main() -> None:
    """Measure each set of files and print a line for it."""
    with embedded.temporary() as server, psycopg.connect(server.url(), autocommit=True) as administrator:

        def timed(work: Callable[[str, Path], None], folder: Path) -> float:
            administrator.execute("DROP DATABASE IF EXISTS bench WITH (FORCE)")
            administrator.execute("CREATE DATABASE bench TEMPLATE template0")
            start = time.monotonic()
            work(server.url("bench"), folder)
            return time.monotonic() - start

        for name, files in SETS.items():
            with tempfile.TemporaryDirectory() as temporary:
                folder = Path(temporary)
                for file, text in files.items():
                    (folder / file).write_text(text)
                turns = [(timed(psql, folder), timed(runner, folder)) for _ in range(RUNS)]
            theirs, ours = (median(column) for column in zip(*turns, strict=True))
            sys.stdout.write(f"{name}: psql {theirs:.2f} s, healthd {ours:.2f} s, ratio {ours / theirs:.2f}\n")


main()
