"""What libpq makes of a connection string: parameters, service file and environment, without connecting anywhere."""

from __future__ import annotations

from collections.abc import Mapping

from psycopg.conninfo import make_conninfo
from psycopg.pq import PGconn

# libpq reads the service file and the environment, and rejects this mode before it looks up a host or connects.
# With a password it does not look for one in the passfile.
NOWHERE = {"sslmode": "healthd", "password": "none"}


def resolved(parameters: Mapping[str, str]) -> Mapping[str, str]:
    """Return the parameters that libpq would connect with; none has a value if the service does not exist."""
    connection = PGconn.connect_start(make_conninfo(**{**parameters, **NOWHERE}).encode())
    try:
        return {option.keyword.decode(): (option.val or b"").decode() for option in connection.info}
    finally:
        connection.finish()


def service_of(parameters: Mapping[str, str]) -> str | None:
    """Return the service of a connection string, None if it has none; empty if no service file has one of this name.

    Such a name may be anything, even a password: it must not be shown.
    """
    name = parameters.get("service")
    return name if not name or resolved(parameters)["port"] else ""
