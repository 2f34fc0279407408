"""From an observation to a verdict: every check judges the evidence, and the script repairs what they find."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from healthd.catalog import KINDS
from healthd.checks import CHECKS, applicable
from healthd.comparison.adoption import not_adopted
from healthd.comparison.causes import causes
from healthd.comparison.extension_members import with_extension
from healthd.comparison.extension_versions import with_version
from healthd.comparison.foreign_ledgers import noted
from healthd.comparison.judgement import with_consequences
from healthd.comparison.passes import Comparison, Sorted
from healthd.comparison.unreported import (
    AGREED,
    ELSEWHERE,
    PARTITIONS,
    RECORDED,
    RUNNING,
    Unreported,
)
from healthd.comparison.unreported import named as differing
from healthd.comparison.waived import Settled, settle
from healthd.config.settings import Target
from healthd.database.snapshot.transaction import Reading
from healthd.expected.store import Files
from healthd.model.findings import Evidence, Finding, Verdict, identity
from healthd.model.observations import Rights
from healthd.model.scripts import Script
from healthd.model.severity import Severity
from healthd.model.waivers import Waivers
from healthd.repair.who_runs import who_runs
from healthd.rounds.evidence import evidence_of
from healthd.rounds.notes import on_partitions, unseen
from healthd.rounds.observation import Observation
from healthd.rounds.precedence import rank
from healthd.rounds.repair_script import Drift, Made, drift_of, made, repairs
from healthd.rounds.sides import Promise, of_reader
from healthd.rounds.tenant_folding import counted, left

UNKNOWN = Severity.UNKNOWN
WAIVERS = "waivers"  # the check that comes after all others
TENANTS = "tenants"


def conclude(target: Target, files: Files, observation: Observation) -> Verdict:
    """Return the verdict on an observation; this is a pure function, so that tests can use literals."""
    judged, reading = judge(target, files, observation), observation.reading
    made = judged.made()
    script = made.knowing(reading.rows, reading.sizes).script if made is not None else ()
    return judged.verdict(script, reading.rights)


def drift(target: Target, files: Files, reading: Reading) -> Drift:
    """Return the differences that a round with this reading reports, and both sides as they were compared."""
    return judge(target, files, Observation(reading)).drift


@dataclass(frozen=True, slots=True)
class Judged:
    """An observation, compared and judged: a verdict but for its script."""

    target: Target
    files: Files
    observation: Observation
    comparison: Comparison
    parted: Sorted
    evidence: Evidence
    settled: Settled

    @property
    def drift(self) -> Drift:
        """Return the differences that are reported."""
        return drift_of(self.evidence, self.comparison, self.parted, self.settled)

    def made(self, last: Made | None = None, *, bounded: bool = False) -> Made | None:
        """Return the script, the `last` one if that repairs the same; None if there is nothing to repair."""
        return made(self.files, self.drift, self.evidence, self.observation.reading, last, bounded=bounded)

    def verdict(self, script: Script = (), rights: Rights | None = None) -> Verdict:
        """Return the verdict with a script, and with what a role with these rights lacks to run it.

        A verdict without a script has the same findings.
        """
        reading, evidence, settled = self.observation.reading, self.evidence, self.settled
        blind = unseen(self.observation)
        unreported = _unreported(self.comparison, self.parted, reading)
        return Verdict(
            findings=tuple(repairs(settled.findings, evidence, script)),
            waived=settled.waived,
            checks=_verdicts(settled.findings, _applicable(self.target, settled), blind),
            migrations=evidence.migrations,
            notes=(
                *on_partitions(self.target, evidence.expected),
                *(noted(*one) for one in self.parted.foreign_ledgers.items()),
                *blind.values(),
                *unreported.notes(),
            ),
            unreported=unreported.names,
            not_adopted=None
            if reading.adopted
            else not_adopted(self.target.name, causes(self.comparison.differences, KINDS)),
            maintenance=reading.maintenance,
            running=self.observation.running,
            server_version=reading.snapshot.server_version,
            script=script,
            script_notes=tuple(self._runners(script, rights)) if rights is not None else (),
            tenants=counted(evidence, settled.findings),
        )

    def _runners(self, script: Script, rights: Rights) -> Iterator[str]:
        """Yield what a role lacks to run a script."""
        reading, actual = self.observation.reading, self.drift.actual.objects
        owners = actual
        if "owner" in reading.snapshot.omitted:  # they were not read, because they are the expected ones
            lock_file = self.files.lock.on(reading.snapshot.server_version)
            owners = Promise(lock_file, reading, self.target.tenants).of({"owner"}).objects
        return who_runs(script, owners, actual, rights, reading.ledger.owner)


def judge(target: Target, files: Files, observation: Observation) -> Judged:
    """Return an observation, compared with the files and judged by all checks."""
    comparison, parted, evidence = evidence_of(target, files, observation)
    settled = _settled(evidence, files.lock.waivers, observation.reading)
    return Judged(target, files, observation, comparison, parted, evidence, settled)


def _settled(evidence: Evidence, waivers: Waivers, reading: Reading) -> Settled:
    """Return the findings that count, those that are waived, and the findings on the waivers themselves.

    While objects are not compared, or could not be, it is not known what a waiver would cover.
    """
    found = _findings(evidence, reading)
    settled = settle(found, waivers, evidence.target)
    sure = not (reading.maintenance or reading.ledger.interrupted or any(one.severity is UNKNOWN for one in found))
    states = tuple(one for one in settled.states if sure or one.expired)
    on_waivers = (replace(one, check=WAIVERS) for one in CHECKS[WAIVERS](replace(evidence, waivers=states)))
    return replace(settled, findings=tuple(sorted((*settled.findings, *on_waivers), key=rank)))


def _applicable(target: Target, settled: Settled) -> tuple[str, ...]:
    on_tenants = (TENANTS,) if target.tenants is not None else ()
    return (*applicable(target.contracts), *on_tenants, *((WAIVERS,) if settled.states else ()))


def _findings(evidence: Evidence, reading: Reading) -> tuple[Finding, ...]:
    """Return the findings of the checks, the worst first."""
    findings = (
        replace(_with_details(with_consequences(finding, evidence), reading), check=name)
        for name, check in CHECKS.items()
        for finding in check(evidence)
    )
    return tuple(sorted(findings, key=rank))


def _with_details(finding: Finding, reading: Reading) -> Finding:
    return with_extension(with_version(finding, reading.updates), reading.members)


def _unreported(comparison: Comparison, parted: Sorted, reading: Reading) -> Unreported:
    """Return the differences that are no findings, by reason, in the order in which the notes list them."""
    excused = {reason: differing(found) for reason, found in parted.excused.items()}
    return Unreported(
        {
            **excused,
            RECORDED: differing(parted.recorded),
            AGREED: (*excused[AGREED], *(str(one) for one in of_reader(reading))),
            ELSEWHERE: excused[ELSEWHERE],
            PARTITIONS: comparison.allowed,
            RUNNING: excused[RUNNING],
        }
    )


def confirmed(once: Verdict, again: Verdict) -> Verdict:
    """Return the second verdict without the findings that the first did not have; what it could not see is kept."""
    seen = {identity(one) for one in once.findings}
    kept = tuple(one for one in again.findings if identity(one) in seen or one.severity is UNKNOWN)
    gone = {(one.key, one.attribute) for one in again.findings} - {(one.key, one.attribute) for one in kept}
    script = tuple(one for one in again.script if not gone.issuperset(one.causes))
    checks = _verdicts(kept, tuple(again.checks))
    return replace(again, findings=kept, checks=checks, script=script, tenants=left(again.tenants, kept))


def _verdicts(findings: Iterable[Finding], checks: Iterable[str], unseen: Iterable[str] = ()) -> dict[str, Severity]:
    """Return the worst severity of each check; a check with no finding that could not read everything has none."""
    verdicts = dict.fromkeys(("connection", *checks), Severity.OK)
    for finding in findings:
        verdicts[finding.check] = max(verdicts.get(finding.check, Severity.OK), finding.severity)
    for name in unseen:
        if verdicts.get(name) is Severity.OK:
            del verdicts[name]
    return verdicts
