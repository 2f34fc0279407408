"""Translate the driver's errors: by SQLSTATE first, then by class, with the database and a hint."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import AsyncConnection, errors

from healthd.database.dsn import Dsn
from healthd.database.misplaced_values import first_line, without_sent
from healthd.database.services import service_of
from healthd.errors import DatabaseFailed, DatabaseUnreachable, HealthdError, PermissionDenied
from healthd.model.names import quote as identifier
from healthd.text import hide

FULL = {
    "role": "too many connections for role",
    "database": "too many connections for database",
    "server": "too many clients|connection slots are reserved|no more connections allowed",
}


UNTRUSTED = "certificate verify failed"


def is_final(connection: AsyncConnection[Any], error: psycopg.Error) -> bool:
    """Return whether nothing can be read on a connection after an error: it is lost, or the server ends sessions."""
    return connection.closed or error.sqlstate is None or error.sqlstate[:3] in ("25P", "57P")


def limit_of(error: psycopg.Error) -> str:
    """Return which connection limit is reached: role, database or server; empty if none.

    While connecting, libpq does not pass on the server's SQLSTATE (53300).
    """
    return next((whose for whose, words in FULL.items() if re.search(words, str(error))), "")


def refused(error: psycopg.Error) -> bool:
    """Return whether the server asked for a password and then refused the session, for whatever reason but its limits.

    While connecting, libpq does not pass on the server's SQLSTATE (28P01, 28000), and words depend on the language.
    """
    return error.pgconn is not None and bool(error.pgconn.used_password) and not limit_of(error)


@contextmanager
def translated(dsn: Dsn | None = None) -> Iterator[None]:
    """Translate the driver's errors; with `dsn`, messages name the database."""
    try:
        yield
    except psycopg.Error as error:
        raise translate(error, dsn) from error


def translate(error: psycopg.Error, dsn: Dsn | None = None) -> HealthdError:
    """Return healthd's error for an error of the driver: by SQLSTATE first, then by class."""
    where = f" {dsn.place}" if dsn and dsn.text else ""
    known = dsn.parameters if dsn else {}
    state, text = error.sqlstate, hide(without_sent(first_line(error), known))
    if state == "42501":
        return PermissionDenied(
            f"the server denied access{' to' if where else ''}{where}: {text}",
            hint="request the privilege that the message names",
        )
    if "permission denied for database" in text:  # while connecting, libpq does not pass on the SQLSTATE
        role, name = known.get("user", "…"), known.get("dbname", "…")
        grant = f"GRANT CONNECT ON DATABASE {identifier(name)} TO {identifier(role)};"
        return PermissionDenied(f"the server denied access{' to' if where else ''}{where}: {text}", grant=grant)
    if full := limit_of(error):
        return DatabaseUnreachable(f"cannot reach database{where}: {text}", hint=ROOM[full])
    if UNTRUSTED in text:  # libpq does not say why
        text += ": the server's certificate has expired, or no authority in sslrootcert has signed it"
    lost = state is None and isinstance(error, psycopg.OperationalError)
    cut = isinstance(error, (errors.ConnectionTimeout, errors.IdleInTransactionSessionTimeout))
    if lost and service_of(known) == "":
        words = f"cannot reach database{where}: {text}"
        return DatabaseUnreachable(words, hint="correct service= or PGSERVICE, or add the service to the service file")
    if lost or cut or (state or "")[:2] in ("08", "28", "3D", "53", "57"):
        return DatabaseUnreachable(
            f"cannot reach database{where}: {text}",
            hint="check that the server is running, and that the address and the password are correct",
        )
    hint = error.diag.message_hint or ""
    failed = f"the server reported an error{' for' if where else ''}{where}"
    return DatabaseFailed(f"{failed}: {text}", hint=hint, sqlstate=state)


ROOM = {
    "role": "the limit counts the role's connections to all databases of the server; raise it with "
    "ALTER ROLE … CONNECTION LIMIT N: one for each target on this server, and two more; 9 are enough for any number",
    "database": "raise the limit with ALTER DATABASE … CONNECTION LIMIT N, or close connections that are not needed",
    "server": "raise max_connections, or close connections that are not needed",
}
