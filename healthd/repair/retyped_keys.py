"""Foreign keys whose two columns both get another type: while only one has it, nothing may compare them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from healthd.catalog.retyping import plain
from healthd.model.attributes import Record
from healthd.model.names import Key
from healthd.repair.dependencies import Dependencies
from healthd.repair.inheritance import below
from healthd.sqltext.tokens import NAME, listed


def incomparable(
    retyped: Collection[Key], converted: Collection[Key], before: Dependencies, after: Dependencies
) -> Iterator[tuple[Key, Key]]:
    """Yield each foreign key that must not exist meanwhile, with the column that shows it.

    `retyped` are the columns that get another type, `converted` those whose type is created again.
    """
    touched = {one: column for column in (*retyped, *converted) for one in (column, *below(column, before))}
    again = {one for one, column in touched.items() if column in converted}
    for column, cause in touched.items():
        for key in before.dependents(column):
            record = before.objects[key]
            if getattr(record, "type", "") != "foreign key" or key not in after.objects:
                continue
            for pair in _pairs(key, record):
                both = column in pair and all(one in touched for one in pair)
                if both and (not again.isdisjoint(pair) or not _compares(pair, before, after)):
                    yield key, cause


def _compares(pair: tuple[Key, Key], before: Dependencies, after: Dependencies) -> bool:
    """Return whether all types of these columns, present and expected, compare with each other."""
    types = {plain(side.objects[one].type) for one in pair for side in (before, after) if one in side.objects}
    return any(types <= one for one in COMPARABLE)


COMPARABLE = (
    {"smallint", "integer", "bigint"},
    {"text", "character varying"},
    {"numeric"},
    {"date", "timestamp without time zone", "timestamp with time zone"},
)


def _pairs(key: Key, record: Record) -> Iterator[tuple[Key, Key]]:
    """Yield the columns of a foreign key, each with the one that it refers to."""
    if found := REFERRING.match(record.definition):
        there = Key.parse(f"table:{found[2]}").path
        for name, other in zip(*(listed(PERIOD.sub("", names)) for names in (found[1], found[3])), strict=True):
            yield Key("column", (*key.path[:2], name)), Key("column", (*there, other))


NAMES = r'((?:[^()"]|"(?:[^"]|"")+")*)'
REFERRING = re.compile(rf"FOREIGN KEY \({NAMES}\) REFERENCES ({NAME}\.{NAME})\({NAMES}\)", re.DOTALL)
PERIOD = re.compile(r"(?:(?<=, )|\A)PERIOD (?!,|\Z)")
