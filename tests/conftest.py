"""One PostgreSQL server for the session, and a new database for each test that requests one."""

import functools
import gc
import inspect
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import version
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
import structlog
from psycopg import sql as compose

from healthd.postgres import embedded, programs
from healthd.postgres.clusters import KEPT

BINARIES = Path(os.environ["HEALTHD_PG_BIN"]) if os.environ.get("HEALTHD_PG_BIN") else None

# The tests start many servers: in memory, if there is enough of it, this takes a fifth less time.
MEMORY, ENOUGH_BYTES = Path("/dev/shm"), 8 << 30  # each server has its own folder there
if (
    "TMPDIR" not in os.environ
    and os.access(MEMORY, os.W_OK | os.X_OK)
    and shutil.disk_usage(MEMORY).free > ENOUGH_BYTES
):
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)

# The tests start hundreds of processes: each would compile the program again, for longer than it then runs.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Searching for cycles as often as by default only costs time. What nobody closed is still found, at the latest when the
# session ends.
gc.set_threshold(50_000)

# httpcore tries to import it several times for each request. If it is missing, this says so without a search for it.
if find_spec("sniffio") is None:
    sys.modules["sniffio"] = None  # type: ignore[assignment] # as the documentation of sys.modules has it
# jsonschema imports it for a second, to check the format "iri", which no schema here has.
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]

Sql = Callable[..., list[tuple[Any, ...]]]
MakeDatabase = Callable[..., str]
MakeTemplate = Callable[..., tuple[str, str]]


def pytest_configure(config: pytest.Config) -> None:
    """Let the scratch servers of all workers, and of the processes that tests start, share one run of initdb."""
    if KEPT not in os.environ:  # a worker has it from the process that started it
        os.environ[KEPT] = folder = tempfile.mkdtemp(prefix="healthd-clusters-")
        config.add_cleanup(functools.partial(shutil.rmtree, folder, ignore_errors=True))


def pytest_collection_finish() -> None:
    """Exempt modules and collected tests from all searches for cycles: these many objects live to the end anyway."""
    gc.collect()
    gc.freeze()


def pytest_report_header() -> str:
    try:
        program = programs.find_binaries(BINARIES) / "postgres"
        postgres = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    except (programs.EmbeddedError, OSError, subprocess.SubprocessError) as error:
        postgres = f"no PostgreSQL: {error}"
    return f"{postgres}; psycopg {version('psycopg')}, yoyo {version('yoyo-migrations')}"


