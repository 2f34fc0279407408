"""The time that a request waits for its database."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from time import monotonic
from typing import Any

BEGAN = "healthd_began"


@dataclass(slots=True)
class Spent:
    """The seconds and statements of one request in its database, and the server and role if a statement failed."""

    database_s: float = 0.0
    statements: int = 0
    server: str | None = None  # host:port/database
    role: str | None = None


SPENT: ContextVar[Spent | None] = ContextVar("healthd_spent", default=None)


def time_queries(engine: Any) -> None:
    """Add the time of each query of SQLAlchemy's engine (or async engine) to its request."""
    from sqlalchemy import event

    engine = getattr(engine, "sync_engine", engine)
    event.listen(engine, "before_cursor_execute", _before)
    event.listen(engine, "after_cursor_execute", _after)
    event.listen(engine, "handle_error", _broke)


def _before(_connection: Any, _cursor: Any, _statement: Any, _parameters: Any, context: Any, _many: bool) -> None:
    setattr(context, BEGAN, monotonic())


def _after(_connection: Any, _cursor: Any, _statement: Any, _parameters: Any, context: Any, _many: bool) -> None:
    _count(context)


def _broke(context: Any) -> None:
    _count(context.execution_context)
    if (spent := SPENT.get()) is not None and context.engine is not None:
        url = context.engine.url
        info = getattr(getattr(_driver(context.connection), "info", None), "user", None) if context.connection else None
        spent.server = f"{url.host or 'localhost'}:{url.port or 5432}/{url.database or ''}"
        spent.role = info or url.username


def _driver(connection: Any) -> Any:
    """Return the driver's connection of a SQLAlchemy connection; None if it has none any more."""
    if connection.invalidated or connection.closed:
        return None
    return getattr(connection.connection, "driver_connection", None)


def _count(context: Any) -> None:
    spent, began = SPENT.get(), getattr(context, BEGAN, None)
    if spent is not None and began is not None:
        spent.database_s += monotonic() - began
        spent.statements += 1
        setattr(context, BEGAN, None)
