"""Run squawk, if it is installed; its style rules, and the rules that healthd's own rules cover, are excluded."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from healthd.errors import HealthdError
from healthd.lint.source import Advice

PAGE = "https://squawkhq.com/docs/"
COVERED = (
    "adding-field-with-default",
    "adding-foreign-key-constraint",
    "adding-not-nullable-field",
    "ban-concurrent-index-creation-in-transaction",
    "ban-drop-column",
    "ban-drop-schema",
    "ban-drop-table",
    "ban-drop-type",
    "ban-drop-view",
    "ban-truncate-cascade",
    "changing-column-type",
    "constraint-missing-not-valid",
    "renaming-column",
    "renaming-object",
    "renaming-table",
    "require-concurrent-index-creation",
    "transaction-nesting",
)
# The runner sets the timeouts; a file is applied once, so it need not be repeatable.
TASTE = (
    "prefer-bigint-over-int",
    "prefer-bigint-over-smallint",
    "prefer-identity",
    "prefer-robust-stmts",
    "prefer-text-field",
    "prefer-timestamp-tz",
    "require-lock-timeout",
    "require-statement-timeout",
)
PATIENCE_S = 120.0


def program() -> str | None:
    """Return the path of squawk: next to our own Python, or on the PATH."""
    return shutil.which("squawk", path=str(Path(sys.executable).parent)) or shutil.which("squawk")


def ask(squawk: str, paths: Iterable[Path], *, transactional: bool, server_version: int) -> Mapping[str, list[Advice]]:
    """Return squawk's advice about each of these files; raise HealthdError when squawk cannot be run."""
    names = [str(path) for path in paths]
    if not names:
        return {}
    words = [squawk, "--reporter", "json", f"--exclude={','.join((*COVERED, *TASTE))}"]
    words += [f"--pg-version={server_version // 10000}.0"] if server_version else []
    words += ["--assume-in-transaction"] if transactional else []
    try:
        done = subprocess.run([*words, *names], capture_output=True, timeout=PATIENCE_S, check=False)
        said = json.loads(done.stdout or b"[]")
        found: dict[str, list[Advice]] = {}
        for one in said:
            found.setdefault(one["file"], []).append(_advice(one))
        if done.returncode not in (0, 1):
            raise ValueError(f"exit code {done.returncode}")
    except (OSError, ValueError, KeyError, TypeError, subprocess.SubprocessError) as error:
        raise HealthdError(
            f"could not run squawk: {error}", hint="use --no-squawk, or install another version of squawk"
        ) from error
    return found


def _advice(one: Mapping[str, object]) -> Advice:
    """Return one finding of squawk's as advice; squawk counts lines and columns from 0."""
    rule, message, cure = str(one["rule_name"]), str(one["message"]), one.get("help")
    severity = "error" if str(one["level"]).lower() == "error" else "warning"
    line, column = int(str(one["line"])) + 1, int(str(one["column"])) + 1
    return Advice(str(one["file"]), line, column, rule, severity, f"{message} {cure or ''}".strip(), PAGE + rule)
