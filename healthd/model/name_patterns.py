"""Names chosen by patterns: those of databases, and of schemas."""

from __future__ import annotations

from collections.abc import Iterable

from healthd.model.waivers import matches
from healthd.text import natural


def matching(patterns: Iterable[str], names: Iterable[str]) -> tuple[str, ...]:
    """Return the names that match a pattern, and none that begins with `!`, in natural order."""
    patterns = tuple(patterns)
    excluded = tuple(pattern[1:] for pattern in patterns if pattern.startswith("!"))
    chosen = tuple(pattern for pattern in patterns if not pattern.startswith("!"))
    found = (name for name in names if _any(chosen, name) and not _any(excluded, name))
    return tuple(sorted(found, key=natural))


def _any(patterns: Iterable[str], name: str) -> bool:
    return any(matches(pattern, name) for pattern in patterns)
