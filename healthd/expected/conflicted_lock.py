"""Read both sides of a lock file that a merge left in conflict: from git's index, or from its markers."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from healthd.errors import ConfigError, LockFileError
from healthd.expected.conflict_markers import Texts, conflict_line, sides
from healthd.expected.files import Migration
from healthd.expected.lockfile import LockFile
from healthd.expected.lockfile_lines import load, verified
from healthd.expected.merge_conflict import Conflict

AGAIN = "write the lock file again with: healthd lock"
OURS, THEIRS = "2", "3"  # the stages of a conflict in git's index
PATIENCE_S = 30.0


def read_conflict(path: Path) -> Conflict:
    """Return both sides of a lock file; raise ConfigError if it has no conflict.

    git has the files of both branches. The markers are enough without it, but outside of them a merge combines lines of
    both.
    """
    content = _content(path)
    if not conflict_line(content):
        return _loaded(_staged(path), path)
    with suppress(ConfigError):
        return _loaded(_staged(path), path)
    return _loaded(sides(content), path)


def refuse_conflicts(migrations: Sequence[Migration]) -> None:
    """Raise ConfigError if a migration or its rollback contains conflict markers."""
    for one in migrations:
        for path, text in ((one.path, one.apply), (one.rollback_path, one.rollback)):
            if text is not None and (number := conflict_line(text.encode())):
                raise ConfigError(
                    f"{path}, line {number}: contains an unresolved merge conflict",
                    hint="resolve it in this file first, then: healthd lock --resolve",
                )


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:  # one side has deleted it
        return b""
    except OSError as error:
        raise LockFileError(f"cannot read {path}: {error.strerror}", hint="check its owner and mode") from error


def _loaded(texts: Texts, path: Path) -> Conflict:
    return Conflict(*(_side(text, path) for text in texts))


def _side(text: bytes, path: Path) -> LockFile | None:
    with suppress(LockFileError):
        return verified(load(text, str(path)))
    return None


def _staged(path: Path) -> Texts:
    """Return the file as both branches of an unfinished merge have it, empty where it does not exist.

    Raises ConfigError if git knows of no conflict in it, or cannot be asked.
    """
    found: dict[str, bytes] = {}
    for entry in _git(path, "ls-files", "--unmerged", "-z", "--", path.name).split(b"\0"):
        words, _, _ = entry.decode(errors="replace").partition("\t")
        if words:
            _, content, stage = words.split()
            found[stage] = _git(path, "cat-file", "blob", content) if stage in (OURS, THEIRS) else b""
    if not found:
        raise ConfigError(f"{path} has no merge conflict, neither markers nor an entry in git's index", hint=AGAIN)
    return found.get(OURS, b""), found.get(THEIRS, b"")


def _git(path: Path, *words: str) -> bytes:
    """Return what git prints in the folder of a file."""
    git = shutil.which("git")
    unasked = f"{path} contains no conflict markers, and git cannot be asked for the two branches"
    if git is None:
        raise ConfigError(f"{unasked}: it is not installed", hint=AGAIN)
    try:
        done = subprocess.run(
            [git, "-C", str(path.parent), *words],
            capture_output=True,
            check=True,
            timeout=PATIENCE_S,
            env=os.environ | {"GIT_LITERAL_PATHSPECS": "1", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
        )
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().split("\n")[0]
        raise ConfigError(f"{unasked}: {said}", hint=AGAIN) from error
    except (OSError, subprocess.SubprocessError) as error:
        raise ConfigError(f"{unasked}: {error}", hint=AGAIN) from error
    return done.stdout
