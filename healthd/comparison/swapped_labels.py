"""Labels of an enum that have exchanged their names: every row that has one of them is read as another one.

A type that was created again with its labels in another order looks the same, and its rows are right. Only texts that
the server prints tell one from the other: a default or a view that mentions a label follows when that is renamed.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from healthd.catalog.enums import moved
from healthd.comparison.renames import AS_WRITTEN
from healthd.comparison.swapped_columns import exchanged
from healthd.model.attributes import Record, attributes
from healthd.model.names import Key, literal
from healthd.model.snapshots import SWAPPED, Difference, Snapshot
from healthd.sqltext.tokens import tokens

Names = Mapping[str, str]  # from a label's actual name to its expected one
Objects = Mapping[Key, Record]
Respell = Callable[[str], str]


def suspects(expected: Snapshot, actual: Snapshot) -> tuple[Key, ...]:
    """Return the enums that have as many labels as expected, some of them at the place of another one."""
    return tuple(
        key
        for key, record in expected.objects.items()
        if key.kind == "enum"
        and (other := actual.objects.get(key)) not in (None, record)
        and len(record.labels) == len(other.labels)
        and moved(record.labels, other.labels)
    )


def labels_back(
    expected: Snapshot, actual: Snapshot, enums: tuple[Key, ...]
) -> tuple[Snapshot, tuple[Difference, ...]]:
    """Return the actual side with the expected labels of those of these enums whose labels were renamed.

    The sides of a difference are the labels, in their order. Both snapshots must be complete.
    """
    found: list[Difference] = []
    for key in enums:
        pairs = zip(expected.objects[key].labels, actual.objects[key].labels, strict=True)
        names = {there: own for own, there in pairs if own != there}
        if {*_followed(key, names, expected.objects, actual.objects)} == {True}:
            objects = {one: _respelled(record, key, names, actual.objects) for one, record in actual.objects.items()}
            actual = replace(actual, objects={**objects, key: expected.objects[key]})
            found.append(Difference(key, SWAPPED, tuple(names.values()), tuple(names)))
    return actual, tuple(found)


def repair(difference: Difference, labels: tuple[str, ...]) -> str:
    """Return the statements that restore the names of labels; `labels` are all labels of the type."""
    alter = f"ALTER TYPE {difference.key.sql} RENAME VALUE"
    return "\n".join(f"{alter} {literal(one)} TO {literal(other)};" for one, other in exchanged(difference, labels))


def message(difference: Difference) -> str:
    """Return one line with the labels, and their actual names."""
    pairs = zip(difference.expected, difference.actual, strict=True)
    called = ", ".join(f"{literal(one)} is named {literal(there)}" for one, there in pairs)
    return f"{difference.key}: labels are swapped: {called}; every row with one of them is read incorrectly"


# ── texts ───────────────────────────────────────────────────────────────────────────────────────────────


def _followed(enum: Key, names: Names, expected: Objects, actual: Objects) -> Iterator[bool]:
    """Yield, for each text that mentions these labels, whether it followed their renames (true) or not (false)."""
    for key, record in expected.items():
        other = actual.get(key)
        if key == enum or type(other) is not type(record):
            continue
        for name, respell in _texts(record, enum, names, actual):
            wanted, there = getattr(record, name), getattr(other, name)
            if wanted == there and _each(there, respell) != there:
                yield False
            elif wanted != there and _each(there, respell) == wanted:
                yield True


def _respelled(record: Record, enum: Key, names: Names, objects: Objects) -> Record:
    """Return a record whose texts have the expected names of these labels."""
    texts = ((name, getattr(record, name), respell) for name, respell in _texts(record, enum, names, objects))
    changed = {name: new for name, value, respell in texts if (new := _each(value, respell)) != value}
    return replace(record, **changed) if changed else record


def _texts(record: Record, enum: Key, names: Names, objects: Objects) -> Iterator[tuple[str, Respell]]:
    """Yield the attributes of a record that may mention labels, with a function that gives these their names."""
    respell = in_constants(enum, names)
    for name in attributes(type(record)):
        if name == "bound" and record.bound and _divides(enum, record, objects):
            yield name, lambda text: STRING.sub(lambda one: _literal(one, names), text)
        elif name not in AS_WRITTEN:
            yield name, respell


def _divides(enum: Key, record: Record, objects: Objects) -> bool:
    """Return whether a column of this type is in the partition key of the table above: a bound has no casts."""
    above = Key.parse(f"table:{record.inherits[0]}") if record.inherits else enum
    words = tokens(getattr(objects.get(above), "partitioned_by", None) or "")
    columns = (objects.get(Key("column", (*above.path, one))) for one in words)
    return any(getattr(one, "type", None) == enum.sql for one in columns)


def in_constants(enum: Key, names: Names) -> Respell:
    """Return a function that gives labels their names, in constants of the type and of its array type."""
    constant = re.compile(rf"'((?:[^']|'')*)'(?=::{re.escape(enum.sql)}(\[\])?(?![\w$.\"\[]))")

    def one(match: re.Match[str]) -> str:
        if not match[2]:
            return _literal(match, names)
        return literal(ELEMENT.sub(lambda each: _element(each[0], names), match[1].replace("''", "'")))

    return lambda text: constant.sub(one, text)


STRING = re.compile(r"'((?:[^']|'')*)'")
ELEMENT = re.compile(r'"(?:[^"\\]|\\.)*"|[^,{}"]+')


def _literal(match: re.Match[str], names: Names) -> str:
    label = match[1].replace("''", "'")
    return literal(names.get(label, label))


def _element(text: str, names: Names) -> str:
    """Return an element of an array with its label's name, in quotation marks if that has other signs than letters."""
    label = re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text
    if label not in names:
        return text
    name = names[label]
    plain = re.fullmatch(r"[\w-]+", name) and name.upper() != "NULL"
    return name if plain else '"{}"'.format(re.sub(r'(["\\])', r"\\\1", name))


def _each(value: Any, respell: Respell) -> Any:
    if isinstance(value, tuple):
        return tuple(_each(one, respell) for one in value)
    return respell(value) if isinstance(value, str) else value
