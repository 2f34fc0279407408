"""Extensions that files create and a server lacks: refused, with the server of this machine that has them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from healthd.errors import MigrationFailed
from healthd.expected.extensions import Created, packages_of, unavailable
from healthd.postgres.installed import installed
from healthd.text import some


def refuse_unavailable(wanted: Iterable[Created], available: Mapping[str, Sequence[str]], binaries: Path) -> None:
    """Raise when an extension that files create does not come with the server of these programs."""
    lacks = tuple(unavailable(wanted, available))
    if lacks:
        first, *more = [f"{one.where}: extension {' and '.join(names)}" for one, names in lacks]
        words = some([f"{first} does not come with PostgreSQL in {binaries}", *more])
        missing = {name for _, names in lacks for name in names}
        raise MigrationFailed(f"{words}; nothing was run", hint=who_has(missing))


def who_has(extensions: Collection[str]) -> str:
    """Return, in words, which server of this machine has all of these extensions, or what to install."""
    names, setting = " and ".join(sorted(extensions)), "in yoyo.ini, [healthd] postgres_bin"
    for one in installed():
        if one.has(extensions):
            return f"PostgreSQL {one.major} in {one.bin} has {names}: name it {setting} = {one.bin}"
    return (
        f"no PostgreSQL on this machine has {names}: install {packages_of(extensions)}, "
        f"and name the folder with its programs {setting}"
    )
