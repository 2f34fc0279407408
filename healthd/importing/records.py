"""What a reader of another tool's folder finds: migrations, and what cannot be one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

# The name of each file below the folder, and its text; of what is not text, only the name.
Files = Mapping[str, str]
Version = tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """One migration as the other tool has it.

    `version` decides its place; `name` is what its file is called besides; `sources` are the files it came from.
    `stem` is the whole name that it keeps if those of all sort rightly.
    `transactional` is None where the tool leaves it to what stands in the file.
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
    """A whole folder: its migrations in the order in which the tool applies them, and what was left, with why."""

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


# How the reasons end for which somebody must look at what was left.
IN_SQL = ": write in SQL what it does"
BRING = ": bring it, or take the change out of the plan"
OTHERWISE = ": say whose the folder is with --from, or take the file out"
DECIDE = ": see what it decides, and write the SQL that is meant"
NEEDS_A_HUMAN = (IN_SQL, BRING, OTHERWISE, DECIDE)


def code_left(files: Files) -> dict[str, str]:
    """Return the files that look like migrations in a programming language."""
    left = {}
    for name in files:
        stem, _, suffix = name.rpartition(".")
        if f".{suffix}" in CODE and re.match(r"[VUR]?[0-9]", stem.rpartition("/")[2]) and not stem.endswith("_test"):
            left[name] = f"a migration in {CODE[f'.{suffix}']}{IN_SQL}"
    return left
