"""The files of a migration folder: which are migrations, which are rollbacks, and which names are refused."""

import os
import stat
from collections.abc import Iterable, Iterator
from operator import attrgetter
from pathlib import Path

from healthd.errors import ConfigError
from healthd.model.migration_names import canonical, forms

ROLLBACK = ".rollback.sql"
POST_APPLY = "post-apply"
INIT = "begin a project with: healthd init"


def paths_to_apply(sources: Iterable[Path], prefix: str = "") -> Iterator[Path]:
    """Yield every file to apply, folder by folder, by file name as yoyo sorts them: `1-b.sql`, then `1.sql`.

    With a `prefix`, only those whose names begin with it.
    """
    for folder in sources:
        try:
            with os.scandir(folder) as found:  # to make and compare a Path for each costs more than to read the files
                entries = sorted(found, key=attrgetter("name"))
        except (FileNotFoundError, NotADirectoryError) as error:
            hint = f"name the folder in yoyo.ini, [DEFAULT], sources; or {INIT}"
            raise ConfigError(f"no such migration folder: {folder}", hint=hint) from error
        except OSError as error:
            raise ConfigError(f"cannot read {folder}: {error.strerror}", hint="check its owner and mode") from error
        for entry in entries:
            name = entry.name
            if name.endswith(".py") and not name.startswith(("_", ".")):
                raise ConfigError(
                    f"{folder / name} is Python, and healthd runs only SQL",
                    hint="rewrite it in SQL, or move it to another folder",
                )
            if name.endswith(".sql") and not name.startswith("."):
                if not entry.is_file(follow_symlinks=False):
                    _refuse_no_file(folder / name)
                if name.startswith(prefix) and not name.endswith(ROLLBACK):
                    yield folder / name


def _refuse_no_file(path: Path) -> None:
    """Raise for a folder, a pipe or a broken link with the name of a migration: it would be skipped, or never end."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        if path.is_symlink():
            words = f"{path} is a link to {path.readlink()}, which does not exist"
            raise ConfigError(words, hint="correct the link, or remove it") from None
        return  # removed meanwhile
    except OSError:
        return  # reading it reports the reason
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "a pipe, a socket or a device"
        raise ConfigError(f"{path} is {what}, and not a file", hint="rename it, or move it out of the migration folder")


def is_migration(path: Path) -> bool:
    """Return whether a path may be a migration's: not a name that begins with a dot, a folder or a socket.

    macOS and editors create files with such names next to a file.
    """
    return path.suffix == ".sql" and not path.name.startswith(".") and is_there(path)


def is_there(path: Path) -> bool:
    """Return whether a file exists; a broken link counts as existing, so that reading it reports the reason."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        return path.is_symlink()
    except OSError:
        return True


def id_of(path: Path) -> str:
    """Return the id of the migration at this path."""
    return canonical(path.name.removesuffix(".sql"))


def next_to(path: Path, suffix: str, name: str | None = None) -> Path:
    """Return the file of this name, or of the path's own, with this suffix: in the Unicode form that exists, if any."""
    name = path.name.removesuffix(".sql") if name is None else name
    paths = [path.with_name(form + suffix) for form in forms(name)]
    return next(filter(is_there, paths), paths[0])


def strays(sources: Iterable[Path]) -> tuple[Path, ...]:
    """Return the rollbacks in these folders whose migration does not exist."""
    found = (path for folder in sources for path in sorted(folder.glob(f"*{ROLLBACK}")) if is_migration(path))
    return tuple(path for path in found if not is_there(next_to(path, ".sql", path.name.removesuffix(ROLLBACK))))
