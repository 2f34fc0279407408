"""A round that could not read everything in its time: one finding says so, and the next round gets more time."""

from __future__ import annotations

from dataclasses import replace

from healthd.catalog import KINDS
from healthd.config.settings import Target
from healthd.model.findings import Finding, Verdict
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.model.snapshots import LATE, Snapshot
from healthd.rounds.precedence import rank

GROWTH = 2.0  # by which the next round gets more time
SPARE = 4.0  # a round that takes less than a fourth of its time gives up half of it


def late_kinds(snapshot: Snapshot) -> tuple[str, ...]:
    """Return the kinds that were not read because the time was up."""
    return tuple(kind for kind, reason in snapshot.unreadable.items() if reason.startswith(LATE))


def allowed_next_s(target: Target, allowed_s: float, *, late: bool, took_s: float | None) -> float:
    """Return how long the next round may take: what this target needs, between deadline_s and deadline_max_s.

    `took_s` is how long a round took that read everything; None for one that did not.
    """
    if late:
        return min(allowed_s * GROWTH, most_s(target))
    if took_s is not None and took_s < allowed_s / SPARE:
        return max(target.deadline_s, allowed_s / GROWTH)
    return allowed_s


def most_s(target: Target) -> float:
    """Return how long a round of a target may take at most."""
    return max(target.deadline_s, target.deadline_max_s)


def with_lateness(verdict: Verdict, target: Target, kinds: tuple[str, ...], allowed_s: float) -> Verdict:
    """Return a verdict with one finding for all kinds that were not read in time, instead of one for each."""
    if not kinds:
        return verdict
    stars = {Key(kind, ("*",)) for kind in kinds}
    others = tuple(one for one in verdict.findings if one.problem != "cannot_compare" or one.key not in stars)
    reported = (*others, _incomplete(target, kinds, allowed_s), *_beyond(target, allowed_s))
    return replace(
        verdict, findings=tuple(sorted(reported, key=rank)), checks={**verdict.checks, "connection": Severity.UNKNOWN}
    )


def _incomplete(target: Target, kinds: tuple[str, ...], allowed_s: float) -> Finding:
    read = len(KINDS) - len(kinds)
    longer = f" (deadline_s = {target.deadline_s:g})" if allowed_s != target.deadline_s else ""
    limit = f"{allowed_s:g} s{longer}" if longer else f"deadline_s = {allowed_s:g}"
    return Finding(
        "round_incomplete",
        Key("database", (target.name,)),
        f"reading took longer than {limit}: {read} of {len(KINDS)} kinds were read",
        Severity.UNKNOWN,
        expected="a complete round",
        actual=f"{read} of {len(KINDS)} kinds",
        facts={"unread": kinds},
        check="connection",
    )


def _beyond(target: Target, allowed_s: float) -> tuple[Finding, ...]:
    """Return the finding on a target for which the longest round is too short."""
    if allowed_s < most_s(target):
        return ()
    return (
        Finding(
            "deadline_exceeded",
            Key("database", (target.name,)),
            f"a round needs more than deadline_max_s = {most_s(target):g}",
            Severity.WARNING,
            expected=f"at most {most_s(target):g} s",
            actual="more",
            check="connection",
        ),
    )
