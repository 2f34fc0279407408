"""What a script must not do by itself: which operations are held back, and what guards the others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from healthd.catalog.sequences import beyond
from healthd.catalog.tables import DIVISION, PARENTAGE
from healthd.model.names import Key, dollars, literal
from healthd.model.observations import Size
from healthd.model.scripts import COUNTED, REFUSED
from healthd.model.snapshots import Place
from healthd.repair import counters, divided_tables, guards, lossy_types, moved_labels, overlaps, stored_results, values
from healthd.repair.column_places import of_place
from healthd.repair.domain_guards import of_domain
from healthd.repair.guards import Guard
from healthd.repair.inheritance import divided_by
from healthd.repair.online import has_rows
from healthd.repair.operations import ALTER, CREATE, DROP, RELEASE, Change, Operation
from healthd.repair.order import Edges
from healthd.repair.sole_keys import present_key


@dataclass(frozen=True, slots=True)
class Judged:
    """An operation, with why it is held back ("": it is not), what guards it, and what a reader should know."""

    operation: Operation
    held: str = ""
    guards: tuple[Guard, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What is known besides the catalogs; without it the worst is assumed."""

    rows: Mapping[str, int] = field(default_factory=dict)  # how many rows a guard's query returned, up to COUNTED
    undecided: Mapping[Place, str] = field(default_factory=dict)  # what a person decides on, with the reason
    sizes: Mapping[str, Size] = field(default_factory=dict)  # of relations, named like keys
    asked: Callable[[str], str] = str  # how a guard's query is asked before the script has restored names

    def count(self, query: str) -> int | None:
        """Return how many rows the query of a guard returned, if that is known."""
        return self.rows.get(self.asked(query))


def judged(change: Change, operations: tuple[Operation, ...], edges: Edges, known: Known) -> tuple[Judged, ...]:
    """Return the operations with what holds them back; what depends on one that is held back is held back too."""
    guarded = [tuple(_guards(change, one)) for one in operations]
    reasons = {
        number: reason
        for number, one in enumerate(operations)
        if (reason := _reason(change, one, guarded[number], known))
    }
    drops = {one.key: number for number, one in enumerate(operations) if one.action == DROP}
    of_key = {
        one.key: {number for number, other in enumerate(operations) if other.key == one.key}
        for one in operations
        if one.key in change.asides or one.attribute in PARENTAGE
    }
    waiting = list(reasons)
    while waiting:
        number = waiting.pop()
        one = operations[number]
        for then in edges.after(number) - reasons.keys():
            reasons[then] = f"{one.key} must be settled first"
            waiting.append(then)
        if one.action == ALTER and one.attribute == "type" and one.key in change.converted:
            # While one column keeps the type, all do: it cannot have two forms.
            together = of_key[change.converted[one.key]]
        elif one.key in change.asides:
            together = of_key[one.key]
        elif one.attribute in PARENTAGE:  # a table does not leave what it cannot join again
            together = {other for other in of_key[one.key] if operations[other].attribute in PARENTAGE}
        else:
            together = set()
        for other in together - reasons.keys():
            reasons[other] = f"{one.key} must be settled first"
            waiting.append(other)
        for drop in _drops_for(change, one, drops) - reasons.keys():
            reasons[drop] = "it cannot be created again yet"  # what works is not dropped
            waiting.append(drop)
    needless = _needless(operations, edges, reasons)
    return tuple(
        Judged(
            replace(one, statements=()) if number in needless else one,
            reasons.get(number, ""),
            tuple(_open(guarded[number], known)),
            tuple(_notes(change, one, known)),
        )
        for number, one in enumerate(operations)
    )


def _needless(operations: tuple[Operation, ...], edges: Edges, reasons: Mapping[int, str]) -> frozenset[int]:
    """Return the operations that would take a default from a column for drops that are all held back."""
    found = set()
    for number, one in enumerate(operations):
        if one.action == RELEASE and one.key.kind == "column" and one.attribute is None:
            drops = {other for other in edges.after(number) if operations[other].action == DROP}
            if drops and drops <= reasons.keys():
                found.add(number)
    return frozenset(found)


