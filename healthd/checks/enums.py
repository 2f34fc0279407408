"""Enums: the labels that applications read and write exist, in the expected order."""

from collections.abc import Iterator
from dataclasses import replace

from healthd.comparison.judgement import differences, judge
from healthd.model.findings import Evidence, Finding, Problem
from healthd.model.severity import Severity
from healthd.model.snapshots import NAME_OF, SCHEMA_OF, SWAPPED, Difference
from healthd.text import some

LISTED = 50  # labels that a message lists at most; the finding's facts contain all of them

PROBLEMS = (
    Problem(
        "enum_mismatch",
        422,
        Severity.CRITICAL,
        "The values of an enum differ from sql/",
        meaning="""
A label of the enum is missing, renamed, extra or in another position.
Usual causes are a value that was renamed by hand,
and an ORM that writes the *names* of its enum (`ACTIVE`) instead of its *values* (`active`).""",
        impact="""
The application writes a value that the server rejects (`invalid input value for enum`),
or reads a value that it does not know (`LookupError`). Its requests fail.""",
        diagnosis="""
`healthd check` prints the valid, the missing and the extra values.
In psql: `\\dT+ TYPE`.""",
        mitigation="""
For a renamed label, run `ALTER TYPE … RENAME VALUE 'actual' TO 'expected'`.
It takes effect immediately, and stored rows show the new label.

For a missing label, run `ALTER TYPE … ADD VALUE 'label' AFTER 'other'`.

An extra label cannot be dropped. If the application needs it, write a migration that adds it;
otherwise create a new type and convert the columns to it (`ALTER TABLE … ALTER COLUMN … TYPE … USING …`).""",
    ),
)


def check(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding for each enum type that is missing, unexpected or has other labels."""
    for difference in differences(evidence, "enum"):
        for finding in judge(evidence, difference, "enum_mismatch"):
            if difference.expected is None or finding.severity is Severity.UNKNOWN:
                yield finding
            elif difference.attribute in (NAME_OF, SCHEMA_OF, SWAPPED):
                valid = evidence.expected.objects[difference.key].labels
                yield replace(finding, facts={"valid_values": valid, "missing": (), "extra": ()})
            else:
                yield _with_labels(finding, difference)


def _with_labels(finding: Finding, difference: Difference) -> Finding:
    """Return the finding with the valid, the missing and the extra values."""
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
