"""Values in the wrong place of a connection string: such a value may be the password, so it is never shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from ipaddress import ip_address

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import Conninfo

from healthd.database.services import service_of
from healthd.errors import ConfigError
from healthd.text import hide

SECRETS = ("password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key")
FREE = (*SECRETS, "options", "application_name", "fallback_application_name")  # parameters with arbitrary values

NESTED = "use that string instead of the enclosing one"


def refuse_misplaced(known: Mapping[str, str]) -> None:
    """Raise ConfigError for a parameter whose value is not possible for it; the value itself is not shown."""
    for name, value in known.items():
        if name not in FREE and _is_connection_string(value):
            raise ConfigError(f"the value of {name} is itself a connection string", hint=NESTED)
    for port in known.get("port", "").split(","):
        if not re.fullmatch("[0-9]{0,5}", port, re.ASCII) or int(port or 1) not in range(1, 65536):
            raise ConfigError("port is not a number from 1 to 65535", hint="write HOST:PORT, or port=5432")
    for host in known.get("host", "").split(","):
        if not host.startswith(("/", "@")) and re.search(r"[@=\s:]", host) and not _is_address(host):
            raise ConfigError("host is not a host name", hint="host, port, user and password are separate parameters")
    for address in filter(None, known.get("hostaddr", "").split(",")):
        if not _is_address(address):
            raise ConfigError("hostaddr is not an IP address", hint="use the parameter host for a name")


def _is_connection_string(value: str) -> bool:
    """Return whether a value is a complete URL or key=value string. libpq would take it for a name, and print it."""
    if re.match(r"\w+(\+\w+)?://", value) or hide(value) != value:
        return True
    try:
        return "=" in value and bool(conninfo_to_dict(value))
    except ProgrammingError:
        return False


def _is_address(text: str) -> bool:
    try:
        ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True


def without_values(text: str) -> str:
    """Return libpq's message about an unusable value or connection string, without the value; others unchanged.

    The quoted text may be a part of a password; the names of libpq's own options cannot.
    """
    if re.match(
        r"(.* failed: )?(FATAL: +)?(invalid |bad value|missing |unterminated|end of string|unexpected|forbidden)", text
    ):
        return re.sub(r""" "[^"]*"(?!\w) | "(?![a-z_]+"$).*" | '[^']*'(?!\w) """, _named, text, flags=re.VERBOSE)
    return re.sub(r"""(["'])(?=[^"']*:)[^"']*@[^"']*\1""", '"…"', text)  # USER:PASSWORD@HOST in place of a name


COMPLAINT = "invalid |bad value|missing |unterminated|end of string|unexpected|forbidden"


def _named(match: re.Match[str]) -> str:
    word = match[0][1:-1]
    harmless = word in "=[]" or (re.fullmatch("[a-z_]+", word) and get_close_matches(word, OPTIONS, cutoff=0.75))
    return match[0] if harmless else '"…"'


OPTIONS = tuple(option.keyword.decode() for option in Conninfo.get_defaults())

SHOWN = ("host", "hostaddr", "port", "user", "dbname")
UNSHOWN = (
    *("servicefile", "passfile", "sslcert", "sslkey", "sslrootcert", "sslcrl", "sslcrldir"),
    *("application_name", "fallback_application_name", "requirepeer"),
)


def without_sent(text: str, known: Mapping[str, str]) -> str:
    """Return a server's message about a refused session, without the values that the string sent, except names.

    The server receives settings in `options`, an encoding and `replication`, and text that was appended to user and
    database after a colon; libpq takes parameters that the string does not set from the environment. libpq's own
    messages quote names of files, of which only paths are shown, and a service that does not exist.
    """
    known = {**_of_environment(), **known}
    words = [word for word in known.get("options", "").split() if word != "-c"]
    hidden = {word.rpartition("=")[2] for word in words if not word.startswith("--")}
    hidden |= {word.partition("=")[2] for word in words}
    hidden |= {known.get("client_encoding", ""), known.get("replication", "")}
    hidden |= {known.get(name, "").partition(":")[2] for name in ("user", "dbname")}
    hidden |= {known[name] for name in UNSHOWN if "/" not in known.get(name, "/")} - set(map(known.get, SHOWN))
    if service_of(known) == "":
        hidden.add(known["service"])
    for word in sorted(filter(None, hidden), key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", "***", text)
    return text


def _of_environment() -> dict[str, str]:
    """Return what libpq uses for parameters that a connection string does not set: PG* variables, and its defaults."""
    return {one.keyword.decode(): one.val.decode() for one in Conninfo.get_defaults() if one.val}


def first_line(error: BaseException) -> str:
    """Return the driver's message on one line: libpq adds hints, and a line for each address that it tried.

    The values that it rejects are omitted.
    """
    lines = [line.strip(" -") for line in str(error).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    text = "; ".join(lines[1:]) if lines[0].startswith("Multiple") else lines[0]
    return without_values(text.removeprefix("connection failed: ").removeprefix("connection is bad: "))
