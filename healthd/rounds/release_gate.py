"""Whether a release of an application may start on a database: its migrations are applied, its contracts fit."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from healthd.contracts.compatibility import compatibility
from healthd.expected.status import FAULTS, ahead
from healthd.model.findings import Report
from healthd.model.ledger import State
from healthd.text import some

MIGRATIONS, CONTRACT = "migrations", "contract"
WAITING = (State.INTERRUPTED, State.PENDING, State.OUT_OF_ORDER)


@dataclass(frozen=True, slots=True)
class ReleaseGate:
    """The answer for one database: `open`, or why not, in words; None: cannot tell.

    If it is `final`, waiting does not change the answer. `notes` are what a reader must know of an open gate.
    """

    open: bool | None
    words: tuple[str, ...] = ()
    final: bool = False
    notes: tuple[str, ...] = ()


def release_gate(report: Report, contracts: Sequence[str], wanted: Collection[str]) -> ReleaseGate:
    """Return whether a database has what is `wanted`: the migrations of the files, these contracts, or both.

    A database with newer migrations than the files is not too new: its contracts tell whether the release works.
    """
    if report.failure is not None:
        return ReleaseGate(None, tuple(one.message for one in report.findings) or (report.failure,))
    answers = [*(_migrations(report) if MIGRATIONS in wanted else ())]
    answers += _contracts(report, contracts) if CONTRACT in wanted else ()
    closed = [one for one in answers if one.open is False]
    unclear = [one for one in answers if one.open is None]
    words = tuple(word for one in closed or unclear for word in one.words)
    final = any(one.final for one in closed)
    notes = _newer(report, contracts) if MIGRATIONS in wanted and not closed and not unclear else ()
    return ReleaseGate(False if closed else None if unclear else True, words, final, tuple(notes))


def _migrations(report: Report) -> Iterator[ReleaseGate]:
    """Yield an answer for each reason why the migrations of the files are not all applied."""
    found = {state: [one.id for one in report.migrations if one.state is state] for state in State}
    for state in WAITING:
        if ids := found[state]:
            yield ReleaseGate(False, (f"{state.replace('_', ' ')}: {some(ids)}",))
    if ids := found[State.EDITED]:
        yield ReleaseGate(False, (f"{FAULTS[State.EDITED]}: {some(ids)}",), final=True)


def _contracts(report: Report, contracts: Sequence[str]) -> Iterator[ReleaseGate]:
    for name in contracts:
        one = compatibility(name, report)
        if not one.fits:
            yield ReleaseGate(one.fits, (f"contract {name}: {one.words}",))


def _newer(report: Report, contracts: Sequence[str]) -> Iterator[str]:
    if words := ahead(report.migrations):
        yield words if contracts else f"{words}; a contract would show whether this release works with it"
