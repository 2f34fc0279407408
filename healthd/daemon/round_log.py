"""What the log says of a round: each change of what is wrong at level info or above, the round itself at debug."""

from __future__ import annotations

import structlog

from healthd.model.findings import Report
from healthd.model.severity import Severity
from healthd.report.board import Change
from healthd.rounds.round import Round
from healthd.text import some

log = structlog.get_logger()


def log_contradiction(last: Round) -> None:
    """Log what rounds that read only changes reported otherwise than the round that then read everything."""
    if last.contradicted:
        log.warning(
            "partial_rounds.contradicted",
            target=last.report.target,
            objects=some(last.contradicted),
        )


def log_round(change: Change, report: Report) -> None:
    """Log the changes that a round has made, and the round."""
    for finding in change.appeared:
        say = log.warning if finding.severity is Severity.WARNING else log.error
        say(
            "finding.appeared",
            target=report.target,
            problem=finding.problem,
            object=str(finding.key),
            severity=str(finding.severity),
            message=finding.message,
        )
    for one in change.waived:
        log.info(
            "finding.waived",
            target=report.target,
            problem=one.finding.problem,
            object=str(one.finding.key),
            reason=one.waiver.reason,
            owner=one.waiver.owner,
            until=one.waiver.until.isoformat(),
        )
    for finding in change.resolved:
        log.info("finding.resolved", target=report.target, problem=finding.problem, object=str(finding.key))
    log.debug(
        "round.finished",
        target=report.target,
        severity=str(report.severity),
        findings=len(report.findings),
        duration_s=round(report.duration_s, 3),
    )
