"""What a script must not do by itself: which operations are held back, and what guards the others."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field

from healthd.model.names import HANGING, Key, literal
from healthd.model.snapshots import Place
from healthd.repair.operations import ALTER, CREATE, DROP, Change, Operation
from healthd.repair.order import Edges


@dataclass(frozen=True, slots=True)
class Judged:
    """An operation, with why it is held back (empty: it is not), and what guards and explains it."""

    operation: Operation
    held: str = ""
    guards: tuple[str, ...] = ()  # statements that fail, and change nothing, if values would be lost
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the rows; `empty` are tables without rows, `lossy` the values that a new type would change."""

    empty: Collection[Key] = frozenset()
    undecided: Mapping[Place, str] = field(
        default_factory=dict
    )  # differences that a person decides on, with the reason


def judged(change: Change, operations: tuple[Operation, ...], edges: Edges, known: Known) -> tuple[Judged, ...]:
    """Return the operations with what holds them back; what depends on one that is held back is held back too."""
    reasons = {number: reason for number, one in enumerate(operations) if (reason := _reason(change, one, known))}
    drops = {one.key: number for number, one in enumerate(operations) if one.action == DROP}
    waiting = list(reasons)
    while waiting:
        number = waiting.pop()
        one = operations[number]
        for then in edges.after(number) - reasons.keys():
            reasons[then] = f"{one.key} must be settled first"
            waiting.append(then)
        if one.action == CREATE and (drop := drops.get(one.key)) is not None and drop not in reasons:
            reasons[drop] = "it cannot be created again yet"  # what works is not dropped
            waiting.append(drop)
    return tuple(
        Judged(one, reasons.get(number, ""), tuple(_guards(change, one)), tuple(_notes(change, one, known)))
        for number, one in enumerate(operations)
    )


def _reason(change: Change, one: Operation, known: Known) -> str:
    if one.cause in known.undecided:
        return known.undecided[one.cause]
    if not any(not statement.startswith("--") for statement in one.statements):
        return "healthd does not know the entire statement"
    if one.action == CREATE and one.key.kind == "table" and one.key not in change.before.objects:
        return "its rows are lost with it: restore them from a backup; this creates it without rows"
    if one.action == DROP and (holds := HOLDS.get(one.key.kind)):
        return holds(change, one.key, known)
    return ""


def _of_table(change: Change, key: Key, known: Known) -> str:
    return "" if key in known.empty else "it may hold rows: drop it only if nobody needs them"


def _of_column(change: Change, key: Key, known: Known) -> str:
    record = change.before.objects[key]
    if record.on.endswith("view") or record.generated != "none" or Key("table", key.path[:2]) in known.empty:
        return ""
    return "it may hold values: drop it only if nobody needs them"


def _of_sequence(_change: Change, _key: Key, _known: Known) -> str:
    return "its value is lost with it: drop it only if nobody needs it"


def _of_extension(_change: Change, _key: Key, _known: Known) -> str:
    return "it may hold tables with rows: drop it only if nobody needs it"


def _of_subscription(_change: Change, _key: Key, _known: Known) -> str:
    return "its replication slot is dropped on the other server too: drop it only if nobody needs it"


def _of_mapping(_change: Change, _key: Key, _known: Known) -> str:
    return "its options, which may contain a password, are lost with it"


def _of_type(change: Change, key: Key, _known: Known) -> str:
    shell = change.kinds[key.kind].shell(key, change.before.objects[key])
    return "CASCADE also drops the columns of this type" if shell else ""


Holds = Callable[[Change, Key, Known], str]

HOLDS: Mapping[str, Holds] = {
    "table": _of_table,
    "column": _of_column,
    "sequence": _of_sequence,
    "extension": _of_extension,
    "subscription": _of_subscription,
    "user_mapping": _of_mapping,
    "base_type": _of_type,
    "range": _of_type,
}


