"""Write the files of a new project: all of them or none, and never over a file that exists."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from healthd.beginning.project import IGNORE, INI, SQL, ignored
from healthd.errors import ConfigError
from healthd.expected.files import text_of

# What git needs to keep an empty folder, and what a Mac leaves in every folder.
NOTHING = frozenset({".gitkeep", ".keep", ".DS_Store"})


def refuse_existing(folder: Path, settings_file: Path | None, more: Iterable[str] = ()) -> None:
    """Raise ConfigError if the folder is a project already, or one of these files exists."""
    if settings_file is not None:
        raise ConfigError(
            f"{settings_file} exists: this folder belongs to a project already; nothing was written",
            hint=f"write a migration with: healthd new NAME; or begin in a folder without {INI} in or above it",
        )
    sql = folder / SQL
    if sql.exists() and not sql.is_dir():
        raise ConfigError(f"{sql} is not a folder; nothing was written", hint="rename it, or begin in another folder")
    if sql.is_dir() and (there := sorted({path.name for path in sql.iterdir()} - NOTHING)):
        raise ConfigError(
            f"{sql} is not empty: it contains {there[0]}; nothing was written",
            hint=f"a {INI} with `sources = %(here)s/{SQL}` makes it a project; or begin in another folder",
        )
    for name in more:
        if (folder / name).exists() or (folder / name).is_symlink():
            raise ConfigError(
                f"{folder / name} exists; nothing was written", hint="move it away, or begin without the option"
            )


def place(files: Mapping[str, str], folder: Path) -> tuple[Path, ...]:
    """Write the files below a folder, and healthd's folder into its .gitignore; return the paths that are new.

    They are written into a temporary folder and then moved, in their order. If one cannot be moved, those before it
    are removed.
    """
    kept = folder / IGNORE
    before = text_of(kept, as_is=True) if kept.exists() else None
    try:
        draft = Path(tempfile.mkdtemp(prefix=".healthd-init-", dir=folder))
    except OSError as error:
        raise ConfigError(f"cannot write to {folder}: {error.strerror}", hint="check its owner and mode") from error
    made: list[Path] = []
    try:
        for number, text in enumerate(files.values()):
            (draft / str(number)).write_bytes(text.encode())
        for number, name in enumerate(files):
            _move(draft / str(number), folder / name, folder, made)
        if (after := ignored(before or "")) != before:
            (draft / IGNORE).write_bytes(after.encode())
            (draft / IGNORE).replace(kept.resolve())  # a link stays a link
    except OSError as error:
        _remove(made)
        raise ConfigError(f"cannot write {error.filename}: {error.strerror}; nothing was written", hint="") from error
    except BaseException:
        _remove(made)
        raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    new = [path for path in made if path.is_file()]
    return (*new, *([kept] if before is None else []))


def _move(draft: Path, path: Path, folder: Path, made: list[Path]) -> None:
    """Move a file to its place, in folders that are created for it; raise OSError if the place is taken."""
    for above in reversed([one for one in path.parents if folder in one.parents and not one.exists()]):
        above.mkdir()
        made.append(above)
    if path.exists() or path.is_symlink():  # a rename would replace it
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    draft.rename(path)
    made.append(path)


def _remove(made: list[Path]) -> None:
    """Remove files and folders, the last first."""
    for path in reversed(made):
        with suppress(OSError):
            path.rmdir() if path.is_dir() else path.unlink()
