"""The schema of a database as pg_dump prints it: which pg_dump is used, and its output as a migration."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from healthd.database.dsn import Dsn
from healthd.errors import DatabaseFailed
from healthd.importing.conversion import RESTRICT
from healthd.model.names import Key
from healthd.postgres.installed import installed
from healthd.postgres.programs import EmbeddedError, find_binaries, last_words
from healthd.sqltext.statements import statements

VERSION = re.compile(r"\(PostgreSQL\) ((\d+)[\w.]*)")
LIMIT_S = 1800.0  # of pg_dump
TABLE_LOCK_MS = 10_000  # it takes ACCESS SHARE locks, and must not wait behind a migration

# What pg_dump sets for the session that restores: limits and the client are the runner's, and everything else must
# end with the transaction. An older server does not even know all of them.
SETS = re.compile(r"SET (\w+) = ")
OF_THE_SESSION = frozenset(
    """statement_timeout lock_timeout idle_in_transaction_session_timeout transaction_timeout client_encoding
    client_min_messages row_security""".split()
)
FOR_GOOD = "SELECT pg_catalog.set_config('search_path', '', false)"


@dataclass(frozen=True, slots=True)
class Program:
    """A pg_dump: where it is, and its version in words."""

    path: Path
    version: str
    major: int

    @property
    def words(self) -> str:
        """Return its name and version."""
        return f"pg_dump {self.version}"


def find_pg_dump(server_version: int, postgres_bin: Path | None) -> Program | None:
    """Return the pg_dump of the server's major version, otherwise the oldest that is newer; None if there is none.

    A pg_dump that is older than the server refuses to read it, and a newer one may print what the server cannot read.
    """
    found = [one for one in _programs(_places(postgres_bin)) if one.major >= server_version // 10000]
    return min(found, key=lambda one: one.major, default=None)


def _places(postgres_bin: Path | None) -> Iterator[Path]:
    """Yield where a pg_dump may be: the folder in the settings first, the embedded PostgreSQL last."""
    if postgres_bin is not None:
        yield postgres_bin / "pg_dump"
    if path := shutil.which("pg_dump"):
        yield Path(path)
    yield from (one.bin / "pg_dump" for one in installed())
    with suppress(EmbeddedError):
        yield find_binaries() / "pg_dump"


def _programs(paths: Iterable[Path]) -> Iterator[Program]:
    for path in paths:
        with suppress(OSError, subprocess.SubprocessError):
            done = subprocess.run([path, "--version"], capture_output=True, text=True, check=True, timeout=30)
            if match := VERSION.search(done.stdout):
                yield Program(path, match[1], int(match[2]))


def dumped(dsn: str | Dsn, program: Program, without: Iterable[Key] = ()) -> str:
    """Return the schema of a database, without some tables; raise DatabaseFailed if pg_dump fails.

    Owners are left out: a migration belongs to the role that runs it. A password never becomes an argument.
    """
    place = Dsn.of(dsn)
    password = place.parameters.get("password")
    done = subprocess.run(
        [
            *(program.path, "--schema-only", "--no-owner", "--no-password", "--encoding=UTF8"),
            f"--lock-wait-timeout={TABLE_LOCK_MS}",
            *(f"--exclude-table={key.sql}" for key in without),
            f"--dbname={place.url}",
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=LIMIT_S,
        env={**os.environ, "LC_MESSAGES": "C", **({"PGPASSWORD": password} if password else {})},
    )
    if done.returncode != 0:
        raise DatabaseFailed(f"{program.words} failed: {last_words(done.stderr.decode(errors='replace'))}")
    return done.stdout.decode()


def as_migration(text: str) -> str:
    """Return the output of pg_dump as the text of one migration, which leaves no setting behind."""
    text = RESTRICT.sub("", text)
    for one in reversed(list(statements(text))):
        match = SETS.match(one.text)
        if match and match[1] in OF_THE_SESSION:
            text = text[: one.start] + text[one.end + 1 :].removeprefix("\n")
        elif match:
            text = f"{text[: one.start]}SET LOCAL{text[one.start + 3 :]}"
        elif one.text == FOR_GOOD:
            text = f"{text[: one.start]}{FOR_GOOD.replace('false', 'true')}{text[one.end :]}"
    first = next((one.start for one in statements(text)), 0)
    head = re.sub(r"\n{3,}", "\n\n", text[:first].removeprefix("--\n"))  # further below, they may be in a body
    return f"{head}{text[first:].rstrip()}\n"
