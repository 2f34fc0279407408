"""Questions under the names that objects have until the script has restored the expected ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from healthd.catalog import KINDS
from healthd.comparison import swapped_labels
from healthd.model.kinds import Path
from healthd.model.names import Key, quote
from healthd.model.snapshots import NAME_OF, PLACE_OF, SCHEMA_OF, SWAPPED, Difference
from healthd.repair.dependencies import Dependencies, ancestors
from healthd.sqltext.tokens import NAME


def present(side: Dependencies, names: Sequence[Difference]) -> Callable[[str], str]:
    """Return a function that returns a query with the present names of what it names by the expected ones.

    `side` has the objects under their expected names; `names` are the differences in names, in the order in which
    the script removes them.
    """
    asking = _Asking(side, names)
    return asking.query if names else lambda query: query


@dataclass(frozen=True, slots=True)
class _Asking:
    side: Dependencies
    names: Sequence[Difference]

    def query(self, text: str) -> str:
        for one in self.names:
            if one.attribute == SWAPPED and one.key.kind == "enum":
                names = dict(zip(one.expected, one.actual, strict=True))
                text = swapped_labels.in_constants(one.key, names)(text)
        return PARTS.sub(self._part, text)

    def _part(self, match: re.Match[str]) -> str:
        if match["table"]:
            return self._source(match)
        if match["other"]:
            path = Key.parse(f"type:{match['other']}").path
            return Key("", self._of(path, OTHERS)).sql
        return match[0]

    def _source(self, match: re.Match[str]) -> str:
        """Return a table of FROM; if it has renamed columns, with a query that gives them their expected names."""
        table, alias = Key.parse(f"table:{match['table']}").path, match["alias"] or ""
        there = Key("", self._of(table, TABLES)).sql
        columns = {key.path[2]: self._of_column(key) for key in self.side.around.columns.get(table, ())}
        if all(name == now for name, now in columns.items()):
            return f"FROM {there}{alias}"
        named = ", ".join(f"t.{quote(now)} AS {quote(name)}" for name, now in columns.items())
        inner = f"SELECT {named} FROM {there} AS t"  # noqa: S608 # a part of our own query
        return f"FROM ({inner}){alias or f' AS {quote(table[1])}'}"

    def _of(self, path: Path, kinds: frozenset[str]) -> Path:
        """Return the present schema and name of an object of one of these kinds."""
        renamed = set[str]()  # the kinds: what two tables have exchanged is not exchanged again
        for one in reversed(self.names):
            own = one.key.path[:2]
            if one.key.kind not in kinds or path[: len(own)] != own or one.key.kind in renamed:
                continue
            if one.attribute == SCHEMA_OF:
                path = (one.actual, *path[1:])
            elif one.attribute == PLACE_OF:
                path = Key.parse(f"{one.key.kind}:{one.actual}").path
            elif one.attribute == NAME_OF:
                renamed.add(one.key.kind)
                path = (*KINDS[one.key.kind].with_name(one.key, one.actual).path[: len(own)], *path[len(own) :])
        return path

    def _of_column(self, column: Key) -> str:
        """Return the present name of a column; one that is inherited has that of the parent's."""
        name, tables = column.path[2], self._lineage(column.path[:2])
        for one in reversed(self.names):
            if one.attribute == SWAPPED and one.key.path in tables:
                name = dict(zip(one.expected, one.actual, strict=True)).get(name, name)
            elif (one.attribute, one.key.kind, one.key.path[2:]) == (NAME_OF, "column", (name,)):
                name = one.actual if one.key.path[:2] in tables else name
        return name

    def _lineage(self, table: Path) -> frozenset[Path]:
        """Return a table, and all that it inherits from."""
        return frozenset({table, *(one.path for one in ancestors(self.side.objects, Key("table", table)))})


TABLES = frozenset({"schema", "table"})
OTHERS = frozenset({"schema"} | {name for name, kind in KINDS.items() if kind.is_type or name == "function"})
# A string, a table in FROM, another name with its schema, and a name in quotation marks, which may contain all of them.
PARTS = re.compile(
    rf"'(?:[^']|'')*'|(?<!DISTINCT )\bFROM (?P<table>{NAME}\.{NAME})(?P<alias> AS \w+)?"
    rf'|(?<![\w$."])(?P<other>{NAME}\.{NAME})|"(?:[^"]|"")+"',
    re.DOTALL,
)
