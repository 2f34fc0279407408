"""The servers that a connection string leads to, as libpq resolves it: parameters, service file, environment."""

from __future__ import annotations

from itertools import repeat, zip_longest

from psycopg.conninfo import make_conninfo
from psycopg.pq import PGconn

from healthd.database.dsn import Dsn

PORT = "5432"
SOCKET = "local socket"

# libpq reads the service file and the environment, and rejects this mode before it looks up a host or connects.
# With a password it does not look for one in the passfile.
NOWHERE = {"sslmode": "healthd", "password": "none"}


def servers_of(dsn: str | Dsn) -> tuple[str, ...]:
    """Return the servers that may answer, each as HOST:PORT, without connecting to any of them.

    A list of hosts is several servers: which of them answers is known only afterwards. Two names of one host are two
    servers. A service that does not exist leads to no server, and its name stands for one.
    """
    dsn = Dsn.of(dsn)
    connection = PGconn.connect_start(make_conninfo(**{**dsn.parameters, **NOWHERE}).encode())
    try:
        known = {option.keyword.decode(): (option.val or b"").decode() for option in connection.info}
    finally:
        connection.finish()
    if not known["port"]:
        return (dsn.place,)
    hosts, addresses, ports = (known[name].split(",") for name in ("host", "hostaddr", "port"))
    each = repeat(ports[0]) if len(ports) == 1 else iter(ports)
    found = [(address or host or SOCKET).lower() for host, address in zip_longest(hosts, addresses, fillvalue="")]
    return tuple(dict.fromkeys(f"{host}:{next(each, '') or PORT}" for host in found))
