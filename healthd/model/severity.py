"""The severity of a finding."""

from __future__ import annotations

import enum


class Severity(enum.IntEnum):
    """The severity of a finding; the numbers are the exit codes of `healthd check`."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3

    def __str__(self) -> str:
        return self.name.lower()
