"""Whether an application can run on a database: what the report of a round says of its contract."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from healthd.model.findings import Finding, Report
from healthd.model.severity import Severity


@dataclass(frozen=True, slots=True)
class Compatibility:
    """Whether a database meets a contract; None: cannot tell. `findings` are about it, `reason` is any other cause."""

    contract: str
    fits: bool | None
    findings: tuple[Finding, ...] = ()
    reason: str = ""

    @property
    def words(self) -> str:
        """Return why it does not fit, or why that is not known, in one line; if it fits, what is restricted."""
        return self.reason or "; ".join(one.message for one in self.findings)


def compatibility(contract: str, report: Report | None) -> Compatibility:
    """Return whether the database of a report meets a contract that was checked in it.

    A warning restricts what the application can do, and does not break it. Without a report nothing is known, and
    during a migration what was broken before it may not be broken after it.
    """
    if report is None:
        return Compatibility(contract, None, reason="no round has finished yet")
    found = tuple(one for one in report.findings if is_about(one, contract))
    severities = {one.severity for one in found}
    if report.failure is not None:
        return Compatibility(contract, None, reason=next((one.message for one in report.findings), report.failure))
    if report.maintenance is not None:
        return Compatibility(contract, None, found, reason=report.maintenance)
    if Severity.CRITICAL in severities:
        return Compatibility(contract, False, found)
    unseen = Severity.UNKNOWN in severities or report.checks.get("contracts", Severity.UNKNOWN) is Severity.UNKNOWN
    reason = "not everything could be read" if unseen and not found else ""
    return Compatibility(contract, None if unseen else True, found, reason)


def is_about(finding: Finding, contract: str) -> bool:
    """Return whether a finding concerns a contract, or rows that one of its models cannot read."""
    models: Iterator[str] = (str(one) for one in finding.facts.get("models", ()))
    return finding.facts.get("contract") == contract or any(one.endswith(f" ({contract})") for one in models)
