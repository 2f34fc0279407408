"""A value that takes a while to compute, computed in a thread while a server is busy."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Later(Generic[T]):
    """A value that exists, or that a thread computes on demand; its exception is raised where the value is awaited."""

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
        """Return the value, waiting for it if it is still being computed."""
        self.begin()
        return self._made[0] if self._future is None else await asyncio.shield(self._future)
