"""Sequences of columns that become, or are no longer, those of identity columns: their numbers go on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from healthd.catalog.sequences import above, counting, drawn, is_integer
from healthd.model.attributes import Record
from healthd.model.kinds import Statements
from healthd.model.names import Key, literal, quote
from healthd.model.snapshots import Difference
from healthd.repair.collations import Step
from healthd.repair.dependencies import Dependencies


def with_counter(one: Difference, statements: Statements, before: Dependencies, after: Dependencies) -> Statements:
    """Return the statements that change how a column gets its numbers, with those after which these go on.

    `one` is a difference in whether the column is an identity column, or in its default. The server creates and drops
    the sequence of an identity column with it.
    """
    column = one.key
    sequence, there = source(column, after), source(column, before)
    identities = [side.objects[column].identity != "none" for side in (before, after)]
    if one.attribute == "default":
        return statements if any(identities) else _ahead(sequence, there, after, statements)
    if all(identities):
        return statements
    taken = replaced(column, before, after)
    if identities[0] and taken is not None:
        return tuple(_freed(taken, statements, after.objects[taken]))
    if identities[0] or sequence is None:
        return _ahead(sequence, there, after, statements)
    record = after.objects[sequence]
    parameters = f"SEQUENCE NAME {sequence.sql} {counting(record, typed=False)}"
    statements = tuple(sql.replace(" AS IDENTITY;", f" AS IDENTITY ({parameters});") for sql in statements)
    if taken is not None:
        statements = tuple(_taken(taken, there, statements, record))
    elif _is_of_another(sequence, column, before):  # `exchanged` has given that another name
        statements = (*statements, _goes_on(sequence, _aside(sequence)))
    elif there is not None:
        dropped = (f"DROP SEQUENCE {there.sql};",) if succeeded(there, before, after) else ()
        statements = (*statements, _goes_on(sequence, there), *dropped)
    return (*statements, *above(sequence, record, column, after.objects[column].type))


def source(column: Key, side: Dependencies) -> Key | None:
    """Return the sequence from which a column gets its numbers: that of an identity column, or that of its default."""
    if column not in side.objects:
        return None
    record = side.objects[column]
    if record.identity != "none":
        return side.around.counters.get(column.path)
    return next((key for key in drawn(record.default) if key in side.objects), None)


def created(column: Key, before: Dependencies, after: Dependencies) -> Key | None:
    """Return the sequence that is created with what makes a column an identity column, or no longer makes it one."""
    if column in before.objects and before.objects[column].identity == "none":
        return after.around.counters.get(column.path)
    return replaced(column, before, after)


def replaced(column: Key, before: Dependencies, after: Dependencies) -> Key | None:
    """Return the sequence whose name that of an identity column has, on the side on which it is none.

    What makes its column an identity column, or no longer makes it one, drops this sequence and creates it.
    """
    for side, other in ((after, before), (before, after)):
        if column in side.objects and side.objects[column].identity != "none":
            key = side.around.counters.get(column.path)
            if key is not None and key in other.objects and not other.objects[key].identity and column in other.objects:
                return key
    return None


def _taken(sequence: Key, there: Key | None, statements: Statements, record: Record) -> Iterator[str]:
    """Yield the statements after which a sequence is an identity column's, and goes on where it and another are."""
    aside = _aside(sequence)
    yield f"ALTER SEQUENCE {sequence.sql} RENAME TO {quote(aside.path[1])};"
    yield from statements
    yield _goes_on(sequence, aside)
    if there is not None and there != sequence:
        yield _further(sequence, there, record)
    yield f"DROP SEQUENCE {aside.sql};"


def _freed(sequence: Key, statements: Statements, record: Record) -> Iterator[str]:
    """Yield the statements after which a sequence is no longer that of an identity column, and goes on where it is."""
    aside = _aside(sequence)
    yield f"CREATE {'UNLOGGED ' * record.unlogged}SEQUENCE {aside.sql} {counting(record)};"
    yield _goes_on(aside, sequence)
    yield from statements
    yield f"ALTER SEQUENCE {aside.sql} RENAME TO {quote(sequence.path[1])};"


def _ahead(sequence: Key | None, there: Key | None, after: Dependencies, statements: Statements) -> Statements:
    """Return the statements that give a column another sequence, before which that goes on where the present one is."""
    if sequence is None or there is None or there == sequence:
        return statements
    return (_further(sequence, there, after.objects[sequence]), *statements)