def _drops_for(change: Change, one: Operation, drops: Mapping[Key, int]) -> set[int]:
    """Return the drops of what an operation creates again, and of what it takes the place of."""
    keys = (one.key, present_key(change, one.key)) if one.action == CREATE else ()
    return {drops[key] for key in keys if key is not None and key in drops}


def _open(guarded: Iterable[Guard], known: Known) -> Iterator[Guard]:
    """Yield the guards without those that nobody needs to read about: they found nothing."""
    yield from (guard for guard in guarded if not guard.quiet or known.count(guard.query) != 0)


def _attaches(one: Operation) -> bool:
    """Return whether an operation may give a table a partition."""
    created = one.action == CREATE and one.key.kind in ("table", "foreign_table")
    return created or (one.action == ALTER and one.attribute in PARENTAGE)


def _reason(change: Change, one: Operation, guarded: Iterable[Guard], known: Known) -> str:
    if one.cause in known.undecided:
        return known.undecided[one.cause]
    if one.attribute == DIVISION:
        return divided_tables.REASON
    if divided := divided_tables.settled_first(one.key, change.before.objects, change.after.objects):
        return f"{divided} must be settled first"
    if not any(not statement.startswith("--") for statement in one.statements):
        return "healthd does not know the entire statement"
    blocked = overlaps.in_the_way(change, one.key) if _attaches(one) else ""
    if one.action == CREATE and one.key.kind == "table" and one.key not in change.before.objects:
        if blocked:
            return f"{blocked}; restore what is not in them from a backup"
        return "its rows are lost with it: restore them from a backup; this creates it without rows"
    if blocked:
        return blocked
    owned = getattr(change.after.objects.get(one.key), "owned_by", None) if one.action == CREATE else None
    if owned and (table := Key("table", Key.parse(f"column:{owned}").path[:2])) not in change.before.objects:
        return f"{table} must be settled first"
    if one.action == DROP and (holds := HOLDS.get(one.key.kind)) and (reason := holds(change, one.key)):
        return reason
    retyped = one.action == ALTER and one.key.kind == "column" and one.attribute in ("type", "collation")
    if retyped and (of_key := divided_by(change.before, one.key)):
        return f"the partition key of {of_key.sql} has it, and PostgreSQL gives no such column another type"
    if one.action == ALTER and one.attribute in PARENTAGE and (above := _otherwise_divided(change, one.key)):
        return f"{above} must be settled first"
    if one.action == CREATE and (there := present_key(change, one.key)) is not None and there not in change.gone:
        return f"{there} must be settled first"
    if (of := _unsettled(change, one)) and has_rows(change, one.key, known.sizes):
        return f"{of} must be settled first"
    for guard in guarded:
        count = known.count(guard.query)
        if count or (count is None and one.action == DROP):
            return f"{counted(count) if guard.counts and not guard.lock else ''}{guard.meaning}"
    return ""


def _otherwise_divided(change: Change, table: Key) -> Key | None:
    """Return the table of which another one should be a partition, if that has no partitions, or others."""
    record = change.after.objects[table]
    if record.bound is None or not record.inherits:
        return None
    above = Key.parse(f"table:{record.inherits[0]}")
    wanted, there = (getattr(side.objects.get(above), "partitioned_by", None) for side in (change.after, change.before))
    return above if above in change.before.objects and wanted != there else None


def _unsettled(change: Change, one: Operation) -> Key | None:
    """Return the type that a column gets and that the script changes too: its values can be tried only afterwards."""
    if one.action != ALTER or one.key.kind != "column" or one.attribute != "type" or one.key in change.converted:
        return None
    name = change.after.objects[one.key].type.removesuffix("[]")
    for difference in change.differences:
        type_ = difference.key
        replaced = type_.kind == "composite" or difference.attribute in ("type", "collation")
        if type_.kind in ("composite", "domain") and replaced and type_.sql == name and type_ in change.before.objects:
            return type_
    return None


