"""New migrations: the next number, and both files, written so that a reader never sees half of a migration."""

import re
from pathlib import Path

from healthd.errors import ConfigError
from healthd.expected.folder import ROLLBACK
from healthd.model.migration_names import canonical

TEMPLATE = """-- {title}.
-- Why:  what it is for.
-- Lock: which lock on which relation, and for how long.

"""


def new_migration(folder: Path, name: str) -> tuple[Path, Path]:
    """Write an empty migration and its rollback with the next number, and return their paths."""
    path = next_path(folder, name)
    title = path.stem.partition("_")[2].replace("_", " ").capitalize()
    return write_pair(path, TEMPLATE.format(title=title), TEMPLATE.format(title=f"Undo: {title.lower()}"))


def next_path(folder: Path, name: str) -> Path:
    """Return the path of a migration with the next number; raise ConfigError if the name has no letter or digit."""
    word = re.sub(r"\W+", "_", canonical(name).strip().lower()).strip("_")
    if not word:
        raise ConfigError(f"invalid migration name: {name!r}", hint="for example: healthd new add_orders_note")
    numbers = [match[0] for path in folder.glob("*.sql") if (match := re.match(r"[0-9]+", path.name))]
    width = max(map(len, numbers), default=4)
    return folder / f"{max(map(int, numbers), default=0) + 1:0{width}}_{word}.sql"


def write_pair(path: Path, apply: str, rollback: str) -> tuple[Path, Path]:
    """Write a migration and its rollback, and return their paths; the migration appears last, and whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    undo = path.with_name(path.stem + ROLLBACK)
    undo.write_text(rollback, encoding="utf-8")
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(apply, encoding="utf-8")
    draft.replace(path)
    return path, undo
