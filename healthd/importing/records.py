"""What a reader of another tool's folder finds: migrations, and files that cannot be imported."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

# The name of each file below the folder, and its text; for files that are not text, only the name.
Files = Mapping[str, str]
Version = tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """One migration as the other tool has it.

    `version` decides its place; `name` is the rest of its file name; `sources` are the files it came from.
    `stem` is the full name, which it keeps if the names of all migrations sort correctly.
    `transactional` is None if the tool does not specify it: the content of the file decides.
    """

    version: Version
    name: str
    apply: str
    rollback: str | None
    sources: tuple[str, ...]
    transactional: bool | None = None
    notes: tuple[str, ...] = ()
    stem: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """A folder: its migrations in the order in which the tool applies them, and the files left out, with the reason."""

    found: tuple[Found, ...]
    left: Mapping[str, str] = field(default_factory=dict)


def in_order(found: Iterable[Found], left: Mapping[str, str] | None = None) -> Reading:
    """Return a reading sorted by version, then by name as files are sorted."""
    return Reading(tuple(sorted(found, key=lambda one: (one.version, one.name, one.sources))), left or {})


CODE = {
    ".go": "Go",
    ".java": "Java",
    ".kt": "Kotlin",
    ".py": "Python",
    ".js": "JavaScript",
    ".ts": "TypeScript",
    ".rb": "Ruby",
    ".rs": "Rust",
    ".fizz": "fizz",
}


# The ends of the reasons that require manual work on a file that was left out.
IN_SQL = ": rewrite it in SQL"
BRING = ": add the file, or remove the change from the plan"
OTHERWISE = ": name the tool with --from, or remove the file"
DECIDE = ": check what it does, and write the SQL that is intended"
NEEDS_A_HUMAN = (IN_SQL, BRING, OTHERWISE, DECIDE)


def code_left(files: Files) -> dict[str, str]:
    """Return the files that look like migrations in a programming language."""
    left = {}
    for name in files:
        stem, _, suffix = name.rpartition(".")
        if f".{suffix}" in CODE and re.match(r"[VUR]?[0-9]", stem.rpartition("/")[2]) and not stem.endswith("_test"):
            left[name] = f"a migration in {CODE[f'.{suffix}']}{IN_SQL}"
    return left
