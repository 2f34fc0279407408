"""What one large file takes: locked, applied and checked as whole processes.

Usage: python bench/large.py KIND NUMBER. KIND is tables, views, functions, enums, columns (of one table) or partitions.
Prints seconds, and processor seconds: of `lock` with its server, of the other verbs without the database's.
"""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from healthd.postgres import embedded


def tables(number: int) -> Iterator[str]:
    for one in range(number):
        name = f"t_{one:05}"
        yield f"CREATE TABLE public.{name} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text, at date);"
        yield f"CREATE INDEX {name}_at ON public.{name} (at);"


def views(number: int) -> Iterator[str]:
    yield "CREATE TABLE public.base (a int, b text);"
    for one in range(number):
        yield f"CREATE VIEW public.v_{one:05} AS SELECT a, b FROM public.base WHERE a > {one};"


def functions(number: int) -> Iterator[str]:
    for one in range(number):
        yield f"CREATE FUNCTION public.f_{one:05}(a int) RETURNS int LANGUAGE sql AS 'SELECT a + {one}';"


def enums(number: int) -> Iterator[str]:
    for one in range(number):
        yield f"CREATE TYPE public.e_{one:05} AS ENUM ('a', 'b', 'c{one}');"


def columns(number: int) -> Iterator[str]:
    yield f"CREATE TABLE public.wide ({', '.join(f'c_{one:04} int' for one in range(number))});"


def partitions(number: int) -> Iterator[str]:
    yield "CREATE TABLE public.p (id int, at int, note text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);"
    yield "CREATE INDEX ON public.p (note);"
    for one in range(number):
        yield f"CREATE TABLE public.p_{one:05} PARTITION OF public.p FOR VALUES FROM ({one}) TO ({one + 1});"


KINDS: dict[str, Callable[[int], Iterator[str]]] = {
    made.__name__: made for made in (tables, views, functions, enums, columns, partitions)
}


def timed(folder: Path, *words: str) -> None:
    """Run a verb and print what it took and how it ended."""
    start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    program = Path(sys.executable).with_name("healthd")
    code = subprocess.run([program, *words], cwd=folder, stdout=subprocess.DEVNULL, check=False).returncode
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"  {words[0]}: exit {code}, {time.monotonic() - start:.1f} s, processor {busy_s:.1f} s", flush=True)


def main(kind: str, number: int) -> None:
    """Measure one file and print a line for each verb."""
    with tempfile.TemporaryDirectory() as name, embedded.temporary() as server:
        folder = Path(name)
        (folder / "sql").mkdir()
        (folder / "sql" / "0001_large.sql").write_text("\n".join(KINDS[kind](number)))
        (folder / "yoyo.ini").write_text("[DEFAULT]\nsources = sql\n")
        print(f"{number} {kind} in one file")
        timed(folder, "lock")
        for verb in ("migrate", "check"):
            timed(folder, verb, "--database", server.url())
        print(f"  lock file: {(folder / 'sql' / 'schema.lock').stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
