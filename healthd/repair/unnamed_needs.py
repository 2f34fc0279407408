"""What an object needs although no text of it has the name: casts, and the operator classes that types have by default.

`(s)::integer` names neither the cast nor its function, and an index on a column names no class that is the default.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from healthd.catalog.retyping import plain
from healthd.comparison.renames import AS_WRITTEN
from healthd.model.attributes import Record, attributes
from healthd.model.names import Key
from healthd.sqltext.tokens import tokens

Objects = Mapping[Key, Record]


class Unnamed:
    """The casts and the default operator classes of a snapshot, and what uses them; most databases have none."""

    def __init__(self, objects: Objects) -> None:
        self.objects = objects
        self.casts = [key for key in objects if key.kind == "cast"]
        self.classes = [key for key in objects if key.kind == "operator_class" and objects[key].default]

    def __bool__(self) -> bool:
        return bool(self.casts or self.classes)

    def bound(self, key: Key, record: Record, needs: Iterable[Key]) -> Iterator[Key]:
        """Yield what must not be dropped before an object: what its casts call, and the classes of an index.

        A cast itself can be. The columns of a view are not known with their types.
        """
        types, of_view = self._types(needs), any(one.kind == "view" for one in needs)
        for cast in self.casts:
            function = self._function(cast)
            if function is not None and (of_view or cast.path[0] in types) and _casts_to(cast.path[1], record):
                yield function
        if key.kind in ("index", "constraint"):
            method = _method(record)
            yield from (one for one in self.classes if one.path[2] == method and self.objects[one].type in types)

    def possible(self, key: Key, record: Record, needs: Iterable[Key]) -> Iterator[Key]:
        """Yield what an object may use: it is created after that, except casts that are implicit.

        With such a cast the texts that the server prints may have several meanings: it comes last.
        """
        if key.kind not in USERS:
            return
        types = self._types(needs)
        for cast in self.casts:
            used = not types.isdisjoint(cast.path) or _casts_to(cast.path[1], record)
            if used and self.objects[cast].context != "implicit":
                yield cast
        method = _method(record)
        yield from (one for one in self.classes if one.path[2] == method or self.objects[one].type in types)

    def _function(self, cast: Key) -> Key | None:
        name = self.objects[cast].function or ""
        if not NAMED.match(name):  # the server's own functions have no schema in their names
            return None
        function = Key.parse(f"function:{name}")
        return function if function in self.objects else None

    def _types(self, needs: Iterable[Key]) -> set[str]:
        """Return the types of what an object mentions: columns, the results of functions, and types themselves."""
        found = set[str]()
        for one in needs:
            other = self.objects[one]
            found |= {one.sql, plain(getattr(other, "type", None) or ""), plain(getattr(other, "result", None) or "")}
        found |= {one.removesuffix("[]") for one in found}
        domains = (self.objects.get(Key.parse(f"domain:{one}")) for one in found if NAMED.fullmatch(one))
        return found | {plain(one.type) for one in domains if one is not None}


# What has expressions that are bound when it is made, and is no part of a type or a function itself.
USERS = ("table", "column", "index", "constraint", "view", "rule", "policy", "trigger", "statistics")
NAMED = re.compile(r'(?:[\w$]+|"(?:[^"]|"")+")\.(?:[\w$]+|"(?:[^"]|"")+")')
METHOD = re.compile(r" USING (\S+) \(|\AEXCLUDE USING (\S+) ")


def _method(record: Record) -> str | None:
    """Return the access method of an index or of the index of a constraint."""
    if getattr(record, "type", None) in ("primary key", "unique"):
        return "btree"
    found = METHOD.search(getattr(record, "definition", ""))
    return tokens(found[1] or found[2])[0] if found else None


def _casts_to(type_: str, record: Record) -> bool:
    """Return whether a text of an object that the server prints has a cast to a type."""
    cast = f"::{type_}"
    for name in attributes(type(record)):
        text = getattr(record, name) if name not in AS_WRITTEN else None
        if isinstance(text, str) and cast in text and re.search(rf"{re.escape(cast)}(?![\w$.])", text):
            return True
    return False
