"""The database of a replay: empty at each start, on a scratch server that no other process uses.

Objects of the server itself that a migration creates, such as roles, databases and settings of ALTER SYSTEM, outlive
the database and would affect the next run of the same file. Roles and databases are dropped; after any other change a
new server is started.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from healthd.catalog.digests import Digest
from healthd.comparison.roles import for_comparison
from healthd.database.connection import connect, rows_of
from healthd.database.driver_errors import translated
from healthd.database.probes.surroundings import available_extensions
from healthd.database.snapshot.change_reader import ChangeReader
from healthd.database.snapshot.reading import expected_digests
from healthd.errors import HealthdError, MigrationFailed
from healthd.expected.extensions import UNAVAILABLE, created
from healthd.expected.files import Migration
from healthd.expected.lockfile import Needed
from healthd.expected.session_settings import ENDS, GIVES
from healthd.migrations.engine.lock_waits import Say
from healthd.migrations.engine.notices import Notice
from healthd.model.names import quote
from healthd.model.snapshots import Snapshot
from healthd.postgres import embedded
from healthd.replay.missing_extensions import refuse_unavailable, who_has
from healthd.replay.runner import Runner
from healthd.replay.server_state import NOT_COPIED, Global, globals_of, make

NEVER = 1_000_000_000  # how often the driver sees a query before it prepares one without being asked to
SCRATCH, COPY = "replay", "replay_copy"  # `server_state` knows these names
MISSING = re.compile(r'(role|tablespace) "(.+?)" does not exist', re.DOTALL)  # the server doubles no quotation marks
Each = Callable[[str], object]  # receives what is being done


def nothing(_text: object) -> None:
    """Ignore a text, or a migration."""


@dataclass(frozen=True, slots=True)
class State:
    """What the database contains, and the digest of each kind as the server computed it, so far as it did."""

    snapshot: Snapshot
    digests: Mapping[str, Digest]


class Scratch:
    """A database that can be dropped at any time, on a server that no other process uses."""

    def __init__(
        self, binaries: Path | None, servers: ExitStack, say: Say, settings: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self.binaries, self._servers, self.say = binaries, servers, say
        self._settings = settings  # of the server
        self._warn = _warnings(say)
        self.open = AsyncExitStack()
        self.connection: Any = None  # on which the database is read
        self._worker: Any = None  # on which statements are measured one by one
        self._runner: Runner | None = None
        self._reader: ChangeReader | None = None
        self.needed: list[Needed] = []  # what migrations name and none of them creates
        self.proven: tuple[Migration, ...] = ()  # the first migrations, whose result was compared
        self._kept: tuple[Migration, ...] = ()  # the migrations after which the copy was made
        self._globals: frozenset[Global] = frozenset()  # of the server, before any migration
        self._server_state: frozenset[Global] | None = None  # as it is now, if that is known
        self._take_server()

    def _take_server(self) -> None:
        self._servers.close()
        server = self._servers.enter_context(embedded.temporary(binaries=self.binaries, settings=self._settings))
        # Without options, so that PGOPTIONS in the environment does not decide what the files create.
        self.url = f"{server.url(SCRATCH)}&options="
        self._administrator, self._bin = server.url(), server.bin
        self._kept, self._globals = (), frozenset()

    async def start(self, migrations: Sequence[Migration] = ()) -> None:
        """Start again with an empty database and these migrations, or with the copy and those that it lacks."""
        await self.open.aclose()
        if tuple(migrations[: len(self._kept)]) != self._kept:
            self._kept = ()
        if not await self._cleared():
            self._take_server()
        async with connect(self._administrator) as connection:
            there = {(kind, name) for kind, name, _ in await globals_of(connection)}
            for one in self.needed:
                if (one.kind, one.name) not in there:
                    await make(connection, one)
            self._globals = await globals_of(connection)
            await connection.execute(
                f"CREATE DATABASE {SCRATCH} TEMPLATE {COPY if self._kept else 'template0'}".encode()
            )
        await self._connect()
        left = migrations[len(self._kept) :]
        if self.proven and tuple(left[: len(self.proven)]) == self.proven:
            await self.apply_unrecorded(self.proven)
            left = left[len(self.proven) :]
        for migration in left:
            await self.apply(migration)
        if migrations:
            await self._keep(tuple(migrations))

    async def start_over(self) -> None:
        """Start again on a new server, without what was created for migrations that need it."""
        await self.open.aclose()
        self.needed = []
        self._take_server()
        await self.start()

    async def _cleared(self) -> bool:
        """Drop what the last run left, and return whether the server is in its initial state."""
        try:
            async with connect(self._administrator) as connection:
                with translated():
                    return await self._clear(connection)
        except HealthdError:
            return False

    async def _clear(self, connection: Any) -> bool:
        await connection.execute(f"DROP DATABASE IF EXISTS {SCRATCH} WITH (FORCE)".encode())
        if not self._kept:
            await connection.execute(f"DROP DATABASE IF EXISTS {COPY}".encode())
        if not self._globals:
            return True  # no migration has run yet
        for kind, name, _ in sorted(await globals_of(connection) - self._globals):
            if kind == "database":
                await connection.execute(f"DROP DATABASE {quote(name)} WITH (FORCE)".encode())
            elif kind == "role":
                await connection.execute(f"DROP ROLE {quote(name)}".encode())
        return await globals_of(connection) == self._globals

    async def _keep(self, migrations: tuple[Migration, ...]) -> None:
        """Copy the database, so that the next start need not apply these again; unless the copy would be incomplete."""
        if await self.server_state() != self._globals or await rows_of(self.connection, NOT_COPIED):
            return
        await self.open.aclose()
        async with connect(self._administrator) as connection:
            await connection.execute(f"DROP DATABASE IF EXISTS {COPY}".encode())
            await connection.execute(f"CREATE DATABASE {COPY} TEMPLATE {SCRATCH}".encode())
        self._kept = migrations
        await self._connect()

    async def _connect(self) -> None:
        self.connection = await self.open.enter_async_context(connect(self.url))
        self.connection.prepare_threshold = NEVER
        self._worker = None
        reader = await self.open.enter_async_context(connect(self.url))
        another = partial(self.open.enter_async_context, connect(self.url))
        self._reader = ChangeReader(reader, another, reader.info.user)
        self.forget_server_state()
        self._runner = Runner(self.url, self._warn)
        self.open.push_async_callback(self._runner.close)

    async def begin_session(self) -> None:
        """Measure in a new session."""
        if self._worker is not None:
            await self._worker.close()
        self._worker = None

    async def worker(self) -> Any:
        """Return the connection on which statements are measured one by one."""
        if self._worker is None:
            self._worker = await self.open.enter_async_context(connect(self.url))
        return self._worker

    async def server_state(self) -> frozenset[Global]:
        """Return the objects of the server itself, which are known until they may have changed."""
        if self._server_state is None:
            self._server_state = await globals_of(self.connection)
        return self._server_state

    def forget_server_state(self) -> None:
        """Read the objects of the server again when they are needed."""
        self._server_state = None

    async def refuse_unavailable(self, migrations: Sequence[Migration]) -> None:
        """Raise when a file creates an extension that is not available with these programs."""
        if wanted := tuple(created(migrations)):
            refuse_unavailable(wanted, await available_extensions(self.connection), self._bin)

    async def state(self, known: State | None = None) -> State:
        """Return what the database contains; of a `known` state only the kinds that have changed are read again.

        Without one, no digests are computed: they would not be compared with anything.
        """
        with translated():
            if known is None:
                taken, digests = await self.reader.take(Snapshot(0, {}), None)
            else:
                taken, digests = await self.reader.take(known.snapshot, known.digests)
        for kind, reason in taken.unreadable.items():
            raise MigrationFailed(f"cannot measure: {kind} objects cannot be read: {reason}")
        for table_lock in taken.locked.values():
            raise MigrationFailed(f"cannot measure: {table_lock.reason}")
        return State(for_comparison(taken, self.connection.info.user), digests)

    async def snapshot(self, known: Snapshot | None = None) -> Snapshot:
        """Return all objects of the database; of a `known` snapshot only the kinds that have changed are read again."""
        before = None if known is None else State(known, expected_digests(known.objects))
        return (await self.state(before)).snapshot

    @property
    def reader(self) -> ChangeReader:
        """Return what reads the present database."""
        assert self._reader is not None
        return self._reader

    @property
    def user(self) -> str:
        """Return the role that runs the migrations."""
        return str(self.connection.info.user)

    @property
    def runner(self) -> Runner:
        """Return the runner of the present database."""
        assert self._runner is not None
        return self._runner

    async def apply_unrecorded(
        self, migrations: Sequence[Migration], each: Callable[[Migration], object] = nothing
    ) -> None:
        """Apply migrations quickly, without a ledger; what they name was created when the database was."""
        await self.runner.apply_unrecorded(migrations, each)
        await self.renew(*(one.apply for one in migrations))

    async def apply(self, migration: Migration) -> None:
        """Apply a migration as the runner does; a role or tablespace that it names is created if it does not exist."""
        try:
            await self.runner.apply(migration)
        except MigrationFailed as error:
            if cure := _cure(error):
                raise MigrationFailed(str(error), hint=cure, sqlstate=error.sqlstate) from error
            found = MISSING.search(str(error)) if error.sqlstate == "42704" else None
            if found is None:
                raise
            one = Needed(found[1], found[2], migration.id)
            if one.name in {other.name for other in self.needed if other.kind == one.kind}:
                raise  # it exists, so the error has another cause
            await make(self.connection, one)
            self.needed.append(one)
            self.forget_server_state()
            self._globals |= {row for row in await globals_of(self.connection) if row[:2] == (one.kind, one.name)}
            await self.apply(migration)
        else:
            await self.renew(migration.apply)

    async def roll_back(self, migration: Migration) -> None:
        """Roll a migration back as the runner does."""
        await self.runner.roll_back(migration)
        await self.renew(migration.rollback or "")

    async def renew(self, *texts: str) -> None:
        """Begin new sessions if one of these texts may have ended ours, or changed what a session begins with."""
        self.forget_server_state()
        if any(map(ENDS.search, texts)):
            await self.open.aclose()
            await self._connect()
        if any(map(GIVES.search, texts)):
            await self.runner.close()
            await self.begin_session()


@asynccontextmanager
async def scratch_on(
    binaries: Path | None, say: Say, settings: Mapping[str, str] = MappingProxyType({})
) -> AsyncIterator[Scratch]:
    """Provide an empty scratch database on a server with these programs and settings."""
    with ExitStack() as servers:
        scratch = Scratch(binaries, servers, say, settings)
        async with scratch.open:
            await scratch.start()
            yield scratch


def _cure(error: MigrationFailed) -> str:
    """Return a cure for an error that occurs on the scratch server but may not occur on the user's server."""
    if error.sqlstate == "53200":
        return "split the file: it holds more locks at once than the scratch server has room for"
    unknown = UNAVAILABLE.search(str(error))
    return who_has({unknown[1] or unknown[2]}) if unknown else ""


def _warnings(say: Say) -> Say:
    """Return a function that prints each warning of the migrations once, however often they run, and nothing else."""
    shown: set[str] = set()

    def tell(text: str) -> None:  # progress of an index build is of no interest here
        if isinstance(text, Notice) and text.warns and text not in shown:
            shown.add(text)
            say(text)

    return tell
