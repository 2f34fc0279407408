"""Another tool's files, which would not do here what they do there: told before anything of them runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath

from healthd.errors import ConfigError

IMPORT = "bring the other tool's folder over: healthd import FOLDER"
# What undoes, by the name of its file, and how the file is called that it undoes.
UNDOING = (
    (re.compile(r"\.(down|undo)(?=\.)"), {"down": ".up", "undo": ".do"}),
    (re.compile(r"^(U)(?=[0-9])"), {"U": "V"}),
)
# Words of the comments that part what applies from what undoes, and those comments.
WORDS = ("migrate:down", "+goose", "+migrate", "rambler down", "drop below")
PARTING = re.compile(
    r"^[ \t]*--[ \t]*(?:migrate:down\b|\+(?:goose|migrate)\s+down\b|rambler\s+down\b|--\s*create\s+above\b)",
    re.MULTILINE | re.IGNORECASE,
)


def refuse_undoing(paths: Mapping[str, PurePath]) -> None:
    """Raise ConfigError for a file that undoes the one beside it; paths are by names without `.sql`."""
    for name, path in paths.items():
        for pattern, others in UNDOING:
            match = pattern.search(path.name)
            other = f"{name[: match.start()]}{others[match[1]]}{name[match.end() :]}" if match else ""
            if other in paths:
                raise ConfigError(f"{path} looks as if it undid {other}.sql, and would be applied", hint=IMPORT)


def refuse_parts(text: str, path: PurePath) -> None:
    """Raise ConfigError for a file of which the other tool runs one part to apply it, and the other to undo it."""
    if any(word in text for word in WORDS) and (match := PARTING.search(text)):
        line = text.count("\n", 0, match.start()) + 1
        raise ConfigError(
            f"{path}, line {line}: `{match[0].strip()}` parts the file for another tool; both parts would be applied",
            hint=IMPORT,
        )
