"""What a reader asked to see of a page that has much: a state, and words that must occur."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MOST = 200  # characters of the words


@dataclass(frozen=True, slots=True)
class PageFilter:
    """What is shown: everything, unless a state or words are given. The words stand in the address of the page."""

    words: str = ""
    state: str = ""

    @classmethod
    def of(cls, words: str, state: str, states: Iterable[str]) -> PageFilter:
        """Return a page_filter as an address contains it; a state that does not exist is none."""
        return cls(words.strip()[:MOST], state if state in states else "")

    def __bool__(self) -> bool:
        return bool(self.words or self.state)

    def has(self, state: str, *texts: str) -> bool:
        """Return whether something with this state and these texts is shown: all words occur in them, in any case."""
        known = "\n".join(texts).casefold()
        return self.state in ("", state) and all(word in known for word in self.words.casefold().split())
