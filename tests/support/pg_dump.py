"""The oracle: the output of `pg_dump --schema-only`, without irrelevant parts.

It is the pg_dump of the tests' own server, if it includes one, because a minor release may write entries to the
catalogs that an older pg_dump does not know; otherwise that of the embedded PostgreSQL, the newest major version,
which can read all older servers.
"""

import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from difflib import ndiff
from pathlib import Path

import psycopg
import pytest
from conftest import BINARIES

from healthd.model.ledger import BOOKS
from healthd.postgres import programs
from healthd.sqltext.statements import statements

# pg_dump sets these before the statements that they affect, and the order of the statements depends on oids.
SHAPING = re.compile(
    r"SET (default_tablespace|default_table_access_method) = (.*)|(RE)?SET SESSION AUTHORIZATION ?(.*)", re.DOTALL
)
SHAPED = re.compile(
    r"(CREATE ((UNLOGGED |FOREIGN )?TABLE|MATERIALIZED VIEW|(UNIQUE )?INDEX)|ALTER (TABLE|DEFAULT)|GRANT|REVOKE)\b"
)
UNSHAPED = {"default_tablespace": "''", "default_table_access_method": "heap", "authorization": ""}
SESSION = re.compile(r"SET \w+ = |SELECT pg_catalog\.set_config\('search_path', ")


def program(name: str, binaries: Path | None = BINARIES) -> Path:
    """Return a client program from this folder, or else of the embedded PostgreSQL; otherwise skip the test."""
    if binaries and (binaries / name).exists():
        return binaries / name
    try:
        path = programs.find_binaries() / name
    except programs.EmbeddedError as error:
        pytest.skip(str(error))
    if not path.exists():
        pytest.skip(f"no {name} in {path.parent}")
    return path


def printed(url: str) -> str:
    """Return the exact output of pg_dump for a database's schema."""
    # In its own encoding, because it reads the names of all roles, whatever the database sets.
    words = ["--schema-only", "--restrict-key=x", "--lock-wait-timeout=10s", "--encoding=UTF8"]
    hidden = [f"--exclude-table=*.{name}" for name in BOOKS]
    result = subprocess.run([program("pg_dump"), *words, *hidden, "-d", url], capture_output=True, check=False)
    if result.returncode:
        raise AssertionError(f"pg_dump failed: {result.stderr.decode(errors='replace').strip()}")
    return result.stdout.decode()


def dump(url: str) -> str:
    """Return the statements that pg_dump prints, sorted: their order depends on oids."""
    return "\n".join(f"{one};" for one in sorted(statements_of(printed(url))))


def changes(before: str, after: str) -> str:
    """Return the added and removed lines between two outputs of pg_dump; empty if they are equivalent."""
    if before == after:
        return ""
    was, now = Counter(statements_of(before)), Counter(statements_of(after))
    gone, came = (
        [line for text in sorted(one.elements()) for line in text.split("\n")] for one in (was - now, now - was)
    )
    return "\n".join(line for line in ndiff(gone, came) if line[0] in "+-")


def statements_of(text: str) -> Iterator[str]:
    """Yield the relevant statements that pg_dump prints, each with the settings that affect it."""
    shape = dict(UNSHAPED)
    for statement in statements(re.sub(r"^\\(un)?restrict x$", "", text, flags=re.MULTILINE)):
        one = statement.text
        if match := SHAPING.fullmatch(one):
            shape[match[1] or "authorization"] = match[2] or match[4] or ""
        elif not SESSION.match(one):
            changed = [f"{name} {value}" for name, value in shape.items() if value != UNSHAPED[name]]
            yield f"{one} /* {', '.join(changed)} */" if changed and SHAPED.match(one) else one


def restore(text: str, url: str) -> None:
    """Restore a dump in another database; raise AssertionError with psql's message if this fails."""
    with psycopg.connect(url) as connection:
        if connection.info.server_version < 170000:
            text = text.replace("\nSET transaction_timeout = 0;\n", "\n", 1)
    if failure := run_psql(text, url):
        raise AssertionError(f"the dump cannot be restored: {failure}")


def run_psql(text: str, url: str) -> str:
    """Run a script with psql, until its first error; return that error, or an empty text."""
    command = [str(program("psql")), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null", "-d", url]
    result = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
    return result.stderr.decode(errors="replace").strip() or "psql failed" if result.returncode else ""
