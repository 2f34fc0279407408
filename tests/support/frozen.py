"""A server that does not go on: all its processes are stopped for a while."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from healthd.postgres.embedded import Server


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Stop a process for a block; one that has ended is none to stop."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


@contextmanager
def frozen(server: Server) -> Iterator[None]:
    """Stop all processes of a server for a block: the first one before the others, so that it starts none meanwhile."""
    with ExitStack() as stack:
        stack.enter_context(stopped(server.pid))
        for pid in Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split():
            stack.enter_context(stopped(int(pid)))
        yield
