"""Write the files of applied migrations again, from the copies that the ledger keeps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from healthd.errors import ConfigError
from healthd.expected.file_copies import refuse_changed
from healthd.expected.files import text_of
from healthd.expected.folder import ROLLBACK
from healthd.model.ledger import Copy


@dataclass(frozen=True, slots=True)
class Exported:
    """The files that were written, and those that were there with the same text."""

    written: tuple[Path, ...]
    unchanged: tuple[Path, ...]


def export(copies: Iterable[Copy], folder: Path) -> Exported:
    """Write NAME.sql and NAME.rollback.sql of each copy into a folder, all or none; a rollback before its migration.

    Line ends are LF, as in what was applied. Raises MigrationFailed for a copy that was changed, ConfigError if a file
    has another text, or cannot be written.
    """
    texts = {folder / name: text for copy in copies for name, text in _texts(copy).items()}
    there = {path for path, text in texts.items() if _is_there(path, text)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            if path not in there:
                _write(path, text)
    except OSError as error:
        raise ConfigError(f"cannot write to {folder}: {error.strerror}", hint="check its owner and mode") from error
    return Exported(tuple(path for path in texts if path not in there), tuple(path for path in texts if path in there))


def _texts(copy: Copy) -> Mapping[str, bytes]:
    refuse_changed(copy)
    rollback = {} if copy.rollback is None else {f"{copy.id}{ROLLBACK}": copy.rollback}
    return {**rollback, f"{copy.id}.sql": copy.migration}


def _is_there(path: Path, text: bytes) -> bool:
    """Return whether a file exists with this text; raise ConfigError if it has another one."""
    if not path.is_symlink() and not path.exists():
        return False
    if text_of(path).encode() != text:
        raise ConfigError(
            f"{path} exists with another text; nothing was written", hint="move it, or name another folder with --to"
        )
    return True


def _write(path: Path, text: bytes) -> None:
    draft = path.with_name(f".{path.name}.draft")
    draft.write_bytes(text)
    draft.replace(path)
