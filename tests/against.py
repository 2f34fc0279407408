"""`make against FILES="a.sql b.sql"`: any SQL, statement by statement, under the eyes of healthd and of pg_dump.

    make against FILES="$(ls …/src/test/regress/sql/*.sql)"    the tests of PostgreSQL itself

Each file runs on an empty database of its own, each statement is committed at once unless the file says BEGIN, and one
that fails is passed over. What psql alone understands is left out. A line says each statement after which a snapshot
moved and pg_dump did not, or the other way round: an index that was left invalid is such a one, for pg_dump does not
tell it. After a statement that failed nobody looks, unless it can leave something behind.
HEALTHD_PG_BIN chooses the server, as it does for the tests.
"""

import asyncio
import os
import re
import sys
from pathlib import Path

import psycopg
from click import echo
from ddl.test_ddl import Watch, report, told
from psycopg import sql as compose
from psycopg.pq import TransactionStatus

from healthd.database.connection import connect
from healthd.postgres import embedded
from healthd.sqltext.statements import statements

# After these nothing can have moved that is not seen after the next one.
STILL = re.compile(
    r"(select|values|insert|update|delete|merge|explain|show|set|reset|table|with|fetch|analyze)\b", re.I
)
HALFWAY = re.compile(r"\b(concurrently|call|do)\b", re.I)  # even when they fail, these can leave something behind
CLIENT = re.compile(r"copy\b.*\b(stdin|stdout)\b|(create|alter|drop)\s+(database|tablespace)\b", re.I | re.S)
COPY = r"[ \t]*copy\b.*\bfrom\s+stdin.*\n"
ROWS = re.compile(rf"^({COPY})(?:(?!{COPY}).*\n)*?\\\.$", re.I | re.M)  # a COPY that is meant to fail has none
COMMAND = re.compile(r"^\s*\\.*$|\s\\(?:g\w*|crosstabview|;)\s.*$", re.M)


def main(files: list[Path]) -> int:
    """Play the files and print a line for each; return 1 when the two disagreed."""
    home = os.environ.get("HEALTHD_PG_BIN")
    with embedded.temporary(binaries=Path(home) if home else None) as server:
        disagreed = [asyncio.run(play(server, f"against_{number}", file)) for number, file in enumerate(files)]
    echo(f"{len(files)} files, {sum(disagreed)} disagreements")
    return 1 if any(disagreed) else 0


async def play(server: embedded.Server, name: str, file: Path) -> int:
    """Play one file in a new database; return how often the two disagreed."""
    with psycopg.connect(server.url(), autocommit=True) as administrator:
        administrator.execute(compose.SQL("CREATE DATABASE {} TEMPLATE template0").format(compose.Identifier(name)))
    url = server.url(name)
    looks = disagreed = 0
    async with connect(url) as reader:
        watch = await Watch.begin(url, reader)
        writer = opened(url)
        for one in statements(file_text(file)):
            if CLIENT.match(one.text):
                continue
            try:
                writer.execute(one.text.encode())
            except psycopg.Error:
                writer = opened(url) if writer.closed else writer
                if not HALFWAY.search(one.text):
                    continue
            if STILL.match(one.text) or writer.info.transaction_status != TransactionStatus.IDLE:
                continue
            looks += 1
            differences, changed = await watch.look()
            if bool(differences) != bool(changed) or watch.snapshot.unreadable or watch.overlooked:
                disagreed += 1
                unreadable = "\n".join(f"{kind}: {why}" for kind, why in watch.snapshot.unreadable.items())
                where = f"{file.name}, line {one.line}: {one.text}"
                echo(report(where, "pg_dump:", changed, "snapshot:", told(differences), unreadable, watch.question()))
        writer.close()
    echo(f"{file.name}: {looks} looks, {disagreed} disagreements")
    return disagreed


def opened(url: str) -> psycopg.Connection:
    """Return a connection that gives up what takes too long."""
    return psycopg.connect(url, autocommit=True, options="-c statement_timeout=20s")


def file_text(file: Path) -> str:
    """Return a file without what psql alone understands."""
    return COMMAND.sub(";", ROWS.sub(r"\1", file.read_text(encoding="utf-8", errors="replace")))


if __name__ == "__main__":
    sys.exit(main([Path(name) for name in sys.argv[1:]]))
