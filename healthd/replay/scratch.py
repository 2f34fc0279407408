"""The database of a replay: empty at each start, on a scratch server that no other process uses.

Objects of the server itself that a migration creates, such as roles, databases and settings of ALTER SYSTEM, outlive
the database and would affect the next run of the same file. Roles and databases are dropped; after any other change a
new server is started.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from healthd.comparison.roles import for_comparison
from healthd.database.connection import connect, rows_of
from healthd.database.driver_errors import translated
from healthd.database.probes.surroundings import available_extensions
from healthd.database.snapshot.reading import take_snapshot_after
from healthd.errors import HealthdError, MigrationFailed
from healthd.expected.extensions import UNAVAILABLE, created
from healthd.expected.files import Migration
from healthd.expected.lockfile import Needed
from healthd.migrations.engine.lock_waits import Say
from healthd.migrations.engine.notices import Notice
from healthd.migrations.engine.yoyo_backend import opened, yoyo_migration
from healthd.model.names import quote
from healthd.model.snapshots import Snapshot
from healthd.postgres import embedded
from healthd.replay.missing_extensions import refuse_unavailable, who_has

SCRATCH, COPY = "replay", "replay_copy"
# The objects of the server itself: kind, name, and everything about them that a migration could change.
GLOBALS = """
    SELECT 'database', d.datname::text,
           pg_catalog.concat_ws(' ', d.datdba, d.datallowconn, d.datconnlimit, d.datistemplate, d.datacl)
      FROM pg_catalog.pg_database AS d
     WHERE d.datname <> ALL ('{replay,replay_copy}')
    UNION ALL
    SELECT 'tablespace', t.spcname::text, pg_catalog.concat_ws(' ', t.spcowner, t.spcacl, t.spcoptions)
      FROM pg_catalog.pg_tablespace AS t
    UNION ALL
    SELECT 'role', r.rolname::text,
           pg_catalog.concat_ws(' ', r.rolsuper, r.rolinherit, r.rolcreaterole, r.rolcreatedb, r.rolcanlogin,
                                r.rolreplication, r.rolbypassrls, r.rolconnlimit, r.rolvaliduntil, r.rolconfig)
      FROM pg_catalog.pg_roles AS r
    UNION ALL
    SELECT 'membership', m.roleid::regrole::text || ' ' || m.member::regrole::text, m.admin_option::text
      FROM pg_catalog.pg_auth_members AS m
    UNION ALL
    SELECT 'setting', pg_catalog.concat_ws(' ', d.datname, s.setrole::regrole), s.setconfig::text
      FROM pg_catalog.pg_db_role_setting AS s
      LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.setdatabase
     WHERE COALESCE(d.datname, '') <> ALL ('{replay,replay_copy}')
    UNION ALL
    SELECT 'setting', f.name, f.setting
      FROM pg_catalog.pg_file_settings AS f
    UNION ALL
    SELECT 'replication_slot', s.slot_name::text, s.plugin::text
      FROM pg_catalog.pg_replication_slots AS s
    UNION ALL
    SELECT 'replication_origin', o.roname, ''
      FROM pg_catalog.pg_replication_origin AS o"""
PARAMETERS = """
    UNION ALL
    SELECT 'parameter', p.parname, p.paracl::text
      FROM pg_catalog.pg_parameter_acl AS p"""
# What belongs to a database and is not copied with it: its settings, its privileges, its subscriptions.
NOT_COPIED = """
    SELECT FROM pg_catalog.pg_database AS d
     WHERE d.datname = pg_catalog.current_database()
       AND (d.datacl IS NOT NULL
            OR EXISTS (SELECT FROM pg_catalog.pg_db_role_setting AS s WHERE s.setdatabase = d.oid)
            OR EXISTS (SELECT FROM pg_catalog.pg_shseclabel AS l WHERE l.objoid = d.oid)
            OR EXISTS (SELECT FROM pg_catalog.pg_shdescription AS c WHERE c.objoid = d.oid)
            OR EXISTS (SELECT FROM pg_catalog.pg_replication_slots AS s WHERE s.database = d.datname)
            OR EXISTS (SELECT FROM pg_catalog.pg_subscription AS s WHERE s.subdbid = d.oid))"""
MISSING = re.compile(r'(role|tablespace) "((?:[^"]|"")+)" does not exist')
MAKE = {
    "role": ("CREATE ROLE {}",),
    "tablespace": ("SET allow_in_place_tablespaces = on", "CREATE TABLESPACE {} LOCATION ''"),
}

Global = tuple[str, str, str]


class Scratch:
    """A database that can be dropped at any time, on a server that no other process uses."""

    def __init__(self, binaries: Path | None, servers: ExitStack, say: Say) -> None:
        self.binaries, self._servers, self.say = binaries, servers, say
        self._warn = _warnings(say)
        self.open = AsyncExitStack()
        self.connection: Any = None
        self.needed: list[Needed] = []  # what migrations name and none of them creates
        self._kept: tuple[Migration, ...] = ()  # the migrations after which the copy was made
        self._globals: frozenset[Global] = frozenset()  # of the server, before any migration
        self._take_server()

    def _take_server(self) -> None:
        self._servers.close()
        server = self._servers.enter_context(embedded.temporary(binaries=self.binaries))
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
                    await _make(connection, one)
            self._globals = await globals_of(connection)
            await connection.execute(
                f"CREATE DATABASE {SCRATCH} TEMPLATE {COPY if self._kept else 'template0'}".encode()
            )
        self.connection = await self.open.enter_async_context(connect(self.url))
        for migration in migrations[len(self._kept) :]:
            await self.apply(migration)
        if migrations:
            await self._keep(tuple(migrations))

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
        self.connection = await self.open.enter_async_context(connect(self.url))

    async def begin_session(self) -> None:
        """Continue in a new session."""
        await self.open.aclose()
        self.connection = await self.open.enter_async_context(connect(self.url))

    async def server_state(self) -> frozenset[Global]:
        """Return the objects of the server itself."""
        return await globals_of(self.connection)

    async def refuse_unavailable(self, migrations: Sequence[Migration]) -> None:
        """Raise when a file creates an extension that is not available with these programs."""
        if wanted := tuple(created(migrations)):
            refuse_unavailable(wanted, await available_extensions(self.connection), self._bin)

    async def snapshot(self, known: Snapshot | None = None) -> Snapshot:
        """Return a snapshot of the database; of a `known` one only the kinds that have changed are read again."""
        user = self.connection.info.user
        taken = await take_snapshot_after(self.connection, known or Snapshot(0, {}), migrator=user)
        for kind, reason in taken.unreadable.items():
            raise MigrationFailed(f"cannot measure: {kind} objects cannot be read: {reason}")
        return for_comparison(taken, user)

    async def apply(self, migration: Migration) -> None:
        """Apply a migration as the runner does; a role or tablespace that it names is created if it does not exist."""
        try:
            await asyncio.to_thread(_run, self.url, migration, "apply_one", self._warn)
        except MigrationFailed as error:
            if cure := _cure(error):
                raise MigrationFailed(str(error), hint=cure, sqlstate=error.sqlstate) from error
            found = MISSING.search(str(error)) if error.sqlstate == "42704" else None
            if found is None:
                raise
            one = Needed(found[1], found[2], migration.id)
            if one.name in {other.name for other in self.needed if other.kind == one.kind}:
                raise  # it exists, so the error has another cause
            await _make(self.connection, one)
            self.needed.append(one)
            self._globals |= {row for row in await globals_of(self.connection) if row[:2] == (one.kind, one.name)}
            await self.apply(migration)

    async def roll_back(self, migration: Migration) -> None:
        """Roll a migration back as the runner does."""
        await asyncio.to_thread(_run, self.url, migration, "rollback_one", self._warn)


@asynccontextmanager
async def scratch_on(binaries: Path | None, say: Say) -> AsyncIterator[Scratch]:
    """Provide an empty scratch database on a server with these programs."""
    with ExitStack() as servers:
        scratch = Scratch(binaries, servers, say)
        async with scratch.open:
            await scratch.start()
            yield scratch


def _cure(error: MigrationFailed) -> str:
    """Return a cure for an error that occurs on the scratch server but may not occur on the user's server."""
    if error.sqlstate == "53200":
        return "split the file: it holds more locks at once than the scratch server has room for"
    unknown = UNAVAILABLE.search(str(error))
    return who_has({unknown[1] or unknown[2]}) if unknown else ""


async def globals_of(connection: Any) -> frozenset[Global]:
    query = GLOBALS + (PARAMETERS if connection.info.server_version >= 150000 else "")
    with translated():
        return frozenset(await (await connection.execute(query.encode())).fetchall())


async def _make(connection: Any, one: Needed) -> None:
    with translated():
        for statement in MAKE[one.kind]:
            await connection.execute(statement.format(quote(one.name)).encode())


def _warnings(say: Say) -> Say:
    """Return a function that prints each warning of the migrations once, however often they run, and nothing else."""
    told: set[str] = set()

    def tell(text: str) -> None:  # progress of an index build is of no interest here
        if isinstance(text, Notice) and text.warns and text not in told:
            told.add(text)
            say(text)

    return tell


def _run(url: str, migration: Migration, verb: str, say: Say) -> None:
    with opened(url, wait_s=10.0, say=say) as backend:
        getattr(backend, verb)(yoyo_migration(migration))
