"""The loop: one task for each target, a web server, and the watchdog notifications to systemd."""

from __future__ import annotations

import asyncio
import os
import random
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

import structlog

from healthd.config.settings import Endpoint, Settings, Target
from healthd.daemon.alertmanager import Alertmanagers
from healthd.daemon.database_lists import DatabaseLists, tell_changes, watched_groups
from healthd.daemon.rehearsals import Rehearsals
from healthd.daemon.state import Memory
from healthd.daemon.status import keep_status
from healthd.daemon.systemd import notify, watchdog_interval_s
from healthd.daemon.target_files import WrongFiles, changed, look_again_s, usable
from healthd.daemon.turns import Servers, Turn, Turns
from healthd.daemon.watch import Pauses
from healthd.daemon.web_file import WebFile, warn_unprotected
from healthd.database.dsn import Dsn
from healthd.database.idle_connections import Places
from healthd.database.servers import servers_of
from healthd.errors import ConfigError, HealthdError
from healthd.expected.store import Files, Kept, keep
from healthd.model.findings import Report
from healthd.model.severity import Severity
from healthd.report.board import Board, Change
from healthd.report.connections import Clients, most_connections, most_rounds, too_few
from healthd.report.gate import Gate
from healthd.report.web import Door, application, server_for
from healthd.rounds.database_lists import examine_group
from healthd.rounds.endpoints import examine_endpoint
from healthd.rounds.examination import Round, allowed_s, blind, examine_again
from healthd.rounds.lateness import most_s
from healthd.rounds.timing import hearing

log = structlog.get_logger()

JITTER = 0.1  # of the interval, so that rounds do not stay in step
BACKOFF_MAX_S = 30.0
SPREAD_FROM = 10  # targets: up to this number all first rounds begin immediately
SPREAD_S = 10.0  # the first rounds of more targets begin within this time, if it is their turn
LISTED_S = 1.0  # after this time a list of databases that was wanted is usually here
STOP_S = 1.0  # how long running rounds may take to stop


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


async def serve(
    settings: Settings,
    load: Callable[[], Settings],
    listener: socket.socket,
    *,
    started: Callable[[], None],
    gate: Gate | None = None,
) -> None:
    """Watch every target and serve the results, until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    settings = usable(settings, None, {})
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    board = Board()
    descriptors = _open_files(len(settings.targets))
    most = most_rounds(descriptors)
    memory, wrong = Memory(board, settings.state_dir), WrongFiles(board)
    alerts = Alertmanagers(board)
    watch = Watch(board, load, settings, Rehearsals(board), memory, wrong, alerts, Places(most=most), Turns(most))
    watch.web_file = WebFile(gate, board) if gate is not None else None
    watch.follow(settings)
    watch.reloaded()
    watch.memory.restore(now(), {group.name: group.interval_s for group in settings.groups})
    watch.alerts.look()
    threading.Thread(target=_learn_names, args=(watch.board,), daemon=True).start()
    loop.add_signal_handler(signal.SIGHUP, lambda: watch.later(watch.reload_and_say()))
    # Signals that arrived during the start are handled now.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGHUP, signal.SIGTERM])
    door = Door(board, now, watch.reload, settings.runbook, settings.host, gate)
    clients = Clients(most_connections(descriptors, len(settings.targets)), board.disconnected, lambda: door.headers)
    server = server_for(application(door), clients, gate)
    web = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not web.done():  # noqa: ASYNC110 # uvicorn has a flag for it, no event
        await asyncio.sleep(0.01)
    started()
    notify("READY=1", f"STATUS=watching {len(settings.targets)} targets")
    watch.work()
    warn_unprotected(settings.host, gate)
    log.info("daemon.started", targets=len(settings.targets))
    await asyncio.wait([web, asyncio.create_task(stop.wait())], return_when=asyncio.FIRST_COMPLETED)
    notify("STOPPING=1")
    server.should_exit = True
    await watch.stop()
    await asyncio.wait([web], timeout=STOP_S)
    log.info("daemon.stopped")


def _open_files(targets: int) -> int:
    """Return how many files this process may have open, after raising the limit as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
    if too_few(soft, targets):
        log.warning("files.limited", limit=soft, targets=targets, hint="raise LimitNOFILE, or ulimit -n")
    return soft


