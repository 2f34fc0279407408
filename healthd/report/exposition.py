"""What /metrics returns: the metrics of each target are kept as text while nothing that they depend on changes.

A target has some eighty series. To build and to encode those of a thousand targets takes a second, in which no round
goes on; a quiet round changes a third of them.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from operator import is_

from healthd.report.board import Board, Entry
from healthd.report.metrics import GROUPS, Encode, about_healthd, about_target, encoder, of_process

FORMATS = 2  # of which texts are kept: those that were requested last
END = b"# EOF\n"

Family = tuple[bytes, bytes]  # its comments, and its samples


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """The text of a group of families of one target, and what it depends on."""

    depends_on: tuple[object, ...]
    text: tuple[Family, ...]

    def holds(self, depends_on: tuple[object, ...]) -> bool:
        """Return whether nothing has changed; a report's parts are compared by identity, and so are cheap."""
        if len(self.depends_on) != len(depends_on):
            return False
        if all(map(is_, self.depends_on, depends_on)):  # as a rule, and at once
            return True
        pairs = zip(self.depends_on, depends_on, strict=True)
        return all(old is new or (isinstance(old, PLAIN) and old == new) for old, new in pairs)


PLAIN = (bool, int, float, str, datetime, tuple)


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """The texts of one target, by group, and how many rounds it had had when they were made."""

    groups: tuple[Kept, ...]
    rounds: int


@dataclass(slots=True)
class Exposition:
    """The metrics of the daemon as text."""

    board: Board
    clock: Callable[[], datetime]
    kept: dict[str, dict[str, Texts]] = field(default_factory=dict)  # by format and target

    def text(self, accept: str, only: str | None = None) -> tuple[bytes, str]:
        """Return the metrics, or only those of one target, and their content type."""
        encode, content_type = encoder(accept)
        entries = self.board.entries if only is None else {only: self.board.entries[only]}
        families: dict[bytes, list[bytes]] = {}
        general = [*(of_process() if only is None else ()), *about_healthd(self.board, entries)]
        for comments, samples in _split(encode(general)):
            families.setdefault(comments, []).append(samples)
        now, texts = self.clock(), self.kept.setdefault(content_type, {})
        for name, entry in entries.items():
            for kept in _of_target(name, entry, now, encode, texts).groups:
                for comments, samples in kept.text:
                    families.setdefault(comments, []).append(samples)
        self._forget(content_type)
        body = b"".join(part for comments, samples in families.items() for part in (comments, *samples))
        return body + (END if content_type.startswith("application/openmetrics") else b""), content_type

    async def prepare(self, accept: str, pause: Callable[[], Awaitable[None]]) -> None:
        """Bring the texts of targets after their rounds up to date, with pauses, so that the next scrape finds them."""
        encode, content_type = encoder(accept)
        for name, entry in tuple(self.board.entries.items()):
            texts = self.kept.setdefault(content_type, {})
            if name not in texts or texts[name].rounds != entry.runs:
                _of_target(name, entry, self.clock(), encode, texts)
                await pause()

    def _forget(self, content_type: str) -> None:
        """Forget removed targets, and the formats that were requested before the last ones."""
        texts = self.kept.pop(content_type, {})
        self.kept[content_type] = {name: one for name, one in texts.items() if name in self.board.entries}
        for old in list(self.kept)[:-FORMATS]:
            del self.kept[old]


def _of_target(name: str, entry: Entry, now: datetime, encode: Encode, texts: dict[str, Texts]) -> Texts:
    """Return the texts of one target, after making those again that have changed."""
    known = texts[name].groups if name in texts else (None,) * len(GROUPS)
    depends_on = [group.depends_on(entry, now) for group in GROUPS]
    if all(kept is not None and kept.holds(each) for kept, each in zip(known, depends_on, strict=True)):
        return texts[name]
    groups = tuple(
        kept
        if kept is not None and kept.holds(each)
        else Kept(each, tuple(_split(encode(about_target(name, entry, group, now)))))
        for group, kept, each in zip(GROUPS, known, depends_on, strict=True)
    )
    texts[name] = Texts(groups, entry.runs)
    return texts[name]


def _split(text: bytes) -> Iterable[Family]:
    """Yield the families of a text."""
    for family in re.split(rb"(?m)^(?=# HELP )", text.removesuffix(END)):
        if family:
            end = re.search(rb"(?m)^[^#]|\Z", family)
            assert end is not None, "the end of a text matches"
            yield _shared(family[: end.start()]), family[end.start() :]


@lru_cache(1000)
def _shared(comments: bytes) -> bytes:
    """Return one object for the same comments: a thousand targets have them, and each scrape compares them."""
    return comments
