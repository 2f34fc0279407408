"""The messages that a migration raises (WARNING, NOTICE, INFO): shown with file and line, in limited number."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from healthd.sqltext.statements import OPENING, Statement, statements
from healthd.text import hide, printable

SHOWN = 10  # warnings of a file, and as many messages of lower severity
LENGTH = 500  # characters of each text
DOES = re.compile(r"do\b", re.IGNORECASE)
OUTERMOST = re.compile(r"^PL/pgSQL function (\S.*?) line (\d+) at ", re.MULTILINE)
EXISTS = re.compile(r"\bif\s+(?:not\s+)?exists\b", re.IGNORECASE)
QUOTED = re.compile(r'"([^"]+)"')


class Notice(str):
    """A message that a migration raised, as it is shown, and its parts."""

    parts: dict[str, Any]

    @classmethod
    def of(cls, text: str, **parts: Any) -> Notice:
        """Return a notice with this text."""
        notice = cls(text)
        notice.parts = parts
        return notice

    @property
    def warns(self) -> bool:
        """Return whether it is a WARNING."""
        return bool(self.parts["severity"] == "WARNING")


@dataclass(frozen=True, slots=True)
class Raised:
    """A message as the server sent it, and how many statements had finished when it arrived."""

    severity: str
    message: str
    detail: str
    hint: str
    context: str
    ready: int


class Heard:
    """The messages of one file: the first ones are shown, the others are counted."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._kept: list[Raised] = []
        self._count: Counter[str] = Counter()

    def hear(self, diag: Any, ready: int) -> None:
        """Record a message that arrived when `ready` statements had finished; the driver drops it after this call."""
        severity = diag.severity_nonlocalized or diag.severity or "NOTICE"
        group = "warnings" if severity == "WARNING" else "notices"
        self._count[group] += 1
        if self._count[group] <= SHOWN:
            texts = (diag.message_primary, diag.message_detail, diag.message_hint, diag.context)
            message, detail, hint, context = ((text or "")[: 4 * LENGTH] for text in texts)
            self._kept.append(Raised(severity, message, detail, hint, context, ready))

    def reported(self, text: str, line: int) -> list[Notice]:
        """Return the messages to show for a text that was sent and begins on this line of its file."""
        kept, self._kept = self._kept, []
        if not kept:
            return []
        found = list(statements(text))
        return [_notice(self._name, raised, _line(found, raised), line) for raised in kept]

    def rest(self) -> list[Notice]:
        """Return how many more messages there were, at the end of the file."""
        more = [(group, count - SHOWN) for group, count in sorted(self._count.items()) if count > SHOWN]
        self._count.clear()
        return [
            Notice.of(
                f"{self._name}: and {count:,} more {group}",
                file=self._name,
                line=None,
                severity=group.upper().removesuffix("S"),
                message=f"and {count:,} more",
                more=count,
            )
            for group, count in more
        ]


def _notice(name: str, raised: Raised, found: int | None, first: int) -> Notice:
    line = None if found is None else found + first - 1
    message, detail, hint = map(_clean, (raised.message, raised.detail, raised.hint))
    inside = _clean(next(iter(raised.context.splitlines()), ""))
    where = name if line is None else f"{name}, line {line}"
    words = ". ".join(filter(None, (message, detail)))
    text = f"{where}: {raised.severity}: {words}"
    text += (f" (in {inside})" if inside else "") + (f"; hint: {hint}" if hint else "")
    return Notice.of(
        text, file=name, line=line, severity=raised.severity, message=message, detail=detail, hint=hint, context=inside
    )


def _clean(text: str) -> str:
    """Return a text of the server on one line, without passwords, and shortened."""
    text = printable(hide(text))
    return text if len(text) <= LENGTH else f"{text[: LENGTH - 1]}…"


def _line(found: Sequence[Statement], raised: Raised) -> int | None:
    """Return the line of the statement that raised a message; None if it may be one of two statements.

    A message arrives while its statement runs, when the statement before it may not have been counted yet.
    """
    likely = [one for number, one in enumerate(found) if number in (raised.ready, raised.ready + 1)]
    if len(likely) > 1:
        likely = [one for one in likely if _raises(one.text, raised)]
    if len(likely) != 1:
        return None
    (one,) = likely
    inside = OUTERMOST.findall(raised.context)
    if inside and inside[-1][0] == "inline_code_block" and (opening := OPENING.search(one.text)):
        return one.line + one.text.count("\n", 0, opening.end()) + int(inside[-1][1]) - 1
    return one.line


def _raises(text: str, raised: Raised) -> bool:
    """Return whether a statement mentions the function that raised a message, or the object that it is about."""
    inside = OUTERMOST.findall(raised.context)
    if inside and inside[-1][0] == "inline_code_block":
        return DOES.match(text) is not None
    if inside:
        name = inside[-1][0].partition("(")[0].rpartition(".")[2].strip('"')
        return name.lower() in text.lower()
    if raised.message.endswith("skipping") and not EXISTS.search(text):
        return False
    names = (rf"(?<![\w$]){re.escape(name)}(?![\w$])" for name in QUOTED.findall(raised.message))
    return any(re.search(name, text, re.IGNORECASE) for name in names)
