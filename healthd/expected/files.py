"""Migration files: read a folder, find each file's header, its order, and the digest of its content."""

import hashlib
import re
import stat
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from heapq import heappop, heappush
from pathlib import Path

from healthd.errors import ConfigError
from healthd.expected.directives import directives, refuse_unread
from healthd.expected.foreign_files import IMPORT, refuse_parts, refuse_undoing
from healthd.model.migration_names import canonical, forms

ROLLBACK = ".rollback.sql"
POST_APPLY = "post-apply"
INIT = "begin a project with: healthd init"
BEGIN = f"write one with: healthd new NAME; or in another folder {INIT}"


@dataclass(frozen=True, slots=True)
class Migration:
    """One migration: NAME.sql and, if it exists, NAME.rollback.sql next to it; its id is NAME, composed."""

    id: str
    path: Path
    apply: str
    rollback: str | None
    transactional: bool
    depends: tuple[str, ...]
    adopted: bool = False  # where its effects are already there, it is marked as applied

    @property
    def digest(self) -> str:
        """Return the digest of the text that is applied."""
        return digest(self.apply)

    @property
    def rollback_digest(self) -> str | None:
        """Return the digest of the rollback, None without one."""
        return None if self.rollback is None else digest(self.rollback)

    @property
    def rollback_path(self) -> Path:
        """Return the path of the rollback, whether it exists or not."""
        return _beside(self.path, ROLLBACK)


def digest(text: str) -> str:
    """Return the SHA-256 of a text, as `sha256:…`; for a file the text is what `text_of` returns, which is sent."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def read_migrations(sources: Iterable[Path]) -> tuple[Migration, ...]:
    """Return the migrations of these folders in the order in which they are applied, which is yoyo's.

    Raises ConfigError for a folder without migrations, a file that is not UTF-8, or circular dependencies.
    """
    sources = tuple(sources)
    paths: dict[str, Path] = {}
    for path in _paths(sources):
        name = _id(path)
        if name.startswith(POST_APPLY):
            continue
        if name in paths:
            raise _twice(name, paths[name], path)
        paths[name] = path
    _refuse_likeness(paths)
    refuse_undoing(paths)
    if not paths:
        folders = ", ".join(map(str, sources)) or "no folder"
        below = any(is_migration(path) for folder in sources for path in folder.glob("[!.]*/*.sql"))
        raise ConfigError(f"no migrations in {folders}", hint=IMPORT if below else BEGIN)
    return in_order({name: read_migration(path) for name, path in paths.items()})


def _id(path: Path) -> str:
    return canonical(path.name.removesuffix(".sql"))


def _twice(name: str, one: Path, other: Path) -> ConfigError:
    if one.name == other.name:
        return ConfigError(f"two migrations have the id {name}: {one} and {other}", hint="rename one of them")
    spelt = f"{one} ({one.name!a}) and {other} ({other.name!a})"
    return ConfigError(f"two migrations have the same name in two Unicode forms: {spelt}", hint="delete one of them")


def _beside(path: Path, suffix: str, name: str | None = None) -> Path:
    """Return the file of this name, or of the path's own, with this suffix: in the Unicode form that exists, if any."""
    name = path.name.removesuffix(".sql") if name is None else name
    paths = [path.with_name(form + suffix) for form in forms(name)]
    return next(filter(_is_there, paths), paths[0])


def _refuse_likeness(paths: Mapping[str, Path]) -> None:
    """Raise for two names that are the same on some file systems."""
    known: dict[str, Path] = {}
    for name, path in paths.items():
        if (other := known.setdefault(name.casefold(), path)) != path:
            raise ConfigError(
                f"the names of two migrations differ only in case: {other} and {path}", hint="rename one of them"
            )


def strays(sources: Iterable[Path]) -> tuple[Path, ...]:
    """Return the rollbacks in these folders whose migration does not exist."""
    found = (path for folder in sources for path in sorted(folder.glob(f"*{ROLLBACK}")) if is_migration(path))
    return tuple(path for path in found if not _is_there(_beside(path, ".sql", path.name.removesuffix(ROLLBACK))))


def read_post_apply(sources: Iterable[Path]) -> tuple[Migration, ...]:
    """Return the post-apply*.sql of these folders: they run after every run that applied something."""
    return tuple(read_migration(path) for path in _paths(sources) if path.name.startswith(POST_APPLY))


