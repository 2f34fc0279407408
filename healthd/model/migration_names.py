"""Names of migrations: in whatever Unicode form a file system or a ledger keeps one, it is the same name."""

from __future__ import annotations

from hashlib import sha256
from unicodedata import normalize


def canonical(name: str) -> str:
    """Return a name in the form in which names are compared: composed (NFC), which most systems keep as it is."""
    return name if name.isascii() else normalize("NFC", name)


def forms(name: str) -> tuple[str, ...]:
    """Return the forms in which a name may be kept: as it is here, composed, and decomposed as macOS has it."""
    if name.isascii():
        return (name,)
    return tuple(dict.fromkeys((name, normalize("NFC", name), normalize("NFD", name))))


def hashed(name: str) -> str:
    """Return the hash by which yoyo's ledger knows a migration: that of its name in the form in which it is there."""
    return sha256(name.encode()).hexdigest()
