"""Columns: each one exists, with the type, nullability and default that the files define."""

from collections.abc import Iterator

from healthd.comparison.judgement import differences, judge
from healthd.model.findings import Evidence, Finding


def check(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding for each column that is missing, unexpected or different."""
    for difference in differences(evidence, "column"):
        yield from judge(evidence, difference)
