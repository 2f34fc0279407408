"""Where in the migration files an object was made or changed last: the migration, its file and a line."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from healthd.expected.effects import of_kinds
from healthd.expected.files import Migration
from healthd.expected.lockfile import LockFile
from healthd.model.names import ARGUMENTS, HANGING, Key
from healthd.model.snapshots import Place
from healthd.sqltext.statements import statements

WORD = re.compile(r'"((?:[^"]|"")+)"|([^\W\d][\w$]*)')


@dataclass(frozen=True, slots=True)
class Origin:
    """The statement that made an object, or changed an attribute of it last; the line counts from 1."""

    migration: str
    file: str
    line: int


def origins(
    places: Iterable[Place],
    lock: LockFile,
    migrations: Iterable[Migration],
    applied: Collection[str] | None = None,
) -> Mapping[Place, Origin]:
    """Return where each of these was made or changed last, as far as the lock file and the files know it.

    What no migration made is where its table was made. Only the `applied` migrations count; None means all.
    """
    files, wanted = {one.id: one for one in migrations}, list(dict.fromkeys(places))
    latest = _latest({key for place in wanted for key in (place[0], table_of(place[0]))}, lock, applied)
    found = {}
    for place in wanted:
        if one := files.get(_migration(place, latest)):
            found[place] = Origin(one.id, str(one.path), line_of(one.apply, place[0]))
    return found


def _latest(keys: Collection[Key], lock: LockFile, applied: Collection[str] | None) -> Mapping[Place, tuple[int, str]]:
    """Return number and id of the last migration that had an effect on each of these objects, and attributes."""
    kinds, latest = {key.kind for key in keys}, dict[Place, tuple[int, str]]()
    for number, one in enumerate(lock.migrations):
        if applied is None or one.id in applied:
            latest.update((effect.place, (number, one.id)) for effect in of_kinds(one.effects, kinds))
    return latest


def _migration(place: Place, latest: Mapping[Place, tuple[int, str]]) -> str:
    """Return the id of the migration that a place leads to; empty if there is none."""
    key, _ = place
    if key.kind == "migration":
        return key.path[0]
    own = [latest[one] for one in {place, (key, None)} if one in latest]
    table = latest.get((table_of(key), None))
    return max(own)[1] if own else table[1] if table else ""


def table_of(key: Key) -> Key:
    """Return the table that an object may belong to, whether such a table exists or not."""
    return Key("table", key.path[1:3] if key.kind in HANGING else key.path[:2])


def line_of(text: str, key: Key) -> int:
    """Return the line of the first statement that names most of an object's own name and its table's; 1 without one."""
    names, best, line = names_of(key), (0, 0), 1
    for one in statements(text):
        found = len(names & words(one.text)), len(names & words(one.code))
        if found > best:
            best, line = found, one.line
    return line


def names_of(key: Key) -> frozenset[str]:
    """Return the parts of an object's name without its schema and the types of arguments."""
    path = key.path[1:] if key.kind in HANGING else key.path
    own = path[1:] or path
    return frozenset(part for part in own if not ARGUMENTS.fullmatch(part))


def words(text: str) -> frozenset[str]:
    """Return the names in an SQL text as the server reads them: in lower case if they are not quoted."""
    return frozenset(_names(text))


def _names(text: str) -> Iterator[str]:
    for quoted, plain in WORD.findall(text):
        yield quoted.replace('""', '"') or plain.lower()
