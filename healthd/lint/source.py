"""A file as a rule sees it, and the advice that a rule gives about it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from healthd.expected.measurements import UNKNOWN, Step, rewritten, strongest
from healthd.model.snapshots import Difference
from healthd.sqltext.classify import selected_into
from healthd.sqltext.contained import contained
from healthd.sqltext.statements import Statement, statements

NAME = r'(?:only\s+)?((?:"(?:[^"]|"")+"|[\w$]+)(?:\s*\.\s*(?:"(?:[^"]|"")+"|[\w$]+))?)'
CREATED = re.compile(
    rf"create\s+(?:(?:global|local)\s+)?(?:temp(?:orary)?\s+|unlogged\s+)?(?:table|materialized\s+view)\s+(?:if\s+not\s+exists\s+)?{NAME}",
    re.IGNORECASE,
)
ALTERED = re.compile(rf"alter\s+table\s+(?:if\s+exists\s+)?{NAME}\s*(.*)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: `severity` is error, warning or note; the texts are its section in docs/lint.md."""

    name: str
    severity: str
    title: str
    why: str
    instead: str


@dataclass(frozen=True, slots=True)
class Linted:
    """A statement and its `code`: the text without comments, and with blanks inside quotes.

    `within` is the statement of the file that contains and runs it, as a DO does; None for one of the file itself.
    """

    statement: Statement
    code: str
    within: Statement | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """One file of a migration.

    `applies` is whether the migration itself exists. `verdict` is the lock file's verdict on the rollback, None when
    the lock file does not have these files; `new` are the tables that the file itself creates: no other session uses
    them. `steps` and `effects` are what the lock file holds as measured for this text, None when it holds nothing.
    """

    path: str
    text: str
    is_rollback: bool
    transactional: bool
    has_rollback: bool
    applies: bool
    verdict: str | None
    statements: tuple[Linted, ...]
    new: frozenset[str]
    steps: tuple[Step, ...] | None = None
    effects: Sequence[Difference] | None = None
    every: tuple[Linted, ...] = ()  # the statements, each followed by those that it contains

    def measured(self, linted: Linted) -> Step | None:
        """Return what a statement was measured to do, together with all others on its line; None when unknown.

        A replay that ran the file as one statement reports everything for line 1.
        """
        if self.steps is None or any(step.known == UNKNOWN for step in self.steps):
            return None
        line = (linted.within or linted.statement).line
        if line != 1 and len(self.statements) > 1 and any(step.line == 1 for step in self.steps):
            return None
        found = [step for step in self.steps if step.line == line]
        return Step(line, strongest(found), rewritten(found), tuple(name for step in found for name in step.scans))

    @property
    def first(self) -> Linted | None:
        """Return the first statement, None in a file of comments."""
        return self.statements[0] if self.statements else None


@dataclass(frozen=True, slots=True)
class Advice:
    """The advice of one rule about one place; `link` leads to the documentation of the rule."""

    path: str
    line: int
    column: int
    rule: str
    severity: str
    message: str
    link: str


# A rule's file has RULE and `find`, which yields each statement and the message about it; None is the entire file.
Find = Callable[[Source], Iterator[tuple[Linted | None, str]]]


def source(
    path: str,
    text: str,
    *,
    is_rollback: bool = False,
    transactional: bool = True,
    has_rollback: bool = True,
    applies: bool = True,
    verdict: str | None = None,
    steps: tuple[Step, ...] | None = None,
    effects: Sequence[Difference] | None = None,
) -> Source:
    """Return a file as rules see it."""
    every = tuple(_every(text))
    linted = tuple(one for one in every if one.within is None)
    created = (CREATED.match(one.code) or selected_into(one.code) for one in every)
    new = frozenset(table(match[1]) for match in created if match)
    kept = (is_rollback, transactional, has_rollback, applies, verdict)
    return Source(path, text, *kept, linted, new, steps, effects, every)


def _every(text: str) -> Iterator[Linted]:
    for one in statements(text):
        yield Linted(one, one.code.strip())
        for inner in contained(one):
            yield Linted(inner, inner.code.strip(), one)


def table(name: str) -> str:
    """Return a table's name as it is compared: a name without a schema most often means schema public."""
    parts = (part if part.startswith('"') else part.lower() for part in re.split(r"\s*\.\s*", name))
    return ".".join(part.strip('"') for part in parts).removeprefix("public.")


def alterations(source: Source, *, inside: bool = False) -> Iterator[tuple[Linted, str, str]]:
    """Yield statement, table and the rest of each ALTER TABLE on a table that the file does not create itself.

    With `inside`, also those in other statements, as in a DO, where they may depend on conditions.
    """
    for one in source.every if inside else source.statements:
        match = ALTERED.match(one.code)
        if match and table(match[1]) not in source.new:
            yield one, match[1], match[2]


def confirmed(
    source: Source, guesses: Iterable[tuple[Linted, str]], did: Callable[[Step], bool]
) -> Iterator[tuple[Linted, str]]:
    """Yield what was guessed from the text, except what a measurement has refuted."""
    for one, words in guesses:
        if (step := source.measured(one)) is None or did(step):
            yield one, words
