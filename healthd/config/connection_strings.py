"""Connection strings of the settings: parsed, and with the command that prints their password."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from healthd.database.passwords import PasswordCommand
from healthd.errors import ConfigError

if TYPE_CHECKING:
    from healthd.database.dsn import Dsn


def parsed(dsn: str, place: str) -> Dsn:
    """Return a connection string, parsed. libpq's errors quote the text, and with it the password."""
    from healthd.database.dsn import Dsn  # psycopg takes 60 ms to import: only when a database is needed

    try:
        return Dsn.of(dsn)
    except ConfigError as error:
        words, hint = re.sub(r'".*"', '"…"', str(error), flags=re.DOTALL), error.hint
    if re.search(r"[?&]schema=", dsn):
        words, hint = "only yoyo supports schema=", "use ALTER ROLE … SET search_path = …, which applies to all clients"
    raise ConfigError(f"{place}: {words}", hint=hint)


def with_command(known: Dsn, text: str, command: PasswordCommand | None) -> str | Dsn:
    """Return a connection string with the command that prints its password, unless it has a password."""
    return text if command is None or known.has_password else replace(known, command=command)
