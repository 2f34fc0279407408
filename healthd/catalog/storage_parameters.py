"""Storage parameters of tables, views and indexes (fillfactor=70): how they are read, and the SQL that changes them."""

from collections.abc import Iterator

from healthd.catalog.server_only import by_server
from healthd.model.names import literal


def set_options(alter: str, expected: str | None, actual: str | None) -> Iterator[str]:
    """Yield the SQL that changes storage parameters (`fillfactor=70, toast.…`) from actual to expected."""
    wanted = dict(one.split("=", 1) for one in expected.split(", ")) if expected else {}
    lost = [one.split("=", 1)[0] for one in actual.split(", ")] if actual else []
    if lost := [name for name in lost if name not in wanted]:
        yield f"{alter} RESET ({', '.join(lost)});"
    if wanted:
        yield f"{alter} SET ({', '.join(f'{name}={literal(value)}' for name, value in wanted.items())});"


def assigned(options: str, order: str | None) -> str:
    """Return storage parameters as WITH and SET take them, in the order in which they were set."""
    values = dict(one.split("=", 1) for one in options.split(", "))
    names = order.split(", ") if order else list(values)
    return ", ".join(f"{name}={literal(values[name])}" for name in sorted(values, key=lambda one: _place(one, names)))


def _place(name: str, names: list[str]) -> int:
    """Return where a parameter was set; of two with one name, the order does not say which is the TOAST table's."""
    bare = name if name in names else name.removeprefix("toast.")
    return names.index(bare) if bare in names else len(names)


def options(relation: str, toast: str | None = None) -> str:
    """Return the SQL for storage parameters as one text, sorted by name, NULL if there are none.

    `relation` and `toast` are aliases of pg_class; parameters of the latter are named toast.…
    """
    texts = f"{relation}.reloptions"
    condition = f"{texts} IS NOT NULL"
    if toast:
        condition += f" OR {toast}.reloptions IS NOT NULL"
        more = f"ARRAY(SELECT 'toast.' || o FROM pg_catalog.unnest({toast}.reloptions) AS o)"
        texts = f"pg_catalog.array_cat({texts}, {more})"
    return (
        f"CASE WHEN {condition} THEN (SELECT pg_catalog.string_agg(o, ', ' ORDER BY o COLLATE \"C\")"
        f" FROM pg_catalog.unnest({texts}) AS o WHERE NOT {by_server('o')}) END"
    )


def options_order(*texts: str, left_out: str = by_server("o.text")) -> str:
    """Return the SQL for the names of options in the order in which they were set; NULL if that is the order by name.

    `texts` are arrays of name=value; `left_out` is the condition for entries, o.text, that are omitted.
    """
    whole = " || ".join(texts)
    return f"""CASE WHEN pg_catalog.cardinality({whole}) > 1
                    THEN (SELECT nullif(pg_catalog.string_agg(pg_catalog.split_part(o.text, '=', 1), ', '
                                                              ORDER BY o.number),
                                        pg_catalog.string_agg(pg_catalog.split_part(o.text, '=', 1), ', '
                                                              ORDER BY o.text COLLATE "C"))
                            FROM pg_catalog.unnest({whole}) WITH ORDINALITY AS o(text, number)
                           WHERE NOT {left_out}) END"""
