"""Connections: open one, ask in a transaction that leaves no trace, and turn the driver's errors into ours."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from hashlib import md5
from random import uniform
from secrets import token_hex
from time import monotonic
from typing import TYPE_CHECKING, Any, LiteralString
from urllib.parse import quote, urlencode

import psycopg
from psycopg import AsyncConnection, errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from healthd._version import __version__
from healthd.database.misplaced_values import SECRETS, refuse_misplaced, without_sent, without_values
from healthd.errors import ConfigError, DatabaseFailed, DatabaseUnreachable, HealthdError, PermissionDenied
from healthd.model.ledger import MIGRATION_LOCK as MIGRATION_LOCK
from healthd.model.names import quote as identifier
from healthd.text import hide

if TYPE_CHECKING:
    from healthd.database.idle_connections import Places

# What texts from the server depend on, and what keeps a round short and harmless.
SESSION: Mapping[str, str] = {
    "client_encoding": "UTF8",
    "search_path": "pg_catalog",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "lc_monetary": "C",
    "quote_all_identifiers": "off",
    "standard_conforming_strings": "on",
    "xmloption": "content",
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",  # what is asked in every round is planned once on a connection
    "work_mem": "32MB",  # at ten thousand tables the server would otherwise write to disk what it joins
    "healthd.salt": token_hex(16),  # of digests of secrets, which mean nothing to anybody but this process
}
LIMITS: Mapping[str, str] = {
    "lock_timeout": "200ms",
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": "15s",
}

OLDEST = 130000  # the first server version whose catalogs we know


@asynccontextmanager
async def connect(dsn: str, *, timeout_s: float = 5.0) -> AsyncIterator[AsyncConnection[Any]]:
    """Open a connection for the length of a block; raise our errors for the driver's.

    `dsn` is any URL or key=value text that libpq takes. The driver prepares no statement: one that it prepares fails
    for ever after the table under it changed.
    """
    with translated(dsn):
        connection = await dial(dsn, timeout_s=timeout_s)
        try:
            yield connection
        finally:
            await connection.close()


async def dial(
    dsn: str, *, timeout_s: float = 5.0, places: Places | None = None, patient: bool = True
) -> AsyncConnection[Any]:
    """Return a connection that is the caller's to close; see `connect`.

    Where the server admits no more, one that rests among `places` is given up for it; without any, who is `patient`
    tries again for most of the time.
    """
    until = monotonic() + PATIENCE * timeout_s
    with translated(dsn):
        while True:
            try:
                return await AsyncConnection.connect(
                    complete(dsn, timeout_s=timeout_s), autocommit=True, prepare_threshold=None
                )
            except psycopg.OperationalError as error:
                full = limit_of(error)
                if not full or not patient or monotonic() > until:
                    raise
                if places is None or not await places.free(parameters(dsn), full):
                    await asyncio.sleep(uniform(0.05, 0.3))  # noqa: S311 # jitter


PATIENCE = 0.7  # of a timeout
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


async def answer(connection: AsyncConnection[Any], statements: str) -> list[str]:
    """Return the only row that these statements bring, sent as one message; raise our errors for the driver's."""
    async with _rolled_back(connection):
        return await _row(connection, statements)


async def answer_planned(connection: AsyncConnection[Any], query: str, settings: str) -> list[str]:
    """Return the only row of a query whose plan the server keeps, in a transaction with these settings (SET LOCAL …;).

    It is for what is asked time and again on a connection, and costs two messages.
    """
    async with _rolled_back(connection):
        name = await planned(connection, query, before=f"BEGIN READ ONLY; {settings}")
        return await _row(connection, f"EXECUTE {name}; COMMIT")


async def planned(connection: AsyncConnection[Any], query: str, *, types: str = "", before: str = "") -> str:
    """Return the name under which the server keeps the plan of a query; `types` are those of its values: `(text, oid)`.

    Whether it does is asked each time, in the message with what is to be done `before`: behind a pooler the server
    may be another one.
    """
    name = f"healthd_{md5(query.encode(), usedforsecurity=False).hexdigest()}"
    if await _row(connection, f"{before}{KEPT.format(name)}") == ["0"]:
        await connection.execute(f"PREPARE {name} {types} AS {query}".encode())
    return name


KEPT = "SELECT pg_catalog.count(*) FROM pg_catalog.pg_prepared_statements AS p WHERE p.name = '{}'"


