"""How long each question to a server takes, as the daemon sees it: also one that was given up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic

# What a round asks, in a closed set of words: they become a label.
CONNECT, LOOK, READ, BESIDE, VALUES, ACCESS, STATEMENTS, ROWS = QUESTIONS = (
    "connect",
    "look",
    "read",
    "beside",
    "values",
    "access",
    "statements",
    "rows",
)

_TAKEN: ContextVar[list[tuple[str, float]] | None] = ContextVar("healthd_taken", default=None)


@contextmanager
def timing() -> Iterator[list[tuple[str, float]]]:
    """Lend the list to which every question that is asked within the block is added, with its seconds."""
    taken: list[tuple[str, float]] = []
    token = _TAKEN.set(taken)
    try:
        yield taken
    finally:
        _TAKEN.reset(token)


@contextmanager
def question(word: str) -> Iterator[None]:
    """Time what is asked in the block, whether it is answered or not."""
    start = monotonic()
    try:
        yield
    finally:
        taken = _TAKEN.get()
        if taken is not None:
            taken.append((word, monotonic() - start))
