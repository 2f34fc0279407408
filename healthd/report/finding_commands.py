"""The commands that answer a finding, to be copied into a shell: repair it, adopt it, waive it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from healthd.comparison.waived import may_be_waived
from healthd.model.findings import Finding
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.model.waivers import is_difference

LETTERS = 40  # of the name of a migration


@dataclass(frozen=True, slots=True)
class Command:
    """A command, and what it is for."""

    purpose: str
    text: str


def commands(target: str, finding: Finding) -> Iterator[Command]:
    """Yield the commands that make sense for a finding of a target, and are accepted for it."""
    key, difference = str(finding.key), is_difference(finding.problem, finding.check)
    known = finding.severity is not Severity.UNKNOWN
    if finding.repair and known:
        yield Command("Repair: print the rehearsed script for the entire target", _line("repair", target))
    if difference and known:
        adopt = _line("adopt", target, _migration(finding.key), "--only", key)
        yield Command("Adopt: write a migration that accepts the database as it is", adopt)
    if may_be_waived(finding):
        waive = _line("waive", key, "--target", target, *_narrowed(finding), "--until", "30d", "--reason", "TICKET")
        yield Command("Waive: accept the difference until a date; write the reason instead of TICKET", waive)
    yield Command("Explain: the section of the runbook", _line("explain", finding.problem))


def _narrowed(finding: Finding) -> Iterator[str]:
    """Yield the options of a waiver that covers nothing else of the object."""
    if finding.attribute:
        yield from ("--attribute", finding.attribute)
    if not is_difference(finding.problem, finding.check):
        yield from ("--problem", finding.problem)


def _line(*words: str) -> str:
    return shlex.join(("healthd", *words))


def _migration(key: Key) -> str:
    """Return the name of a migration that adopts an object."""
    word = re.sub(r"[^a-z0-9]+", "_", "_".join(key.path[1:][-2:] or key.path).lower()).strip("_")[:LETTERS].strip("_")
    return f"adopt_{word}" if word else "adopt_change"