def _guards(change: Change, one: Operation) -> Iterator[str]:
    """Yield statements that fail if the next one would change or lose values."""
    if one.action != ALTER:
        return
    if one.key.kind == "composite":
        yield from _of_composite(change, one.key)
    elif one.key.kind == "column" and one.attribute == "type":
        of = _of_conversion if one.key in change.converted else _of_retyping
        yield from of(change, one.key)


def _of_composite(change: Change, key: Key) -> Iterator[str]:
    """Yield the guards for an attribute that is dropped: columns of the type have its values."""
    expected, actual = (side.objects[key].attributes for side in (change.after, change.before))
    if set(actual) <= set(expected):
        return
    for column in change.before.dependents(key):
        if column.kind == "column" and change.before.objects[column].on == "table":
            table, name = _names(column)
            query = f"SELECT FROM {table} WHERE {name} IS NOT NULL"
            yield raising(query, f"{column} has values of {key.sql}: an attribute would be dropped with its values")


def _of_conversion(change: Change, column: Key) -> Iterator[str]:
    """Yield the guards for a column whose type was created again."""
    key = change.converted[column]
    table, name = _names(column)
    array = "[]" if change.before.objects[column].type.endswith("[]") else ""
    new, old = key.sql + array, change.aside(key).sql + array
    back = f"{name}::text{array}::{new}::text{array}::{old}"
    yield f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE;"
    query = f"SELECT FROM {table} WHERE {_unlike(back, name, getattr(change.before.objects[key], 'type', ''))}"
    yield raising(query, f"{column}: the type {new} would change values")


def _of_retyping(change: Change, column: Key) -> Iterator[str]:
    expected, actual = change.after.objects[column], change.before.objects[column]
    if actual.on != "table":
        return
    table, name = _names(column)
    yield f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE;"
    query = f"SELECT FROM {table} WHERE {_unlike(f'{name}::{expected.type}::{actual.type}', name, actual.type)}"
    yield raising(query, f"{column}: the type {expected.type} would change values")


def _names(column: Key) -> tuple[str, str]:
    return Key("table", column.path[:2]).sql, Key("", column.path[2:]).sql


def _unlike(back: str, name: str, type_: str) -> str:
    """Return the condition that holds for values which another type would change."""
    cast = "::text" if type_.partition("(")[0].partition("[")[0] in UNEQUAL else ""
    return f"{back}{cast} IS DISTINCT FROM {name}{cast}"


UNEQUAL = frozenset("json xml point line lseg box path polygon circle".split())  # types without the operator =


def raising(query: str, message: str) -> str:
    """Return a statement that fails with a message if a query returns rows."""
    word = "check"
    while f"${word}$" in query + message:
        word += "_"
    return (
        f"DO ${word}$ BEGIN\n    IF EXISTS ({query}) THEN\n"
        f"        RAISE EXCEPTION USING MESSAGE = {literal(message)};\n    END IF;\nEND ${word}$;"
    )


def _notes(change: Change, one: Operation, known: Known) -> Iterator[str]:
    """Yield what a reader should know before an operation runs."""
    fresh = Key("table", one.key.path[:2]) not in change.before.objects
    if one.key.kind in HANGING or fresh:
        return
    if one.action == CREATE and one.key.kind == "column":
        record = change.after.objects[one.key]
        if record.on == "table" and record.generated == "none" and Key("table", one.key.path[:2]) not in known.empty:
            given = "the default" if record.default or record.identity != "none" else "NULL"
            yield f"The values of {one.key.sql} are gone: restore them from a backup. Existing rows get {given}."
            if record.not_null and not (record.default or record.identity != "none"):
                yield "If the table has rows, this fails: add it without NOT NULL, fill it, then SET NOT NULL."
    elif one.action == ALTER and one.attribute == "not_null" and change.after.objects[one.key].not_null:
        table, column = Key("table", one.key.path[:2]).sql, Key("", one.key.path[2:]).sql
        yield f"It fails if there are rows without a value: SELECT * FROM {table} WHERE {column} IS NULL;"
