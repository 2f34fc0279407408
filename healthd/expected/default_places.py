"""Where the files create objects when they do not specify it: search_path, tablespace and table access method decide.

The replay measured where each object is created. A database whose sessions would create it elsewhere is refused
before anything runs: this may be intended, but the lock file does not describe the result.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from healthd.catalog import KINDS
from healthd.expected.files import Migration
from healthd.expected.lockfile import Locked, LockFile
from healthd.expected.session_settings import FIRING, GIVES, Session, silence
from healthd.model.names import Key, quote
from healthd.model.snapshots import Difference
from healthd.sqltext.statements import statements
from healthd.text import some

Pending = Sequence[tuple[Migration, Locked]]

REPLAYS = ("public",)  # the search_path of a replay, until a file changes it
MEASURED = {"default_tablespace": "", "default_table_access_method": "heap"}
SETS = r"^set\s+(?:session\s+|local\s+)?{0}\b|\bset_config\s*\(\s*'{0}'"
FILLED = "%I"  # a name that format() fills in
NAME = r'"(?:[^"]|"")+"|(?<![\w$])[\w$]+(?![\w$])|%(?:\d+\$)?[Is]'
QUALIFIED = re.compile(rf"({NAME})\s*\.\s*(?=({NAME}))")  # the second name may begin the next pair


class Elsewhere(NamedTuple):
    """What would be created elsewhere than in the replay, in words, and the cure."""

    words: str
    cure: str


def measured(lock: LockFile, pending: Iterable[Migration]) -> Pending:
    """Return the files that the lock file contains, each with its measurements."""
    known = {(one.id, one.digest): one for one in lock.migrations}
    return [(one, known[one.id, one.digest]) for one in pending if (one.id, one.digest) in known]


def touched(pending: Pending) -> list[str]:
    """Return the relations, by name only, that files change without writing their schema: for SESSION."""
    return sorted({key.path[1] for migration, locked in pending for key in _changed(migration, locked)})


def touched_undoing(undone: Pending) -> list[str]:
    """Return the same for rollbacks."""
    return sorted({key.path[1] for migration, locked in undone for key in _undone(migration, locked)})


def elsewhere(pending: Pending, session: Session) -> Iterator[Elsewhere]:
    """Yield what this session would create, or look for, elsewhere than the replay did.

    What earlier files of the same run create is taken into account: schemas, and the search_path of later sessions.
    """
    yield from _silenced(session)
    yield from _stored(pending, session)
    made: set[str] = set()
    for migration, locked in pending:
        path = tuple(session.path(made))
        here = path[0] if path else "no schema"
        if path == REPLAYS:
            made.update(key.path[0] for key in _added(locked) if key.kind == "schema")
            continue
        if lost := sorted({key for key in _unqualified(migration, locked) if key.path[0] != here}):
            yield _of_path(session, lost[0].path[0], f"{migration.id} would create {_names(lost)} in {here}")
            return
        if lost := sorted({key for key in _changed(migration, locked) if _hidden(key, path, session)}):
            yield _of_path(session, lost[0].path[0], f"{migration.id} would not find {_names(lost)}")
            return
        made.update(key.path[0] for key in _added(locked) if key.kind == "schema")
        if "search_path" in migration.apply.lower() and GIVES.search(migration.apply):
            return  # it gives later files the path that it gave them in the replay


def elsewhere_undoing(undone: Pending, session: Session) -> Iterator[Elsewhere]:
    """Yield what rollbacks would look for elsewhere than the replay did: they would drop another table."""
    yield from _silenced(session)
    path = tuple(session.path())
    for migration, locked in undone if path != REPLAYS else ():
        if lost := sorted({key for key in _undone(migration, locked) if _hidden(key, path, session)}):
            yield _of_path(session, lost[0].path[0], f"the rollback of {migration.id} would not find {_names(lost)}")
            return


def _silenced(session: Session) -> Iterator[Elsewhere]:
    """Yield each setting by which triggers do not fire, and which a run of this role cannot change."""
    for name in session.silenced:
        yield Elsewhere(silence(name), f"as a superuser: {session.gives(name, FIRING[name])}")


def _names(keys: Iterable[Key]) -> str:
    return some([str(key) for key in keys])


def _of_path(session: Session, schema: str, words: str) -> Elsewhere:
    measured = '"$user", public' if schema == "public" else quote(schema)
    return Elsewhere(
        f"search_path is {session.search_path or 'empty'}, so {words}",
        f"write the schema before each name, or put SET LOCAL search_path = {quote(schema)} at the top of the file, "
        f"then run healthd lock; or set the search_path of the lock file for the role that runs migrations: "
        + session.gives("search_path", measured),
    )


def _stored(pending: Pending, session: Session) -> Iterator[Elsewhere]:
    """Yield which default of the session would store objects elsewhere, or in another way."""
    found = {"default_tablespace": session.tablespace, "default_table_access_method": session.access_method}
    for name, value in found.items():
        measured = MEASURED[name]
        files = [one.id for one, locked in pending if any(_is_placed_by(name, effect) for effect in _new(locked))]
        if value == measured or not files or all(_says(one, name) for one, _ in pending if one.id in files):
            continue
        whole = f"ALTER DATABASE {quote(session.database)} SET TABLESPACE {quote(value)};"
        yield Elsewhere(
            f"{name} is {value}, so {some(files)} would differ from the lock file, which expects "
            + (measured or "no tablespace"),
            session.gives(name, measured or "''")
            + ("" if measured else f" or, to use this tablespace for the entire database: {whole}"),
        )


def _is_placed_by(setting: str, effect: Difference) -> bool:
    """Return whether a setting decides where a created object is stored, if it has storage of its own."""
    return setting in KINDS[effect.key.kind].placed_by and getattr(effect.actual, "materialized", True)


def _added(locked: Locked) -> Iterator[Key]:
    return (effect.key for effect in _new(locked))


def _new(locked: Locked) -> Iterator[Difference]:
    return (one for one in locked.effects if one.attribute is None and one.expected is None)


def _unqualified(migration: Migration, locked: Locked) -> Iterator[Key]:
    """Yield what a file creates without writing its schema, so that the session decides it."""
    if _says(migration, "(?:search_path|schema)"):
        return
    text = _text(migration)
    bare = _made_bare(text)
    own = {key.path[0] for key in _added(locked) if key.kind == "schema"}  # CREATE SCHEMA may contain its objects
    for key in _added(locked):
        if KINDS[key.kind].created_as and key.path[0] not in own:
            name = key.path[1].partition("(")[0]
            if name.lower() in bare or not _written(text, key.path[0], name):
                yield key


def _changed(migration: Migration, locked: Locked) -> Iterator[Key]:
    """Yield the relations that a file changes, but does not create, without writing their schema."""
    if _says(migration, "(?:search_path|schema)"):
        return
    text, added = _text(migration), {key.path[:2] for key in _added(locked) if KINDS[key.kind].has_rows}
    for effect in locked.effects:
        if (key := _relation(effect.key)) and key.path not in added and not _written(text, *key.path):
            yield key


def _undone(migration: Migration, locked: Locked) -> Iterator[Key]:
    """Yield the relations that a file creates or changes, and that its rollback names without their schema."""
    text = migration.rollback or ""
    if re.search(SETS.format("(?:search_path|schema)"), text, re.IGNORECASE | re.MULTILINE):
        return
    for effect in locked.effects:
        if (key := _relation(effect.key)) and not _written(text, *key.path):
            yield key


def _relation(key: Key) -> Key | None:
    """Return the relation that an object is or is a part of."""
    if KINDS[key.kind].has_rows:
        return key
    return Key("table", key.path[:2]) if KINDS[key.kind].is_part else None


def _hidden(key: Key, path: Iterable[str], session: Session) -> bool:
    """Return whether this relation exists, but its name without the schema refers to another relation, or none."""
    if ".".join(key.path) not in session.relations:
        return False  # an earlier file creates it, or the file fails without it
    return next((one for one in path if f"{one}.{key.path[1]}" in session.relations), None) != key.path[0]


def _says(migration: Migration, setting: str) -> bool:
    """Return whether a file sets a setting itself."""
    if "set" not in migration.apply.lower():
        return False  # the usual case, which needs no statements
    sets = re.compile(SETS.format(setting), re.IGNORECASE)
    return any(sets.search(statement) for statement in _statements(migration.apply))


def _text(migration: Migration) -> str:
    """Return a file's statements, without the comments between them."""
    return ";\n".join(_statements(migration.apply))


