"""A value that takes a while to compute, computed in a thread while a server is busy."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Later(Generic[T]):
    """A value that a thread computes, on demand; an exception in the thread is raised where the value is awaited."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: asyncio.Future[T] | None = None

    def begin(self) -> asyncio.Future[T]:
        """Start the computation, unless it was started before."""
        if self._made is None:
            self._made = asyncio.ensure_future(asyncio.to_thread(self._make))
        return self._made


async def ready(value: T | Later[T]) -> T:
    """Return a value, waiting for it if it is still being computed."""
    return await asyncio.shield(value.begin()) if isinstance(value, Later) else value
