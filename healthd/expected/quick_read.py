"""The ids and digests of a folder's migrations, in order, without keeping their texts: for read-only verbs."""

import os
import re
import stat
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from healthd.expected.directives import directives, refuse_unread
from healthd.expected.files import read_migrations
from healthd.expected.folder import POST_APPLY, ROLLBACK

DIRECTIVE = re.compile(r"^\s*--\s*(?:[dt]|in)", re.IGNORECASE | re.MULTILINE)  # or a misspelt one

CHUNK = 1 << 20


def glance(sources: Iterable[Path]) -> tuple[tuple[str, str], ...]:
    """Return (id, digest) of each migration, in the order in which they are applied; see `files.read_migrations`.

    Rollbacks are not read. A folder that needs a closer look is read completely, with the same errors.
    """
    sources = tuple(sources)
    found: dict[str, str] = {}
    for folder in sources:
        names = _names(folder)
        if names is None:
            return _closely(sources)
        for name in names:
            digest = None if name[:-4] in found else _digest(f"{folder}/{name}")
            if digest is None:
                return _closely(sources)
            found[name[:-4]] = digest
    alike = len({name.casefold() for name in found}) < len(found)
    return _closely(sources) if alike or not found else tuple(found.items())


def _names(folder: Path) -> list[str] | None:
    """Return the names of the files to apply, sorted; None for a folder that needs a closer look."""
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208 # a Path for each costs more than reading it
    except OSError:
        return None
    names = [name for name in names if not name.startswith(".")]
    if any(name.endswith(".py") or not name.isascii() for name in names):
        return None
    return [
        name
        for name in names
        if name.endswith(".sql") and not name.endswith(ROLLBACK) and not name.startswith(POST_APPLY)
    ]


def _digest(path: str) -> str | None:
    """Return the digest of a plain file; None for one that needs a closer look."""
    try:
        # For ten thousand files, file objects take twice as long; to open a pipe would block.
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                return None
            content = b"".join(iter(lambda: os.read(file, CHUNK), b""))
        finally:
            os.close(file)
        text = content.decode()
    except (OSError, UnicodeDecodeError):
        return None
    if text.startswith("\ufeff") or "\0" in text:
        return None
    if DIRECTIVE.search(text):
        where = Path(path)
        if "depends" in directives(text, where):
            return None
        refuse_unread(text, where, lambda name: where.with_name(f"{name}.sql").exists())
    return "sha256:" + sha256(content.replace(b"\r\n", b"\n")).hexdigest()


def _closely(sources: Iterable[Path]) -> tuple[tuple[str, str], ...]:
    return tuple((one.id, one.digest) for one in read_migrations(sources))
