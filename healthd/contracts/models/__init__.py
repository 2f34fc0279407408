"""The contract of an application's models: its classes are passed in, nothing of the application is imported here."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from healthd.contracts.models import of_dataclass, of_pydantic
from healthd.errors import ConfigError
from healthd.model.contracts import Contract, Model, Statement

KNOWN = "a pydantic model, a dataclass, a SQLAlchemy class, Base, Table or MetaData, or a list of them"


def contract_of(things: Mapping[str, Any], *, table: str | None = None) -> Contract:
    """Return the contract of the objects with these names: models, lists of models, statements by name.

    `table` is the table of the only model that does not specify its own. Raises ConfigError for anything else.
    """
    models: dict[str, Model] = {}
    statements: dict[str, Statement] = {}
    for name, thing in things.items():
        if isinstance(thing, Mapping) and thing:
            statements |= {str(one): _statement(f"{name}[{one!r}]", text) for one, text in thing.items()}
        else:
            models |= dict(_models(name, thing, table))
    if not models and not statements:
        raise ConfigError(f"no model in {', '.join(things)}", hint=f"specify {KNOWN}")
    return Contract("", models=models, statements=statements)


def _models(name: str, thing: Any, table: str | None) -> Iterator[tuple[str, Model]]:
    """Yield each model in the object with a name."""
    module = name.partition(":")[0]
    if isinstance(thing, Iterable) and isinstance(thing, (list, tuple, set, frozenset)):
        for one in thing:
            yield from _models(f"{module}:{getattr(one, '__name__', name)}", one, table)
    elif "sqlalchemy" in sys.modules and _is_of_sqlalchemy(thing):
        from healthd.contracts.models import of_sqlalchemy

        yield from of_sqlalchemy.models(module, thing)
    elif of_pydantic.is_model(thing):
        yield name, Model(_table(name, thing, table), of_pydantic.members(thing), _inserts(thing))
    elif isinstance(thing, type) and dataclasses.is_dataclass(thing):
        yield name, Model(_table(name, thing, table), of_dataclass.members(name, thing), _inserts(thing))
    else:
        raise ConfigError(f"{name} is not a model: {type(thing).__name__}", hint=f"specify {KNOWN}")


def _is_of_sqlalchemy(thing: Any) -> bool:
    from healthd.contracts.models import of_sqlalchemy

    return of_sqlalchemy.is_model(thing)


def _table(name: str, model: type[Any], table: str | None) -> str:
    """Return the table of a model: its own declaration takes precedence."""
    said = getattr(model, "__tablename__", None) or table
    if not isinstance(said, str) or not said:
        raise ConfigError(
            f"{name} does not specify its table",
            hint=f'set __tablename__ = "public.{model.__name__.lower()}s" in the class, or use --table',
        )
    return said if "." in said else f"public.{said}"


def _inserts(model: type[Any]) -> bool:
    """Return whether an application inserts rows of a model: True, unless the class sets __insertable__ = False."""
    return bool(getattr(model, "__insertable__", True))


def _statement(name: str, thing: Any) -> Statement:
    if isinstance(thing, str):
        return Statement(thing)
    if "sqlalchemy" in sys.modules:
        from healthd.contracts.models import of_sqlalchemy

        if (found := of_sqlalchemy.statement(thing)) is not None:
            return found
    raise ConfigError(
        f"{name} is not a statement: {type(thing).__name__}", hint="use a string or a SQLAlchemy statement"
    )
