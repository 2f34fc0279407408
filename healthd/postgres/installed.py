"""The PostgreSQL servers that are installed on this machine, and the extensions that are available on each."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from glob import glob
from pathlib import Path

from healthd.postgres.programs import EmbeddedError, Programs, find_binaries

# Where packages install the programs of a server: a pattern may match several major versions.
PLACES = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "/usr/pgsql-*/bin",  # PostgreSQL's own packages for Red Hat
    "/usr/lib/postgresql*/bin",  # SUSE
    "/usr/libexec/postgresql*",  # Alpine
    "/opt/homebrew/opt/postgresql*/bin",  # Homebrew
    "/usr/local/opt/postgresql*/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    "/Library/PostgreSQL/*/bin",  # EDB
    "/opt/local/lib/postgresql*/bin",  # MacPorts
    "/usr/local/pgsql/bin",  # built from source
)
OLDEST = 13


@dataclass(frozen=True, slots=True)
class Installed:
    """A server's programs, its major version, and where the control files of its extensions are."""

    bin: Path
    major: int
    extensions: tuple[Path, ...]

    def has(self, extensions: Collection[str]) -> bool:
        """Return whether all of these extensions are available on it."""
        return all(any((folder / f"{name}.control").is_file() for folder in self.extensions) for name in extensions)


def installed() -> tuple[Installed, ...]:
    """Return the servers that are installed on this machine, the newest first."""
    found: dict[Path, Installed] = {}
    for folder in _folders():
        with suppress(EmbeddedError, OSError, ValueError):
            binaries = find_binaries(folder).resolve()
            if binaries not in found and (major := int(Programs(binaries).major)) >= OLDEST:
                found[binaries] = Installed(folder, major, tuple(_extensions(binaries, major)))
    return tuple(sorted(found.values(), key=lambda one: -one.major))


def _folders() -> Iterator[Path]:
    for pattern in PLACES:
        yield from map(Path, sorted(glob(pattern)))  # noqa: PTH207 # of a whole path
    for program in ("initdb", "postgres"):
        if path := shutil.which(program):
            yield Path(path).resolve().parent
    if path := shutil.which("pg_config"):
        with suppress(EmbeddedError):
            yield Path(Programs(Path(path).parent).run("pg_config", "--bindir").strip())


def _extensions(binaries: Path, major: int) -> Iterator[Path]:
    with suppress(EmbeddedError):
        yield Path(Programs(binaries).run("pg_config", "--sharedir").strip()) / "extension"
    yield binaries.parent / "share" / "extension"
    yield binaries.parent / "share" / "postgresql" / "extension"
    yield Path("/usr/share/postgresql", str(major), "extension")  # Debian, without the package that has pg_config
    yield binaries.parents[1] / "share" / f"postgresql{major}" / "extension"
