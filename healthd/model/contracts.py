"""What an application expects of the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Member:
    """One attribute of a model: the column that stores it, and what the application expects of that column.

    `python` is a word of contracts.type_table.PYTHON. `optional` is whether it may be None; if `optional` is None, the
    model does not specify it. With `left_to_server`, an INSERT omits the column when the application has no value.
    `values` are those that an enum writes, in order. With `names`, these are the names of its members, whose values
    are different. `type` is the name of the type that the application casts to, with a schema only if it names one.
    """

    column: str
    python: str = "any"
    optional: bool | None = None
    left_to_server: bool = False
    values: tuple[str, ...] | None = None
    names: bool = False
    type: str | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """A class of an application whose instances are rows of a table (`schema.table`); `inserts`: it also inserts."""

    table: str
    members: Mapping[str, Member]
    inserts: bool = True


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that an application runs; `parameters` is how many values it sends, None if this is not specified."""

    sql: str
    parameters: int | None = None


@dataclass(frozen=True, slots=True)
class Contract:
    """What an application expects of the database.

    `tables` maps `schema.table` to column names and their types (None: any type); `enums` maps
    `schema.type` to labels in order; `privileges` maps `schema.table` to what `role` must hold on it.
    `models` are its classes by name, and `statements` are the statements that it runs, by name; they are resolved
    with `search_path`.
    """

    name: str
    tables: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    enums: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    role: str | None = None
    privileges: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    models: Mapping[str, Model] = field(default_factory=dict)
    statements: Mapping[str, Statement] = field(default_factory=dict)
    search_path: str | None = None
