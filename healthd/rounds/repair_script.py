"""The script of a round: which differences it repairs, and which part of it belongs to a finding."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from healthd.catalog import KINDS
from healthd.comparison.extension_versions import no_way
from healthd.comparison.judgement import printed_elsewhere
from healthd.comparison.passes import Comparison, Sorted
from healthd.comparison.unreported import is_recorded
from healthd.comparison.waived import Settled
from healthd.database.snapshot.transaction import Reading
from healthd.model.attributes import Record
from healthd.model.findings import Evidence, Finding
from healthd.model.names import Key
from healthd.model.scripts import Script, Statement
from healthd.model.snapshots import Difference, Place, Snapshot
from healthd.repair.safety import Known
from healthd.repair.script import repair
from healthd.repair.text import of as written_for
from healthd.repair.who_runs import who_runs

STRANGER = "neither sql/ nor a contract names this role: revoke it only if nobody meant to grant it"
MOST = 1000  # the differences for which one script is made


@dataclass(frozen=True, slots=True)
class Drift:
    """The differences that are reported, with what follows from them, and both sides as they were compared."""

    expected: Snapshot
    actual: Snapshot  # with moved, renamed and swapped objects under their expected names
    differences: tuple[Difference, ...]
    consequences: Mapping[Place, tuple[Difference, ...]]  # those that follow from another one, by that

    def only(self, wanted: Callable[[Difference], bool]) -> Drift:
        """Return the drift limited to some differences and what follows from them."""
        roots = {one.place for one in self.differences if wanted(one)}
        roots |= {one.place for place in roots for one in self.consequences.get(place, ())}
        return replace(self, differences=tuple(one for one in self.differences if one.place in roots))


def drift_of(evidence: Evidence, comparison: Comparison, parted: Sorted, settled: Settled) -> Drift:
    """Return what a script repairs, or a migration adopts."""
    waived = {(one.finding.key, one.finding.attribute) for one in settled.waived}
    roots = [one.place for one in parted.judged if one.place not in waived]
    reported = {*roots, *(one.place for place in roots for one in parted.consequences.get(place, ()))}
    return Drift(
        evidence.expected,
        replace(evidence.actual, objects=evidence.aligned),
        tuple(
            one
            for one in comparison.differences
            if one.place in reported and not printed_elsewhere(evidence, one) and not is_recorded(one, KINDS)
        ),
        parted.consequences,
    )


def script_of(drift: Drift, evidence: Evidence, reading: Reading) -> Script:
    """Return the script that repairs what is reported, and what follows from it."""
    differences = drift.differences
    undecided = dict.fromkeys(evidence.lenient, STRANGER)
    undecided |= {one.place: why for one in differences if (why := no_way(one, reading.updates))}
    known = Known(reading.rows, undecided, reading.sizes)
    found = repair(
        drift.expected,
        drift.actual,
        differences[:MOST],
        known,
        names=differences[:MOST],
        migrator=reading.ledger.owner,
    )
    if len(differences) <= MOST:
        return found
    left = f"{len(differences) - MOST} further differences are left out: repair these first, then ask again."
    return (*found, Statement("", (differences[MOST].place,), (left,)))


def runners(script: Script, drift: Drift, owners: Mapping[Key, Record], reading: Reading) -> Iterator[str]:
    """Yield what healthd's role lacks to run a script; nothing if that was not read."""
    if reading.rights is not None:
        yield from who_runs(script, owners, drift.actual.objects, reading.rights, reading.ledger.owner)


def with_repair(finding: Finding, evidence: Evidence, script: Script) -> Finding:
    """Return a finding with its part of the script; one that is not about a difference has its own SQL."""
    place = finding.key, finding.attribute
    follow = evidence.consequences.get(place, ())
    steps = written_for(script, {place, *(one.place for one in follow)})
    return replace(finding, repair=steps) if steps and not finding.repair else finding
