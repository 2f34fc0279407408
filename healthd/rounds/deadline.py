"""The deadline of a round: it holds even if the server neither answers nor takes a request to cancel."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from time import monotonic
from typing import Any, TypeVar

from healthd.database.open_connections import Opened

Done = TypeVar("Done")

GRACE_S = 0.3  # for work to end by itself after it was interrupted


class TimeUp(Exception):
    """The time is up; `answers` is whether the server still took a request."""

    def __init__(self, *, answers: bool) -> None:
        super().__init__()
        self.answers = answers


async def within(seconds: float, work: Coroutine[Any, Any, Done], opened: Opened) -> Done:
    """Return the result of work, or raise TimeUp; then nothing waits for the server any more."""
    until = monotonic() + seconds
    task = asyncio.ensure_future(work)
    answers = False
    try:
        await asyncio.wait({task}, timeout=max(0.0, seconds))
        if not task.done():
            opened.over = True
            answers = await opened.interrupt()
            if answers:
                await asyncio.wait({task}, timeout=GRACE_S)
    except asyncio.CancelledError:
        if not task.done():
            with suppress(TimeUp):  # nobody hears of it
                await _ended(task, opened)
        if task.done():  # perhaps with a result, at this very moment
            await asyncio.gather(task, return_exceptions=True)  # its error concerns nobody
            await opened.close()
        raise
    # By the clock, too: if this process comes late, the driver's own timeout may be raised before we look.
    late = opened.over or not task.done() or monotonic() >= until
    if not task.done():
        await _ended(task, opened)
    if late and (task.cancelled() or task.exception() is not None):
        raise TimeUp(answers=answers)
    return task.result()


async def _ended(task: asyncio.Future[Any], opened: Opened) -> None:
    """End work: what waits for the server gets an error, and what waits for something else is cancelled."""
    opened.shut()
    await asyncio.wait({task}, timeout=GRACE_S / 3)
    if not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=GRACE_S)
    if not task.done():  # it ends some time later; its error concerns nobody
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        raise TimeUp(answers=False)
