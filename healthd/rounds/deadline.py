"""The deadline of a round, which holds even if the driver does not stop when it is cancelled.

A cancelled query asks the server to cancel it and waits for the answer; a server that is frozen never gives one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

Done = TypeVar("Done")

CANCEL_S = 0.5  # how long cancelled work may take to stop


async def within(seconds: float, work: Coroutine[Any, Any, Done]) -> Done:
    """Return the result of work, or raise TimeoutError; work that does not stop then is left to itself."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=max(0.0, seconds))
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=CANCEL_S)
            task.add_done_callback(_forget)
    if not task.done() or task.cancelled():
        raise TimeoutError
    return task.result()


def _forget(task: asyncio.Future[Any]) -> None:
    """Take the error of work that nobody waits for any more."""
    if not task.cancelled():
        task.exception()
