"""The faults: each begins, lasts, and ends, and notes in the truth of its targets what it may and what it must do."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg
from frozen import frozen
from pooler import Pooler

from soak.process import Daemon, configure
from soak.truth import DRIFT, OK, changing
from soak.watcher import Seen
from soak.world import CROWD, ROLE, SQL, Host, Watched, created, troubled, unreachable

# What drifts, and what undoes it.
DRIFTS = {
    "ALTER TYPE machinestatus RENAME VALUE 'active' TO 'ACTIVE'": (
        "ALTER TYPE machinestatus RENAME VALUE 'ACTIVE' TO 'active'"
    ),
    "ALTER TABLE machines ALTER name DROP NOT NULL": "ALTER TABLE machines ALTER name SET NOT NULL",
    "ALTER TABLE machines ALTER notes SET DEFAULT 'none'": "ALTER TABLE machines ALTER notes DROP DEFAULT",
    "CREATE TABLE surprise (id bigint)": "DROP TABLE surprise",
    "CREATE INDEX surprise ON machines (name)": "DROP INDEX surprise",
    "GRANT SELECT ON machines TO PUBLIC": "REVOKE SELECT ON machines FROM PUBLIC",
}
LOOK_S = 0.1  # at the poolers
SILENT = 100  # clients of the web port
END = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{}'"


@dataclass(slots=True)
class Faults:
    """Everything that faults need, and how many there were of each sort.

    Faults of one server come one after the other, so that its databases can be changed; those of proxies, of the
    settings and of the web port come at the same time.
    """

    targets: list[Watched]
    daemon: Daemon
    seen: Seen
    chance: random.Random
    longest_s: float
    interval_s: float
    deadline_s: float
    counts: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def rest(self) -> None:
        """Wait for as long as a fault lasts."""
        await asyncio.sleep(self.chance.uniform(0.2, 1.0) * self.longest_s)

    async def play(self, *faults: Callable[[], Awaitable[str | None]]) -> None:
        """Let one of these faults happen after the other, at random, until all is over."""
        while not self.over.is_set():
            fault = self.chance.choice(faults)
            try:
                self.counts[await fault() or fault.__name__] += 1
            except (psycopg.Error, OSError) as error:
                self.errors.append(f"{fault.__name__} failed: {type(error).__name__} {error}")
            await self.rest()

    def of(self, host: Host) -> list[Watched]:
        """Return the targets of a server."""
        return [target for target in self.targets if target.host is host]


@dataclass(frozen=True, slots=True)
class HostFaults:
    """What happens to one server and its databases."""

    all: Faults
    host: Host

    @property
    def targets(self) -> list[Watched]:
        """Return the targets on this server."""
        return self.all.of(self.host)

    def one(self) -> Watched:
        """Return one of the targets on this server."""
        return self.all.chance.choice(self.targets)

    async def terminate(self) -> None:
        """Terminate all sessions of the daemon."""
        with troubled(*self.targets):
            await self.host.run(END.format(ROLE))

    async def stop(self) -> None:
        """Stop the server as if it crashed, and start it again."""
        with troubled(*self.targets) as troubles:
            await asyncio.to_thread(self.host.stop)
            with unreachable(troubles):
                await self.all.rest()
            await asyncio.to_thread(self.host.start)

    async def freeze(self) -> None:
        """Stop all processes of the server, and let them go on."""
        with troubled(*self.targets) as troubles, frozen(self.host.server), unreachable(troubles):
            await self.all.rest()

    async def limit(self) -> None:
        """Admit few connections of the daemon, or none."""
        with troubled(*self.targets):
            await self.host.run(f"ALTER ROLE {ROLE} CONNECTION LIMIT {self.all.chance.choice((0, 1, 2))}")
            try:
                await self.all.rest()
            finally:
                await self.host.run(f"ALTER ROLE {ROLE} CONNECTION LIMIT -1")

    async def expire(self) -> None:
        """Let the password of the daemon expire, and renew it."""
        with troubled(*self.targets):
            await self.host.run(f"ALTER ROLE {ROLE} VALID UNTIL '2000-01-01'")
            try:
                await self.all.rest()
            finally:
                await self.host.run(f"ALTER ROLE {ROLE} VALID UNTIL 'infinity'")

    async def fill(self) -> None:
        """Take all connections of the server that are left."""
        url = self.host.server.url().replace("postgres@", f"{CROWD}@")
        taken: list[psycopg.AsyncConnection[Any]] = []
        with troubled(*self.targets):
            try:
                with suppress(psycopg.OperationalError):
                    while True:
                        taken.append(await psycopg.AsyncConnection.connect(url, connect_timeout=10))
                await self.all.rest()
            finally:
                for one in taken:
                    await one.close()

    async def promote(self) -> None:
        """Let the server become a standby, and promote it while it is examined."""
        with troubled(*self.targets):
            await asyncio.to_thread(self.host.become_standby)
            await self.all.rest()
            await self.host.run("SELECT pg_promote()")

    async def lock(self) -> None:
        """Lock a table for a while."""
        target = self.one()
        url = self.host.server.url(target.name)
        with troubled(target):
            async with await psycopg.AsyncConnection.connect(url) as connection:
                await connection.execute("LOCK TABLE machines IN ACCESS EXCLUSIVE MODE")
                await self.all.rest()

    async def drift(self) -> None:
        """Let one database drift, or undo its drift; both wait for readers a while, and fail rather than longer."""
        await set_drift(self.one(), self.all.chance)

    async def drop(self) -> None:
        """Drop a database, and create it again after a while."""
        target = self.one()
        with troubled(target) as troubles:
            target.truth.change(time.time(), *target.truth.content, OK)
            await self.host.run(f"DROP DATABASE {target.name} WITH (FORCE)")
            with unreachable(troubles):
                await self.all.rest()
            await self.host.run(created(target.name))
            target.drift = ""
            target.truth.change(time.time(), OK)


async def set_drift(target: Watched, chance: random.Random) -> None:
    """Let a database drift if it has not, else undo that."""
    done, undo = (target.drift, "") if target.drift else chance.choice(list(DRIFTS.items()))
    with changing(target.truth, DRIFT if undo else OK, time.time):
        await target.host.run(done, database=target.name)
    target.drift = undo


@dataclass(frozen=True, slots=True)
class OtherFaults:
    """What happens between the daemon and the servers, to its settings, and at its web port."""

    all: Faults
    restarting: asyncio.Lock = field(default_factory=asyncio.Lock)  # a pooler

    async def proxy(self) -> str:
        """Let a proxy delay, cut, swallow, or answer garbage, and return which."""
        chance = self.all.chance
        behind = chance.choice([target for target in self.all.targets if target.proxy is not None])
        assert behind.proxy is not None
        mode = chance.choice(("delay", "cut", "swallow", "garbage"))
        with troubled(behind) as troubles:
            behind.proxy.mode = mode
            try:
                with unreachable(troubles if mode != "delay" else []):
                    await self.all.rest()
            finally:
                behind.proxy.mode = "pass"
        return f"proxy: {mode}"

    async def restart_pooler(self) -> None:
        """Kill a pooler, and start it again."""
        if not (poolers := self._poolers()):
            return
        pooler = self.all.chance.choice(poolers)
        async with self.restarting:
            with troubled(*self._behind(pooler)) as troubles:
                await asyncio.to_thread(pooler.kill)
                with unreachable(troubles):
                    await self.all.rest()
                await asyncio.to_thread(pooler.start)

    async def follow_poolers(self) -> None:
        """Start each pooler again that ends by itself, which is a fault, too."""
        while not self.all.over.is_set():
            seen_at = time.time()
            await asyncio.sleep(LOOK_S)
            for pooler in self._poolers():
                async with self.restarting:
                    if why := pooler.ended():
                        with troubled(*self._behind(pooler), since=seen_at):
                            await asyncio.to_thread(pooler.start)
                        self.all.counts[f"pooler ended by itself: {why.rpartition(' FATAL ')[2]}"] += 1

    def _poolers(self) -> list[Pooler]:
        return list({id(one.pooler): one.pooler for one in self.all.targets if one.pooler is not None}.values())

    def _behind(self, pooler: Pooler) -> list[Watched]:
        return [target for target in self.all.targets if target.pooler is pooler]

    async def reload(self) -> None:
        """Remove some targets from the settings, and add them again."""
        chance = self.all.chance
        removed = chance.sample(self.all.targets, k=max(1, len(self.all.targets) // 10))
        for target in removed:
            target.truth.gone = True
        await self._configured([target for target in self.all.targets if target not in removed])
        await self.all.rest()
        await self._configured(self.all.targets)
        for target in removed:
            target.truth.gone = False

    async def _configured(self, targets: list[Watched]) -> None:
        """Write the settings, and wait until the daemon has read them."""
        urls = {target.name: target.url for target in targets}
        settings = {"interval_s": self.all.interval_s, "deadline_s": self.all.deadline_s}
        configure(self.all.daemon.folder, SQL, urls, **settings)
        at = time.time()
        self.all.daemon.reload()
        async with asyncio.timeout(60):
            while self.all.seen.scrape.reloaded_at < at:  # noqa: ASYNC110 # it is scraped
                await asyncio.sleep(0.1)
        wrong = self.all.seen.scrape.states.keys() ^ urls.keys()
        if wrong:
            self.all.errors.append(f"after a reload these targets were wrong: {', '.join(sorted(wrong))}")

    async def silence(self) -> None:
        """Connect many clients that say nothing, or begin a request and never end it."""
        host, _, port = self.all.daemon.page.rpartition("/")[2].partition(":")
        writers = []
        for number in range(SILENT):
            with suppress(OSError):
                _, writer = await asyncio.open_connection(host, int(port))
                writers.append(writer)
                if number % 2:
                    writer.write(b"GET /metrics HTTP/1.1\r\nHost: ")
        await self.all.rest()
        for writer in writers:
            writer.close()
