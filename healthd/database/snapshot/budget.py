"""The time that reading may take in one round: what is not read by then is unknown, and what was read is kept."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic

from healthd.model.snapshots import LATE

SHARE = 0.75  # of a round; the rest is for comparing and judging
TIGHT = 0.5  # of the time for reading: from then on, each statement gets what is left
LEAST_MS = 100


@dataclass(frozen=True, slots=True)
class Budget:
    """When reading ends, in monotonic seconds, how many seconds the round has, and with which kinds it begins.

    These are the kinds for which the last round had no time: each is read at least in every other round.
    """

    until: float
    allowed_s: float
    first: tuple[str, ...] = ()

    @classmethod
    def of(cls, start_s: float, allowed_s: float, first: tuple[str, ...] = ()) -> Budget:
        """Return the budget of a round that began then."""
        return cls(start_s + SHARE * allowed_s, allowed_s, first)

    @property
    def left_ms(self) -> int:
        """Return how many milliseconds are left; 0 if the time is over."""
        return max(0, int(1000 * (self.until - monotonic())))

    @property
    def tight(self) -> bool:
        """Return whether a statement may take longer than what is left."""
        return self.left_ms < 1000 * TIGHT * SHARE * self.allowed_s

    @property
    def reason(self) -> str:
        """Return why something was not read."""
        return f"{LATE}: this round had {self.allowed_s:g} s"
