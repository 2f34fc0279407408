"""The files that a round compares with, read again when they change on disk."""

from __future__ import annotations

import contextlib
import json
import stat
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path

from healthd.background import Later
from healthd.catalog.digests import Digest
from healthd.config.settings import Settings
from healthd.database.ledger import Ledger
from healthd.database.snapshot.transaction import Digests, Texts
from healthd.errors import LockFileError
from healthd.expected.codec import decode_lock, decode_objects
from healthd.expected.files import Migration, read_migrations, text_of
from healthd.expected.folder import INIT, is_migration
from healthd.expected.lockfile import LockFile
from healthd.expected.lockfile_lines import load, verified
from healthd.expected.places import Places
from healthd.model.names import Key
from healthd.model.snapshots import Snapshot
from healthd.model.waivers import Waiver, Waivers

NAME = "waivers.toml"
LOOK_S = 1.0  # the folder is examined at most once in this time, regardless of the number of targets

Marks = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class Files:
    """What a round compares with: the lock file, and (id, digest) of each migration file in order."""

    lock: LockFile
    migrations: Sequence[tuple[str, str]]
    _places: dict[int, Places] = field(default_factory=dict, compare=False, repr=False)

    def places(self, server_version: int) -> Places:
        """Return where the lock file has the effects on each place; the first time, this reads all of it."""
        lock_file = self.lock.on(server_version)
        major = lock_file.server_version // 10000
        if major not in self._places or self._places[major].lock_file is not lock_file:
            self._places[major] = Places(lock_file)
        return self._places[major]

    @classmethod
    def of(cls, lock: LockFile, migrations: Iterable[Migration]) -> Files:
        """Return a lock file with the ids and digests of these migrations."""
        return cls(lock, [(one.id, one.digest) for one in migrations])


def read_lock(settings: Settings) -> LockFile:
    """Return the lock file, with the waivers; raise LockFileError when it is missing, unreadable or not a lock file.

    Raises ConfigError for waivers that are wrong: it is not known then which differences are accepted.
    """
    return replace(load(_content(settings.lock), str(settings.lock)), waivers=_waivers(settings))


def waivers_file(settings: Settings) -> Path:
    """Return the path of the waivers, whether they exist or not: in the first folder of migrations."""
    return settings.sources[0] / NAME


def add_waivers(settings: Settings, entries: tuple[Waiver, ...]) -> str:
    """Append entries to the file of the waivers and return their text; what the file contains is kept as it is.

    Raises ConfigError, and writes nothing, if the file is wrong, before or with these entries.
    """
    from healthd.expected.waivers import appended, read_waivers, written

    path = waivers_file(settings).resolve()  # a link stays a link
    before = text_of(path, as_is=True) if path.exists() else ""
    read_waivers(before, str(path))
    draft = path.with_name(f".{path.name}.draft")
    draft.write_bytes(appended(before, entries, str(path)).encode())
    if path.exists():
        draft.chmod(stat.S_IMODE(path.stat().st_mode))
    draft.replace(path)
    return "\n".join(map(written, entries))


def today() -> date:
    """Return the current day in UTC."""
    return datetime.now(UTC).date()


def _waivers(settings: Settings) -> Waivers:
    path = waivers_file(settings)
    if not path.is_symlink() and not path.exists():  # a broken link is an error, not an empty file
        return Waivers()
    from healthd.expected.waivers import read_waivers  # the parser takes 5 ms, and most projects have no waivers

    return Waivers(read_waivers(text_of(path, as_is=True), str(path)), today(), _names(settings))


def _names(settings: Settings) -> tuple[str, ...]:
    """Return the names of all targets; none if they are not known.

    One target may have been named on the command line; whether there are others is not known then.
    """
    listed = {one.group for one in settings.targets}
    known = len(settings.targets) > 1 and all(group.name in listed for group in settings.groups)
    return tuple(one.name for one in settings.targets) if known else ()


