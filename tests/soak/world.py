"""What the daemon watches: databases on two servers, some of them behind proxies, and the truth about each."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from pooler import Pooler, pooler
from proxy import Proxy, proxy

from healthd.expected.files import read_migrations
from healthd.migrations.execution import execute
from healthd.migrations.run_options import RunOptions
from healthd.migrations.run_plan import plan_apply
from healthd.postgres import embedded
from soak.truth import Trouble, Truth

SQL = Path(__file__).parents[2] / "sql"
ROLE, TEMPLATE = "soak", "of_sql"
CROWD, POOLED = "crowd", "pooled"  # who takes all connections; the role of a pooler's
PASSWORD = "soaked"  # of the daemon's role
# For which a pooler may still hand out the sessions from before a fault, or refuse because of it: it tries to connect
# for as long, and then again.
POOLER_S = 5.0
# It tries again at once, and lets nobody wait for longer than a round.
PATIENT = {"server_login_retry": "1", "query_wait_timeout": "5", "server_connect_timeout": "3"}
# What is committed is not lost by an immediate stop: only the machine is trusted.
SETTINGS = embedded.THROW_AWAY | {
    "max_connections": "40",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "wal_level": "replica",
}
BINARIES = Path(os.environ["HEALTHD_PG_BIN"]) if os.environ.get("HEALTHD_PG_BIN") else None


@dataclass(slots=True)
class Host:
    """A server that can be stopped and started again on its data."""

    server: embedded.Server
    data: Path

    def start(self) -> None:
        """Start it again."""
        socket = self.server.socket
        self.server = started(self.data)
        assert socket == self.server.socket, "the targets name its socket"

    def stop(self) -> None:
        """Stop it as if it crashed."""
        self.server.stop("immediate")

    def become_standby(self) -> None:
        """Start it again as a standby, which only reads until it is promoted."""
        self.server.stop()
        (self.data / "standby.signal").touch()
        self.start()

    async def run(self, *statements: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run statements as the administrator, each committed, and return the rows of the last one."""
        url = self.server.url(database)
        async with await psycopg.AsyncConnection.connect(url, autocommit=True, connect_timeout=60) as connection:
            for statement in statements:
                cursor = await connection.execute(statement.encode())
            return await cursor.fetchall() if cursor.description else []


@dataclass(slots=True)
class Watched:
    """A target: its database, the proxy before it if it has one, and the truth."""

    name: str
    host: Host
    proxy: Proxy | None = None
    truth: Truth = field(default_factory=Truth)
    drift: str = ""  # the SQL that undoes its drift
    pooler: Pooler | None = None

    @property
    def url(self) -> str:
        """Return the URL with which the daemon connects."""
        if self.pooler is not None:
            return self.pooler.url.replace("/*", f"/{self.name}")
        url = self.proxy.url(self.name) if self.proxy is not None else self.host.server.url(self.name)
        return url.replace("postgres@", f"{ROLE}:{PASSWORD}@")


def started(data: Path) -> embedded.Server:
    """Return a server on this data folder."""
    return embedded.start(data, binaries=BINARIES, durable=False, settings=SETTINGS)


@asynccontextmanager
async def world(folder: Path, number: int) -> AsyncIterator[tuple[list[Host], list[Watched]]]:
    """Start two servers with so many databases in all: half of them behind proxies, and some behind a pooler."""
    async with AsyncExitStack() as stack:
        hosts = [Host(await asyncio.to_thread(started, folder / name), folder / name) for name in ("one", "two")]
        for host in hosts:
            stack.callback(host.stop)
            await _prepare(host)
        targets = []
        for place in range(number):
            host = hosts[place % 2]
            between = None
            if place // 2 % 2:
                between = await stack.enter_async_context(proxy(host.server.socket / ".s.PGSQL.5432"))
            targets.append(made := Watched(f"app_{place:02}", host, between))
            await host.run(created(made.name))
        if shutil.which("pgbouncer"):
            for host in hosts:
                shared = stack.enter_context(pooler(host.server, "/*", "transaction", settings=PATIENT, role=POOLED))
                own = [target for target in targets if target.host is host and target.proxy is None]
                for target in own[1::3]:
                    target.pooler = shared
        yield hosts, targets


async def _prepare(host: Host) -> None:
    """Create the role of the daemon, and the template of the databases."""
    await host.run(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'", f"GRANT pg_read_all_data TO {ROLE}")
    await host.run(f"CREATE ROLE {POOLED} LOGIN", f"GRANT pg_read_all_data TO {POOLED}", f"CREATE ROLE {CROWD} LOGIN")
    await host.run(f"CREATE DATABASE {TEMPLATE}")
    hba = host.data / "pg_hba.conf"
    hba.write_text(f"local all {ROLE} scram-sha-256\n{hba.read_text()}")
    await host.run("SELECT pg_reload_conf()")
    plan = await plan_apply(host.server.url(TEMPLATE), read_migrations([SQL]), None, say=lambda _: None)
    await execute(plan, RunOptions(say=lambda _: None))


def created(name: str) -> str:
    """Return the SQL that creates a database in the state of the files."""
    return f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}"


@contextmanager
def troubled(*targets: Watched, since: float | None = None) -> Iterator[list[Trouble]]:
    """Note that a fault may prevent the rounds of these targets during the block, or from an earlier moment on."""
    troubles = [target.truth.trouble(time.time() if since is None else since) for target in targets]
    try:
        yield troubles
    finally:
        for target, trouble in zip(targets, troubles, strict=True):
            trouble.end = time.time() + (POOLER_S if target.pooler is not None else 0)


@contextmanager
def unreachable(troubles: list[Trouble]) -> Iterator[None]:
    """Note that no round of these targets can succeed that begins and ends during the block."""
    for trouble in troubles:
        trouble.sure_from = time.time()
    try:
        yield
    finally:
        for trouble in troubles:
            trouble.sure_until = time.time()
