"""The driver's errors as ours: by SQLSTATE first, then by class, with the place and the cure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors

from healthd.database.dsn import parameters, place
from healthd.database.misplaced_values import first_line, without_sent
from healthd.errors import DatabaseFailed, DatabaseUnreachable, HealthdError, PermissionDenied
from healthd.model.names import quote as identifier
from healthd.text import hide

FULL = {
    "role": "too many connections for role",
    "database": "too many connections for database",
    "server": "too many clients|connection slots are reserved|no more connections allowed",
}


def limit_of(error: psycopg.Error) -> str:
    """Return whose limit of connections is reached: role, database, server, or nobody's.

    While connecting, the code of the server (53300) does not reach us.
    """
    return next((whose for whose, words in FULL.items() if re.search(words, str(error))), "")


@contextmanager
def translated(dsn: str | None = None) -> Iterator[None]:
    """Turn the driver's errors into ours; `dsn` lends the message the place it was about."""
    try:
        yield
    except psycopg.Error as error:
        raise translate(error, dsn) from error


def translate(error: psycopg.Error, dsn: str | None = None) -> HealthdError:
    """Return our error for a driver's: by SQLSTATE first, then by class."""
    where = f" {place(dsn)}" if dsn else ""
    state, text = error.sqlstate, hide(without_sent(first_line(error), parameters(dsn) if dsn else {}))
    if state == "42501":
        return PermissionDenied(f"the server refused{where or ' us'}: {text}", hint="ask for the privilege it names")
    if "permission denied for database" in text:  # while connecting the server's code does not reach us
        known = parameters(dsn) if dsn else {}
        role, name = known.get("user", "…"), known.get("dbname", "…")
        grant = f"GRANT CONNECT ON DATABASE {identifier(name)} TO {identifier(role)};"
        return PermissionDenied(f"the server refused{where or ' us'}: {text}", grant=grant)
    if full := limit_of(error):
        return DatabaseUnreachable(f"cannot reach database{where}: {text}", hint=ROOM[full])
    lost = state is None and isinstance(error, psycopg.OperationalError)
    cut = isinstance(error, (errors.ConnectionTimeout, errors.IdleInTransactionSessionTimeout))
    if lost or cut or (state or "")[:2] in ("08", "28", "3D", "53", "57"):
        return DatabaseUnreachable(
            f"cannot reach database{where}: {text}",
            hint="is the server up, the address right, the password known?",
        )
    hint = error.diag.message_hint or ""
    return DatabaseFailed(f"the server failed{where}: {text}", hint=hint, sqlstate=state)


ROOM = {
    "role": "the limit counts the role's connections to all databases of the server: ALTER ROLE … CONNECTION LIMIT N, "
    "with one for each target there and two more",
    "database": "ALTER DATABASE … CONNECTION LIMIT N, or end connections that nobody needs",
    "server": "raise max_connections, or end connections that nobody needs",
}
