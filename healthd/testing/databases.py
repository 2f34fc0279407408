"""Databases for tests, copied from a template: on an embedded server of this process, or on a server of the user's.

All work is done in one thread with an event loop of its own, so that no loop of a test is touched.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from secrets import token_hex
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from healthd.config.reader import read_settings
from healthd.config.settings import Settings
from healthd.database.connection import connect
from healthd.database.dsn import Dsn
from healthd.errors import ConfigError, MigrationFailed, PermissionDenied
from healthd.expected.files import Migration, read_migrations
from healthd.migrations.execution import execute
from healthd.migrations.run_options import RunOptions
from healthd.migrations.run_plan import plan_apply
from healthd.postgres import embedded
from healthd.replay.scratch import MISSING
from healthd.replay.server_state import MAKE, NOT_COPIED

PREFIX = "healthd_test_"  # of all databases on a server of the user's
LEFT_BEHIND = """
    SELECT d.datname
      FROM pg_catalog.pg_database AS d
     WHERE d.datname ~ '^healthd_test_[0-9a-f]{12}_'
       AND d.datdba = (SELECT r.oid FROM pg_catalog.pg_roles AS r WHERE r.rolname = current_user)
       AND NOT EXISTS (SELECT
                         FROM pg_catalog.pg_stat_activity AS a
                        WHERE a.application_name = pg_catalog.left(d.datname::text, 25))"""

Done = TypeVar("Done")


def sources(file: Path | None, target: str) -> Settings:
    """Return the settings that name the migrations: those of yoyo.ini, or of one of its targets."""
    settings = read_settings(file)
    return settings.of(settings.section(target)) if target else settings


@dataclass(slots=True)
class Databases:
    """Makes the databases of one process: `template` has all migrations, the others are copies of it.

    `token` is the beginning of their names, and the name of the session that shows that this process still runs.
    """

    server: Dsn
    migrations: tuple[Migration, ...]
    own: bool  # the server is embedded, and nobody else's: roles that a file names may be created
    token: str
    _open: ExitStack
    _run: Callable[[Coroutine[Any, Any, Any]], Any]
    _copied: bool = True  # what the files create is in the database, and is copied with it
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @classmethod
    def open(cls, settings: Settings, url: str) -> Databases:
        """Return what makes databases on the server of a URL, or on an embedded one that is started now."""
        migrations = read_migrations(settings.sources)
        with ExitStack() as undo:
            run = undo.enter_context(_thread())
            server = url or undo.enter_context(embedded.temporary(binaries=settings.postgres_bin)).url()
            made = cls(Dsn.of(server), migrations, not url, f"{PREFIX}{token_hex(6)}", undo, run)
            if url:
                undo.enter_context(made._presence())
                run(made._clean())
            undo.callback(made.drop, made.template)
            run(made._begin())
            made._open = undo.pop_all()
            return made

    @property
    def template(self) -> str:
        """Return the name of the database that the others are copied from."""
        return f"{self.token}_template"

    def make(self) -> tuple[str, str]:
        """Create a database with all migrations, and return its name and its URL."""
        name = f"{self.token}_{next(self._numbers)}"
        self._run(self._create(name, self.template if self._copied else "template0"))
        if not self._copied:
            self._run(self._apply(name))
        return name, self.url(name)

    def drop(self, name: str) -> None:
        """Drop a database and end its sessions; one that does not exist is dropped already."""
        self._run(self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))

    def close(self) -> None:
        """Drop the template, and stop the server if it is ours."""
        self._open.close()

    def url(self, name: str) -> str:
        """Return the URL of a database, with the password if the server's URL has one."""
        known = dict(self.server.parameters) | {"dbname": name}
        user, password = (quote(known.pop(key, ""), safe="") for key in ("user", "password"))
        login = f"{user}:{password}@" if password else f"{user}@" if user else ""
        known.pop("dbname")
        return f"postgresql://{login}/{name}" + (f"?{urlencode(known)}" if known else "")

    async def _begin(self) -> None:
        await self._create(self.template, "template0")
        await self._apply(self.template)
        async with self._connected(self.template) as connection:
            self._copied = await (await connection.execute(NOT_COPIED.encode())).fetchone() is None

    async def _create(self, name: str, template: str) -> None:
        try:
            async with self._connected() as connection:
                # Without fsync copying files is faster than the log; before PostgreSQL 15 it was the only way.
                copied = self.own and connection.info.server_version >= 150000
                strategy = " STRATEGY file_copy" if copied else ""
                await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"{strategy}'.encode())
        except PermissionDenied as error:
            raise ConfigError(
                f"the role of --healthd-database cannot create databases: {error}",
                hint="ALTER ROLE … CREATEDB; or leave the option out, to start the embedded PostgreSQL",
            ) from error

    async def _apply(self, name: str) -> None:
        """Apply all migrations as `healthd migrate` does; on a server of our own, create the roles that they name."""
        made: set[str] = set()
        while True:
            plan = await plan_apply(self.url(name), self.migrations, None, say=_nothing)
            try:
                await execute(plan, RunOptions(_nothing))
            except MigrationFailed as error:
                found = MISSING.search(str(error))
                if found is None or not self.own or found[0] in made:
                    raise
                made.add(found[0])
                for statement in MAKE[found[1]]:
                    await self._execute(statement.format(f'"{found[2]}"'))
            else:
                return

    async def _clean(self) -> None:
        """Drop what killed processes left behind: databases of our role without the session of their token."""
        async with self._connected() as connection:
            found = await (await connection.execute(LEFT_BEHIND.encode())).fetchall()
        for (name,) in found:
            await self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    async def _execute(self, statement: str) -> None:
        async with self._connected() as connection:
            await connection.execute(statement.encode())

    def _connected(self, name: str | None = None) -> AbstractAsyncContextManager[Any]:
        return connect(self.url(name) if name else self.server)

    @contextmanager
    def _presence(self) -> Iterator[None]:
        """Hold a session with the name of our token, so that nobody takes our databases for left behind."""
        named = dict(self.server.parameters) | {"application_name": self.token}
        session = connect(Dsn(self.server.text, named))
        self._run(session.__aenter__())
        try:
            yield
        finally:
            self._run(session.__aexit__(None, None, None))


def _nothing(_text: str) -> None: ...


@contextmanager
def _thread() -> Iterator[Callable[[Coroutine[Any, Any, Done]], Done]]:
    """Provide a function that runs a coroutine in a thread, and returns its result."""
    runner = asyncio.Runner()
    with ThreadPoolExecutor(1, thread_name_prefix="healthd") as pool:
        try:
            yield lambda work: pool.submit(runner.run, work).result()
        finally:
            pool.submit(runner.close).result()
