"""Migration files: the content of each, its header, its digest, and their order."""

import hashlib
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from heapq import heappop, heappush
from pathlib import Path

from healthd.errors import ConfigError
from healthd.expected.directives import directives, refuse_unread
from healthd.expected.folder import INIT, POST_APPLY, ROLLBACK, id_of, is_migration, is_there, next_to, paths_to_apply
from healthd.expected.foreign_files import IMPORT, refuse_parts, refuse_undoing
from healthd.model.migration_names import canonical

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
        return next_to(self.path, ROLLBACK)


def digest(text: str) -> str:
    """Return the SHA-256 of a text, as `sha256:…`; for a file the text is what `text_of` returns, which is sent."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def read_migrations(sources: Iterable[Path]) -> tuple[Migration, ...]:
    """Return the migrations of these folders in the order in which they are applied, which is yoyo's.

    Raises ConfigError for a folder without migrations, a file that is not UTF-8, or circular dependencies.
    """
    sources = tuple(sources)
    paths: dict[str, Path] = {}
    for path in paths_to_apply(sources):
        name = id_of(path)
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


def _twice(name: str, one: Path, other: Path) -> ConfigError:
    if one.name == other.name:
        return ConfigError(f"two migrations have the id {name}: {one} and {other}", hint="rename one of them")
    spelt = f"{one} ({one.name!a}) and {other} ({other.name!a})"
    return ConfigError(f"two migrations have the same name in two Unicode forms: {spelt}", hint="delete one of them")


def _refuse_likeness(paths: Mapping[str, Path]) -> None:
    """Raise for two names that are the same on some file systems."""
    known: dict[str, Path] = {}
    for name, path in paths.items():
        if (other := known.setdefault(name.casefold(), path)) != path:
            raise ConfigError(
                f"the names of two migrations differ only in case: {other} and {path}", hint="rename one of them"
            )


def read_post_apply(sources: Iterable[Path]) -> tuple[Migration, ...]:
    """Return the post-apply*.sql of these folders: they run after every run that applied something."""
    return tuple(read_migration(path) for path in paths_to_apply(sources, POST_APPLY))


def read_migration(path: Path) -> Migration:
    """Return the migration at this path."""
    apply = text_of(path)
    rollback = next_to(path, ROLLBACK)
    refuse_parts(apply, path)
    undo = text_of(rollback) if is_there(rollback) else None
    refuse_unread(apply, path, lambda name: is_there(next_to(path, ".sql", name)))
    return migration_of(path, apply, undo)


def migration_of(path: Path, apply: str, undo: str | None) -> Migration:
    """Return the migration with these texts."""
    header = directives(apply, path)
    if undo is not None and "transactional" in undo:
        _refuse_other_header(header, undo, next_to(path, ROLLBACK))
    return Migration(
        id=id_of(path),
        path=path,
        apply=apply,
        rollback=undo,
        transactional=header.get("transactional", "true") == "true",
        depends=tuple(map(canonical, header.get("depends", "").split())),
        adopted=header.get("adopted") == "true",
    )


def _refuse_other_header(header: Mapping[str, str], undo: str, path: Path) -> None:
    own = directives(undo, path).get("transactional")
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
