"""Files of another tool, which would have other effects here: they are refused before anything runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath

from healthd.errors import ConfigError

IMPORT = "import the other tool's folder: healthd import FOLDER"
# The file names of rollbacks, and how each names the file that it rolls back.
UNDOING = (
    (re.compile(r"\.(down|undo)(?=\.)"), {"down": ".up", "undo": ".do"}),
    (re.compile(r"^(U)(?=[0-9])"), {"U": "V"}),
)
# Words of the comments that divide a file into the migration and its rollback, and those comments.
WORDS = ("migrate:down", "+goose", "+migrate", "rambler down", "drop below")
PARTING = re.compile(
    r"^[ \t]*--[ \t]*(?:migrate:down\b|\+(?:goose|migrate)\s+down\b|rambler\s+down\b|--\s*create\s+above\b)",
    re.MULTILINE | re.IGNORECASE,
)


def refuse_undoing(paths: Mapping[str, PurePath]) -> None:
    """Raise ConfigError for a file that is the rollback of the one next to it; paths are by names without `.sql`."""
    for name, path in paths.items():
        for pattern, others in UNDOING:
            match = pattern.search(path.name)
            other = f"{name[: match.start()]}{others[match[1]]}{name[match.end() :]}" if match else ""
            if other in paths:
                raise ConfigError(
                    f"{path} looks like the rollback of {other}.sql, but would be applied as a migration", hint=IMPORT
                )


def refuse_parts(text: str, path: PurePath) -> None:
    """Raise ConfigError for a file that is divided, for another tool, into a migration and its rollback."""
    if any(word in text for word in WORDS) and (match := PARTING.search(text)):
        line = text.count("\n", 0, match.start()) + 1
        raise ConfigError(
            f"{path}, line {line}: `{match[0].strip()}` divides the file for another tool; both parts would be applied",
            hint=IMPORT,
        )