def _paths(sources: Iterable[Path]) -> Iterator[Path]:
    """Yield every file to apply, folder by folder, by file name as yoyo sorts them: `1-b.sql`, then `1.sql`."""
    for folder in sources:
        if not folder.is_dir():
            raise ConfigError(
                f"no such migration folder: {folder}",
                hint=f"name the folder in yoyo.ini, [DEFAULT], sources; or {INIT}",
            )
        try:
            paths = sorted(folder.iterdir())
        except OSError as error:
            raise ConfigError(f"cannot read {folder}: {error.strerror}", hint="check its owner and mode") from error
        for path in paths:
            if path.suffix == ".py" and not path.name.startswith(("_", ".")):
                raise ConfigError(
                    f"{path} is Python, and healthd runs only SQL",
                    hint="rewrite it in SQL, or move it to another folder",
                )
            if path.suffix == ".sql" and not path.name.startswith("."):
                _refuse_no_file(path)
                if not path.name.endswith(ROLLBACK):
                    yield path


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
    return path.suffix == ".sql" and not path.name.startswith(".") and _is_there(path)


def _is_there(path: Path) -> bool:
    """Return whether a file exists; a broken link counts as existing, so that reading it reports the reason."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        return path.is_symlink()
    except OSError:
        return True


def read_migration(path: Path) -> Migration:
    """Return the migration at this path."""
    apply = text_of(path)
    rollback = _beside(path, ROLLBACK)
    refuse_parts(apply, path)
    undo = text_of(rollback) if _is_there(rollback) else None
    refuse_unread(apply, path, lambda name: _is_there(_beside(path, ".sql", name)))
    return migration_of(path, apply, undo)


def migration_of(path: Path, apply: str, undo: str | None) -> Migration:
    """Return the migration with these texts."""
    header = directives(apply, path)
    _refuse_other_header(header, undo, _beside(path, ROLLBACK))
    return Migration(
        id=_id(path),
        path=path,
        apply=apply,
        rollback=undo,
        transactional=header.get("transactional", "true") == "true",
        depends=tuple(map(canonical, header.get("depends", "").split())),
        adopted=header.get("adopted") == "true",
    )


def _refuse_other_header(header: Mapping[str, str], undo: str | None, path: Path) -> None:
    own = directives(undo or "", path).get("transactional")
    if own is not None and own != header.get("transactional", "true"):
        raise ConfigError(
            f"{path}: transactional: {own} contradicts its migration",
            hint="one directive applies to both files: put it into the migration's file",
        )


def text_of(path: Path, *, as_is: bool = False) -> str:
    """Return the content of a file with LF line ends: a checkout with Windows line ends is the same file.

    It must be UTF-8 and have no byte order mark. Every other character is kept, a lone CR too.
    `as_is` keeps the line ends, and a byte order mark.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}", hint="check the file's owner and mode") from error
    if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        raise ConfigError(f"{path}: is UTF-16", hint="save the file as UTF-8 without a byte order mark")
    if content.startswith(BOM_UTF8) and not as_is:
        raise ConfigError(
            f"{path}, line 1: begins with a byte order mark, which PostgreSQL would read as SQL",
            hint="save the file as UTF-8 without a byte order mark",
        )
    if b"\0" in content:
        line = content.count(b"\n", 0, content.index(b"\0")) + 1
        raise ConfigError(
            f"{path}, line {line}: contains a NUL byte, at which PostgreSQL would stop reading",
            hint="save the file as UTF-8",
        )
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{path}, line {line}: not UTF-8 (byte 0x{content[error.start]:02x})",
            hint="save the file as UTF-8",
        ) from error
    return text if as_is else text.replace("\r\n", "\n")


def in_order(migrations: Mapping[str, Migration]) -> tuple[Migration, ...]:
    """Return the migrations sorted by dependency, and otherwise in their given order."""
    positions = {name: position for position, name in enumerate(migrations)}
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for migration in migrations.values():
        for other in migration.depends:
            if other not in migrations:
                raise ConfigError(
                    f"{migration.path}: depends on {other}, which does not exist",
                    hint="fix the `-- depends:` line",
                )
        sorter.add(migration.id, *migration.depends)
    try:
        sorter.prepare()
    except CycleError as error:
        raise ConfigError(
            f"circular dependency between migrations: {' → '.join(error.args[1])}",
            hint="remove one of the `-- depends:` lines",
        ) from error
    names, ready = list(migrations), list[int]()
    order: list[Migration] = []
    while sorter.is_active():
        for name in sorter.get_ready():
            heappush(ready, positions[name])
        name = names[heappop(ready)]
        order.append(migrations[name])
        sorter.done(name)
    return tuple(order)


def up_to(migrations: Sequence[Migration], to: str) -> Sequence[Migration]:
    """Return the migrations up to and including this one; raise ConfigError when no migration has that id."""
    names, to = [one.id for one in migrations], canonical(to)
    if to not in names:
        raise ConfigError(f"no such migration: {to!r}", hint=f"the last migration is {names[-1]}")
    return migrations[: names.index(to) + 1]


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
