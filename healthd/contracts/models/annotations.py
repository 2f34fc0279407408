"""What a type annotation declares: a word of type_table.PYTHON, whether None is allowed, an enum's values."""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address
from typing import Any
from uuid import UUID

WORDS: Mapping[type[Any], str] = {
    bool: "bool",
    int: "int",
    float: "float",
    Decimal: "decimal",
    str: "str",
    bytes: "bytes",
    UUID: "uuid",
    datetime: "datetime",
    date: "date",
    time: "time",
    timedelta: "timedelta",
    IPv4Address: "ip",
    IPv6Address: "ip",
    dict: "json",
}
# Pydantic's own types, which are not subclasses of the types that they accept.
NAMED = {
    "AwareDatetime": "aware_datetime",
    "NaiveDatetime": "naive_datetime",
    "PastDatetime": "datetime",
    "FutureDatetime": "datetime",
    "PastDate": "date",
    "FutureDate": "date",
    "EmailStr": "str",
}
LISTS = (list, tuple, set, frozenset)
UNIONS = (typing.Union, types.UnionType)


@dataclass(frozen=True, slots=True)
class Said:
    """What an annotation declares."""

    python: str
    optional: bool = False
    values: tuple[str, ...] | None = None


def said(annotation: Any) -> Said:
    """Return what an annotation declares; `any` if it allows several types, or a type that drivers do not know."""
    while True:
        if typing.get_origin(annotation) is typing.Annotated:
            annotation = typing.get_args(annotation)[0]
        elif isinstance(annotation, typing.NewType):
            annotation = annotation.__supertype__
        elif hasattr(annotation, "__value__"):  # type Name = …
            annotation = annotation.__value__
        else:
            break
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in UNIONS:
        others = [said(one) for one in arguments if one is not type(None)]
        optional = len(others) < len(arguments) or any(one.optional for one in others)
        one = others[0] if all(other == others[0] for other in others) else Said("any")
        return dataclasses.replace(one, optional=optional)
    if origin is typing.Literal:
        return _one_of(arguments)
    held = origin or annotation
    if not isinstance(held, type):
        return Said("any", optional=annotation is Any)
    if issubclass(held, enum.Enum):
        return _one_of([member.value for member in held])
    if held in LISTS:
        return _list(arguments)
    if _is_nested(held):
        return Said("json")
    word = NAMED.get(held.__name__) or next((WORDS[one] for one in held.__mro__ if one in WORDS), "any")
    return Said(word)


def _one_of(values: typing.Sequence[Any]) -> Said:
    """Return what a list of values declares: an enum of strings, or numbers."""
    optional = None in values
    known = [value for value in values if value is not None]
    if known and all(isinstance(value, str) for value in known):
        return Said("enum", optional, tuple(known))
    if known and all(isinstance(value, int) and not isinstance(value, bool) for value in known):
        return Said("int", optional)
    return Said("any", optional)


def _list(arguments: typing.Sequence[Any]) -> Said:
    kinds = {said(one) for one in arguments if one is not Ellipsis}
    if len(kinds) != 1:
        return Said("any")
    (inner,) = kinds
    if inner.python in ("any", "json") or inner.python.startswith("list["):
        return Said("any" if inner.python == "any" else "json")
    return Said(f"list[{inner.python}]", values=inner.values)


def _is_nested(held: type[Any]) -> bool:
    """Return whether values of a class have fields of their own, and are therefore stored as JSON."""
    return dataclasses.is_dataclass(held) or hasattr(held, "model_fields") or typing.is_typeddict(held)
