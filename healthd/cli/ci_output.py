"""Results for CI systems: with paths from the current folder, where a pipeline looks for files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from healthd.cli.verbs import VERBS
from healthd.config.settings import Settings
from healthd.errors import HealthdError
from healthd.report.ci.annotations import Outcome, of_error
from healthd.report.ci.formats import render

NOWHERE = "yoyo.ini"  # where an error is shown: every format needs a file


def rendered(style: str, outcome: Outcome) -> str:
    """Return an outcome in one of the formats for CI systems."""
    return render(style, outcome, relative)


def relative(path: str) -> str:
    """Return a path from the current folder, with slashes; absolute if it leads elsewhere."""
    whole = Path(path).resolve()
    return (whole.relative_to(Path.cwd()) if whole.is_relative_to(Path.cwd()) else whole).as_posix()


def of_refusal(error: HealthdError, arguments: Sequence[str], target: str = "") -> Outcome:
    """Return the outcome of a verb that ended with an error, as a whole or on one target."""
    verb = next((f"healthd {word}" for word in arguments if word in VERBS), "healthd")
    return Outcome((of_error(error, NOWHERE, target),), failed=True, verb=verb)


def home_of(settings: Settings, outcome: Outcome, verb: str) -> Outcome:
    """Return an outcome with the name of its verb and the address of the pages."""
    return replace(outcome, verb=f"healthd {verb}", home=settings.external_url)
