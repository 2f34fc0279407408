"""What takes a while to make, and is made in a thread while a server is busy, too."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Later(Generic[T]):
    """A value that a thread makes from when that is asked for; what goes wrong is raised to whoever waits for it."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: asyncio.Future[T] | None = None

    def begin(self) -> asyncio.Future[T]:
        """Begin, unless that was done before."""
        if self._made is None:
            self._made = asyncio.ensure_future(asyncio.to_thread(self._make))
        return self._made


async def ready(value: T | Later[T]) -> T:
    """Return a value that may not have been made yet."""
    return await asyncio.shield(value.begin()) if isinstance(value, Later) else value
