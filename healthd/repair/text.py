"""A repair as text: what runs as SQL, everything else as comments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

from healthd.model.scripts import Script, Statement
from healthd.model.snapshots import Place
from healthd.sqltext.nontransactional import blocks_nobody
from healthd.text import printable

LOCK_TIMEOUT = "5s"


def written(statement: Statement) -> str:
    """Return a statement with its notes; one that is held back is a comment with the reason."""
    lines = [f"-- {line}" for note in (*statement.notes, *_costs(statement)) for line in note.splitlines()]
    if statement.held:  # names may contain line breaks, and a comment ends with its line
        lines = [f"-- Not run: {printable(' '.join(statement.held.splitlines()))}.", *lines]
        lines += [f"-- {line}".rstrip() for line in statement.sql.splitlines()]
    elif statement.sql:
        lines.append(statement.sql)
    return "\n".join(lines)


def _costs(statement: Statement) -> Iterator[str]:
    """Yield what a statement costs, a line each: for relations that are known to have rows, or may have some."""
    yield from (one.words() for one in statement.costs if one.size is not None and one.size.rows != 0)


def parts_of(script: Script) -> Callable[[Iterable[Place]], tuple[str, ...]]:
    """Return a function that returns the statements that repair any of some differences, in their order."""
    numbers = defaultdict[Place, list[int]](list)
    for number, one in enumerate(script):
        for place in one.causes:
            numbers[place].append(number)

    def parts(places: Iterable[Place]) -> tuple[str, ...]:
        found = sorted({number for place in places for number in numbers.get(place, ())})
        return tuple(written(script[number]) for number in found)

    return parts


def transactions(script: Iterable[Statement]) -> Iterator[str]:
    """Yield the script in parts: BEGIN … COMMIT around what can be in a transaction, each other statement by itself."""
    for kind, group in groupby(script, key=_part):
        texts = [written(one) for one in group]
        if kind == "together":
            yield "\n".join(["BEGIN;", *texts, "COMMIT;"])
        elif kind.startswith("held"):
            first, *others = texts
            yield "\n".join([first, *(one.partition("\n")[2] for one in others)])  # the reason once
        elif kind == "unhurried":
            yield from ("SET lock_timeout = 0;", *texts, f"SET lock_timeout = '{LOCK_TIMEOUT}';")
        else:
            yield from texts


def batches(script: Iterable[Statement]) -> Iterator[tuple[Statement, ...]]:
    """Yield what runs, in the same parts: statements for one transaction, or one that runs by itself."""
    for kind, group in groupby(script, key=_part):
        if kind == "together":
            yield tuple(group)
        elif not kind.startswith("held"):
            yield from ((one,) for one in group if one.sql)


def _part(statement: Statement) -> str:
    if statement.held:
        return f"held: {statement.held}"
    if not statement.sql:
        return "apart"
    if blocks_nobody(statement.sql):
        return "unhurried"  # nobody waits behind it: it may wait as long as it must
    return "alone" if statement.alone else "together"


# Row security must not hide rows from a guard: with this setting the query fails instead.
SESSION = (
    "SET default_transaction_read_only = off;",
    "SET statement_timeout = 0;",
    f"SET lock_timeout = '{LOCK_TIMEOUT}';",
    "SET standard_conforming_strings = on;",
    "SET array_nulls = on;",
    "SET transform_null_equals = off;",
    "SET row_security = off;",
    "SET search_path = '';",
    "SET check_function_bodies = off;",
)
PREAMBLE = ("\\set ON_ERROR_STOP on", *SESSION)