def _written(text: str, schema: str, name: str) -> bool:
    """Return whether a name occurs somewhere with its schema; format() may fill in either."""
    pairs = _qualified(text)
    return any(
        (one, two) in pairs for one in (schema.lower(), FILLED.lower()) for two in (name.lower(), FILLED.lower())
    )


# A file may create ten thousand objects: its text is scanned once for all of them.


@functools.lru_cache(maxsize=8)
def _statements(text: str) -> tuple[str, ...]:
    return tuple(one.text for one in statements(text))


@functools.lru_cache(maxsize=8)
def _qualified(text: str) -> frozenset[tuple[str, str]]:
    """Return the pairs of names in a text with a dot between them, in lower case."""
    return frozenset((_plain(match[1]), _plain(match[2])) for match in QUALIFIED.finditer(text))


@functools.lru_cache(maxsize=8)
@functools.cache
def _bare_name() -> re.Pattern[str]:
    """Return what finds a CREATE whose name has no schema."""
    words = "|".join(sorted({word for kind in KINDS.values() for word in kind.created_as}))
    creates = rf"\bcreate\s+(?:[a-z]+\s+){{0,3}}?(?:{words})\s+(?:if\s+not\s+exists\s+)?"
    return re.compile(rf"{creates}({NAME})(?!\s*\.)", re.IGNORECASE)


def _made_bare(text: str) -> frozenset[str]:
    """Return the names that a text creates without a schema, in lower case."""
    return frozenset(_plain(match[1]) for match in _bare_name().finditer(text))


def _plain(name: str) -> str:
    if name.startswith("%"):
        return FILLED.lower()
    return (name[1:-1].replace('""', '"') if name.startswith('"') else name).lower()
