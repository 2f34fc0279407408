"""Texts of objects that differ: they mention renamed objects, which are compared by expected names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from healthd.catalog import KINDS
from healthd.comparison.renames import AS_WRITTEN, chained
from healthd.model.attributes import Record, attributes
from healthd.model.kinds import Path
from healthd.model.names import Key, quote
from healthd.model.snapshots import NAME_OF, SWAPPED, Difference, Snapshot

OTHER = """'(?:[^']|'')*'|"(?:[^"]|"")*\""""  # a string, or another quoted name, in which nothing is replaced
Names = dict[str, str]  # from the actual name, as SQL has it, to the expected one


def respelled(expected: Snapshot, actual: Snapshot, found: Iterable[Difference]) -> Snapshot:
    """Return the actual side, in which these texts have the expected names, as far as these are certain.

    `found` are the differences in names. A name with its schema is certain, and so is that of a column in a part of its
    table; in other texts a column could be that of another table.
    """
    objects: dict[Key, Record] = {}
    found = tuple(found)
    passed_on = chained(found)
    unlike: dict[Key, Record] | None = None  # found once: there may be as many names as objects
    for one in found:
        if one.attribute == NAME_OF and one.key.kind == "column":
            names, table = {quote(one.actual): quote(one.expected)}, one.key.path[:2]
        elif one.attribute == SWAPPED and one.key.kind != "enum":
            names, table = dict(zip(map(quote, one.actual), map(quote, one.expected), strict=True)), one.key.path
        elif one.attribute == NAME_OF and KINDS[one.key.kind].referenced and one.key not in passed_on:
            there = KINDS[one.key.kind].with_name(one.key, one.actual)
            names, table = {Key("", there.path[:2]).sql: Key("", one.key.path[:2]).sql}, None
        else:
            continue
        if unlike is None:
            unlike = {key: record for key, record in actual.objects.items() if expected.objects.get(key) != record}
        for key, record in unlike.items():
            if key in expected.objects and one.attribute == SWAPPED:
                continue  # a text that was changed back already would be swapped again
            if _mentions(key, objects.get(key, record), table):
                text = _text(names) if table is not None else _with_qualifiers(names)
                objects[key] = spelled(objects.get(key, record), text)
            elif table is not None and getattr(record, "type", None) == "foreign key":
                objects[key] = spelled(objects.get(key, record), _keys(table, names))
    return replace(actual, objects={**actual.objects, **objects}) if objects else actual


def _mentions(key: Key, record: Record, table: Path | None) -> bool:
    """Return whether an object may mention columns of this table; every object may mention one with its schema."""
    if table is None:
        return True
    if key.kind == "statistics":
        return KINDS[key.kind].table_of(key, record) == table
    computed = key.kind != "column" or record.generated != "none"
    return KINDS[key.kind].is_part and computed and key.path[:2] == table


def spelled(record: Record, text: Callable[[str], str]) -> Record:
    """Return a record with other texts, except those that the server stores as they were written."""

    def other(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(other, value))
        return text(value) if isinstance(value, str) else value

    values: Mapping[str, Any] = {name: getattr(record, name) for name in attributes(type(record))}
    changed = {name: new for name, old in values.items() if name not in AS_WRITTEN and (new := other(old)) != old}
    return replace(record, **changed) if changed else record


def _text(names: Names) -> Callable[[str], str]:
    """Return a function that replaces these names in a text, but not in strings; a trigger has `new.` before a name."""
    before = r"""(?:(?<![\w$.\"])|(?<=\bnew\.)|(?<=\bold\.))"""
    pattern = re.compile(rf"""{before}({"|".join(map(re.escape, names))})(?![\w$\"])|{OTHER}""")
    return lambda text: pattern.sub(lambda match: names[match[1]] if match[1] else match[0], text)


def _with_qualifiers(names: Names) -> Callable[[str], str]:
    """Return the same for names with their schema; before 16 a view's columns have the name of its table in front."""
    whole = _text(names)
    own = {Key.parse(f"name:{old}").path[-1]: Key.parse(f"name:{new}").path[-1] for old, new in names.items()}
    short = {f"{quote(old)}.": f"{quote(new)}." for old, new in own.items() if old != new}
    if not short:
        return whole
    qualifier = re.compile(rf"""(?<![\w$.\"])({"|".join(map(re.escape, short))})|{OTHER}""")

    def text(value: str) -> str:
        new = whole(value)
        return new if new == value else qualifier.sub(lambda match: short[match[1]] if match[1] else match[0], new)

    return text


def _keys(table: Path, names: Names) -> Callable[[str], str]:
    """Return a function that replaces these names of columns where a foreign key refers to their table."""
    columns = _text(names)
    pattern = re.compile(rf"REFERENCES {re.escape(Key('', table).sql)}\([^)]*\)")
    return lambda text: pattern.sub(lambda match: columns(match[0]), text)
