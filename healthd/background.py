"""What takes a while to make, and is made in a thread while a server is busy, too."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Later(Generic[T]):
    """A value that is there, or that a thread makes; what goes wrong then is raised to whoever waits for it."""

    def __init__(self, make: Callable[[], T], *made: T) -> None:
        self._make = make
        self._made = made  # the value, if it is there
        self._future: asyncio.Future[T] | None = None

    @classmethod
    def made(cls, value: T) -> Later[T]:
        """Return one that has its value already."""
        return cls(lambda: value, value)

    def begin(self) -> None:
        """Begin to make the value, unless that was done before."""
        if not self._made and self._future is None:
            self._future = asyncio.ensure_future(asyncio.to_thread(self._make))

    async def ready(self) -> T:
        """Return the value, as soon as it is there."""
        self.begin()
        return self._made[0] if self._future is None else await asyncio.shield(self._future)
