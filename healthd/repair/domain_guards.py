"""The questions about rows that forbid a domain its NOT NULL or a check: the values of the columns that have it."""

from __future__ import annotations

from collections.abc import Iterator

from healthd.model.names import Key
from healthd.repair.guards import CHECKED, Guard
from healthd.repair.operations import ALTER, CREATE, Change, Operation
from healthd.repair.values import with_value


def of_domain(change: Change, one: Operation) -> Iterator[Guard]:
    """Yield the guards for an operation that allows a domain fewer values; one that is created again is converted to.

    Columns of types that contain the domain are converted, too.
    """
    domain = Key("domain", one.key.path[:2])
    record = change.after.objects.get(one.key)
    if record is None or domain not in change.before.objects or domain in change.gone:
        return
    checks = one.key.kind == "constraint" and one.action == CREATE and record.validated
    if checks and (found := CHECKED.match(record.definition)):
        for column, value in _columns(change, domain):
            yield _guard(column, f"NOT {with_value(found[1], value)}", "against the constraint: with them it fails")
    elif (one.key, one.action, one.attribute) == (domain, ALTER, "not_null") and record.not_null:
        for column, value in _columns(change, domain):
            yield _guard(column, f"{value} IS NULL", "without a value: with them it fails")


def _columns(change: Change, domain: Key) -> Iterator[tuple[Key, str]]:
    """Yield the columns of tables that have a domain, or one over it, each with its value as that of the domain."""
    base = change.before.objects[domain].type
    for one in sorted(change.before.dependents(domain)):
        record = change.before.objects[one]
        if one.kind == "domain" and one not in change.gone:
            yield from ((column, f"{value}::{base}") for column, value in _columns(change, one))
        elif one.kind == "column" and record.on == "table" and record.type == domain.sql and not record.inherited:
            table = change.before.objects.get(Key("table", one.path[:2]))
            if getattr(table, "bound", None) is None:  # a question to a table is one to its partitions, too
                yield one, Key("", one.path[2:]).sql


def _guard(column: Key, condition: str, meaning: str) -> Guard:
    return Guard(f"SELECT FROM {Key('table', column.path[:2]).sql} WHERE {condition}", meaning)
