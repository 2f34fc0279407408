"""Files that settings name: whatever a name leads to, reading it ends, and raises only OSError or ValueError."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def real(path: Path) -> Path:
    """Return a path without links; one that leads to itself is returned as it is, so that reading it fails."""
    return Path(os.path.realpath(path))


def is_named(path: Path) -> bool:
    """Return whether something has this name, or may have it: reading it reports what is wrong."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def is_file_or_unknown(path: Path) -> bool:
    """Return whether a path is a file, or nobody can tell: then reading it reports what is wrong."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True


def missing_folder(path: Path) -> str:
    """Return why a path is not a folder that can be read; empty if it is a folder."""
    try:
        return "" if stat.S_ISDIR(path.stat().st_mode) else f"not a directory: {path}"
    except (FileNotFoundError, NotADirectoryError):
        return f"no such directory: {path}"
    except OSError as error:
        return f"cannot read {path}: {error.strerror}"


def text_of(path: Path, encoding: str = "utf-8") -> str:
    """Return the text of a file; to read a pipe or a device might never end, and is an OSError."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    return path.read_text(encoding=encoding)


def why(error: OSError | ValueError) -> str:
    """Return the reason why a file could not be read, in a few words."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
