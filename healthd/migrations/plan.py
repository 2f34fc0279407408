"""What would run: the measured locks and rewrites, combined with the actual sizes in a database."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from healthd.comparison.judgement import one_line
from healthd.expected.files import Migration
from healthd.expected.lockfile import Locked, LockFile
from healthd.expected.measurements import DOCUMENTED, MODES, UNKNOWN, Step
from healthd.migrations.impact import Break, Foreseen
from healthd.model.costs import Cost
from healthd.model.ledger import MigrationState, State
from healthd.model.observations import Size
from healthd.sqltext.statements import statements

PASSWORD = re.compile(r"(\bpassword\s+)'(?:[^']|'')*'", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Planned:
    """One migration that would run; `locked` is None if the lock file does not contain this file.

    `breaks` are the expectations of the target's contracts that it breaks, None if that cannot be determined.
    """

    migration: Migration
    state: State
    locked: Locked | None
    breaks: tuple[Break, ...] | None = ()

    @property
    def texts(self) -> Mapping[int, str]:
        """Return the statements by the line on which each begins, on one line and without secrets."""
        found = {one.line: one_line(PASSWORD.sub(r"\1'…'", one.text), 100) for one in statements(self.migration.apply)}
        whole = self.locked is not None and [step.line for step in self.locked.steps] == [1] and 1 not in found
        return found | ({1: "(the entire file)"} if whole else {})


def planned(migrations: Iterable[Migration], states: Iterable[MigrationState], lock: LockFile) -> tuple[Planned, ...]:
    """Return what would run, in order."""
    known = {(one.id, one.digest): one for one in lock.migrations}
    standing = {one.id: one.state for one in states}
    return tuple(
        Planned(one, standing[one.id], known.get((one.id, one.digest)))
        for one in migrations
        if standing.get(one.id) in (State.PENDING, State.OUT_OF_ORDER)
    )


def with_breaks(plan: Iterable[Planned], foreseen: Foreseen) -> tuple[Planned, ...]:
    """Return the plan with the broken expectations of each migration."""
    return tuple(
        replace(one, breaks=None if one.migration.id in foreseen.unknown else foreseen.of(one.migration.id))
        for one in plan
    )


def relations(plan: Iterable[Planned]) -> tuple[str, ...]:
    """Return every relation that is locked, rewritten or read."""
    steps = [step for one in plan if one.locked for step in one.locked.steps]
    return tuple(sorted({name for step in steps for name in (*step.locks, *step.rewrites, *step.scans)}))


def text(plan: Sequence[Planned], sizes: Mapping[str, Size]) -> str:
    """Return the plan as text; empty if nothing would run."""
    return "\n".join(line for one in plan for line in _said(one, sizes))


def _said(one: Planned, sizes: Mapping[str, Size]) -> Iterator[str]:
    words = [str(one.state).replace("_", " ")]
    if one.locked is None:
        yield f"{one.migration.id}  {words[0]}; the lock file does not contain this file: run healthd lock"
        if one.breaks is None:
            yield "    cannot determine which expectations it would break"
        return
    words.append(f"rollback {one.locked.rollback}")
    words.append("one transaction" if one.locked.transactional else "statement by statement, no transaction")
    yield f"{one.migration.id}  {'; '.join(words)}"
    yield from (f"    {found.verdict}" for found in one.breaks or ())
    texts = one.texts
    for step in one.locked.steps:
        yield f"    line {step.line}: {texts.get(step.line, '')}"
        for words_ in in_words(step, sizes):
            yield f"        {words_}"
    others = len(texts.keys() - {step.line for step in one.locked.steps})
    if others:
        more = "other " if one.locked.steps else ""
        yield f"    {others} {more}statement{'s' * (others > 1)}: no lock on an existing relation"


def in_words(step: Step, sizes: Mapping[str, Size]) -> Iterator[str]:
    """Yield what a statement does to each relation, the strongest lock first."""
    if step.known == UNKNOWN:
        yield "its locks are unknown: a replay cannot measure them"
    known = " (as documented, not measured)" if step.known == DOCUMENTED else ""
    for cost in sorted(_costs(step, sizes), key=lambda cost: (-_level(step, cost.relation), cost.relation)):
        yield cost.words(" (does not exist yet)") + known


def _level(step: Step, name: str) -> int:
    return MODES.index(step.locks[name]) if name in step.locks else -1


def _costs(step: Step, sizes: Mapping[str, Size]) -> Iterator[Cost]:
    for name in sorted({*step.locks, *step.rewrites, *step.scans}):
        yield Cost(name, step.locks.get(name), name in step.scans, name in step.rewrites, sizes.get(name))


def document(plan: Iterable[Planned], sizes: Mapping[str, Size]) -> list[dict[str, Any]]:
    """Return the plan as a JSON document."""
    return [
        {
            "id": one.migration.id,
            "state": one.state,
            "measured": one.locked is not None,
            "rollback": one.locked.rollback if one.locked else None,
            "transactional": one.migration.transactional,
            "breaks": None if one.breaks is None else [found.document() for found in one.breaks],
            "statements": [_document(step, one.texts, sizes) for step in (one.locked.steps if one.locked else ())],
        }
        for one in plan
    ]


def _document(step: Step, texts: Mapping[int, str], sizes: Mapping[str, Size]) -> dict[str, Any]:
    return {
        "line": step.line,
        "statement": texts.get(step.line, ""),
        "known": step.known,
        "relations": [cost.document() for cost in _costs(step, sizes)],
    }
