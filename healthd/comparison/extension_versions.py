"""An extension of another version: whether the server can bring the expected one, or the files are behind."""

from collections.abc import Mapping
from dataclasses import replace

from healthd.model.findings import Finding
from healthd.model.names import literal

Updates = Mapping[str, frozenset[tuple[str, str]]]  # of an extension: from which version to which there is a way


def with_version(finding: Finding, updates: Updates) -> Finding:
    """Return a finding on an extension's version that says what can be done; any other one as it is."""
    if (finding.key.kind, finding.attribute) != ("extension", "version"):
        return finding
    expected, actual = str(finding.expected), str(finding.actual)
    ways = updates.get(finding.key.path[0], frozenset())
    if (actual, expected) in ways:
        return finding
    alter = f"ALTER EXTENSION {finding.key.sql} UPDATE TO"
    if (expected, actual) in ways or _is_newer(actual, expected):
        words = f"{finding.key}: version {actual} is newer than the files say ({expected}): update the files"
        return replace(finding, message=words, repair=(f"-- in a migration: {alter} {literal(actual)};",))
    words = f"{finding.message}; this server has no way from {actual} to {expected}"
    return replace(finding, message=words, repair=(f"-- install its files first, then: {alter} {literal(expected)};",))


def _is_newer(one: str, other: str) -> bool:
    """Return whether a version comes after another one, where both are numbers."""
    parts = [text.split(".") for text in (one, other)]
    if not all(part.isdecimal() for side in parts for part in side):
        return False
    return [int(part) for part in parts[0]] > [int(part) for part in parts[1]]
