"""Waivers: differences that a person accepted, with a reason, an owner and an end."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from healthd.model.names import Key

# What a waiver without `problem` covers: differences from sql/. Anything else must be named, because it breaks
# something that exists: an expectation of an application, the next INSERT.
DIFFERENCES = frozenset({"schema_mismatch", "enum_mismatch", "unexpected_object", "partition_half_detached"})
FROM_FILES = frozenset({"columns", "enums", "objects"})  # the checks that compare with sql/


@dataclass(frozen=True, slots=True)
class Waiver:
    """One entry of waivers.toml: what is accepted, why, by whom, and the last day (UTC) on which it holds.

    `key` is the name of an object or a pattern. Without `attribute` it covers whole objects, missing or unexpected.
    Without `actual` it covers every actual value. `place` is where it was read, in words.
    """

    key: str
    reason: str
    owner: str
    until: date
    attribute: str | None = None
    problem: str | None = None
    actual: str | None = None
    target: str | None = None
    place: str = "waivers.toml"

    def covers(self, key: Key, attribute: str | None, problem: str, check: str, actual: str | None) -> bool:
        """Return whether it covers a finding with these parts, on whichever target and day."""
        if problem != self.problem and (self.problem is not None or not is_difference(problem, check)):
            return False
        if attribute != self.attribute or not matches(self.key, str(key)):
            return False
        return self.actual is None or self.actual == actual

    def is_for(self, target: str) -> bool:
        """Return whether it applies to this target."""
        return self.target is None or matches(self.target, target)

    def expired(self, today: date) -> bool:
        """Return whether its last day has passed."""
        return today > self.until

    @property
    def words(self) -> str:
        """Return what it covers, in words: the key, and what else restricts it."""
        return self.key + (f" ({self.attribute.replace('_', ' ')})" if self.attribute else "")


@dataclass(frozen=True, slots=True)
class Waivers:
    """All waivers of one file, and the day (UTC) on which they are applied.

    `targets` are the names of the configured targets; empty if they are not known.
    """

    entries: tuple[Waiver, ...] = ()
    today: date = date.min
    targets: tuple[str, ...] = ()

    def of(self, target: str) -> tuple[Waiver, ...]:
        """Return the waivers for a target; those for a target that does not exist are everyone's, to be reported."""
        return tuple(one for one in self.entries if one.is_for(target) or self.strays(one))

    def strays(self, waiver: Waiver) -> bool:
        """Return whether a waiver is for a target that does not exist."""
        return bool(self.targets) and not any(waiver.is_for(name) for name in self.targets)


@dataclass(frozen=True, slots=True)
class WaiverState:
    """What became of one waiver in a round: it no longer applies (`expired`), or it covered nothing (not `used`)."""

    waiver: Waiver
    expired: bool
    used: bool
    stray: bool = False


def is_difference(problem: str, check: str) -> bool:
    """Return whether a finding is a difference from sql/."""
    return problem in DIFFERENCES and check in FROM_FILES


def is_pattern(text: str) -> bool:
    """Return whether a key or the name of a target contains a wildcard."""
    return "*" in text or "?" in text


def matches(pattern: str, text: str) -> bool:
    """Return whether a text matches: * is any text, ? any character; brackets are part of the names of types."""
    if not is_pattern(pattern):
        return pattern == text
    wild = {"*": ".*", "?": "."}
    expression = "".join(wild.get(letter) or re.escape(letter) for letter in pattern)
    return re.fullmatch(expression, text, re.DOTALL) is not None