@pytest.hookimpl(tryfirst=True)  # before anyio's own hook, which reads the mark
def pytest_pycollect_makeitem(name: str, obj: object) -> None:
    if name.startswith("test_") and inspect.iscoroutinefunction(obj):
        pytest.mark.anyio(obj)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def _own_environment() -> Iterator[None]:
    """Remove the user's PG*, HEALTHD_DATABASE and FORCE_COLOR variables for the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith("PG") or name in ("HEALTHD_DATABASE", "FORCE_COLOR"):
                patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def server(_own_environment: None) -> Iterator[embedded.Server]:
    with embedded.temporary(binaries=BINARIES) as server:
        yield server


@pytest.fixture(scope="session")
def _administrator(server: embedded.Server) -> Iterator[psycopg.Connection]:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def _database_names() -> Iterator[str]:
    return (f"test_{number}" for number in count(1))


@pytest.fixture(scope="session")
def _done_with(_administrator: psycopg.Connection) -> Callable[..., None]:
    """Return a function that drops databases some tests later: all but the last few that it received.

    The sessions of a test that has just finished are still closing, and the server would wait a tenth of a second for
    them. The databases that remain are removed with the server.
    """
    waiting: list[str] = []

    def done_with(*names: str, keep: int = 10) -> None:
        waiting.extend(names)
        while len(waiting) > keep:
            drop = compose.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(compose.Identifier(waiting.pop(0)))
            _administrator.execute(drop)

    return done_with


def _drop_subscriptions(administrator: psycopg.Connection, url: str, name: str) -> None:
    """Drop subscriptions, because a database with a subscription cannot be dropped."""
    own = "SELECT subname FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = %s)"
    if not (names := administrator.execute(own, [name]).fetchall()):
        return
    with psycopg.connect(url, autocommit=True) as connection:
        for (name,) in names:
            for words in ("ALTER SUBSCRIPTION {} DISABLE", "ALTER SUBSCRIPTION {} SET (slot_name = NONE)"):
                connection.execute(compose.SQL(words).format(compose.Identifier(name)))
            connection.execute(compose.SQL("DROP SUBSCRIPTION {}").format(compose.Identifier(name)))


@pytest.fixture(scope="session")
def shipped(server: embedded.Server, _administrator: psycopg.Connection) -> str:
    """The name of a template database to which sql/ was applied."""
    from story import migrate_shipped  # the unit tests do without it

    _administrator.execute("CREATE DATABASE shipped TEMPLATE template0")
    migrate_shipped(server.url("shipped"))
    return "shipped"


@pytest.fixture(scope="session")
def migrated_template(
    server: embedded.Server, _administrator: psycopg.Connection, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The name of a template database with the migrations of `make_project`."""
    from acceptance.test_cli import healthd, make_project

    _administrator.execute("CREATE DATABASE migrated TEMPLATE template0")
    project = make_project(tmp_path_factory.mktemp("migrated") / "project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        assert 0 == healthd("migrate", "--database", server.url("migrated")).code
    return "migrated"


@pytest.fixture(scope="session")
def make_template(
    server: embedded.Server, _administrator: psycopg.Connection, _database_names: Iterator[str]
) -> MakeTemplate:
    """Return a function that creates a database to be filled once and copied, and returns its name and URL."""

    def make_template(template: str = "template0") -> tuple[str, str]:
        name = f"template_of_{next(_database_names)}"
        create = compose.SQL("CREATE DATABASE {} TEMPLATE {}")
        _administrator.execute(create.format(compose.Identifier(name), compose.Identifier(template)))
        return name, server.url(name)

    return make_template


@pytest.fixture(scope="session")
def template_of(make_template: MakeTemplate) -> Callable[..., str]:
    """Return a function that makes a template database once: with this SQL, on top of another one; it returns its name.

    A test that changes it itself names itself as the `owner`, and has it alone.
    """

    @functools.cache
    def template_of(text: str, base: str = "template0", owner: str = "") -> str:  # part of what is cached
        name, url = make_template(base)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(text.encode())
        return name

    return template_of


@pytest.fixture
def make_database(
    server: embedded.Server,
    _administrator: psycopg.Connection,
    _database_names: Iterator[str],
    _done_with: Callable[..., None],
) -> Iterator[MakeDatabase]:
    """Return a function that creates a database, empty or as a copy, and returns its URL."""
    made: list[str] = []

    def make_database(template: str | None = None) -> str:
        name = next(_database_names)
        # Without fsync, copying files is faster; before PostgreSQL 15 it was the only strategy.
        strategy = " STRATEGY file_copy" if _administrator.info.server_version >= 150000 else ""
        _administrator.execute(
            compose.SQL("CREATE DATABASE {} TEMPLATE {}" + strategy).format(
                compose.Identifier(name), compose.Identifier(template or "template0")
            )
        )
        made.append(name)
        return server.url(name)

    yield make_database
    for name in made:
        _drop_subscriptions(_administrator, server.url(name), name)
        _done_with(name)


@pytest.fixture
def database(make_database: MakeDatabase) -> str:
    """The URL of a new, empty database."""
    return make_database()


@pytest.fixture(scope="session")
def sql() -> Sql:
    """Return a function that runs SQL on a URL with autocommit, and returns the rows."""

    def sql(url: str, text: LiteralString, *parameters: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(url, autocommit=True) as connection:
            cursor = connection.execute(text, parameters or None)
            return cursor.fetchall() if cursor.description else []

    return sql


@pytest.fixture
def restored_logging() -> Iterator[None]:
    """Undo what a test, or a verb that it runs, does to logging."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()
