"""A finding that stands for hundreds: those of one kind in one schema that say the same are one, with their number."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from healthd.model.findings import MISSING, NOTHING, Finding, Verdict
from healthd.model.names import HANGING, Key
from healthd.model.severity import Severity
from healthd.text import some

MANY = 100  # findings of one group; fewer are shown one by one


def folded(verdict: Verdict) -> Verdict:
    """Return a verdict in which one finding stands for each large group, at the place of its first one.

    It lists all objects in its facts, and counts as all of them.
    """
    if len(verdict.findings) < MANY:
        return verdict
    place = {id(one): number for number, one in enumerate(verdict.findings)}
    kept: list[Finding] = []
    rest: list[Finding] = []
    for left, alike in ((verdict.findings, True), (rest, False)):
        for group in _grouped(left, alike=alike):
            if len(group) >= MANY:
                kept.append(merged(group))
                place[id(kept[-1])] = place[id(group[0])]
            elif alike and not _alone(group[0]):
                rest += group
            else:
                kept += group
    return replace(verdict, findings=tuple(sorted(kept, key=lambda finding: place[id(finding)])))


def _alone(finding: Finding) -> bool:
    """Return whether a finding is never one of a group: it is about the database, unclear, or has consequences."""
    return len(finding.key.path) < 2 or finding.severity is Severity.UNKNOWN or bool(finding.facts)


def _grouped(findings: Iterable[Finding], *, alike: bool) -> Iterable[Sequence[Finding]]:
    """Return the groups in the order of their first findings; `alike`: only of names that differ in numbers."""
    groups = defaultdict[tuple[object, ...], list[Finding]](list)
    for one in findings:
        if _alone(one):
            groups[(id(one),)].append(one)
            continue
        path = one.key.path
        schema = path[: 2 if one.key.kind in HANGING else 1]
        form = one.expected == NOTHING, one.actual == MISSING
        names = tuple(map(_stem, path)) if alike else schema
        groups[(one.check, one.problem, one.severity, one.key.kind, one.attribute, *form, len(path), names)].append(one)
    return groups.values()


def _stem(name: str) -> str:
    return re.sub("[0-9]+", "*", name)


def merged(findings: Sequence[Finding]) -> Finding:
    """Return the finding that stands for all of these."""
    first, keys = findings[0], [one.key for one in findings]
    path = tuple(_pattern(names) for names in zip(*(key.path for key in keys), strict=True))
    others = some([str(key) for key in keys[1:]])
    return replace(
        first,
        key=Key(first.key.kind, path),
        message=f"{len(keys):,} objects of the kind {first.key.kind}: {first.message}; likewise {others}",
        expected=_common([one.expected for one in findings]),
        actual=_common([one.actual for one in findings]),
        repair=(),
        facts={"objects": tuple(map(str, keys))},
        count=len(keys),
    )


def _pattern(names: Sequence[str]) -> str:
    """Return what these names have in common: `*` stands for the rest."""
    if len(set(names)) == 1:
        return names[0]
    stems = set(map(_stem, names))
    return stems.pop() if len(stems) == 1 else "*"


def _common(values: Sequence[str | None]) -> str | None:
    return values[0] if len(set(values)) == 1 else f"{len(set(values)):,} different values"
