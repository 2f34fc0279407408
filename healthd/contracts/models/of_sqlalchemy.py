"""Models of SQLAlchemy 2: declarative classes, all classes that a Base maps, and tables of Core."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy
from sqlalchemy import Column, MetaData, Table, types
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql.asyncpg import dialect as numbered  # its parameters are $1, $2, …
from sqlalchemy.orm import DeclarativeBase, Mapper, registry
from sqlalchemy.sql import ClauseElement

from healthd.model.contracts import Member, Model, Statement
from healthd.model.names import quote

# The first match counts. The type that SQLAlchemy stores is relevant, not the type that it converts to in Python.
WORDS: tuple[tuple[tuple[type[Any], ...], str], ...] = (
    ((types.Boolean,), "bool"),
    ((types.Integer,), "int"),
    ((types.Float, types.Double), "float"),
    ((types.Numeric,), "decimal"),
    ((types.Uuid,), "uuid"),
    ((types.LargeBinary,), "bytes"),
    ((types.Date,), "date"),
    ((types.Time,), "time"),
    ((types.Interval, postgresql.INTERVAL), "timedelta"),
    ((types.JSON,), "json"),
    ((types.String,), "text"),
)


def is_model(thing: Any) -> bool:
    """Return whether an object is, or contains, tables of SQLAlchemy."""
    return isinstance(thing, (Table, MetaData, registry)) or (isinstance(thing, type) and _is_class(thing))


def _is_class(thing: type[Any]) -> bool:
    is_base = issubclass(thing, DeclarativeBase) or isinstance(getattr(thing, "registry", None), registry)
    return is_base or isinstance(sqlalchemy.inspect(thing, raiseerr=False), Mapper)


def models(module: str, thing: Any) -> Iterator[tuple[str, Model]]:
    """Yield the name and the model of each table in an object of SQLAlchemy."""
    if isinstance(thing, Table):
        yield f"{module}:{thing.name}", _model(thing, [(column.key, column) for column in thing.columns])
    elif isinstance(thing, MetaData):
        for table in thing.sorted_tables:
            yield from models(module, table)
    elif isinstance(thing, registry):
        thing.configure()
        for mapper in sorted(thing.mappers, key=lambda one: one.class_.__name__):
            yield from _mapped(mapper)
    elif isinstance(mapper := sqlalchemy.inspect(thing, raiseerr=False), Mapper):
        yield from _mapped(mapper)
    else:
        yield from models(module, thing.registry)


def _mapped(mapper: Mapper[Any]) -> Iterator[tuple[str, Model]]:
    """Yield the model of a class; a class that is stored in several tables is one model for each of them."""
    name = f"{mapper.class_.__module__}:{mapper.class_.__name__}"
    tables = [table for table in mapper.tables if isinstance(table, Table)]
    for table in tables:
        held = [
            (attribute.key, column)
            for attribute in mapper.column_attrs
            for column in attribute.columns
            if isinstance(column, Column) and column.table is table
        ]
        yield (name if len(tables) == 1 else f"{name} in {table.name}"), _model(table, held)


def _model(table: Table, held: list[tuple[str, Column[Any]]]) -> Model:
    path = f"{quote(table.schema or 'public')}.{quote(table.name)}"
    return Model(path, {key: _member(table, column) for key, column in held}, table.info.get("insertable", True))


def _member(table: Table, column: Column[Any]) -> Member:
    filled = column.server_default is not None or column is table.autoincrement_column
    python, enum = _kept(column.type)
    values = tuple(map(str, enum.enums)) if enum is not None else None
    return Member(
        column.name,
        python,
        bool(column.nullable),
        left_to_server=filled and column.default is None,
        values=values,
        names=enum is not None and _writes_names(enum),
        type=_name(enum) if enum is not None and enum.native_enum else None,
    )


def _kept(type_: Any) -> tuple[str, types.Enum | None]:
    """Return the word for the type that is stored, and the enum that a type is or contains."""
    # Interval is also a decorator, for databases without such a type.
    while isinstance(type_, types.TypeDecorator) and not isinstance(type_, types.Interval):
        type_ = type_.impl_instance
    if isinstance(type_, types.ARRAY):
        word, enum = _kept(type_.item_type)
        return ("any" if word == "any" else f"list[{word}]"), enum
    if isinstance(type_, types.Enum):
        return ("enum" if type_.native_enum else "text"), type_
    if isinstance(type_, types.DateTime):
        return ("aware_datetime" if type_.timezone else "naive_datetime"), None
    return next((word for classes, word in WORDS if isinstance(type_, classes)), "any"), None


def _writes_names(enum: types.Enum) -> bool:
    """Return whether an Enum writes the names of its members, and these differ from their values."""
    if enum.enum_class is None:
        return False
    names = list(enum.enum_class.__members__)
    values = [str(member.value) for member in enum.enum_class.__members__.values()]
    return list(enum.enums) == names != values


def _name(enum: types.Enum) -> str | None:
    if not enum.name:
        return None
    return f"{quote(enum.schema)}.{quote(enum.name)}" if enum.schema else quote(enum.name)


def statement(thing: Any) -> Statement | None:
    """Return a SELECT, INSERT, … as it is sent to PostgreSQL; None if the object is not a statement."""
    if not isinstance(thing, ClauseElement):
        return None
    compiled: Any = thing.compile(dialect=numbered())  # type: ignore[no-untyped-call] # SQLAlchemy's
    return Statement(str(compiled), len(compiled.positiontup or ()))
