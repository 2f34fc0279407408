"""An extension of another version: whether the server can update it, or the files are out of date."""

from collections.abc import Mapping
from dataclasses import replace

from healthd.model.findings import Finding
from healthd.model.names import literal
from healthd.model.snapshots import Difference

Updates = Mapping[str, frozenset[tuple[str, str]]]  # for each extension: from which version to which a path exists


def with_version(finding: Finding, updates: Updates) -> Finding:
    """Return a finding on an extension's version with what can be done; any other finding unchanged."""
    if (finding.key.kind, finding.attribute) != ("extension", "version"):
        return finding
    expected, actual = str(finding.expected), str(finding.actual)
    ways = updates.get(finding.key.path[0], frozenset())
    if (actual, expected) in ways:
        return finding
    alter = f"ALTER EXTENSION {finding.key.sql} UPDATE TO"
    if (expected, actual) in ways or _is_newer(actual, expected):
        words = f"{finding.key}: version {actual} is newer than the version in sql/ ({expected}): update the files"
        return replace(finding, message=words, repair=(f"-- in a migration: {alter} {literal(actual)};",))
    words = f"{finding.message}; this server has no update path from {actual} to {expected}"
    steps = (f"-- first install its files on the server, then: {alter} {literal(expected)};",)
    return replace(finding, message=words, repair=steps)


def no_way(difference: Difference, updates: Updates) -> str:
    """Return why an extension cannot get its expected version, "" if it can, or if it is not about that."""
    if (difference.key.kind, difference.attribute) != ("extension", "version"):
        return ""
    ways = updates.get(difference.key.path[0], frozenset())
    return "" if (difference.actual, difference.expected) in ways else "the server has no update path to this version"


def _is_newer(one: str, other: str) -> bool:
    """Return whether a version is later than another one; False unless both are numeric."""
    parts = [text.split(".") for text in (one, other)]
    if not all(part.isdecimal() for side in parts for part in side):
        return False
    return [int(part) for part in parts[0]] > [int(part) for part in parts[1]]
