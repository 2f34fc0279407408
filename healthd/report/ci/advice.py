"""The advice of lint rules as annotations."""

from __future__ import annotations

from healthd.lint.rules import RULES
from healthd.lint.source import Advice
from healthd.model.severity import Severity
from healthd.report.ci.annotations import Annotation

SEVERITIES = {"error": Severity.CRITICAL, "warning": Severity.WARNING, "note": Severity.OK}


def of_advice(one: Advice) -> Annotation:
    """Return the advice of one of our rules, or of another tool's."""
    rule = RULES.get(one.rule)
    advice = f"{rule.why.strip()}\n\nInstead: {rule.instead.strip()}\n\nhealthd docs lint#{rule.name}" if rule else ""
    return Annotation(
        SEVERITIES[one.severity],
        one.rule,
        one.message,
        one.path,
        one.line,
        title=rule.title if rule else "",
        help=advice,
        link=one.link if "://" in one.link else "",
    )
