"""The loop: one task for each target, a web server, and the watchdog notifications to systemd."""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlsplit

import structlog

from healthd.backoff import doubled_s
from healthd.config.restart import needing_restart
from healthd.config.settings import Endpoint, Settings, Target
from healthd.daemon.alertmanager import Alertmanagers
from healthd.daemon.clock import follow_clock
from healthd.daemon.database_lists import DatabaseLists, log_changes, watched_groups
from healthd.daemon.project_files import ProjectFiles
from healthd.daemon.rehearsals import Rehearsals
from healthd.daemon.round_log import log_contradiction, log_round
from healthd.daemon.state import Memory
from healthd.daemon.status import keep_status
from healthd.daemon.systemd import notify
from healthd.daemon.target_files import WrongFiles, changed, look_again_s, usable
from healthd.daemon.turns import Servers, Turn, Turns
from healthd.daemon.watch import Pauses, pause_after_s
from healthd.daemon.web_file import WebFile
from healthd.database.dsn import Dsn
from healthd.database.idle_connections import Places
from healthd.database.servers import servers_of
from healthd.errors import ConfigError, HealthdError
from healthd.model.findings import Report
from healthd.report.board import Board
from healthd.rounds.database_lists import examine_group
from healthd.rounds.endpoints import examine_endpoint
from healthd.rounds.examination import allowed_s, examine_again
from healthd.rounds.failed_round import blind
from healthd.rounds.round import Round
from healthd.rounds.timing import hearing

log = structlog.get_logger()