def _learn_names(board: Board) -> None:
    """Store the names of this host; this runs in a thread because a name server may not answer."""
    board.machine = (socket.gethostname(),)
    board.machine = (*board.machine, socket.getfqdn())


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
    kept: dict[Path, Kept] = field(default_factory=dict)  # the files, by lock file
    refused: dict[Path, str] = field(default_factory=dict)  # the errors in them since they were last valid
    rounds: dict[str, tuple[Target | Endpoint, asyncio.Task[None]]] = field(default_factory=dict)
    servers: dict[str, Servers] = field(default_factory=dict)  # of each target
    lists: DatabaseLists = field(default_factory=DatabaseLists)
    others: set[asyncio.Task[None]] = field(default_factory=set)
    web_file: WebFile | None = None

    def follow(self, settings: Settings, known: Mapping[Path, Kept] = MappingProxyType({})) -> None:
        """Watch the targets of these settings: start new targets, restart changed ones, stop removed ones.

        Files that are `known` are not read: their next round does that.
        """
        # An error in the files is raised before anything is changed.
        settings = self.lists.expanded(settings)
        projects = settings.projects() if settings.declared else {}
        self.kept = {path: known.get(path) or keep(own) for path, own in projects.items()}
        self.settings, self.refused = settings, {path: self.refused[path] for path in known.keys() & self.refused}
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
        except HealthdError:
            self.board.reload_ok = False
            raise
        finally:
            notify("READY=1")
        log.info("settings.reloaded", targets=len(self.rounds))

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
                found = await asyncio.to_thread(changed, settings, self.kept)
                if found is None or self.settings is not settings:  # a reload has read the folder meanwhile
                    continue
                self.follow(found, self.kept)
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

    async def _watch(self, target: Target | Endpoint, first_s: float) -> None:
        """Examine one target, or request one endpoint, forever."""
        await asyncio.sleep(first_s)
        failures = 0
        last: Round | None = None
        try:
            while True:
                last, waited_s = await self._turn(target, last)
                if not failures and self.lists.may_lack(target, last.report):
                    last, waited_s = await self._still_there(target, last)
                report = last.report
                failures = failures + 1 if report.failure else 0
                rest_s = rest(target.interval_s, failures) * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
                rest_s = max(rest_s / 2, rest_s - waited_s)
                report = replace(report, next_round_s=rest_s)
                change = self.board.post(report)
                self.memory.posted(change)
                self.alerts.posted(report.target)
                _tell(change, report)
                last = self.rehearsals.consider(last, self.settings)
                if not await self.lists.rest(target, rest_s):
                    await self.pauses.rest(target, last, rest_s)
        finally:
            if last is not None:
                if last.session is not None:
                    self.places.take(last.session.connection)
                await last.close()

    async def _turn(self, target: Target | Endpoint, last: Round | None) -> tuple[Round, float]:
        """Return the next round of a target when it is its turn, and how long it had to wait for that."""
        servers, entry = self.servers[target.name], self.board.entries[target.name]
        if not self.turns.silent(servers):
            entry.wait(now())
        async with self.turns.turn(target.name, servers) as turn:
            entry.begin(now(), allowed_s(target, last) if isinstance(target, Target) else target.deadline_s)
            with hearing(partial(self.turns.heard, turn)):
                found = await self._round(target, last)
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
                self.follow(before, self.kept)
                tell_changes(before, self.settings)
        return Round(report, None)

    def _learn(self, turn: Turn, target: Target | Endpoint, report: Report) -> None:
        """Learn what the servers of a round bear; if they do not answer, whoever waits for them has no excuse."""
        refused = isinstance(target, Target) and self.places.refused.pop(Dsn.of(target.dsn), 0) > 0
        self.turns.learn(turn, report, refused=refused)
        if self.turns.silent(turn.servers):
            for name in self.turns.waiting_for(turn.servers):
                if (entry := self.board.entries.get(name)) is not None:
                    entry.hurry(now())

    async def _round(self, target: Target | Endpoint, last: Round | None) -> Round:
        """Return the next round, even after an internal error."""
        try:
            if isinstance(target, Endpoint):
                return Round(await examine_endpoint(target), None)
            if target.databases:
                return await self._group_round(target)
            return await examine_again(target, self._files(target), last, places=self.places)
        except Exception as error:
            log.exception("round.failed", target=target.name)
            ours = HealthdError(f"internal error in healthd: {type(error).__name__}", hint="see its log")
            return Round(blind(Target(target.name, ""), ours), None)

    def _files(self, target: Target) -> Files:
        """Return the current files of a target, or the last valid ones; log each change to valid or wrong once."""
        own = self.settings.of(target)
        before, refused = self.refused.get(own.lock, ""), ""
        try:
            self.kept[own.lock] = keep(own, self.kept.get(own.lock))
        except HealthdError as error:
            refused = str(error)
            if refused != before:
                log.error("files.rejected", error=refused, hint=error.hint)
        if before and not refused:
            log.info("files.accepted")
        self.refused[own.lock] = refused
        self.board.files_ok = not any(self.refused.values())
        return self.kept[own.lock].files

    def work(self) -> None:
        """Begin what a daemon does in parallel with the rounds, forever."""
        self.later(_stay_alive(self))
        self.later(self.memory.keep())
        self.later(keep_status(self.board, now))
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


