"""The line that `systemctl status` shows: how many targets are in which state."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import datetime

from healthd.daemon.systemd import heard, notify
from healthd.report.board import Board
from healthd.report.html import counted
from healthd.report.target_states import STATES, state_of

PAUSE_S = 1.0


async def keep_status(board: Board, clock: Callable[[], datetime]) -> None:
    """Tell systemd whenever a target has another state; end if systemd does not listen."""
    said = ""
    while heard():
        if (words := status(board, clock())) != said:
            notify(f"STATUS={words}")
            said = words
        await asyncio.sleep(PAUSE_S)


def status(board: Board, now: datetime) -> str:
    """Return the number of targets, and of those in each state, the worst first."""
    counts = Counter(state_of(entry, now) for entry in board.entries.values())
    states = ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])
    return f"{counted(len(board.entries), 'target')}: {states}" if states else "no target"
