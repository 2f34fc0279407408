"""What would run: the measured locks and rewrites, combined with the actual sizes in a database."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from healthd.comparison.judgement import one_line
from healthd.expected.files import Migration
from healthd.expected.lockfile import Locked, LockFile
from healthd.expected.measurements import DOCUMENTED, MODES, UNKNOWN, Step, short
from healthd.migrations.impact import Break, Foreseen
from healthd.model.ledger import MigrationState, State
from healthd.model.observations import Size
from healthd.sqltext.statements import statements

BLOCKS = {
    "SHARE": "writes",
    "SHARE ROW EXCLUSIVE": "writes",
    "EXCLUSIVE": "writes",
    "ACCESS EXCLUSIVE": "reads and writes",
}
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
    named = {*step.locks, *step.rewrites, *step.scans}
    for name in sorted(named, key=lambda name: (-_level(step, name), name)):
        mode = step.locks.get(name)
        parts = [f"{mode} on {_sized(name, sizes)}" if mode else _sized(name, sizes)]
        thing = name.partition(":")[0].replace("_", " ")
        if name in step.rewrites:
            parts.append(f"{'rebuilds' if thing == 'index' else 'rewrites'} the {thing}")
        elif name in step.scans:
            parts.append(f"reads the entire {thing}")
        if mode in BLOCKS:
            parts.append(f"blocks {BLOCKS[mode]}")
        elif mode is None:
            parts.append("under the lock it holds")
        yield ", ".join(parts) + (" (as documented, not measured)" if step.known == DOCUMENTED else "")


def _level(step: Step, name: str) -> int:
    return MODES.index(step.locks[name]) if name in step.locks else -1


def _sized(name: str, sizes: Mapping[str, Size]) -> str:
    size = sizes.get(name)
    if size is None:
        return f"{short(name)} (does not exist yet)"
    rows = "rows not counted" if size.rows is None else f"{rounded(size.rows, 1000, ('', ' k', ' M', ' G'))} rows"
    return f"{short(name)} ({rounded(size.size_bytes, 1024, (' bytes', ' kB', ' MB', ' GB', ' TB'))}, {rows})"


def rounded(number: float, step: int, units: Sequence[str]) -> str:
    """Return a number in the unit that keeps it short: 1.2 GB, 4 M."""
    place = 0
    while number >= step and place < len(units) - 1:
        number, place = number / step, place + 1
    shown = f"{number:.1f}".removesuffix(".0") if place and number < 10 else f"{number:.0f}"
    return f"{shown}{units[place]}"


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
    named = sorted({*step.locks, *step.rewrites, *step.scans})
    return {
        "line": step.line,
        "statement": texts.get(step.line, ""),
        "known": step.known,
        "relations": [
            {
                "relation": name,
                "lock": step.locks.get(name),
                "blocks": BLOCKS.get(step.locks.get(name, "")),
                "rewrites": name in step.rewrites,
                "reads_all": name in step.scans,
                "size_bytes": sizes[name].size_bytes if name in sizes else None,
                "rows": sizes[name].rows if name in sizes else None,
            }
            for name in named
        ],
    }