def of_value(sequence: Key, before: Dependencies, after: Dependencies) -> Iterator[str]:
    """Yield what a reader should know of the value of a sequence that is created, unless it goes on where one is."""
    record = after.objects[sequence]
    owner = (Key.parse(f"column:{record.owned_by}"),) if record.owned_by else ()
    if any(Key("table", column.path[:2]) not in before.objects for column in owner):
        return  # its table is gone, and so are its rows
    columns = dict.fromkeys((*owner, *after.around.drawing.get(sequence, ())))
    if any(column in before.objects and source(column, before) for column in columns):
        return
    gone = f"The last value of {sequence.sql} is gone: "
    known = [column.sql for column in columns if column in before.objects and is_integer(after.objects[column].type)]
    goes_on = f"it goes on after the numbers in {', '.join(known)}."
    if known:
        yield f"{gone}{goes_on} If higher ones are in use, set it above these, with setval()."
    else:
        yield f"{gone}set it above all numbers in use, with setval()."


def succeeded(sequence: Key, before: Dependencies, after: Dependencies) -> bool:
    """Return whether a sequence that nobody expects counts a column which is to become an identity column."""
    owned = before.objects[sequence].owned_by
    column = Key.parse(f"column:{owned}") if owned else sequence
    new = after.around.counters.get(column.path)
    if new is None or new == sequence or sequence in after.objects or not after.objects[new].identity:
        return False
    return column in before.objects and bool(before.objects[column].identity == "none")


def _goes_on(sequence: Key, there: Key) -> str:
    """Return the statement after which a sequence goes on where another one is."""
    return f"SELECT pg_catalog.setval({literal(sequence.sql)}, last_value, is_called) FROM {there.sql};"  # noqa: S608


def _further(sequence: Key, there: Key, record: Record) -> str:
    """Return the statement after which a sequence goes on where another one is, if that has counted further."""
    sign = "<" if record.increment < 0 else ">"
    where = f"a.last_value {sign} b.last_value OR (a.last_value = b.last_value AND a.is_called)"
    said = f"SELECT pg_catalog.setval({literal(sequence.sql)}, a.last_value, a.is_called)"
    return f"{said} FROM {there.sql} AS a, {sequence.sql} AS b WHERE {where};"


def exchanged(differences: Iterable[Difference], before: Dependencies, after: Dependencies) -> Iterator[Step]:
    """Yield the steps that free the name of the sequence of an identity column, which that of another column has.

    It is so when a table was replaced by a copy: the sequence went with the table that it belongs to. The column's own
    one gets its name, if there is one.
    """
    for one in differences:
        if (one.key.kind, one.attribute) != ("sequence", "owned_by"):
            continue
        old, new = before.objects[one.key], after.objects[one.key]
        if not (old.identity and new.identity):
            continue
        column = Key.parse(f"column:{new.owned_by}")
        mine = before.around.counters.get(column.path)
        aside = f"ALTER SEQUENCE {one.key.sql} RENAME TO {quote(_aside(one.key).path[1])};"
        if mine is not None and mine not in after.objects:
            statements = (aside, f"ALTER SEQUENCE {mine.sql} RENAME TO {quote(one.key.path[1])};")
            for place in (one.place, (mine, None)):
                yield one.key, one.attribute, statements, place
        elif mine is None and column in before.objects and before.objects[column].identity == "none":
            yield one.key, one.attribute, (aside,), one.place


def is_kept(sequence: Key, before: Dependencies, after: Dependencies) -> bool:
    """Return whether a sequence stays although the table is dropped that it belongs to: it should belong to another."""
    if sequence.kind != "sequence" or sequence not in after.objects:
        return False
    old, new = before.objects[sequence], after.objects[sequence]
    return not old.identity and not new.identity and old.owned_by != new.owned_by


def _is_of_another(sequence: Key, column: Key, before: Dependencies) -> bool:
    """Return whether the sequence that an identity column should have is that of another one."""
    record = before.objects.get(sequence)
    return record is not None and record.identity and before.around.counters.get(column.path) != sequence


def _aside(sequence: Key) -> Key:
    return Key("sequence", (sequence.path[0], f"{sequence.path[1][:50]}_replaced"))
