"""The servers that a connection string leads to, as libpq resolves it: parameters, service file, environment."""

from __future__ import annotations

from itertools import repeat, zip_longest

from healthd.database.dsn import Dsn
from healthd.database.services import resolved

PORT = "5432"
SOCKET = "local socket"


def servers_of(dsn: str | Dsn) -> tuple[str, ...]:
    """Return the servers that may answer, each as HOST:PORT, without connecting to any of them.

    A list of hosts is several servers: which of them answers is known only afterwards. Two names of one host are two
    servers. A service that does not exist leads to no server; all such services stand for one.
    """
    dsn = Dsn.of(dsn)
    known = resolved(dsn.parameters)
    if not known["port"]:
        return (dsn.place,)
    hosts, addresses, ports = (known[name].split(",") for name in ("host", "hostaddr", "port"))
    each = repeat(ports[0]) if len(ports) == 1 else iter(ports)
    found = [(address or host or SOCKET).lower() for host, address in zip_longest(hosts, addresses, fillvalue="")]
    return tuple(dict.fromkeys(f"{host}:{next(each, '') or PORT}" for host in found))
