"""From a difference to a finding: what all checks share."""

from bisect import bisect_left
from collections.abc import Container, Iterator
from dataclasses import replace
from typing import Any

from healthd.catalog.roles import MIGRATOR, OWNER
from healthd.comparison import locked_objects, swapped_columns, swapped_labels, words
from healthd.model.findings import MISSING, NOTHING, Evidence, Finding
from healthd.model.kinds import Kind
from healthd.model.names import Key, quote
from healthd.model.severity import Severity
from healthd.model.snapshots import NAME_OF, PLACE_OF, SCHEMA_OF, SWAPPED, UNREADABLE, Difference, Snapshot
from healthd.sqltext import routine_bodies
from healthd.text import shown, some


def differences(evidence: Evidence, *kinds: str) -> Iterator[Difference]:
    """Yield the differences of these kinds; one for all objects of a locked table."""
    return locked_objects.folded((one for one in evidence.differences if one.key.kind in kinds), evidence)


def judge(evidence: Evidence, difference: Difference, problem: str = "schema_mismatch") -> Iterator[Finding]:
    """Yield the finding on a difference, if it is reported at all."""
    key, kind = difference.key, evidence.kinds[difference.key.kind]
    if difference.attribute == UNREADABLE and key in evidence.locked:
        yield locked_objects.finding(evidence, difference)
        return
    if difference.attribute == UNREADABLE:
        why = difference.actual or difference.expected
        yield Finding("cannot_compare", key, f"{key.kind} cannot be read: {why}", Severity.UNKNOWN)
        return
    if difference.attribute in WHERE:
        record = evidence.expected.objects[key]
        yield Finding(
            problem,
            key,
            f"{key} {WHERE[difference.attribute]} {_place(difference)}{_rivals(difference)}",
            kind.loss(record) or Severity.WARNING,
            difference.expected,
            difference.actual,
            difference.attribute,
        )
        return
    if difference.attribute == SWAPPED:
        yield _swapped(difference, problem)
        return
    severity = kind.severity(difference)
    if severity is None:
        return
    if printed_elsewhere(evidence, difference):
        return
    expected, actual = sides(difference)
    lenient = (key, difference.attribute) in evidence.lenient
    severity = min(severity, Severity.WARNING) if lenient else severity
    if lenient or (difference.unexpected and severity is Severity.WARNING):
        problem = "unexpected_object"
    records = (evidence.expected.objects.get(key), evidence.aligned.get(key, evidence.actual.objects.get(key)))
    little = kind.little(difference, records[0]) if difference.attribute is not None and records[0] is not None else ""
    severity = min(severity, Severity.WARNING) if little else severity
    yield Finding(
        problem,
        key,
        f"{key}: {words.word(key.kind, difference.attribute or '')} differs in {little}"
        if little
        else _with_placeholders(message(difference) + _recorded(evidence, difference)),
        severity,
        expected,
        actual,
        difference.attribute,
    )


WHERE = {NAME_OF: "is renamed to", SCHEMA_OF: "is moved to schema", PLACE_OF: "is moved and renamed to"}


def _place(difference: Difference) -> str:
    return str(difference.actual) if difference.attribute == PLACE_OF else quote(difference.actual)


def _rivals(difference: Difference) -> str:
    """Return which other tables could be the one with another name."""
    others = some(tuple(one.sql for one in difference.rivals), NAMED)
    return f", or {others} is it: look at the rows of both" if others else ""


def _swapped(difference: Difference, problem: str) -> Finding:
    expected, actual = sides(difference)
    of = swapped_labels.message if difference.key.kind == "enum" else swapped_columns.message
    message = of(difference)
    return Finding(problem, difference.key, message, Severity.CRITICAL, expected, actual, SWAPPED)


def with_consequences(finding: Finding, evidence: Evidence) -> Finding:
    """Return a finding that names its consequences."""
    went = evidence.consequences.get((finding.key, finding.attribute), ())
    if not went or finding.severity is Severity.UNKNOWN:
        return finding
    found = [one for difference in went for one in judge(evidence, difference)]
    consequences = tuple(
        dict.fromkeys(str(one.key) for one in found if (one.key, one.attribute) not in evidence.inside)
    )
    message = finding.message
    if all(one.key.kind == "grant" for one in (finding, *found)) and finding.attribute is not None:
        message = f"{finding.key.path[-1]} no longer holds any of its privileges: {finding.key}"
    if consequences:
        message += f"; also affected: {some(consequences, NAMED)}"
    return replace(
        finding,
        message=message,
        severity=max((finding, *found), key=lambda one: one.severity % Severity.UNKNOWN).severity,
        facts={**finding.facts, **({"consequences": consequences} if consequences else {})},
    )


