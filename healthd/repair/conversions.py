"""Columns whose type is dropped and created again: their values become the new type by their text."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from healthd.catalog.composites import rebuilt
from healthd.model.names import Key, quote
from healthd.repair.dependencies import Dependencies


def conversion(
    column: Key,
    type_: Key,
    before: Dependencies,
    after: Dependencies,
    *,
    again: Collection[str],
    without: Iterable[Key],
) -> str:
    """Return the statement that gives a column its new type.

    `again` are all types that are created again, as SQL names them; `without` are checks that the column must do
    without meanwhile.
    """
    record = after.objects.get(column) or before.objects[column]
    name, array = quote(column.path[2]), "[]" if record.type.endswith("[]") else ""
    value = f"{name}::text{array}::{record.type}"
    if type_.kind == "composite" and not array:
        value = rebuilt(name, type_, after.objects[type_], before.objects[type_], again)
    checks = {quote(one.path[2]): before.objects[one].definition for one in without}
    using = f" USING {value}" if record.on == "table" else ""  # a foreign table has no values of its own
    steps = [
        *(f"DROP CONSTRAINT {check}" for check in checks),
        *([f"ALTER COLUMN {name} DROP DEFAULT"] if before.objects[column].default else []),
        f"ALTER COLUMN {name} TYPE {record.type}{using}",
        *([f"ALTER COLUMN {name} SET DEFAULT {record.default}"] if record.default else []),
        *(f"ADD CONSTRAINT {check} {definition}" for check, definition in checks.items()),
    ]
    return f"ALTER TABLE {Key('table', column.path[:2]).sql} {', '.join(steps)};"
