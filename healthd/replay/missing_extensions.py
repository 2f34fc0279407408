"""Refuse files whose extensions are not available on a server, and name a server of this machine that has them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from healthd.errors import MigrationFailed
from healthd.expected.extensions import Created, packages_of, unavailable
from healthd.postgres.installed import installed
from healthd.text import some


def refuse_unavailable(wanted: Iterable[Created], available: Mapping[str, Sequence[str]], binaries: Path) -> None:
    """Raise when an extension that files create is not available with these programs."""
    lacks = tuple(unavailable(wanted, available))
    if lacks:
        first, *more = [f"{one.where}: extension {' and '.join(names)}" for one, names in lacks]
        words = some([f"{first} is not available with PostgreSQL in {binaries}", *more])
        missing = {name for _, names in lacks for name in names}
        raise MigrationFailed(f"{words}; nothing was run", hint=who_has(missing))


def who_has(extensions: Collection[str], *, option: str = "") -> str:
    """Return, in words, which server of this machine has all of these extensions, or what to install.

    Its programs are named in yoyo.ini, or with an `option` before there is one.
    """
    names = " and ".join(sorted(extensions))
    for one in installed():
        if one.has(extensions):
            way = f"add {option} {one.bin}" if option else f"set postgres_bin = {one.bin} in yoyo.ini, [healthd]"
            return f"PostgreSQL {one.major} has {names}: {way}"
    way = f"add {option} with" if option else "set postgres_bin in yoyo.ini, [healthd], to"
    return (
        f"no PostgreSQL on this machine has {names}: install {packages_of(extensions)}, "
        f"and {way} the folder with its programs"
    )
