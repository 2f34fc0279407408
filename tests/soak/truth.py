"""The truth about one target at each moment, as far as it is certain, and what a daemon may therefore report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

OK, DRIFT, UNKNOWN, ABSENT = "ok", "drift", "unknown", "absent"
FOREVER = float("inf")

Clock = Callable[[], float]


@dataclass(slots=True)
class Trouble:
    """A fault: it may prevent rounds between two moments, and surely does between two others within them."""

    begin: float
    end: float = FOREVER
    sure_from: float = FOREVER
    sure_until: float = FOREVER

    def touches(self, begin: float, end: float) -> bool:
        """Return whether it may be felt in this time."""
        return self.begin <= end and begin <= self.end

    def covers(self, begin: float, end: float) -> bool:
        """Return whether it surely lasts for all of this time."""
        return self.sure_from <= begin and end <= self.sure_until


@dataclass(slots=True)
class Truth:
    """What is so of one target: its content since each moment (more than one state while it changes), and faults.

    All times are Unix times in seconds.
    """

    contents: list[tuple[float, frozenset[str]]] = field(default_factory=lambda: [(0.0, frozenset({OK}))])
    troubles: list[Trouble] = field(default_factory=list)
    gone: bool = False  # the daemon is to watch it no longer, or is about to

    @property
    def content(self) -> frozenset[str]:
        """Return the states that the content may be in now."""
        return self.contents[-1][1]

    def change(self, at: float, *states: str) -> None:
        """Note which states are possible from now on."""
        self.contents.append((at, frozenset(states)))

    def trouble(self, at: float) -> Trouble:
        """Note that a fault begins, and return it, so that its end can be noted."""
        self.troubles.append(made := Trouble(at))
        return made

    def possible(self, begin: float, end: float) -> frozenset[str]:
        """Return what a round that lasts for this time may report."""
        if any(trouble.covers(begin, end) for trouble in self.troubles):
            return frozenset({UNKNOWN})
        found = frozenset[str]().union(*self._contents(begin, end))
        return found | {UNKNOWN} if self.disturbed(begin, end) else found

    def disturbed(self, begin: float, end: float) -> bool:
        """Return whether a fault may be felt in this time."""
        return any(trouble.touches(begin, end) for trouble in self.troubles)

    def _contents(self, begin: float, end: float) -> Iterator[frozenset[str]]:
        for number, (since, states) in enumerate(self.contents):
            until = self.contents[number + 1][0] if number + 1 < len(self.contents) else FOREVER
            if since <= end and begin <= until:
                yield states


@contextmanager
def changing(truth: Truth, state: str, clock: Clock) -> Iterator[None]:
    """Note a change of the content by the block: until it has ended, the state before is possible as well."""
    truth.change(clock(), *truth.content, state)
    yield
    truth.change(clock(), state)
