"""The other major versions of PostgreSQL that `healthd lock` is given: their programs, and what would be lost."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from healthd.config.settings import Settings
from healthd.errors import ConfigError
from healthd.expected.lockfile import LockFile
from healthd.postgres.programs import find_binaries, major


def by_major(settings: Settings, folders: Iterable[Path]) -> dict[int, Path]:
    """Return the folders with the programs of other major versions; raise ConfigError for the same major version."""
    ours = find_binaries(settings.postgres_bin)
    found: dict[int, Path] = {}
    for folder in folders:
        number = major(folder)
        if number == major(ours):
            raise ConfigError(
                f"{folder} contains PostgreSQL {number}, with which the lock file is written anyway",
                hint="--also-on needs the programs of another major version",
            )
        found[number] = folder
    return dict(sorted(found.items()))


def refuse_to_lose(settings: Settings, before: Iterable[LockFile], majors: Iterable[int]) -> None:
    """Raise ConfigError if one of these lock files has texts of a major version that is not given now."""
    if lost := {number for one in before for number in one.also} - set(majors):
        raise ConfigError(
            f"{settings.lock.name} also contains the texts of PostgreSQL {listed(lost)}, which would be lost",
            hint="name the folder with its programs: --also-on FOLDER; "
            f"or remove them: {' '.join(f'--forget {one}' for one in sorted(lost))}",
        )


def listed(majors: Iterable[int]) -> str:
    """Return major versions as words."""
    return " and ".join(map(str, sorted(majors)))
