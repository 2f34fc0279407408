"""Waivers: each one still holds, and covers something."""

from collections.abc import Iterator, Sequence

from healthd.model.contracts import Contract
from healthd.model.findings import Evidence, Finding, Problem
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.model.waivers import WaiverState

PROBLEMS = (
    Problem(
        "waiver_expired",
        200,
        Severity.WARNING,
        "A waiver has expired",
        meaning="""
The last day (`until`, in UTC) of an entry in `sql/waivers.toml` has passed.
It no longer covers anything: the difference that it covered is a finding again, with its own severity.""",
        impact="""
None by itself. If the difference still exists, its finding alerts, and `healthd migrate` may be refused.""",
        diagnosis="""
The finding names the file, the entry, its owner and its reason.
If the difference still exists, it is a finding of its own.""",
        mitigation="""
Ask the owner. If the difference is gone, remove the entry.
If it is to stay, write a migration that accepts it (`healthd docs adopt`).
If it needs more time, set a later `until`, with a reason (`healthd docs waivers`).""",
    ),
    Problem(
        "waiver_unused",
        200,
        Severity.WARNING,
        "A waiver covers nothing",
        meaning="""
An entry in `sql/waivers.toml` covers no finding of this target: the difference is gone, it is another difference now,
or the entry contains an error, for instance in its key. Or it names a target that does not exist.""",
        impact="""
The entry would hide the next difference of the same object without anybody having accepted it.""",
        diagnosis="""
The finding names the file and the entry. Compare its `key`, `attribute`, `problem` and `actual` with the findings:
a changed difference is a finding of its own.
An entry without `target` applies to all targets, and is reported for each one on which it covers nothing.""",
        mitigation="""
Remove the entry, or correct it.
If only some targets have the difference, name them: `target = "NAME"` (`healthd docs waivers`).""",
    ),
)


def applies(_contracts: Sequence[Contract]) -> bool:
    """Return False: it applies to a target that has waivers, whatever its contracts are."""
    return False


def check(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding for each waiver that has expired, and for each one that covers nothing."""
    for state in evidence.waivers:
        if state.expired:
            yield _expired(state)
        elif not state.used:
            yield _unused(state)


def _expired(state: WaiverState) -> Finding:
    waiver = state.waiver
    return Finding(
        "waiver_expired",
        _key(state),
        f"{waiver.place}: the waiver of {waiver.words} expired: its last day was {waiver.until}, "
        f"its owner is {waiver.owner} ({waiver.reason})",
        Severity.WARNING,
        "a waiver that holds, or none",
        f"until {waiver.until}",
        facts=_facts(state),
    )


def _unused(state: WaiverState) -> Finding:
    waiver = state.waiver
    why = f"there is no target {waiver.target}" if state.stray else "no finding matches it"
    return Finding(
        "waiver_unused",
        _key(state),
        f"{waiver.place}: the waiver of {waiver.words} covers nothing: {why}; "
        f"its owner is {waiver.owner} ({waiver.reason})",
        Severity.WARNING,
        "a finding that it covers",
        why,
        facts=_facts(state),
    )


def _key(state: WaiverState) -> Key:
    return Key("waiver", (state.waiver.words,))


def _facts(state: WaiverState) -> dict[str, str]:
    waiver = state.waiver
    return {"reason": waiver.reason, "owner": waiver.owner, "until": waiver.until.isoformat(), "place": waiver.place}
