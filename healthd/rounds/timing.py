"""How long each query takes, as measured by the daemon, including abandoned queries; and that there is an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic

# The queries of a round, as a closed set of words: they become a label.
CONNECT, LOOK, READ, VITALS, VALUES, ACCESS, STATEMENTS, ROWS, RUNNING = QUESTIONS = (
    "connect",
    "look",
    "read",
    "vitals",
    "values",
    "access",
    "statements",
    "rows",
    "running",
)

_TAKEN: ContextVar[list[tuple[str, float]] | None] = ContextVar("healthd_taken", default=None)
_HEARD: ContextVar[Callable[[], None] | None] = ContextVar("healthd_heard", default=None)


@contextmanager
def timing() -> Iterator[list[tuple[str, float]]]:
    """Provide the list to which each query of the block is added, with its duration in seconds."""
    taken: list[tuple[str, float]] = []
    token = _TAKEN.set(taken)
    try:
        yield taken
    finally:
        _TAKEN.reset(token)


@contextmanager
def hearing(heard: Callable[[], None]) -> Iterator[None]:
    """Call a function whenever a query of the block is answered."""
    token = _HEARD.set(heard)
    try:
        yield
    finally:
        _HEARD.reset(token)


@contextmanager
def question(word: str) -> Iterator[None]:
    """Time the query of the block, whether it succeeds or not."""
    start = monotonic()
    try:
        yield
        if (heard := _HEARD.get()) is not None:
            heard()
    finally:
        taken = _TAKEN.get()
        if taken is not None:
            taken.append((word, monotonic() - start))
