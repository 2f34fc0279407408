"""Findings in few words, as labels of metrics and descriptions of alerts have room for."""

from __future__ import annotations

from healthd.model.findings import Finding

TOP = 20  # findings of a target that are exported with their object; the others are only counted
TEXT = 120  # characters of expected and actual


def brief(finding: Finding) -> tuple[str, str, str]:
    """Return the object of a finding, what was expected of it, and what it is."""
    words = f"{finding.attribute} " if finding.attribute else ""
    return str(finding.key), words + _cut(finding.expected), words + _cut(finding.actual)


def _cut(text: str | None) -> str:
    text = " ".join((text or "").split())
    return text if len(text) <= TEXT else text[: TEXT - 1] + "…"
