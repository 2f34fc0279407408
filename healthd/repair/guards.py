"""The questions about rows that an operation would damage, or that forbid it: keys, checks and roles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from healthd.catalog.columns import is_attribute
from healthd.catalog.roles import CURRENT, MIGRATOR, OWNER, PUBLIC, written
from healthd.model.attributes import Record
from healthd.model.names import Key, literal
from healthd.repair import bounds, overlaps
from healthd.repair.counters import source
from healthd.repair.dependencies import ancestors
from healthd.repair.inherited_checks import new_checks
from healthd.repair.operations import ALTER, CREATE, Change, Operation
from healthd.sqltext.tokens import INSIDE, NAME, elements


@dataclass(frozen=True, slots=True)
class Guard:
    """A query for rows that an operation would damage or that forbid it, and what that means."""

    query: str
    meaning: str
    table: str = ""  # the table of these rows, if a statement must make sure that there are none
    columns: str = "*"  # to see of these rows
    counts: bool = True  # whether the number of rows means something
    quiet: bool = False  # whether it is only mentioned if its answer is not known
    lock: str = ""  # the statement that keeps others from adding some, if `table` is a sequence

    @property
    def question(self) -> str:
        """Return the query as a person asks it."""
        return f"{self.query.replace('SELECT FROM', f'SELECT {self.columns} FROM', 1)}; -- {self.meaning}"


def of_roles(change: Change, one: Operation) -> Iterator[Guard]:
    """Yield the guards for roles that an operation names: each must exist."""
    if one.action not in (CREATE, ALTER) or one.key not in change.after.objects:
        return
    record, kind = change.after.objects[one.key], change.kinds[one.key.kind]
    roles = {*getattr(record, "roles", ()), getattr(record, "role", ""), one.key.path[-1] if kind.role_last else ""}
    for role in sorted(roles - {"", PUBLIC, OWNER, MIGRATOR, CURRENT}):
        query = f"SELECT FROM (SELECT 1) AS r WHERE pg_catalog.to_regrole({literal(written(role))}) IS NULL"
        yield Guard(query, f"role {written(role)} must be created first", counts=False)


def of_index(change: Change, key: Key) -> Iterator[Guard]:
    """Yield the guard for a unique index."""
    yield from _of_key(change, key, change.after.objects[key].definition.partition(" USING ")[2])


def of_constraint(change: Change, key: Key) -> Iterator[Guard]:
    """Yield the guard for a constraint of a table."""
    record, table = change.after.objects[key], Key("table", key.path[:2])
    if record.type in ("primary key", "unique") and table in change.before.objects:
        yield from _of_period(table, record.definition) or _of_key(change, key, record.definition)
    if record.on != "table" or not record.validated or not record.enforced or table not in change.before.objects:
        return
    if found := CHECKED.match(record.definition):
        only = "ONLY " if record.definition.endswith(" NO INHERIT") else ""
        yield Guard(f"SELECT FROM {only}{table.sql} WHERE NOT {found[1]}", "against the constraint: with them it fails")
    elif found := REFERRING.match(record.definition):
        yield from _of_reference(change, table, *found.groups())
    elif found := REFERRING_TO_PERIOD.match(record.definition):
        yield _of_reference_to_period(table, *found.groups())
    elif found := EXCLUDING.match(record.definition):
        yield _of_exclusion(table, *found.groups())


def of_added(change: Change, key: Key) -> Iterator[Guard]:
    """Yield the guard for a column that must have a value and has no default: rows forbid it."""
    record, table = change.after.objects[key], Key("table", key.path[:2])
    given = not is_attribute(key, change.before.objects) and record.default  # an attribute has no default
    given = given or record.identity != "none" or record.generated != "none"
    if record.on == "table" and record.not_null and not given and table in change.before.objects:
        meaning = "it fails with them: add it without NOT NULL, fill it, then SET NOT NULL"
        yield Guard(f"SELECT FROM {table.sql}", meaning)


def of_counter(change: Change, column: Key) -> Iterator[Guard]:
    """Yield the guard for another sequence of a column: it goes on where the present one is, or that value is lost."""
    sequence, there = source(column, change.after), source(column, change.before)
    if there is None or sequence == there:
        return
    present = change.before.objects[there]
    if sequence is None and column not in change.replaced:
        yield from _of_lost_counter(column, there, present)
    if sequence is None:
        return
    record = change.after.objects[sequence]
    if present.minimum < record.minimum or present.maximum > record.maximum:
        yield Guard(
            f"SELECT FROM {there.sql} WHERE last_value NOT BETWEEN {record.minimum} AND {record.maximum}",
            f"the last value of {there.sql} is outside of the limits of {sequence.sql}, which goes on there: it fails",
            counts=False,
        )


def _of_lost_counter(column: Key, sequence: Key, record: Record) -> Iterator[Guard]:
    """Yield the guard for the sequence of an identity column: its value is lost unless a row has it."""
    if record.identity:
        name, sign = Key("", column.path[2:]).sql, "<=" if record.increment < 0 else ">="
        row = f"SELECT FROM {Key('table', column.path[:2]).sql} AS o WHERE o.{name} {sign} r.last_value"
        yield Guard(
            f"SELECT FROM {sequence.sql} AS r WHERE r.is_called AND NOT EXISTS ({row})",
            f"the last value of {sequence.sql}, which no row has, is lost with it: do it only if nobody needs it",
            counts=False,
        )


def of_bound(change: Change, key: Key) -> Iterator[Guard]:
    """Yield the guards for a table that becomes a partition: its rows must be within its bounds, and those of no other.

    The rows of the default partition are the only others that could be.
    """
    side, record = change.after.objects, change.after.objects[key]
    if record.bound is None or not record.inherits:
        return
    parent = Key.parse(f"table:{record.inherits[0]}")
    conditions, inside = list[str](), ""
    while getattr(record, "bound", None) is not None and record.inherits:  # its rows are also those of the tables above
        above = Key.parse(f"table:{record.inherits[0]}")
        if condition := bounds.condition(
            getattr(side.get(above), "partitioned_by", None) or "", record.bound, above.sql
        ):
            conditions.append(f"({condition}) IS NOT TRUE")
            inside = inside or (condition if above == parent else "")
        record = side.get(above)
    if conditions:
        query = f"SELECT FROM {key.sql} WHERE {' OR '.join(conditions)}"
        yield Guard(query, "outside of its bounds: with them it fails")
    for other, one in change.before.objects.items():
        if inside and getattr(one, "bound", None) == "DEFAULT" and one.inherits == (parent.sql,) and other != key:
            yield Guard(f"SELECT FROM {other.sql} WHERE {inside}", f"of {other.sql} belong to it: with them it fails")
    for other, overlap in overlaps.staying(change, key):
        if overlap != bounds.TRUE:
            query = f"SELECT FROM (SELECT 1) AS r WHERE {overlap}"
            yield Guard(query, overlaps.meaning([other]), counts=False, quiet=True)


def of_checks_above(change: Change, key: Key) -> Iterator[Guard]:
    """Yield the guards for a table that joins others: its rows must satisfy their checks."""
    for check in new_checks(key, change.before, change.after):
        record = change.after.objects[check]
        if record.validated and (found := CHECKED.match(record.definition)):
            yield Guard(f"SELECT FROM {key.sql} WHERE NOT {found[1]}", f"against {check.sql}: with them it fails")


def _of_key(change: Change, key: Key, definition: str) -> Iterator[Guard]:
    """Yield the guard for a unique key without operator classes: rows with the same values forbid it."""
    found, table = KEYS.match(definition), Key("table", key.path[:2])
    if found is None or table not in change.before.objects:
        return
    values = [DIRECTION.sub("", one) for one in elements(found[1])]
    if not all(map(VALUE.fullmatch, values)):
        return
    null = NOT_DISTINCT not in definition
    conditions = [*(f"{value} IS NOT NULL" for value in values if null), *([found[2]] if found[2] else [])]
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    among = ", ".join(values)
    query = f"SELECT FROM {table.sql}{where} GROUP BY {among} HAVING pg_catalog.count(*) > 1"
    yield Guard(query, "the same values more than once: with them it fails", columns=f"{among}, pg_catalog.count(*)")


def _of_reference(change: Change, table: Key, names: str, other: str, keys: str, full: str | None) -> Iterator[Guard]:
    """Yield the guard for a foreign key: rows that refer to nothing forbid it."""
    if Key.parse(f"table:{other}") not in change.before.objects:
        return
    pairs = list(zip(names.split(", "), keys.split(", "), strict=True))
    if lost := [key for key in keys.split(", ") if Key.parse(f"column:{other}.{key}") not in change.before.objects]:
        given = " AND ".join(f"r.{name} IS NOT NULL" for name, _ in pairs)
        meaning = f"refer to {', '.join(lost)} of {other}, whose values are gone: with them it fails"
        yield Guard(f"SELECT FROM {table.sql} AS r WHERE {given}", meaning)
        return
    same = " AND ".join(f"o.{key} = r.{name}" for name, key in pairs)
    empty = "".join(f" AND r.{name} IS NOT NULL" for name, _ in pairs)
    if full:
        empty = f" AND NOT ({' AND '.join(f'r.{name} IS NULL' for name, _ in pairs)})"
    tables = [other, *_attached(change, Key.parse(f"table:{other}"))]
    among = other if len(tables) == 1 else f"({' UNION ALL '.join(map(partial(_columns, keys), tables))})"
    nothing = f"NOT EXISTS (SELECT FROM {among} AS o WHERE {same})"
    yield Guard(
        f"SELECT FROM {table.sql} AS r WHERE {nothing}{empty}", f"refer to nothing in {other}: with them it fails"
    )


def _of_period(table: Key, definition: str) -> tuple[Guard, ...]:
    """Return the guard for a key WITHOUT OVERLAPS (18): it excludes as a constraint does that says so."""
    found = PERIOD.search(definition)
    if found is None:
        return ()
    *names, period = found[1].split(", ")
    return (_of_exclusion(table, ", ".join([*(f"{name} WITH =" for name in names), f"{period} WITH &&"]), None),)


def _of_reference_to_period(table: Key, names: str, period: str, other: str, keys: str, within: str) -> Guard:
    """Return the guard for a foreign key with PERIOD (18): the rows that it refers to must cover the entire period."""
    pairs = list(zip(names.split(", "), keys.split(", "), strict=True))
    same = " AND ".join(f"o.{key} = r.{name}" for name, key in pairs)
    there = " AND ".join(f"r.{name} IS NOT NULL" for name in (*(name for name, _ in pairs), period))
    periods = f"{_columns(f'pg_catalog.range_agg(o.{within})', other)} AS o WHERE {same}"
    query = f"SELECT FROM {table.sql} AS r WHERE ({periods}) @> r.{period} IS NOT TRUE AND {there}"
    return Guard(query, f"refer to nothing in {other}: with them it fails")


def _attached(change: Change, table: Key) -> Iterator[str]:
    """Yield the tables that are to become partitions of a table, or of its partitions: their rows are not there yet."""
    for one in change.differences:
        if one.attribute == "bound" and table in ancestors(change.after.objects, one.key):
            yield one.key.sql


def _columns(names: str, table: str) -> str:
    return f"SELECT {names} FROM {table}"  # noqa: S608 # quoted by the server


def _of_exclusion(table: Key, elements: str, where: str | None) -> Guard:
    """Return the guard for an exclusion constraint on plain columns: pairs of rows forbid it."""
    pairs = EXCLUDED.findall(elements)
    names = ", ".join(dict.fromkeys(name for name, _ in pairs))
    rows = f"({_columns(f'tableoid, ctid, {names}', table.sql)}{f' WHERE {where}' if where else ''})"
    both = " AND ".join(f"r.{name} {operator} o.{name}" for name, operator in pairs)
    query = f"SELECT FROM {rows} AS r, {rows} AS o WHERE (r.tableoid, r.ctid) < (o.tableoid, o.ctid) AND {both}"
    return Guard(query, "exclude another row: with them it fails", columns="r.*, o.*")


OPERATOR = r"(?:OPERATOR\([^()]*\)|[^\s,()]+)"
EXCLUDED = re.compile(rf"({NAME}) WITH ({OPERATOR})")
EXCLUDING = re.compile(
    rf"EXCLUDE USING \S+ \(({NAME} WITH {OPERATOR}(?:, {NAME} WITH {OPERATOR})*)\)(?: INCLUDE \([^()]*\))?"
    r"(?: WHERE (\(.*\)))?(?: DEFERRABLE.*)?\Z",
    re.DOTALL,
)
NOT_DISTINCT = "NULLS NOT DISTINCT"
KEYS = re.compile(
    rf"[^(]*\(({INSIDE})\)(?: INCLUDE \([^()]*\))?(?: {NOT_DISTINCT})?(?: WITH \([^()]*\))?"
    r"(?: WHERE (\(.*\)))?(?: DEFERRABLE.*)?\Z",
    re.DOTALL,
)
DIRECTION = re.compile(r"(?: (?:ASC|DESC))?(?: NULLS (?:FIRST|LAST))?\Z")
VALUE = re.compile(rf"{NAME}|(?:{NAME}(?:\.{NAME})?)?\({INSIDE}\)", re.DOTALL)  # a column, a call or an expression
CHECKED = re.compile(r"CHECK (\(.*\))(?: NO INHERIT)?\Z", re.DOTALL)
PERIOD = re.compile(rf"\(({NAME}(?:, {NAME})+) WITHOUT OVERLAPS\)")
REFERRING_TO_PERIOD = re.compile(
    rf"FOREIGN KEY \(({NAME}(?:, {NAME})*), PERIOD ({NAME})\)"
    rf" REFERENCES ({NAME}\.{NAME})\(({NAME}(?:, {NAME})*), PERIOD ({NAME})\)",
)
REFERRING = re.compile(
    rf"FOREIGN KEY \(({NAME}(?:, {NAME})*)\) REFERENCES ({NAME}\.{NAME})\(({NAME}(?:, {NAME})*)\)( MATCH FULL)?",
    re.DOTALL,
)