def counted(count: int | None) -> str:
    """Return a number of rows as the beginning of a sentence; nothing if it is not known."""
    if count is None:
        return ""
    if count == REFUSED:
        return "at least 1 row: "
    return f"{'at least ' if count >= COUNTED else ''}{count} row{'s' * (count != 1)}: "


def _of_extension(_change: Change, _key: Key) -> str:
    return "it may hold tables with rows: drop it only if nobody needs it"


def _of_subscription(change: Change, key: Key) -> str:
    if not change.before.objects[key].slot:
        return ""
    return "its replication slot is dropped on the other server too: drop it only if nobody needs it"


def _of_secrets(change: Change, key: Key) -> str:
    record = change.before.objects[key]
    if record.options is None:  # this role may not see them
        return "its options, which may contain a password, are lost with it"
    return "its options contain a secret, which is lost with it" if record.secrets else ""


def _of_type(change: Change, key: Key) -> str:
    record = change.before.objects[key]
    has_columns = getattr(record, "defined", True) and change.kinds[key.kind].shell(key, record)
    return "CASCADE also drops the columns of this type" if has_columns else ""


Holds = Callable[[Change, Key], str]


HOLDS: Mapping[str, Holds] = {
    "extension": _of_extension,
    "subscription": _of_subscription,
    "foreign_data_wrapper": _of_secrets,
    "foreign_server": _of_secrets,
    "user_mapping": _of_secrets,
    "base_type": _of_type,
    "range": _of_type,
}


def _guards(change: Change, one: Operation) -> Iterator[Guard]:
    """Yield the queries for rows that an operation would damage, or that forbid it."""
    yield from guards.of_roles(change, one)
    yield from of_domain(change, one)
    if one.action == DROP and one.key.kind == "table":
        yield Guard(f"SELECT FROM {one.key.sql}", "drop it only if nobody needs its rows", table=one.key.sql)
    elif one.action == DROP and one.key.kind == "column":
        record = change.before.objects[one.key]
        if record.on == "table" and record.generated == "none":  # a foreign table has no values of its own
            table, name = _names(one.key)
            query = f"SELECT FROM {table} WHERE {_is_lost(change, one.key, name)}"
            yield Guard(query, "drop it only if nobody needs its values", table=table)
    elif one.action == DROP and one.key.kind == "sequence":
        query, lock = f"SELECT FROM {one.key.sql} WHERE is_called", f"ALTER SEQUENCE {one.key.sql} OWNED BY NONE;"
        yield Guard(query, "its value is lost with it: drop it only if nobody needs it", one.key.sql, lock=lock)
    elif one.action == ALTER and one.key.kind == "composite":
        yield from values.of_composite(change, one.key)
    elif one.action == ALTER and one.key.kind == "column" and one.attribute == "type":
        of = values.of_conversion if one.key in change.converted else values.of_column
        yield from of(change, one.key)
    elif one.action == ALTER and one.key.kind == "sequence" and one.attribute in ("increment", "minimum", "maximum"):
        query = beyond(one.key, change.after.objects[one.key])
        yield Guard(query, "its last value is outside of the expected limits: with it it fails", counts=False)
    elif one.action == ALTER and one.key.kind == "column" and one.attribute in ("default", "identity"):
        yield from guards.of_counter(change, one.key)
    elif one.action == ALTER and one.attribute in PARENTAGE:
        yield from guards.of_bound(change, one.key)
        yield from guards.of_checks_above(change, one.key)
    elif one.action == ALTER and one.attribute == "not_null" and change.after.objects[one.key].not_null:
        if one.key.kind == "column" and change.after.objects[one.key].on == "table":
            table, name = _names(one.key)
            yield Guard(f"SELECT FROM {table} WHERE {name} IS NULL", "without a value: with them it fails")
    elif one.key.kind == "index" and one.action in (CREATE, ALTER) and change.after.objects[one.key].unique:
        yield from guards.of_index(change, one.key)
    elif one.key.kind == "constraint" and (one.action == CREATE or one.attribute == "validated"):
        yield from guards.of_constraint(change, one.key)
    elif one.action == CREATE and one.key.kind == "column":
        yield from guards.of_added(change, one.key)


