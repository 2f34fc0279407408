"""Connection strings: any URL or key=value string that libpq accepts, parsed once, and shown without a password."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from urllib.parse import quote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from healthd._version import __version__
from healthd.database.misplaced_values import SECRETS, first_line, refuse_misplaced
from healthd.database.passwords import PasswordCommand
from healthd.database.services import service_of
from healthd.errors import ConfigError
from healthd.text import hide

UNKNOWN_SERVICE = "a service that is in no service file"


@dataclass(frozen=True, slots=True)
class Dsn:
    """A connection string, and the parameters that it sets; its text form is its place, never its password.

    A string without a password may have a command that prints it.
    """

    text: str = field(repr=False)  # as it was written
    parameters: Mapping[str, str] = field(repr=False, compare=False)
    command: PasswordCommand | None = None

    @staticmethod
    def of(text: str | Dsn) -> Dsn:
        """Return a connection string, parsed when it is first seen; raise ConfigError if it is none."""
        return text if isinstance(text, Dsn) else _parsed(text)

    def __str__(self) -> str:
        return self.place

    @property
    def host(self) -> str | None:
        """Return the host names, as written."""
        return self.parameters.get("host")

    @property
    def port(self) -> str | None:
        """Return the ports, as written."""
        return self.parameters.get("port")

    @property
    def dbname(self) -> str | None:
        """Return the database."""
        return self.parameters.get("dbname")

    @property
    def has_password(self) -> bool:
        """Return whether it contains a password."""
        return any(name in SECRETS for name in self.parameters)

    @property
    def place(self) -> str:
        """Return the database and the host, for messages: never the password."""
        return f"{'default database' if self.dbname is None else self.dbname} at {self.server}"

    @property
    def server(self) -> str:
        """Return the host and the port, for messages."""
        host = self.host or self.parameters.get("hostaddr") or self._service or "local socket"
        return host if self.port is None else f"{host}:{self.port}"

    @property
    def name(self) -> str:
        """Return a name for the database: its own, or that of its service; never a service that does not exist."""
        return self.dbname or service_of(self.parameters) or "database"

    @property
    def _service(self) -> str | None:
        return UNKNOWN_SERVICE if (name := service_of(self.parameters)) == "" else name

    @property
    def url(self) -> str:
        """Return it as a URL that psql and psycopg accept, without its password and what may contain one."""
        known = {name: value for name, value in self.parameters.items() if _may_be_shown(name, value)}
        if not service_of(self.parameters):
            known.pop("service", None)
        user, name = quote(known.pop("user", ""), safe=""), quote(known.pop("dbname", ""), safe="")
        host, port = known.get("host", ""), known.get("port", "")
        if re.fullmatch(r"[\w.-]+", host):
            known = {key: value for key, value in known.items() if key not in ("host", "port")}
            host = f"{host}:{port}" if port else host
        else:
            host = ""
        return f"postgresql://{user}@{host}/{name}".replace("//@", "//") + (f"?{urlencode(known)}" if known else "")

    def on(self, database: str) -> Dsn:
        """Return it with another database of the same server."""
        known = {**self.parameters, "dbname": database}
        return replace(self, text=make_conninfo(**known), parameters=MappingProxyType(known))

    def complete(self, *, timeout_s: float = 5.0, password: str | None = None) -> str:
        """Return what the driver connects with: healthd's defaults for the parameters that are not set are added."""
        defaults = {
            "fallback_application_name": f"healthd/{__version__}",
            "connect_timeout": str(max(2, round(timeout_s))),
            "keepalives_idle": "30",
            "keepalives_interval": "10",
            "keepalives_count": "3",
            "tcp_user_timeout": "10000",
        }
        own = {} if password is None else {"password": password}
        return make_conninfo(**(defaults | dict(self.parameters) | own))


def _may_be_shown(name: str, value: str) -> bool:
    return name not in (*SECRETS, "application_name") and hide(value) == value


@functools.lru_cache(maxsize=4096)  # more than the targets of one process
def _parsed(text: str) -> Dsn:
    return Dsn(text, MappingProxyType(_parameters(text)))


def _parameters(text: str) -> dict[str, str]:
    """Return the parameters of a connection string; `+driver`, as yoyo writes it, is ignored."""
    text = re.sub(r"^(postgresql|postgres|psql)(\+\w+)?:", "postgresql:", text)
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
