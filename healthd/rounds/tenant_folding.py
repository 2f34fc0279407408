"""Findings about schemas of tenants: what is the same in several of them is one finding, with their number."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

from healthd.catalog.schema_members import schema_of, schema_place
from healthd.model.findings import Evidence, Finding, Verdict
from healthd.model.names import Key, quote
from healthd.model.tenants import TenantCount
from healthd.text import natural, some

NAMED = 5  # schemas that a message names


def counted(evidence: Evidence, findings: Iterable[Finding]) -> TenantCount | None:
    """Return how many schemas of tenants there are, and which of them have findings; None if the target has none."""
    tenants = evidence.tenants
    if tenants is None or "schema" in evidence.actual.unreadable:
        return None
    different = _with_findings(tenants.names, findings) if tenants.compared else None
    return TenantCount(len(tenants.names), different, tenants.pattern)


def left(count: TenantCount | None, findings: Iterable[Finding]) -> TenantCount | None:
    """Return a count after some of its findings were dropped."""
    if count is None or not count.different:
        return count
    return replace(count, different=_with_findings(count.different, findings))


def _with_findings(names: Collection[str], findings: Iterable[Finding]) -> tuple[str, ...]:
    return tuple(sorted({schema_of(one.key) or "" for one in findings}.intersection(names), key=natural))


def is_of_tenant(finding: Finding, verdict: Verdict) -> bool:
    """Return whether a finding is about an object in the schema of a tenant."""
    count = verdict.tenants
    return count is not None and schema_of(finding.key) in (count.different or ())


def folded_tenants(verdict: Verdict) -> Verdict:
    """Return a verdict in which one finding stands for those that are the same in several schemas of tenants.

    It is at the place of the first one. A finding about a single schema stays as it is.
    """
    count = verdict.tenants
    if count is None or not count.different or len(count.different) == 1:
        return verdict
    different, groups = frozenset(count.different), defaultdict[object, list[Finding]](list)
    for one in verdict.findings:
        schema = schema_of(one.key)
        groups[_identity(one, schema, count.pattern) if schema in different else id(one)].append(one)
    found = (group[0] if len(group) == 1 else _merged(group, count) for group in groups.values())
    return replace(verdict, findings=tuple(found))


def _identity(one: Finding, schema: str | None, pattern: str) -> object:
    return one.problem, one.check, one.severity, _key(one.key, schema or "", pattern), one.attribute


def _key(key: Key, schema: str, pattern: str) -> Key:
    """Return a key with the pattern in place of a schema."""
    at = schema_place(key)
    parts = (pattern if place == at else _in_all(part, schema, pattern) for place, part in enumerate(key.path))
    return Key(key.kind, tuple(parts))


def _merged(findings: Sequence[Finding], count: TenantCount) -> Finding:
    """Return the finding that stands for those of several schemas."""
    names = [schema_of(one.key) or "" for one in findings]
    alike = [_alike(one, name, count.pattern) for one, name in zip(findings, names, strict=True)]
    first, where = alike[0], f"in {len(names):,} of {count.schemas:,} schemas ({some(names, NAMED)})"
    same = len({one.message for one in alike}) == 1
    message = f"{where}: {first.message}" if same else f"{where}, not the same in all: {findings[0].message}"
    note = f"-- This is for {quote(names[0])} only: healthd repair prints the script for all {len(names):,} schemas."
    return replace(
        first,
        message=message,
        expected=_common([one.expected for one in alike]),
        actual=_common([one.actual for one in alike]),
        repair=(*findings[0].repair, note) if findings[0].repair else (),
        facts={**first.facts, "schemas": tuple(names)},
        count=sum(one.count for one in findings),
    )


def _alike(one: Finding, schema: str, pattern: str) -> Finding:
    """Return a finding with the pattern in place of its schema."""
    return replace(
        one,
        key=_key(one.key, schema, pattern),
        message=_in_all(one.message, schema, pattern),
        expected=_in_all(one.expected, schema, pattern),
        actual=_in_all(one.actual, schema, pattern),
        facts={name: _in_all(value, schema, pattern) for name, value in one.facts.items()},
    )


def _in_all(value: Any, schema: str, pattern: str) -> Any:
    """Return a text, or a tuple of texts, with the pattern in place of a schema."""
    if isinstance(value, tuple):
        return tuple(_in_all(one, schema, pattern) for one in value)
    if not isinstance(value, str) or not schema or (schema not in value and quote(schema) not in value):
        return value
    name = f'{re.escape(quote(schema))}|(?<!"){re.escape(schema)}(?!")'
    return re.sub(rf"(?<![\w$])(?:{name})(?![\w$])", lambda _: pattern, value)


def _common(values: Sequence[str | None]) -> str | None:
    return values[0] if len(set(values)) == 1 else f"{len(set(values)):,} different values"
