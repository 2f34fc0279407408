"""Where in the application's own code an error was raised, and the application's own error message."""

from __future__ import annotations

import sysconfig
import traceback
from pathlib import PurePath

FRAMES = 12
WORDS = 500  # characters of one message
# Packages between an application and its database or its server: their frames do not show the cause of an error.
PLUMBING = frozenset(
    """anyio asyncpg exceptiongroup fastapi greenlet healthd httpx prometheus_client psycopg psycopg_binary psycopg_pool
    pydantic pydantic_core sqlalchemy starlette structlog uvicorn uvloop""".split()
)
QUOTING = frozenset(
    "asyncpg psycopg psycopg_pool pydantic pydantic_core sqlalchemy fastapi".split()
)  # their messages quote values or SQL
_STANDARD = tuple({sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")})
_PACKAGES = frozenset({"site-packages", "dist-packages"})


def frames(error: BaseException) -> list[str]:
    """Return the application's own frames of an error, the innermost last, and the frame that raised it.

    An error in async SQLAlchemy passes dozens of frames; without them the application's own frames are visible.
    """
    passed = [one for each in reversed(_chain(error)) for one in traceback.extract_tb(each.__traceback__)]
    own = [one for one in passed if not _plumbing(one.filename)]
    chosen = own[-FRAMES:]
    if passed and passed[-1] not in chosen:
        chosen.append(passed[-1])
    return [f"{one.filename}:{one.lineno} {one.name}" for one in chosen]


def message(error: BaseException) -> str:
    """Return the messages of the application, the last error first; for a driver or a validator only the name.

    Their messages quote SQL and values.
    """
    return " <- ".join(map(_said, _chain(error)))


def _chain(error: BaseException) -> list[BaseException]:
    """Return an error and its causes, as Python prints them: the first cause last."""
    chain: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in chain:
        chain.append(one)
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    return chain


def _said(error: BaseException) -> str:
    name = type(error).__name__
    quotes = any(each.__module__.partition(".")[0] in QUOTING for each in type(error).__mro__)
    words = "" if quotes else str(error)[:WORDS]
    return f"{name}: {words}" if words else name


def _plumbing(filename: str) -> bool:
    parts = PurePath(filename).parts
    installed = next((number for number, part in enumerate(parts) if part in _PACKAGES), None)
    if installed is not None:
        package = parts[installed + 1] if len(parts) > installed + 1 else ""
        return package.removesuffix(".py") in PLUMBING
    return filename.startswith((*_STANDARD, "<")) or parts[-3:-1] == ("healthd", "asgi")
