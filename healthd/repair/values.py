"""The questions about values that another type would change: columns whose type changes or is created again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from healthd.catalog.composites import dropped, named
from healthd.catalog.retyping import cast
from healthd.model.names import Key, literal
from healthd.repair.guards import CHECKED, Guard
from healthd.repair.operations import Change


def of_column(change: Change, column: Key) -> Iterator[Guard]:
    """Yield the guard for a column of a table that gets another type."""
    expected, actual = change.after.objects[column], change.before.objects[column]
    if actual.on != "table":
        return
    name = Key("", column.path[2:]).sql
    if (enum := _enum(change, expected.type)) is not None:
        yield _of_labels(change, column, enum)
        return
    if forbidden := [*_forbidden(change, name, expected.type)]:
        yield _guard(column, " OR ".join(forbidden), expected.type)
    back = cast(cast(name, expected.type, actual.type), actual.type, expected.type)
    yield _guard(column, _unlike(back, name, actual.type), expected.type)


def of_conversion(change: Change, column: Key) -> Iterator[Guard]:
    """Yield the guard for a column whose type is created again."""
    key, actual = change.converted[column], change.before.objects[column]
    if actual.on != "table":
        return
    name, array = Key("", column.path[2:]).sql, "[]" if actual.type.endswith("[]") else ""
    if key.kind == "enum":  # the type that a column gets may be another one
        wanted = change.after.objects.get(column)
        yield _of_labels(change, column, (_enum(change, wanted.type) if wanted else None) or key)
    elif key.kind == "composite":
        yield from _of_attributes(change, column, key)
    else:
        if forbidden := [*_forbidden(change, name, key.sql + array)]:
            yield _guard(column, " OR ".join(forbidden), key.sql + array)
        # Nobody can ask this before the type exists.
        back = f"{name}::text{array}::{key.sql}{array}::text{array}::{change.aside(key).sql}{array}"
        yield _guard(column, _unlike(back, name, getattr(change.before.objects[key], "type", "")), key.sql + array)


def of_composite(change: Change, key: Key) -> Iterator[Guard]:
    """Yield the guards for attributes that are dropped: columns of the type have their values."""
    expected, actual = (side.objects[key].attributes for side in (change.after, change.before))
    lost = [named(one)[0] for one in dropped(expected, actual)]
    for column in change.before.dependents(key):
        record = change.before.objects[column]
        if lost and column.kind == "column" and record.on == "table" and column not in change.gone:
            name = Key("", column.path[2:]).sql
            row = "e" if record.type.endswith("[]") else f"({name})"
            yield _of_lost(column, key, _of_each(name, row, [f"{row}.{one} IS NOT NULL" for one in lost]))
        elif lost and getattr(record, "of_type", None) == key.sql:
            yield _of_lost(column, key, " OR ".join(f"{one} IS NOT NULL" for one in lost))


def _of_attributes(change: Change, column: Key, key: Key) -> Iterator[Guard]:
    """Yield the guards for a column whose composite type is created again, attribute by attribute."""
    expected, actual = (dict(map(named, side.objects[key].attributes)) for side in (change.after, change.before))
    name = Key("", column.path[2:]).sql
    array = change.before.objects[column].type.endswith("[]")
    if array and list(expected) != list(actual):
        yield _guard(column, f"{name} IS NOT NULL", f"{key.sql}[]")  # no expression takes an array apart
        return
    row = "e" if array else f"({name})"
    lost = [f"{row}.{one} IS NOT NULL" for one in actual if one not in expected]
    if lost:
        yield _of_lost(column, key, " OR ".join(lost))
    if unlike := [*_unlike_attributes(change, row, expected, actual)]:
        yield _guard(column, _of_each(name, row, unlike), key.sql)


def _of_each(column: str, row: str, conditions: Iterable[str]) -> str:
    """Return the condition that one of these holds for a value, or for an element if it is an array of rows `e`."""
    condition = " OR ".join(conditions)
    return f"EXISTS (SELECT FROM pg_catalog.unnest({column}) AS e WHERE {condition})" if row == "e" else condition


def _unlike_attributes(
    change: Change, row: str, expected: Mapping[str, str], actual: Mapping[str, str]
) -> Iterator[str]:
    """Yield the conditions under which a row of a composite type has a value that its other type forbids or changes."""
    for one, new in expected.items():
        value = f"{row}.{one}"
        if one in actual and actual[one] != new:
            yield _unlike(cast(cast(value, new, actual[one]), actual[one], new), value, actual[one])
        if one in actual and change.after.types.get(new.removesuffix("[]")) in change.gone:
            yield from _forbidden(change, value, new)


def _of_lost(column: Key, key: Key, condition: str) -> Guard:
    table = Key("table", column.path[:2]).sql
    meaning = f"an attribute of {key.sql} would be dropped with its values in {column.sql}"
    return Guard(f"SELECT FROM {table} WHERE {condition}", meaning, table=table)


def _of_labels(change: Change, column: Key, enum: Key) -> Guard:
    """Return the guard for a column that gets an enum: the text of each value must be a label."""
    name = Key("", column.path[2:]).sql
    labels = _labels(change, enum)
    arrays = [
        side.objects[column].type.endswith("[]") for side in (change.after, change.before) if column in side.objects
    ]
    if arrays == [True, False]:
        condition = f"{name} IS NOT NULL"
    elif arrays[0]:
        condition = f"NOT pg_catalog.array_remove({name}::text[], NULL) <@ {labels}"
    else:
        condition = f"{name}::text <> ALL ({labels})"
    return _guard(column, condition, enum.sql)


def _guard(column: Key, condition: str, type_: str) -> Guard:
    table = Key("table", column.path[:2]).sql
    meaning = f"the type {type_} would change values of {column.sql}"
    return Guard(f"SELECT FROM {table} WHERE {condition}", meaning, table=table)


def _enum(change: Change, type_: str) -> Key | None:
    """Return the enum that this is the name of, or of arrays of which it is."""
    found = change.after.types.get(type_.removesuffix("[]"))
    return found if found is not None and found.kind == "enum" else None


def _forbidden(change: Change, value: str, type_: str) -> Iterator[str]:
    """Yield the conditions under which an expected type forbids the text of a value, as far as one can ask before."""
    key = change.after.types.get(type_.removesuffix("[]"))
    record = change.after.objects[key] if key is not None else None
    if key is None or record is None:
        return
    if key.kind == "enum":
        labels = _labels(change, key)
        array = type_.endswith("[]")
        yield (
            f"NOT pg_catalog.array_remove({value}::text[], NULL) <@ {labels}"
            if array
            else (f"{value}::text <> ALL ({labels})")
        )
    elif key.kind == "range" and not type_.endswith("[]"):
        for end in ("lower", "upper"):
            yield from _forbidden(change, f"pg_catalog.{end}({value})", record.subtype)
    elif key.kind == "domain" and not type_.endswith("[]"):
        yield from (f"{value} IS NULL",) if record.not_null else ()
        yield from _forbidden(change, value, record.type)
        yield from _against(change, key, f"({value}::text::{record.type})")


def _against(change: Change, domain: Key, value: str) -> Iterator[str]:
    """Yield the conditions under which a value is against the checks of a domain that name nothing which is new."""
    changed = {one.key for one in change.differences}
    for key in change.after.own_parts(domain):
        record = change.after.objects[key]
        needs = (change.after.needs(key) | change.after.needs(domain)) - {domain}
        new = any(one in change.made or one in changed for one in needs)
        if key.kind == "constraint" and not new and (found := CHECKED.match(record.definition)):
            yield f"NOT {with_value(found[1], value)}"


def with_value(check: str, value: str) -> str:
    """Return the check of a domain for this value."""
    return VALUE.sub(lambda word: value if word[0] == "VALUE" else word[0], check)


VALUE = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|\bVALUE\b""")


def _labels(change: Change, enum: Key) -> str:
    return f"ARRAY[{', '.join(map(literal, change.after.objects[enum].labels))}]::text[]"


def _unlike(back: str, name: str, type_: str) -> str:
    """Return the condition that holds for values which another type would change."""
    plain = type_.partition("(")[0].partition("[")[0]
    as_text = "::text" if plain in UNEQUAL or "." in plain else ""  # a domain over one over an enum has no = either
    return f"{back}{as_text} IS DISTINCT FROM {name}{as_text}"


UNEQUAL = frozenset("json xml point line lseg box path polygon circle".split())  # types without the operator =
