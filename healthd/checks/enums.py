"""Enums: the labels that applications read and write are there, in their order."""

from collections.abc import Iterator
from dataclasses import replace

from healthd.comparison.judgement import differences, judge
from healthd.model.findings import Evidence, Finding, Problem
from healthd.model.severity import Severity
from healthd.model.snapshots import NAME_OF, SCHEMA_OF, Difference
from healthd.text import some

LISTED = 50  # of a great many labels a message has so many; the finding's facts have them all

PROBLEMS = (
    Problem(
        "enum_mismatch",
        422,
        Severity.CRITICAL,
        "An enum's values are not those of the files",
        meaning="""
A label is missing, renamed, extra or in another place.
The application writes a value that the server refuses (`invalid input value for enum`),
or reads one that it does not know (`LookupError`), and users see errors.
The usual causes: a value renamed by hand,
or an ORM that writes the *names* of its enum (`ACTIVE`) instead of its *values* (`active`).""",
        see="""
`healthd check` prints the valid values, and which are missing and extra.
In psql: `\\dT+ TYPE`.""",
        mend="""
A renamed label: `ALTER TYPE … RENAME VALUE 'now' TO 'expected'` (instant, rows follow).
A missing label: `ALTER TYPE … ADD VALUE 'label' AFTER 'other'`.
An extra label cannot be dropped: if the application should have it, write a migration that adds it;
otherwise make a new type and convert the columns, as sql/0004_machines_status.sql does.""",
    ),
)


def check(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding for each enum type that is missing, unexpected or has other labels."""
    for difference in differences(evidence, "enum"):
        for finding in judge(evidence, difference, "enum_mismatch"):
            if difference.expected is None or finding.severity is Severity.UNKNOWN:
                yield finding
            elif difference.attribute in (NAME_OF, SCHEMA_OF):
                valid = evidence.expected.objects[difference.key].labels
                yield replace(finding, facts={"valid_values": valid, "missing": (), "extra": ()})
            else:
                yield _with_labels(finding, difference)


def _with_labels(finding: Finding, difference: Difference) -> Finding:
    """Return the finding with the valid values, and what is missing and extra."""
    valid = difference.expected if difference.attribute else difference.expected.labels
    actual = (difference.actual if difference.attribute else None) or ()
    missing = tuple(label for label in valid if label not in actual)
    extra = tuple(label for label in actual if label not in valid)
    words = [f"missing {_listed(missing)}"] if missing else []
    words += [f"extra {_listed(extra)}"] if extra else []
    if difference.actual is None:
        words = ["the type is missing"]
    return replace(
        finding,
        message=f"{difference.key}: {', '.join(words) or 'labels in another order'} (valid: {some(valid, LISTED)})",
        facts={"valid_values": valid, "missing": missing, "extra": extra},
    )


def _listed(labels: tuple[str, ...]) -> str:
    return some([f"'{label}'" for label in labels], LISTED)