NAMED = 5  # how many consequences are named in the message


def commented(statement: str) -> str:
    """Return SQL in which a comment remains a comment, even if names and texts in it contain line breaks."""
    if not statement.startswith("--"):
        return statement
    return "\n".join(line if line.startswith("--") else f"-- {line}" for line in statement.splitlines())


def printed_elsewhere(evidence: Evidence, difference: Difference) -> bool:
    """Return whether two major versions printed a text that differs; the check `texts` reports these."""
    kind = evidence.kinds[difference.key.kind]
    two = printed_by_two(kind, evidence.expected, evidence.actual, difference, evidence.printed)
    return two and kind.severity(difference) is not None


def printed_by_two(
    kind: Kind,
    expected: Snapshot,
    actual: Snapshot,
    difference: Difference,
    printed: Container[tuple[Key, str | None]] = (),
) -> bool:
    """Return whether two texts differ that two major versions printed, and that are not among those in `printed`."""
    if major(expected) == major(actual) or not kind.deparsed(difference.attribute):
        return False
    if (difference.key, difference.attribute) in printed:
        return False
    return difference.expected is not None and difference.actual is not None


def major(snapshot: Any) -> int:
    """Return the major version of the server of a snapshot."""
    return int(snapshot.server_version) // 10000


def _recorded(evidence: Evidence, difference: Difference) -> str:
    """Return the source of an expected text that replaces the one that another major version printed."""
    migration = evidence.printed.get((difference.key, difference.attribute))
    if migration is None or difference.actual is None:
        return ""
    return f", as PostgreSQL {major(evidence.actual)} printed it for {migration}"


PLACEHOLDERS = {MIGRATOR: "the role that runs migrations", OWNER: "the owner of the object"}


def _with_placeholders(text: str) -> str:
    """Return a message that explains the placeholders for roles in it."""
    return "; ".join([text, *(f"{word}: {meaning}" for word, meaning in PLACEHOLDERS.items() if word in text)])


def message(difference: Difference, *, than: str = "sql/") -> str:
    """Return one line with what differs, for operators; `than` is the name of the expected side."""
    key = difference.key
    if difference.attribute == UNREADABLE:
        return f"{key} cannot be read: {difference.actual or difference.expected}"
    if difference.attribute is None:
        if difference.actual is None:
            return f"{key} is missing"
        held = getattr(difference.actual, "privileges", None)
        if held is None:
            return f"{key} is not in {than}"
        return f"{key}: {words.said(key.kind, 'privileges', held)}, expected none"
    there = words.said(key.kind, difference.attribute, difference.actual)
    if difference.attribute == "bound" and difference.actual is None:
        there = "detached"
    wanted = words.said(key.kind, difference.attribute, difference.expected)
    word = f"{words.word(key.kind, difference.attribute)} "
    if there.startswith(word) and wanted.startswith(word):
        if there == wanted:
            return (
                f"{key}: {word}differs in {routine_bodies.where(shown(difference.expected), shown(difference.actual))}"
            )
        there, wanted = where_they_differ(there.removeprefix(word), wanted.removeprefix(word))
        return f"{key}: {word}{one_line(there)}, expected {one_line(wanted)}"
    return f"{key}: {one_line(there)}, expected {one_line(wanted)}"


def where_they_differ(one: str, other: str, limit: int = 120, before: int = 30) -> tuple[str, str]:
    """Return two texts from shortly before the point where they differ, if it would be cut off otherwise."""
    shorter = min(len(one), len(other))
    place = bisect_left(range(shorter), True, key=lambda n: one[: n + 1] != other[: n + 1])
    if max(len(one), len(other)) <= limit or place < limit // 2:
        return one, other
    return f"…{one[place - before :]}", f"…{other[place - before :]}"


def sides(difference: Difference) -> tuple[str, str]:
    """Return expected and actual in readable form."""
    if difference.attribute is not None:
        return shown(difference.expected), shown(difference.actual)
    record = difference.expected if difference.actual is None else difference.actual
    there = summary(difference.key, record)
    return (there, MISSING) if difference.actual is None else (NOTHING, there)


def summary(key: Key, record: Any) -> str:
    """Return an object in a few words: its most significant attribute."""
    for name in ("definition", "labels", "type", "privileges"):
        if hasattr(record, name):
            return shown(getattr(record, name))
    return key.kind


def one_line(text: str, limit: int = 120) -> str:
    """Return a text on one line, truncated if it is long."""
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"
