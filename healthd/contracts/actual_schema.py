"""A model with its contract, and the actual schema: the arguments of every rule."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from healthd import catalog
from healthd.model.attributes import Record
from healthd.model.contracts import Member, Model
from healthd.model.findings import Finding
from healthd.model.names import Key
from healthd.model.severity import Severity


@functools.cache  # not at import: it loads every kind
def relations() -> tuple[str, ...]:
    """Return the kinds that SELECT reads from."""
    return catalog.names(lambda kind: kind.has_rows)


def looked_at() -> frozenset[str]:
    """Return the kinds that the rules of contracts read."""
    return frozenset({*relations(), "column", "enum", "domain", "grant"})


@dataclass(frozen=True, slots=True)
class Believer:
    """One model of one contract."""

    contract: str
    name: str
    model: Model

    def attribute(self, member: str) -> str:
        """Return the name of a member without the module: Machine.status."""
        return f"{self.name.rpartition(':')[2]}.{member}"

    def broken(
        self, key: Key, words: str, expected: str, actual: str, severity: Severity = Severity.CRITICAL
    ) -> Finding:
        """Return the finding that something is not as this model expects."""
        facts = {"contract": self.contract, "model": self.name}
        return Finding(
            "contract_broken", key, f"{key}: {words} ({self.contract})", severity, expected, actual, facts=facts
        )


@dataclass(frozen=True, slots=True)
class There:
    """The objects of a database, and the columns of each relation by name."""

    objects: Mapping[Key, Record]
    columns: Mapping[tuple[str, ...], Mapping[str, Record]]

    @classmethod
    def of(cls, objects: Mapping[Key, Record]) -> There:
        """Return the objects, with the columns grouped by relation."""
        columns: dict[tuple[str, ...], dict[str, Record]] = {}
        for key, record in objects.items():
            if key.kind == "column":
                columns.setdefault(key.path[:2], {})[key.path[2]] = record
        return cls(objects, columns)

    def relation(self, table: str) -> Key | None:
        """Return the table, foreign table or view with this name."""
        path = Key.parse(f"table:{table}").path
        return next((Key(kind, path) for kind in relations() if Key(kind, path) in self.objects), None)

    def enum(self, type_: str) -> tuple[Key, tuple[str, ...]] | None:
        """Return the enum of a column of this type, and its labels; also if it is inside an array or a domain."""
        key, record = self._type("enum", self.base(type_).removesuffix("[]"))
        return (key, record.labels) if key and record else None

    def base(self, type_: str) -> str:
        """Return the base type of a domain, and any other type unchanged."""
        _, domain = self._type("domain", type_)
        return self.base(domain.type) if domain else type_

    def required(self, column: Any) -> bool:
        """Return whether a column does not accept NULL, by itself or by its domain."""
        _, domain = self._type("domain", column.type)
        return bool(column.not_null or (domain and domain.not_null))

    def given(self, column: Any) -> bool:
        """Return whether the server provides a value for a column that an INSERT omits."""
        _, domain = self._type("domain", column.type)
        own = column.default or column.identity != "none" or column.generated != "none"
        return bool(own or (domain and domain.default))

    def _type(self, kind: str, name: str) -> tuple[Key | None, Any]:
        try:
            key = Key.parse(f"{kind}:{name}")
        except ValueError:  # a built-in type, such as character varying(255)
            return None, None
        return key, self.objects.get(key)


def members_there(believer: Believer, there: There) -> list[tuple[str, Member, Key, Record]]:
    """Return the members of a model whose columns exist, with the column."""
    path = Key.parse(f"table:{believer.model.table}").path
    columns = there.columns.get(path, {})
    return [
        (name, member, Key("column", (*path, member.column)), columns[member.column])
        for name, member in believer.model.members.items()
        if member.column in columns
    ]