async def _row(connection: AsyncConnection[Any], statements: str) -> list[str]:
    cursor = await connection.execute(statements.encode())
    while cursor.description is None and cursor.nextset():
        pass
    return [str(value) for value in await cursor.fetchone() or ()]


@asynccontextmanager
async def _rolled_back(connection: AsyncConnection[Any]) -> AsyncIterator[None]:
    """Roll back what statements, or the driver, have begun and not ended; raise our errors for the driver's."""
    with translated():
        try:
            yield
        finally:
            if not connection.closed:
                await connection.rollback()


def complete(dsn: str, *, timeout_s: float = 5.0) -> str:
    """Return the connection string with our defaults under what it says itself."""
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
    """Return a connection string's parameters; `+driver`, as yoyo writes it, is left out."""
    text = re.sub(r"^(postgresql|postgres|psql)(\+\w+)?:", "postgresql:", dsn)
    # libpq would take what follows the first / or the last @ of such a password for a name, and print it.
    if re.match(r"postgresql://[^?]*([/@][^?]*)@", text):
        raise ConfigError("not a database URL: it has a / or an @ before its last @", hint="write %2F and %40 for them")
    try:
        known = {name: str(value) for name, value in conninfo_to_dict(text).items() if value is not None}
    except psycopg.ProgrammingError as error:
        words = first_line(error)
        if re.match("invalid (connection option|URI query parameter)", str(error)) and not re.search(MAY_HOLD, text):
            words = str(error).strip()
        raise ConfigError(
            f"not a database URL or key=value text: {words}",
            hint="write postgresql://user@host:5432/name, or host=… dbname=…",
        ) from None
    refuse_misplaced(known)
    return known


MAY_HOLD = re.compile("passw|pwd|secret|:[^/]|@", re.IGNORECASE)  # what no connection string without a password has


def has_password(dsn: str) -> bool:
    """Return whether a connection string holds a password itself."""
    return any(name in SECRETS for name in parameters(dsn))


def url_of(dsn: str) -> str:
    """Return a connection string as a URL that psql and psycopg take, without its password."""
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
    """Return where a connection string leads, for people: never its password."""
    known = parameters(dsn)
    host = known.get("host") or known.get("hostaddr") or known.get("service") or "local socket"
    port = f":{known['port']}" if "port" in known else ""
    return f"{known.get('dbname', 'default database')} at {host}{port}"


@asynccontextmanager
async def read_only(connection: AsyncConnection[Any], settings: Mapping[str, str]) -> AsyncIterator[None]:
    """Run a block in one REPEATABLE READ READ ONLY transaction with these settings, and leave no trace."""
    if connection.closed:
        raise DatabaseUnreachable("the connection is closed", hint="connect again")
    if (version := connection.info.server_version) < OLDEST:
        raise DatabaseFailed(
            f"PostgreSQL {version // 10000} is too old to be read", hint=f"{OLDEST // 10000} or newer is needed"
        )
    if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
        raise ConfigError("the connection is in a transaction", hint="commit or roll back before reading")
    before = connection.isolation_level, connection.read_only
    await connection.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
    await connection.set_read_only(True)
    try:
        with translated():
            async with connection.transaction():
                assignments = ", ".join("set_config(%s, %s, true)" for _ in settings)
                values = [part for setting in settings.items() for part in setting]
                await connection.execute(f"SELECT {assignments}".encode(), values)
                yield
    finally:
        if not connection.closed:
            await connection.set_isolation_level(before[0])
            await connection.set_read_only(before[1])


class translated:  # noqa: N801 # used as a verb: with translated(): …
    """Turn the driver's errors into ours; `dsn` lends the message the place it was about."""

    def __init__(self, dsn: str | None = None) -> None:
        self.dsn = dsn

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, psycopg.Error):
            raise translate(error, self.dsn) from error


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


def first_line(error: BaseException) -> str:
    """Return the driver's message in one line: libpq adds advice, and a line for each address it tried.

    A value that it cannot use is left out.
    """
    lines = [line.strip(" -") for line in str(error).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    text = "; ".join(lines[1:]) if lines[0].startswith("Multiple") else lines[0]
    return without_values(text.removeprefix("connection failed: ").removeprefix("connection is bad: "))


async def rows_of(connection: AsyncConnection[Any], query: LiteralString, values: Any = None) -> list[Any]:
    """Return all rows that a query brings."""
    return await (await connection.execute(query, values)).fetchall()
