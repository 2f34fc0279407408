"""What every check shares: from a difference to a finding."""

from collections.abc import Iterator
from typing import Any

from healthd.model import UNREADABLE, Difference, Evidence, Finding, Key, Kind, Severity, shown


def differences(evidence: Evidence, *kinds: str) -> Iterator[Difference]:
    """Yield the differences of these kinds."""
    return (one for one in evidence.differences if one.key.kind in kinds)


def judge(evidence: Evidence, difference: Difference, problem: str = "schema_mismatch") -> Iterator[Finding]:
    """Yield the finding that a difference makes, if it is worth one."""
    key, kind = difference.key, evidence.kinds[difference.key.kind]
    if difference.attribute == UNREADABLE:
        why = difference.actual or difference.expected
        yield Finding("cannot_compare", key, f"{key.kind} cannot be read: {why}", Severity.UNKNOWN)
        return
    severity = kind.severity(difference)
    if severity is None:
        return
    expected, actual = sides(difference)
    if _printed_elsewhere(evidence, difference, kind):
        yield Finding(
            "cannot_compare",
            key,
            f"{key}: {difference.attribute} was printed by PostgreSQL {major(evidence.expected)} and by "
            f"{major(evidence.actual)}, which need not print it alike",
            Severity.UNKNOWN,
            expected,
            actual,
            difference.attribute,
        )
        return
    if difference.unexpected and severity is Severity.WARNING:
        problem = "unexpected_object"
    records = (evidence.expected.objects.get(key), evidence.actual.objects.get(key))
    yield Finding(
        problem,
        key,
        message(difference),
        severity,
        expected,
        actual,
        difference.attribute,
        () if difference.unexpected else tuple(map(commented, kind.repair(difference, *records))),
    )


def commented(statement: str) -> str:
    """Return SQL in which a comment stays one, whatever line ends the names and texts in it have."""
    if not statement.startswith("--"):
        return statement
    return "\n".join(line if line.startswith("--") else f"-- {line}" for line in statement.splitlines())


def _printed_elsewhere(evidence: Evidence, difference: Difference, kind: Kind) -> bool:
    """Return whether a text differs that servers of other majors print in another way."""
    if major(evidence.expected) == major(evidence.actual) or not kind.deparsed(difference.attribute):
        return False
    return difference.expected is not None and difference.actual is not None


def major(snapshot: Any) -> int:
    """Return the major version of the server that a snapshot is from."""
    return int(snapshot.server_version) // 10000


def message(difference: Difference) -> str:
    """Return one line that says what differs, in an operator's words."""
    key = difference.key
    if difference.attribute is None:
        return f"{key} is missing" if difference.actual is None else f"{key} is not in sql/"
    expected, actual = sides(difference)
    return f"{key}: {difference.attribute.replace('_', ' ')} {one_line(actual)}, expected {one_line(expected)}"


def sides(difference: Difference) -> tuple[str, str]:
    """Return expected and actual as people read them."""
    if difference.attribute is not None:
        return shown(difference.expected), shown(difference.actual)
    record = difference.expected if difference.actual is None else difference.actual
    there = summary(difference.key, record)
    return (there, "missing") if difference.actual is None else ("nothing", there)


def summary(key: Key, record: Any) -> str:
    """Return a whole object in a few words: its most telling attributes."""
    for name in ("definition", "labels", "type"):
        if hasattr(record, name):
            return shown(getattr(record, name))
    return key.kind


def one_line(text: str, limit: int = 120) -> str:
    """Return a text on one line, cut where it is long."""
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"