def _content(path: Path) -> bytes:
    try:
        if path.is_fifo() or path.is_socket():  # to read it might never end
            raise LockFileError(f"{path} is a pipe or a socket, and not a file", hint="remove it, then: healthd lock")
        return path.read_bytes()
    except FileNotFoundError as error:
        hint = "create it with: healthd lock" if path.parent.is_dir() else INIT
        raise LockFileError(f"no such lock file: {path}", hint=hint) from error
    except OSError as error:
        raise LockFileError(f"cannot read {path}: {error.strerror}", hint="check its owner and mode") from error


def read_files(settings: Settings) -> Files:
    """Return the lock file and the migrations as they are on disk."""
    return Files.of(verified(read_lock(settings)), read_migrations(settings.sources))


@dataclass(frozen=True, slots=True)
class Kept:
    """The files when they were last valid, and the names, sizes and times of change in the folder at that time."""

    files: Files
    marks: Marks
    looked_at: float


def keep(settings: Settings, kept: Kept | None = None) -> Kept:
    """Return the files as they are, read again only when a name, size or time of change is different.

    If there are waivers, they are also read again on each new day, when one may have expired, and for other targets.

    Raises the error in the files; `kept` is then unchanged.
    """
    now = time.monotonic()
    if kept is not None and now - kept.looked_at < LOOK_S:
        return kept
    marks = tuple(_marks(settings))
    if kept is not None and marks == kept.marks and _still_hold(kept.files.lock.waivers, settings):
        return replace(kept, looked_at=now)
    return Kept(read_files(settings), marks, now)


def _still_hold(waivers: Waivers, settings: Settings) -> bool:
    """Return whether waivers were read on this day, and for these targets; without entries, both do not matter."""
    return not waivers.entries or (waivers.today == today() and waivers.targets == _names(settings))


def _marks(settings: Settings) -> Iterator[tuple[str, int, int]]:
    files = (file for folder in settings.sources for file in sorted(folder.glob("*.sql")) if is_migration(file))
    for path in (settings.lock, waivers_file(settings), *files):
        with contextlib.suppress(OSError):
            status = path.stat()
            yield str(path), status.st_ctime_ns, status.st_size  # ctime cannot be set back, as cp -p does with mtime


def read_snapshot(path: Path, *, server_version: int | None = None) -> tuple[Snapshot, str | None]:
    """Return the snapshot in a file, and the role that runs migrations in that database; a lock file names no role.

    The file is the output of `healthd snapshot --format json`, or a lock file: of that the objects on a server of this
    version, if it was replayed.
    """
    text = _content(path)
    if text.startswith((b'{"healthd_lock"', b"<<<<<<<")):
        lock = load(text, str(path))
        return lock.on(server_version or lock.server_version).expected(), None
    try:
        content = json.loads(text)
        objects = decode_objects(content["objects"])
        locked = {Key.parse(name): decode_lock(one) for name, one in content.get("locked", {}).items()}
        taken = Snapshot(int(content["server_version"]), objects, dict(content["unreadable"]), locked=locked)
        return taken, content.get("migrator")
    except LockFileError as error:
        raise LockFileError(f"{path}: {error}", hint="create it again with: healthd snapshot --format json") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise LockFileError(
            f"{path} is neither a lock file nor a snapshot",
            hint="create a snapshot with: healthd snapshot --format json",
        ) from error


def expected_digests(files: Later[Files], server_version: int) -> Digests:
    """Return a function that returns, for a ledger, the expected digest of each kind; for `reading.read`."""

    async def wanted(ledger: Ledger) -> Mapping[str, Digest]:
        lock = (await files.ready()).lock.on(server_version)
        return lock.digests([one.id for one in ledger.applied])

    return wanted


def of_another_major(files: Later[Files], server_version: int) -> Texts:
    """Return a function that returns whether lock file and server have different major versions; for `reading.read`."""

    async def differs() -> bool:
        lock_file = (await files.ready()).lock.on(server_version)
        return lock_file.server_version // 10000 != server_version // 10000

    return differs
