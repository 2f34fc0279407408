"""`make against FILES="a.sql b.sql"`: compare healthd with pg_dump for any SQL, statement by statement.

    make against FILES="$(ls …/src/test/regress/sql/*.sql)"    the tests of PostgreSQL itself

Each file runs in an empty database of its own. Each statement is committed immediately, unless the file contains BEGIN;
statements that fail are skipped, and so are psql's own commands. A line is printed for each statement after which only
the snapshot changed, or only pg_dump: an index that was left invalid is an example, because pg_dump does not show it.
After a statement that failed nothing is compared, unless it can leave something behind.
HEALTHD_PG_BIN chooses the server, as it does for the tests.
"""

import asyncio
import os
import re
import sys
from pathlib import Path

import psycopg
from click import echo
from ddl.test_ddl import Watch, listed, report
from psycopg import sql as compose
from psycopg.pq import TransactionStatus

from healthd.database.connection import connect
from healthd.postgres import embedded
from healthd.sqltext.statements import statements

# Statements after which no comparison is needed: any change is detected after the next one.
STILL = re.compile(
    r"(select|values|insert|update|delete|merge|explain|show|set|reset|table|with|fetch|analyze)\b", re.I
)
HALFWAY = re.compile(r"\b(concurrently|call|do)\b", re.I)  # these can leave something behind even if they fail
CLIENT = re.compile(r"copy\b.*\b(stdin|stdout)\b|(create|alter|drop)\s+(database|tablespace)\b", re.I | re.S)
COPY = r"[ \t]*copy\b.*\bfrom\s+stdin.*\n"
ROWS = re.compile(rf"^({COPY})(?:(?!{COPY}).*\n)*?\\\.$", re.I | re.M)  # a COPY that is expected to fail has none
COMMAND = re.compile(r"^\s*\\.*$|\s\\(?:g\w*|crosstabview|;)\s.*$", re.M)


def main(files: list[Path]) -> int:
    """Run the files and print a line for each; return 1 if the two disagreed."""
    home = os.environ.get("HEALTHD_PG_BIN")
    with embedded.temporary(binaries=Path(home) if home else None) as server:
        disagreed = [asyncio.run(play(server, f"against_{number}", file)) for number, file in enumerate(files)]
    echo(f"{len(files)} files, {sum(disagreed)} disagreements")
    return 1 if any(disagreed) else 0


async def play(server: embedded.Server, name: str, file: Path) -> int:
    """Run one file in a new database; return how often the two disagreed."""
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
                echo(report(where, "pg_dump:", changed, "snapshot:", listed(differences), unreadable, watch.question()))
        writer.close()
    echo(f"{file.name}: {looks} comparisons, {disagreed} disagreements")
    return disagreed


def opened(url: str) -> psycopg.Connection:
    """Return a connection with a statement timeout."""
    return psycopg.connect(url, autocommit=True, options="-c statement_timeout=20s")


def file_text(file: Path) -> str:
    """Return a file without psql's own commands."""
    return COMMAND.sub(";", ROWS.sub(r"\1", file.read_text(encoding="utf-8", errors="replace")))


if __name__ == "__main__":
    sys.exit(main([Path(name) for name in sys.argv[1:]]))
