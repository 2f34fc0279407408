"""Which findings a waiver covers: they are shown, and count for nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from healthd.model.findings import Finding, Waived
from healthd.model.severity import Severity
from healthd.model.waivers import Waiver, Waivers, WaiverState, is_difference, is_pattern

# What these checks find is never waived: a run would be refused all the same, or it is about healthd itself.
NEVER = frozenset({"connection", "endpoints", "migrations", "waivers"})


@dataclass(frozen=True, slots=True)
class Settled:
    """The findings that count, those that are waived, and what became of each waiver."""

    findings: tuple[Finding, ...]
    waived: tuple[Waived, ...]
    states: tuple[WaiverState, ...]


def settle(findings: Sequence[Finding], waivers: Waivers, target: str) -> Settled:
    """Divide findings by the waivers of a target; a waiver that has expired covers nothing, and one day counts whole.

    Of several waivers that cover a finding, the one that holds longest is named.
    """
    entries = waivers.of(target)
    mine = [one for one in entries if one.is_for(target)]
    covering = {id(one): [waiver for waiver in mine if covers(waiver, one)] for one in findings}
    waived = [
        Waived(one, waiver)
        for one in findings
        if (waiver := _longest(waiver for waiver in covering[id(one)] if not waiver.expired(waivers.today)))
    ]
    used = {id(waiver) for some in covering.values() for waiver in some}
    shown = {id(one.finding) for one in waived}
    return Settled(
        tuple(one for one in findings if id(one) not in shown),
        tuple(waived),
        tuple(WaiverState(one, one.expired(waivers.today), id(one) in used, waivers.strays(one)) for one in entries),
    )


def covers(waiver: Waiver, finding: Finding) -> bool:
    """Return whether a waiver covers a finding, on any day; *cannot tell* is never covered."""
    if not may_be_waived(finding):
        return False
    return waiver.covers(finding.key, finding.attribute, finding.problem, finding.check, finding.actual)


def may_be_waived(finding: Finding) -> bool:
    """Return whether a finding can be accepted at all."""
    return finding.severity is not Severity.UNKNOWN and finding.check not in NEVER


def _longest(waivers: Iterable[Waiver]) -> Waiver | None:
    return max(waivers, key=lambda one: one.until, default=None)


def in_words(one: Waived) -> str:
    """Return a waived finding on one line: what differs, until when that is accepted, by whom and why."""
    waiver = one.waiver
    return f"{one.finding.message} (waived until {waiver.until}, {waiver.owner}: {waiver.reason})"


def proposed(findings: Sequence[Finding], wanted: Waiver, *, any_value: bool = False) -> tuple[Waiver, ...]:
    """Return the entries that cover what findings there are now on the key of `wanted`; none if there is none.

    A pattern is one entry, which covers every value. For an object there is an entry for each of its differences, with
    its attribute, its problem and, unless `any_value`, its actual value: it does not cover the next difference. Any
    other problem must be wanted by its name, and its value is left out: numbers change in each round.
    """
    if is_pattern(wanted.key):
        return (wanted,) if any(covers(wanted, one) for one in findings) else ()
    chosen = (
        one
        for one in findings
        if may_be_waived(one)
        and str(one.key) == wanted.key
        and wanted.attribute in (None, one.attribute)
        and (one.problem == wanted.problem if wanted.problem else is_difference(one.problem, one.check))
    )
    return tuple(dict.fromkeys(_entry(one, wanted, any_value=any_value) for one in chosen))


def _entry(finding: Finding, wanted: Waiver, *, any_value: bool) -> Waiver:
    exact = is_difference(finding.problem, finding.check) and not any_value
    actual = finding.actual if exact else None
    return replace(wanted, attribute=finding.attribute, problem=finding.problem, actual=actual)