def _is_lost(change: Change, key: Key, name: str) -> str:
    """Return the condition under which dropping a column loses a value: one that is not computed again afterwards.

    A constant that every row has by default is none; where others have NULL instead, it tells which rows are new.
    """
    again, record = change.after.objects.get(key), change.before.objects[key]
    if again is None and record.default and CONSTANT.fullmatch(record.default):
        other = f"{name}::text <> ({record.default})::{record.type}::text"
        without = f"SELECT FROM {_names(key)[0]} AS o WHERE o.{name} IS NULL"
        return f"{other} OR ({name} IS NOT NULL AND EXISTS ({without}))"
    if again is None or again.generated == "none" or change.made.keys() & change.after.needs(key):
        return f"{name} IS NOT NULL"
    return f"{name} IS DISTINCT FROM ({again.default})"


CONSTANT = re.compile(r"E?'(?:[^']|'')*'(?:::[^'()]+(?:\([\d,]+\)[^'()]*)?)?|-?[\d.]+|true|false")


def _names(column: Key) -> tuple[str, str]:
    return Key("table", column.path[:2]).sql, Key("", column.path[2:]).sql


def raising(guard: Guard) -> str:
    """Return a statement that fails if a guard's query returns rows; until COMMIT, nobody can add any."""
    word = dollars(guard.query + guard.meaning, "check")
    return (
        f"DO {word} BEGIN\n"
        f"    {guard.lock or f'LOCK TABLE {guard.table} IN ACCESS EXCLUSIVE MODE;'}\n"
        f"    IF EXISTS ({guard.query}) THEN\n"
        f"        RAISE EXCEPTION USING MESSAGE = {literal(guard.meaning)};\n"
        f"    END IF;\nEND {word};"
    )


PLAIN_INDEX = re.compile(r"CREATE (?:UNIQUE )?INDEX (?!CONCURRENTLY )")
ONLY = (
    "A partitioned table has no CREATE INDEX CONCURRENTLY. To block no writes, create the index ON ONLY the table,\n"
    "then CONCURRENTLY on each partition, and attach these with ALTER INDEX … ATTACH PARTITION."
)


def _notes(change: Change, one: Operation, known: Known) -> Iterator[str]:
    """Yield what a reader should know before an operation runs."""
    if one.key.kind == "sequence" and one.action == CREATE:
        yield from counters.of_value(one.key, change.before, change.after)
    if any(PLAIN_INDEX.match(sql) for sql in one.statements) and has_rows(change, one.key, known.sizes):
        yield ONLY
    if one.key.kind == "column" and one.action == CREATE:
        yield from of_place(change, one.key)
    yield from stored_results.of_function(change, one)
    yield from stored_results.of_view(change, one)
    yield from lossy_types.of_type(change, one, known.sizes)
    yield from lossy_types.of_attributes(change, one, known.sizes)
    yield from moved_labels.of_conversion(change, one, known.sizes)
    if one.key.kind != "column" or one.action != CREATE or Key("table", one.key.path[:2]) not in change.before.objects:
        return
    record, table = change.after.objects[one.key], Key("table", one.key.path[:2]).sql
    if record.on != "table" or record.generated != "none" or known.count(f"SELECT FROM {table}") == 0:
        return
    given = record.default or record.identity != "none"
    yield (
        f"The values of {one.key.sql} are gone: restore them from a backup. "
        f"Existing rows get {'the default' if given else 'NULL'}."
    )
