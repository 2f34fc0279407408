"""The process of the daemon: it watches every target and serves the results until it is stopped."""

from __future__ import annotations

import asyncio
import gc
import resource
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import suppress

import structlog

from healthd.config.settings import Settings
from healthd.daemon.alertmanager import Alertmanagers
from healthd.daemon.loop import STOP_S, Watch, now
from healthd.daemon.origins import FindingOrigins
from healthd.daemon.rehearsals import Rehearsals
from healthd.daemon.state import Memory
from healthd.daemon.systemd import notify
from healthd.daemon.target_files import WrongFiles, usable
from healthd.daemon.turns import Turns
from healthd.daemon.watchdog import feed_watchdog
from healthd.daemon.web_file import WebFile, warn_unprotected
from healthd.database.idle_connections import Places
from healthd.report.board import Board
from healthd.report.connections import Clients, most_connections, most_rounds, too_few
from healthd.report.html import counted
from healthd.report.web import application
from healthd.report.web_context import WebContext
from healthd.report.web_security import WebSecurity
from healthd.report.web_server import server_for

log = structlog.get_logger()

GARBAGE_S = 30.0  # between two looks for garbage, which take milliseconds; Python itself hardly ever looks (__main__)


async def serve(
    settings: Settings,
    load: Callable[[], Settings],
    listener: socket.socket,
    *,
    started: Callable[[], None],
    security: WebSecurity | None = None,
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
    watch.web_file = WebFile(security, board) if security is not None else None
    watch.follow(settings)
    watch.reloaded()
    watch.memory.restore(now(), {group.name: group.interval_s for group in settings.groups})
    watch.alerts.look()
    threading.Thread(target=_learn_names, args=(watch.board,), daemon=True).start()
    loop.add_signal_handler(signal.SIGHUP, lambda: watch.later(watch.reload_and_say()))
    # Signals that arrived during the start are handled now.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGHUP, signal.SIGTERM])
    origins = FindingOrigins(board, lambda: watch.settings, watch.files)
    context = WebContext(board, now, watch.reload, settings.runbook, settings.host, security, origins.of)
    clients = Clients(most_connections(descriptors, len(settings.targets)), board.disconnected, lambda: context.headers)
    server = server_for(application(context), clients, security)
    web = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not web.done():  # noqa: ASYNC110 # uvicorn has a flag for it, no event
        await asyncio.sleep(0.01)
    started()
    notify("READY=1", f"STATUS=watching {counted(len(settings.targets), 'target')}")
    watch.work()
    watch.later(feed_watchdog(watch))
    watch.later(_collect_garbage())
    warn_unprotected(settings.host, security)
    log.info("daemon.started", targets=len(settings.targets))
    await asyncio.wait([web, asyncio.create_task(stop.wait())], return_when=asyncio.FIRST_COMPLETED)
    notify("STOPPING=1")
    server.should_exit = True
    await watch.stop()
    await asyncio.wait([web], timeout=STOP_S)
    log.info("daemon.stopped")


async def _collect_garbage() -> None:
    """Look forever for what rounds leave behind: an error and the frames of its traceback refer to each other.

    What the daemon consists of when it starts lives until its end, and is not looked at again.
    """
    gc.freeze()
    while True:
        await asyncio.sleep(GARBAGE_S)
        gc.collect()


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
