"""What the statements of a repair cost in the database that they repair."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from healthd.model.costs import Cost
from healthd.model.kinds import Path
from healthd.model.names import Key
from healthd.model.observations import Size
from healthd.model.scripts import Statement
from healthd.model.snapshots import NAME_OF, PLACE_OF, SCHEMA_OF, Difference
from healthd.repair.guards import Guard
from healthd.repair.operations import Change
from healthd.sqltext.do_blocks import DOES, statements_of
from healthd.sqltext.statements import statements
from healthd.sqltext.table_costs import FULL, dropped_constraint, referenced, table_costs

RELATIONS = ("table", "view")  # that have rows of their own


def of_guard(guard: Guard) -> tuple[Cost, ...]:
    """Return what a guard does to the table of its rows: it locks and reads that."""
    return (Cost(f"table:{guard.table}", FULL, reads_all=True),)


def of_own_names(sizes: Mapping[str, Size], names: Iterable[Difference]) -> Mapping[str, Size]:
    """Return the sizes without those of names that differ: what has one of these names now is something else."""
    renamed = {str(one.key) for one in names if one.attribute in (NAME_OF, PLACE_OF, SCHEMA_OF)}
    return {name: size for name, size in sizes.items() if name not in renamed}


def weighing(change: Change, sizes: Mapping[str, Size]) -> Callable[[Statement], Statement]:
    """Return a function that adds to a statement what it does to relations that exist, and their sizes."""
    tables: Mapping[Path, Path] = {
        (key.path[0], key.path[2]): key.path[:2] for key in change.before.objects if key.kind in INDEXES
    }

    def weighed(one: Statement) -> Statement:
        inside = (part.text for whole in statements(one.sql) for part in statements_of(whole))
        texts = (one.sql, *inside) if DOES.match(one.sql) else (one.sql,)
        found = one.costs or tuple(cost for text in texts for cost in _costs(change, tables, text))
        return replace(one, costs=tuple(replace(cost, size=sizes.get(cost.relation)) for cost in found))

    return weighed


INDEXES = ("index", "constraint")


def _costs(change: Change, tables: Mapping[Path, Path], sql: str) -> Iterator[Cost]:
    for one in table_costs(sql):
        path = Key.parse(f"table:{one.name}").path
        if one.by_index:
            path = tables.get(path, ())
        key = next((key for kind in RELATIONS if (key := Key(kind, path)) in change.before.objects), None)
        if key is not None and key not in change.made:  # nobody uses what the script creates
            yield Cost(str(key), one.lock, one.reads_all, one.rewrites)
    if (found := dropped_constraint(sql)) is not None:
        record = change.before.objects.get(Key.parse(f"constraint:{'.'.join(found)}"))
        if record is not None and (other := referenced(record.definition)) not in ("", found[0]):
            yield Cost(f"table:{other}", FULL)
