"""The findings of rounds as annotations, each at the statement that made its object or changed it last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from healthd.expected.origins import Origin
from healthd.model.findings import Finding, Report
from healthd.model.snapshots import Place
from healthd.report.ci.annotations import Annotation
from healthd.report.problems import PROBLEMS
from healthd.text import sql_lines

Origins = Mapping[Place, Origin]


def of_report(report: Report, made: Origins, *, lock: str, runbook: str) -> Iterator[Annotation]:
    """Yield the annotations of a report; what no migration made is shown in the lock file.

    `runbook` is the address of the runbook, empty if it has none.
    """
    for finding in report.findings:
        origin = made.get((finding.key, finding.attribute))
        yield of_finding(finding, report.target, origin, lock=lock, runbook=runbook)


def of_finding(finding: Finding, target: str, origin: Origin | None, *, lock: str, runbook: str) -> Annotation:
    """Return a finding about a target as an annotation."""
    name = finding.problem
    return Annotation(
        finding.severity,
        name,
        f"{target}: {finding.message}",
        origin.file if origin else lock,
        origin.line if origin else 1,
        key=" ".join(filter(None, (target, str(finding.key), finding.attribute))),
        title=PROBLEMS[name].title,
        help=help_of(name),
        link=f"{runbook}#{name}" if runbook else "",
        details=tuple(line for statement in finding.repair for line in sql_lines(statement)),
    )


def help_of(problem: str) -> str:
    """Return what a problem means and what to do, in Markdown."""
    one = PROBLEMS[problem]
    return f"{one.meaning.strip()}\n\n{one.mitigation.strip()}\n\nhealthd explain {problem}"