JITTER = 0.1  # of the interval, so that rounds do not stay in step
BACKOFF_MAX_S = 30.0
SPREAD_FROM = 10  # targets: up to this number all first rounds begin immediately
SPREAD_S = 10.0  # the first rounds of more targets begin within this time, if it is their turn
RUNNING_S = 5.0  # between two rounds while a migration runs, if they take at most this share of the time
RUNNING_SHARE = 0.1
LISTED_S = 1.0  # after this time a list of databases that was wanted is usually here
STOP_S = 1.0  # how long running rounds may take to stop


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Watch:
    """The running tasks and the board that they write to."""

    board: Board
    load: Callable[[], Settings]
    settings: Settings
    rehearsals: Rehearsals
    memory: Memory
    wrong: WrongFiles
    alerts: Alertmanagers
    places: Places = field(default_factory=Places)
    turns: Turns = field(default_factory=Turns)
    pauses: Pauses = field(default_factory=Pauses)
    rounds: dict[str, tuple[Target | Endpoint, asyncio.Task[None]]] = field(default_factory=dict)
    servers: dict[str, Servers] = field(default_factory=dict)  # of each target
    lists: DatabaseLists = field(default_factory=DatabaseLists)
    others: set[asyncio.Task[None]] = field(default_factory=set)
    web_file: WebFile | None = None
    files: ProjectFiles = field(init=False)
    at_start: Settings = field(init=False)  # with which the daemon was started

    def __post_init__(self) -> None:
        self.files = ProjectFiles(self.board)
        self.at_start = self.settings

    def follow(self, settings: Settings, *, read: bool = True) -> None:
        """Watch the targets of these settings: start new targets, restart changed ones, stop removed ones.

        Unless `read`, files that are in use are not read: their next round does that. An error in the files is raised
        before anything is changed.
        """
        settings = self.lists.expanded(settings)
        self.files.follow(settings.projects() if settings.declared else {}, read=read)
        self.settings = settings
        self.wrong.report(settings.folder)
        self.board.external_url, self.board.allowed_hosts = settings.external_url, settings.allowed_hosts
        groups = tuple(watched_groups(settings))
        self.board.labels = {one.name: one.labels for one in (*settings.targets, *groups) if one.labels}
        contracts = {one.name: tuple(contract.name for contract in one.contracts) for one in settings.targets}
        self.board.contracts = {name: names for name, names in contracts.items() if names}
        watched: list[Target | Endpoint] = [*settings.targets, *groups, *settings.endpoints]
        wanted = {one.name: one for one in watched}
        self.board.watch([(name, one.interval_s) for name, one in wanted.items()])
        self.memory.follow(self.lists.unknown)
        self.servers = {name: _servers(one) for name, one in wanted.items()}
        fleeting = [one.dsn for one in settings.targets if one.group]
        self.places.expect([(one.dsn, self.servers[one.name]) for one in settings.targets], fleeting)
        self.turns.follow(server for each in self.servers.values() for server in each)
        self.pauses.follow(wanted.keys())
        for name, (target, task) in list(self.rounds.items()):
            if wanted.get(name) != target or task.done():
                task.cancel()
                del self.rounds[name]
        spread = len(wanted) > SPREAD_FROM
        for name, target in wanted.items():
            if name not in self.rounds:
                later = spread and target not in groups
                first_s = random.uniform(0, min(SPREAD_S, target.interval_s)) if later else 0.0  # noqa: S311 # jitter
                self.rounds[name] = (target, asyncio.create_task(self._watch(target, first_s)))
        self.rehearsals.follow(settings)
        self.alerts.follow(settings)

    def reloaded(self) -> None:
        """Note that the settings are those of the files."""
        self.board.reload_ok = True
        self.board.reloaded_at = now()

    async def reload(self) -> None:
        """Reload the settings; if they are wrong, keep the old ones and raise the error."""
        notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
        try:
            settings = await asyncio.to_thread(self._load)
            if self.web_file is not None:
                await self.web_file.reload()
            self.follow(settings)
            self.reloaded()
            self.lists.want(*(group.name for group in self.settings.groups))
        except Exception:  # whatever it is, the old settings stay in use
            self.board.reload_ok = False
            raise
        finally:
            notify("READY=1")
        log.info("settings.reloaded", targets=len(self.rounds))
        self.board.needs_restart = needing_restart(self.at_start, self.settings)
        if names := self.board.needs_restart:
            log.warning("settings.need_restart", settings=names, hint="restart healthd: a reload does not apply them")

    def _load(self) -> Settings:
        settings = usable(self.load(), self.settings.folder, {})
        if not settings.declared and settings.folder is None:
            raise ConfigError("no database is configured", hint="set `database` in yoyo.ini")
        return settings

    async def follow_files(self) -> None:
        """Follow the folder of target files whenever it changes."""
        while True:
            await asyncio.sleep(look_again_s(self.settings))
            settings = self.settings
            try:
                found = await asyncio.to_thread(changed, settings, self.files.kept)
                if found is None or self.settings is not settings:  # a reload has read the folder meanwhile
                    continue
                self.follow(found, read=False)
                self.reloaded()
            except Exception as error:  # whatever it is: the targets stay as they were
                log.exception("target_files.failed", error=type(error).__name__)
            else:
                log.info("settings.reloaded", targets=len(self.rounds))

    async def reload_and_say(self) -> None:
        """Reload after a signal, and log an error: no caller waits for the result."""
        try:
            await self.reload()
        except HealthdError as error:
            log.error("settings.rejected", error=str(error), hint=error.hint)
        except Exception as error:  # nobody else would report it
            log.exception("settings.rejected", error=type(error).__name__, hint="report this fault of healthd")

    async def _watch(self, target: Target | Endpoint, first_s: float) -> None:
        """Examine one target, or request one endpoint, forever."""
        await asyncio.sleep(first_s)
        failures = 0
        last: Round | None = None
        woken = False
        try:
            while True:
                last, waited_s = await self._turn(target, last, woken=woken)
                if not failures and self.lists.may_lack(target, last.report):
                    last, waited_s = await self._still_there(target, last)
                report = last.report
                failures = failures + 1 if report.failure else 0
                rest_s = rest(present_interval_s(target, report), failures) * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
                rest_s = pause_after_s(target, last, max(rest_s / 2, rest_s - waited_s))
                report = replace(report, next_round_s=rest_s)
                change = self.board.post(report)
                self.memory.posted(change)
                self.alerts.posted(report.target)
                log_round(change, report)
                log_contradiction(last)
                if last.owed is not None:  # what is wrong is known now; how it is repaired, in a moment
                    await asyncio.sleep(rest_s)
                    woken = True
                    continue
                last = self.rehearsals.consider(last, self.settings)
                woken = not await self.lists.rest(target, rest_s) and await self.pauses.rest(target, last, rest_s)
        finally:
            if last is not None:
                if last.session is not None:
                    self.places.take(last.session.connection)
                await last.close()

    async def _turn(self, target: Target | Endpoint, last: Round | None, *, woken: bool = False) -> tuple[Round, float]:
        """Return the next round of a target when it is its turn, and how long it had to wait for that."""
        servers, entry = self.servers[target.name], self.board.entries[target.name]
        if not self.turns.silent(servers):
            entry.wait(now())
        async with self.turns.turn(target.name, servers) as turn:
            entry.begin(now(), allowed_s(target, last) if isinstance(target, Target) else target.deadline_s)
            with hearing(partial(self.turns.heard, turn)):
                found = await self._round(target, last, woken=woken)
            self._learn(turn, target, found.report)
            return found, turn.waited_s

    async def _still_there(self, target: Target | Endpoint, last: Round) -> tuple[Round, float]:
        """Return another round of a database that may have been dropped; if it was, its list ends this task first.

        A list that is read while it is being dropped may still contain it, so it is read again after this round.
        """
        await asyncio.sleep(LISTED_S)
        last, waited_s = await self._turn(target, last)
        if self.lists.may_lack(target, last.report):
            await asyncio.sleep(LISTED_S)
        return last, waited_s

    async def _group_round(self, group: Target) -> Round:
        """Return a round of a group; its databases are followed if they are other ones."""
        report, names = await examine_group(self.settings, group, self.places)
        if names is not None:
            self.lists.learn(group, names)
            before, found = self.settings, self.lists.expanded(self.settings)
            if found.targets != before.targets:
                self.follow(before, read=False)
                log_changes(before, self.settings)
        return Round(report, None)

    def _learn(self, turn: Turn, target: Target | Endpoint, report: Report) -> None:
        """Learn what the servers of a round bear; if they do not answer, whoever waits for them has no excuse."""
        refused = isinstance(target, Target) and self.places.refused.pop(Dsn.of(target.dsn), 0) > 0
        self.turns.learn(turn, report, refused=refused)
        if self.turns.silent(turn.servers):
            for name in self.turns.waiting_for(turn.servers):
                if (entry := self.board.entries.get(name)) is not None:
                    entry.hurry(now())

    async def _round(self, target: Target | Endpoint, last: Round | None, *, woken: bool = False) -> Round:
        """Return the next round, even after an internal error."""
        try:
            if isinstance(target, Endpoint):
                return Round(await examine_endpoint(target), None)
            if target.databases:
                return await self._group_round(target)
            files, adopted = self.files.current(self.settings.of(target)), self.board.entries[target.name].adopted
            return await examine_again(target, files, last, places=self.places, adopted=adopted, woken=woken)
        except Exception as error:
            log.exception("round.failed", target=target.name)
            ours = HealthdError(f"internal error in healthd: {type(error).__name__}", hint="see its log")
            return Round(blind(Target(target.name, ""), ours), None)

    def work(self) -> None:
        """Begin what a daemon does in parallel with the rounds, forever."""
        self.later(self.memory.keep())
        self.later(keep_status(self.board, now))
        self.later(follow_clock(self.board, self.alerts))
        self.later(self.follow_files())
        self.later(self.turns.adapt())
        if self.web_file is not None:
            self.later(self.web_file.follow(look_again_s(self.settings)))

    def later(self, work: Awaitable[None]) -> None:
        """Run something in parallel with the rounds."""
        task = asyncio.ensure_future(work)
        self.others.add(task)
        task.add_done_callback(self.others.discard)

    async def stop(self) -> None:
        """Stop every task; if one hangs in the driver, exit the process."""
        tasks = [task for _, task in self.rounds.values()] + list(self.others) + self.alerts.stop()
        for task in tasks:
            task.cancel()
        self.memory.finish(STOP_S)
        if rehearsals := self.rehearsals.stop():
            await asyncio.wait(rehearsals, timeout=STOP_S)  # one that takes longer ends without us
        if tasks:
            _, hanging = await asyncio.wait(tasks, timeout=STOP_S)
            if hanging:
                # A server that does not respond keeps the driver waiting for its cancel request. The daemon only
                # reads, so nothing is lost if the process exits.
                log.warning("daemon.stopped", unfinished_rounds=len(hanging))
                sys.stderr.flush()
                sys.stdout.flush()
                os._exit(0)


def _servers(target: Target | Endpoint) -> Servers:
    """Return the servers that a round of a target, or of an endpoint, may use."""
    return (urlsplit(target.url).netloc,) if isinstance(target, Endpoint) else servers_of(target.dsn)


def present_interval_s(target: Target | Endpoint, report: Report) -> float:
    """Return the pause between two rounds: while a migration runs, it is short, so that its progress is seen.

    Rounds take a small part of the time even then: it changes the catalogs, and then they read everything.
    """
    if report.maintenance is None:
        return target.interval_s
    return min(target.interval_s, max(RUNNING_S, report.duration_s / RUNNING_SHARE))


def rest(interval_s: float, failures: int) -> float:
    """Return the pause until the next round: the interval, doubled after each failure up to half a minute."""
    return max(interval_s, doubled_s(2 * interval_s, failures, BACKOFF_MAX_S))
