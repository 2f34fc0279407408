"""The script of a round: which differences it repairs, and which part of it belongs to a finding."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from healthd.catalog import KINDS
from healthd.comparison.extension_members import is_member
from healthd.comparison.extension_versions import no_way
from healthd.comparison.judgement import printed_elsewhere
from healthd.comparison.passes import Comparison, Sorted
from healthd.comparison.unreported import is_recorded
from healthd.comparison.waived import Settled
from healthd.database.snapshot.transaction import Reading
from healthd.expected.store import Files
from healthd.model.findings import Evidence, Finding
from healthd.model.observations import Size
from healthd.model.scripts import Script, Statement
from healthd.model.snapshots import Difference, Place, Snapshot
from healthd.repair.safety import Known
from healthd.repair.script import Draft, drafted
from healthd.repair.text import parts_of

STRANGER = "neither sql/ nor a contract names this role: revoke it only if nobody meant to grant it"
MOST = 1000  # the differences for which one script is made, and up to which a round makes one


@dataclass(frozen=True, slots=True)
class Drift:
    """The differences that are reported, with what follows from them, and both sides as they were compared."""

    expected: Snapshot
    actual: Snapshot  # with moved, renamed and swapped objects under their expected names
    differences: tuple[Difference, ...]
    consequences: Mapping[Place, tuple[Difference, ...]]  # those that follow from another one, by that
    every: tuple[Difference, ...]  # reported or not

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
        comparison.differences,
    )


@dataclass(frozen=True, slots=True)
class Made:
    """The script of a round, and what it was made of: while that is the same, no round makes it again."""

    files: Files
    digest: str  # of the differences, and of what else the draft was made of
    draft: Draft
    undecided: Mapping[Place, str]
    left: tuple[Statement, ...]  # what is said about the differences that are left out
    known: Known
    script: Script

    def knowing(self, rows: Mapping[str, int], sizes: Mapping[str, Size]) -> Made:
        """Return the script for tables with these rows and of these sizes."""
        known = Known(rows, self.undecided, sizes)
        return self if known == self.known else replace(self, known=known, script=_script(self.draft, known, self.left))


def made(
    files: Files, drift: Drift, evidence: Evidence, reading: Reading, last: Made | None = None, *, bounded: bool = False
) -> Made | None:
    """Return the script that repairs what is reported, and what follows from it: the last one if it is the same.

    A `bounded` one for too many differences is a note: the order of thousands of objects takes longer than a round.
    """
    if not (differences := drift.differences):
        return None
    # Default privileges give nothing yet; with a grant somebody may be working.
    undecided = {place: STRANGER for place in evidence.lenient if place[0].kind == "grant"}
    for one in differences:
        if why := no_way(one, reading.updates) or is_member(one, reading.members):
            undecided[one.place] = why
    digest = digest_of(drift, undecided, reading)
    if last is not None and last.files is files and last.digest == digest:
        return last
    some = () if bounded and len(differences) > MOST else differences[:MOST]
    draft = drafted(drift.expected, drift.actual, some, names=some, migrator=reading.ledger.owner)
    left = tuple(_left(differences, len(some)))
    known = Known(undecided=undecided)
    return Made(files, digest, draft, undecided, left, known, _script(draft, known, left))


def digest_of(drift: Drift, undecided: Mapping[Place, str], reading: Reading) -> str:
    """Return the digest of everything that decides, with the files, what the draft of a script is.

    The expected objects are those of the migrations that were applied; the actual ones are these with all differences,
    whether they are reported or not.
    """
    applied = [(one.id, one.digest) for one in reading.ledger.applied]
    # The digests are those of all objects on the server; without them the differences are in the digest themselves.
    there = sorted(reading.digests.items()) or drift.every
    differences = drift.differences[:MOST], len(drift.differences)
    parts = there, differences, sorted(undecided.items()), applied, reading.ledger.owner
    return sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _script(draft: Draft, known: Known, left: Script) -> Script:
    return (*draft.script(known), *left)


def _left(differences: Sequence[Difference], made: int) -> Iterator[Statement]:
    if not made:
        words = f"{len(differences):,} differences: healthd repair makes the script for the first {MOST:,} of them."
        yield Statement("", (differences[0].place,), (words,))
    elif len(differences) > MOST:
        words = f"{len(differences) - MOST} further differences are left out: repair these first, then ask again."
        yield Statement("", (differences[MOST].place,), (words,))


def repairs(findings: Iterable[Finding], evidence: Evidence, script: Script) -> Iterator[Finding]:
    """Yield the findings with their parts of the script; one that is not about a difference has its own SQL."""
    parts = parts_of(script)
    for finding in findings:
        place = finding.key, finding.attribute
        steps = parts((place, *(one.place for one in evidence.consequences.get(place, ()))))
        yield replace(finding, repair=steps) if steps and not finding.repair else finding