def rest(interval_s: float, failures: int) -> float:
    """Return the pause until the next round: the interval, doubled after each failure up to half a minute."""
    return max(interval_s, min(BACKOFF_MAX_S, interval_s * 2.0 ** min(failures, 10))) if failures else interval_s


def longest_s(target: Target | Endpoint) -> float:
    """Return how long a round may take at most; an endpoint is requested twice."""
    return most_s(target) if isinstance(target, Target) else 2 * target.deadline_s


def _tell(change: Change, report: Report) -> None:
    """Log each change at level info or above, and the round at debug."""
    for finding in change.appeared:
        say = log.warning if finding.severity is Severity.WARNING else log.error
        say(
            "finding.appeared",
            target=report.target,
            problem=finding.problem,
            object=str(finding.key),
            severity=str(finding.severity),
            message=finding.message,
        )
    for one in change.waived:
        log.info(
            "finding.waived",
            target=report.target,
            problem=one.finding.problem,
            object=str(one.finding.key),
            reason=one.waiver.reason,
            owner=one.waiver.owner,
            until=one.waiver.until.isoformat(),
        )
    for finding in change.resolved:
        log.info("finding.resolved", target=report.target, problem=finding.problem, object=str(finding.key))
    log.debug(
        "round.finished",
        target=report.target,
        severity=str(report.severity),
        findings=len(report.findings),
        duration_s=round(report.duration_s, 3),
    )


async def _stay_alive(watch: Watch) -> None:
    """Notify the watchdog of systemd while the rounds of every target make progress."""
    interval_s = watchdog_interval_s()
    while interval_s:
        if all(not task.done() for _, task in watch.rounds.values()) and not _stuck(watch):
            notify("WATCHDOG=1")
        await asyncio.sleep(interval_s)


def _stuck(watch: Watch) -> bool:
    """Return whether a target has had no round for much longer than allowed, or nobody is given a turn any more."""
    if watch.turns.stalled_s() > max((longest_s(target) for target, _ in watch.rounds.values()), default=0.0) + 30:
        return True
    waiting = set(watch.turns.waiting_for(tuple(watch.turns.servers)))
    for name, (target, _) in watch.rounds.items():
        entry = watch.board.entries[name]
        begun = [entry.begun_at] if entry.begun_at is not None else []
        begun += [entry.report.started_at] if entry.report is not None else []
        allowed_s = 2 * max(target.interval_s, BACKOFF_MAX_S) + longest_s(target) + 30
        if begun and name not in waiting and now() - max(begun) > timedelta(seconds=allowed_s):
            return True
    return False
