"""Names of migrations: a name is the same in every Unicode form in which a file system or a ledger stores it."""

from __future__ import annotations

from hashlib import sha256
from unicodedata import normalize


def canonical(name: str) -> str:
    """Return a name in the form in which names are compared: composed (NFC), which most systems leave unchanged."""
    return name if name.isascii() else normalize("NFC", name)


def forms(name: str) -> tuple[str, ...]:
    """Return the forms in which a name may be stored: as it is here, composed, and decomposed, as on macOS."""
    if name.isascii():
        return (name,)
    return tuple(dict.fromkeys((name, normalize("NFC", name), normalize("NFD", name))))


def hashed(name: str) -> str:
    """Return the hash by which yoyo's ledger identifies a migration: that of its name in the form of the file."""
    return sha256(name.encode()).hexdigest()
