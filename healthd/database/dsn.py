"""Connection strings: any URL or key=value string that libpq accepts, parsed, completed, shown without password."""

from __future__ import annotations

import re
from urllib.parse import quote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from healthd._version import __version__
from healthd.database.misplaced_values import SECRETS, first_line, refuse_misplaced
from healthd.errors import ConfigError


def complete(dsn: str, *, timeout_s: float = 5.0) -> str:
    """Return the connection string with healthd's defaults for the parameters that it does not set."""
    defaults = {
        "fallback_application_name": f"healthd/{__version__}",
        "connect_timeout": str(max(2, round(timeout_s))),
        "keepalives_idle": "30",
        "keepalives_interval": "10",
        "keepalives_count": "3",
        "tcp_user_timeout": "10000",
    }
    return make_conninfo(**(defaults | parameters(dsn)))


def parameters(dsn: str) -> dict[str, str]:
    """Return the parameters of a connection string; `+driver`, as yoyo writes it, is ignored."""
    text = re.sub(r"^(postgresql|postgres|psql)(\+\w+)?:", "postgresql:", dsn)
    # libpq would take the part of such a password after the first / or the last @ for a name, and print it.
    if re.match(r"postgresql://[^?]*([/@][^?]*)@", text):
        raise ConfigError("not a database URL: it has a / or an @ before its last @", hint="write them as %2F and %40")
    try:
        known = {name: str(value) for name, value in conninfo_to_dict(text).items() if value is not None}
    except psycopg.ProgrammingError as error:
        words = first_line(error)
        if re.match("invalid (connection option|URI query parameter)", str(error)) and not re.search(MAY_HOLD, text):
            words = str(error).strip()
        raise ConfigError(
            f"not a database URL or key=value string: {words}",
            hint="write postgresql://user@host:5432/name, or host=… dbname=…",
        ) from None
    refuse_misplaced(known)
    return known


MAY_HOLD = re.compile("passw|pwd|secret|:[^/]|@", re.IGNORECASE)  # no match: the string contains no password


def has_password(dsn: str) -> bool:
    """Return whether a connection string contains a password."""
    return any(name in SECRETS for name in parameters(dsn))


def url_of(dsn: str) -> str:
    """Return a connection string as a URL that psql and psycopg accept, without its password."""
    known = {name: value for name, value in parameters(dsn).items() if name not in SECRETS}
    user, name = quote(known.pop("user", ""), safe=""), quote(known.pop("dbname", ""), safe="")
    host, port = known.get("host", ""), known.get("port", "")
    if re.fullmatch(r"[\w.-]+", host):
        known = {key: value for key, value in known.items() if key not in ("host", "port")}
        host = f"{host}:{port}" if port else host
    else:
        host = ""
    return f"postgresql://{user}@{host}/{name}".replace("//@", "//") + (f"?{urlencode(known)}" if known else "")


def place(dsn: str) -> str:
    """Return the database and the host of a connection string, for messages: never its password."""
    known = parameters(dsn)
    host = known.get("host") or known.get("hostaddr") or known.get("service") or "local socket"
    port = f":{known['port']}" if "port" in known else ""
    return f"{known.get('dbname', 'default database')} at {host}{port}"
