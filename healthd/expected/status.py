"""The state of each migration in one database, from the files, the lock file and the ledger."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from healthd.model.ledger import Applied, Interrupted, MigrationState, State
from healthd.text import some

# What is wrong with an applied migration, as every verb, page and alert words it.
FAULTS: Mapping[State, str] = {
    State.EDITED: "edited after it was applied",
    State.MISSING: "applied, but its file is missing",
    State.UNKNOWN: "applied, but the files and the lock file do not contain it",
}
KEPT = "its rollback is kept in the ledger"
AHEAD = (State.MISSING, State.UNKNOWN)  # the database has more migrations than the files


def states(
    files: Sequence[tuple[str, str]],
    locked: Iterable[str],
    applied: Iterable[Applied],
    interrupted: Iterable[Interrupted] = (),
) -> Iterator[MigrationState]:
    """Yield the state of every migration in the files, the lock file or the ledger, in order.

    `files` are (id, digest) in the order of application, `locked` the ids of the lock file; `interrupted` are those
    that are not running now.
    """
    halves = {one.id: one for one in interrupted}
    for state in _states(files, locked, applied):
        half = halves.pop(state.id, None)
        yield replace(state, state=State.INTERRUPTED, note=half.words) if half else state
    for half in halves.values():  # its file is missing
        yield MigrationState(half.id, State.INTERRUPTED, None, half.words)


def _states(
    files: Sequence[tuple[str, str]], locked: Iterable[str], applied: Iterable[Applied]
) -> Iterator[MigrationState]:
    ledger = {one.id: one for one in applied}
    locked = frozenset(locked)
    names = [name for name, _ in files]
    again = renamed(files, ledger.values())
    last = max((position for position, name in enumerate(names) if name in ledger), default=-1)
    for position, (name, digest) in enumerate(files):
        row = ledger.get(name)
        if row is None:
            note = f"the same content was applied as {again[name]!r}, whose file is missing" if name in again else ""
            yield MigrationState(name, State.OUT_OF_ORDER if position < last else State.PENDING, None, note)
        elif row.digest is not None and row.digest != digest:
            yield MigrationState(name, State.EDITED, row.applied_at)
        else:
            yield MigrationState(name, State.APPLIED, row.applied_at)
    for name in sorted(ledger.keys() - set(names)):
        state = State.MISSING if name in locked else State.UNKNOWN
        yield MigrationState(name, state, ledger[name].applied_at, KEPT if ledger[name].kept else "")


def ahead(migrations: Iterable[MigrationState]) -> str:
    """Return, in words, which applied migrations the files lack; an empty text when the files have all of them."""
    migrations = tuple(migrations)
    found = {state: [one.id for one in migrations if one.state is state] for state in AHEAD}
    return "; ".join(f"{FAULTS[state]}: {some(ids)}" for state, ids in found.items() if ids)


def renamed(files: Iterable[tuple[str, str]], applied: Iterable[Applied]) -> dict[str, str]:
    """Return, for each file that is not applied, the id under which its text was applied, if no file has that id."""
    names = dict(files)
    applied = tuple(applied)
    gone = {one.digest: one.id for one in applied if one.digest is not None and one.id not in names}
    marked = {one.id for one in applied}
    return {name: gone[digest] for name, digest in names.items() if name not in marked and digest in gone}
