"""Results that are stored: those of functions that had another body, and of the queries of materialized views."""

from __future__ import annotations

from collections.abc import Iterator

from healthd.model.names import Key
from healthd.repair.operations import ALTER, CREATE, DROP, Change, Operation


def of_function(change: Change, one: Operation) -> Iterator[str]:
    """Yield what keeps results of the other body of a function, or of another text search configuration."""
    if one.action != ALTER or (one.key.kind, one.attribute) not in COMPUTING:
        return
    for key in sorted(change.after.dependents(one.key)):
        if key in change.before.objects and key not in change.made:
            yield from _kept(change, one.key, key)


COMPUTING = {
    *(("function", attribute) for attribute in ("body", "sql_body", "library", "settings")),
    ("text_search_configuration", "mappings"),
    ("text_search_dictionary", "options"),
}


def _kept(change: Change, of: Key, key: Key) -> Iterator[str]:
    """Yield what is stored in an object that uses a function."""
    record, present = change.after.objects[key], f"the present {of.kind.replace('_', ' ')}"
    if key.kind == "index" or (key.kind == "constraint" and record.type == "exclusion"):
        index = Key("index", (key.path[0], key.path[2])).sql
        yield f"{key} keeps results of {present}: afterwards, REINDEX INDEX CONCURRENTLY {index};"
    elif key.kind == "column" and record.generated == "stored":
        table, name = Key("table", key.path[:2]).sql, Key("", key.path[2:]).sql
        again = f"ALTER TABLE {table} ALTER COLUMN {name} SET EXPRESSION AS ({record.default});"
        yield f"{key} keeps results of {present} until each row is updated; {again} computes all (PostgreSQL 17)."
    elif key.kind == "constraint" and record.type == "check" and record.on == "table":
        table, condition = Key("table", key.path[:2]).sql, record.definition.partition("CHECK ")[2]
        asked = f"SELECT * FROM {table} WHERE NOT {condition};"  # noqa: S608 # a part of the definition
        yield f"Rows were checked with {present}: afterwards, {asked} -- against {key}"


def of_view(change: Change, one: Operation) -> Iterator[str]:
    """Yield what happens to the rows of a materialized view that is dropped, or created again."""
    if one.key.kind != "view" or one.action not in (DROP, CREATE):
        return
    before, after = (side.objects.get(one.key) for side in (change.before, change.after))
    if one.action == DROP and before is not None and before.materialized and one.key not in change.made:
        yield f"The rows of {one.key.sql}, which its query found when it was last refreshed, are lost with it."
    elif one.action == CREATE and after is not None and after.materialized and one.key in change.gone:
        yield f"The query of {one.key.sql} runs again: it takes its time, and the rows are those that it finds now."
