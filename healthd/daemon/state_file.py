"""The state file: what the daemon remembers, written whole or not at all, and read with doubt.

The file has two lines: what it is, with a digest, and the document. A new one is written next to it, reaches the disk,
and takes its name; so a process that is killed, a full disk or a power failure leaves the old file or the new one.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from pathlib import Path
from typing import Any

from healthd.errors import HealthdError
from healthd.report.memory import event_row

NAME, VERSION = "state.json", 1
FORMAT = "healthd state"
MOST_BYTES = 128 << 20


class StateRejected(HealthdError):
    """The state file cannot be used; `word` names what it is instead: corrupt, or another version."""

    def __init__(self, message: str, word: str) -> None:
        super().__init__(message, hint="healthd starts without it, and does not know since when what it finds is so")
        self.word = word


def hold(folder: Path) -> int:
    """Create the folder if it is missing, and return the descriptor of its lock, which ends with this process.

    Raises BlockingIOError if another process holds it, and OSError.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    held = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(held)
        raise
    return held


def write(folder: Path, document: Any) -> None:
    """Replace the state file; raises OSError, and then the old one is still there."""
    body = json.dumps(document, ensure_ascii=True, separators=(",", ":"), default=event_row).encode()
    head = json.dumps({"format": FORMAT, "version": VERSION, "sha256": hashlib.sha256(body).hexdigest()}).encode()
    new = folder / f"{NAME}.new"
    with open(new, "wb", opener=_private) as file:  # with an opener
        file.write(head + b"\n" + body + b"\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, folder / NAME)  # noqa: PTH105 # as above
    _sync(folder)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


def _sync(folder: Path) -> None:
    """Let the name of a file reach the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read(folder: Path) -> Any:
    """Return the document, None if there is no file; raises OSError, and StateRejected for one that is not usable."""
    try:
        with (folder / NAME).open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        return None
    head, _, body = content.partition(b"\n")
    try:
        known = json.loads(head)
        version = known["version"] if known["format"] == FORMAT else None
    except (ValueError, TypeError, KeyError, RecursionError):
        version = None
    if isinstance(version, int) and version != VERSION:
        raise StateRejected(
            f"{folder / NAME} has version {version}, and this healthd reads {VERSION}", f"version-{version}"
        )
    if version is None or known.get("sha256") != hashlib.sha256(body.removesuffix(b"\n")).hexdigest():
        raise StateRejected(f"{folder / NAME} is corrupt", "corrupt")
    return json.loads(body)


def set_aside(folder: Path, word: str) -> Path:
    """Rename the state file after what is wrong with it, and return its new place; an older one there is replaced."""
    place = folder / f"{NAME}.{word}"
    os.replace(folder / NAME, place)  # noqa: PTH105 # it replaces
    return place
