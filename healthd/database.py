"""The only door to psycopg: connect, read a database, try values; the driver's errors become ours."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC
from secrets import token_hex
from typing import Any, LiteralString
from urllib.parse import quote, urlencode

import psycopg
from psycopg import AsyncConnection, errors, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from healthd import __version__, counters, libraries
from healthd.catalog import KINDS
from healthd.catalog.visible import BOOKS, SHARED, shared
from healthd.digest import MODULUS, NONE, Digest, digested
from healthd.errors import ConfigError, DatabaseFailed, DatabaseUnreachable, HealthdError, PermissionDenied
from healthd.migrations.status import Applied
from healthd.model import Access, Contract, Counter, Key, Kind, RoundTrip, Snapshot, SortedBy
from healthd.model import quote as identifier
from healthd.rows import lacking
from healthd.values import edge_values

# What texts from the server depend on, and what keeps a round short and harmless.
SESSION: Mapping[str, str] = {
    "client_encoding": "UTF8",
    "search_path": "pg_catalog",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "quote_all_identifiers": "off",
    "standard_conforming_strings": "on",
    "xmloption": "content",
    "jit": "off",
    "work_mem": "32MB",  # at ten thousand tables the server would otherwise write to disk what it joins
    "healthd.salt": token_hex(16),  # of digests of secrets, which mean nothing to anybody but this process
}
LIMITS: Mapping[str, str] = {
    "lock_timeout": "200ms",
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": "15s",
}

OLDEST = 130000  # the first server version whose catalogs we know

# The advisory lock that a migration run holds: the two numbers spell "heal" and "thd".
MIGRATION_LOCK = (0x6865616C, 0x746864)

# Our table of content digests, beside yoyo's own.
DIGESTS = "_healthd_migration"


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the database says was applied.

    `schemas` are those where a ledger stands: none before the first migration, and more than one is a fault.
    `grant` is the SQL that would let us read it, None when we may. `owner` is the role that migrates: yoyo's
    table is its own; without one, the owner of the database. `reader` is the role that we are. `refused` is
    what the server said when it did not even let us look.
    """

    applied: tuple[Applied, ...] = ()
    schemas: tuple[str, ...] = ()
    grant: str | None = None
    owner: str | None = None
    reader: str | None = None
    refused: str | None = None

    def readable(self) -> Ledger:
        """Return this ledger; raise ConfigError for several, PermissionDenied for one that we may not read."""
        if len(self.schemas) > 1:
            raise ConfigError(
                f"there are several ledgers: yoyo's tables stand in {', '.join(self.schemas)}",
                hint="keep one, drop the others",
            )
        if self.refused:
            why = f"cannot read which migrations are applied: {self.refused}"
            raise PermissionDenied(why, hint="ask for the privilege it names")
        if self.grant:
            raise PermissionDenied("cannot read which migrations are applied", grant=self.grant)
        return self


Digests = Callable[[Ledger], Mapping[str, Digest]]


@dataclass(frozen=True, slots=True)
class Reading:
    """All that one transaction saw: the objects, the ledger, and who is migrating just now.

    `settings` are those that databases and roles give to new sessions; `digests` are those that were asked for.
    """

    snapshot: Snapshot
    ledger: Ledger = field(default_factory=Ledger)
    maintenance: str | None = None
    settings: str = ""
    digests: Mapping[str, Digest] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Beside:
    """What no snapshot holds, for it changes without anybody changing the schema; None when it could not be read."""

    counters: tuple[Counter, ...] | None = ()
    sorted_by: tuple[SortedBy, ...] | None = ()


async def take_snapshot(connection: AsyncConnection[Any]) -> Snapshot:
    """Return all objects of the connection's database, in one short REPEATABLE READ READ ONLY transaction.

    The connection must be idle, and is idle again afterwards; its settings are left as they were.
    Nothing but the privilege to connect is needed. Raises HealthdError's children when the server fails.
    """
    return (await read(connection)).snapshot


async def read(
    connection: AsyncConnection[Any], *, books: Sequence[str] = BOOKS, digests: Digests | None = None
) -> Reading:
    """Return the objects, the ledger and the migration lock as one transaction sees them.

    `digests` says, for the migrations of a ledger, which digest each kind should have: of the kinds that have it the
    objects are left out. Objects of the role that migrates are not told to be its own then.
    Kinds that others change all the while are unreadable: half of what is read of them would be newer.
    """
    from healthd.still import when_still  # it needs this door, too

    if digests is not None:
        reading = await _read_once(connection, books, digests)
        if reading.snapshot.omitted >= reading.digests.keys() > set():
            return reading  # what is as it should be was not caught between two states
    return await when_still(connection, lambda: _read_once(connection, books, digests))


async def _read_once(connection: AsyncConnection[Any], books: Sequence[str], digests: Digests | None) -> Reading:
    for readings in range(READINGS, 0, -1):
        try:
            async with read_only(connection, {**SESSION, **LIMITS}):
                ledger, maintenance, settings = await _books(connection, books[0])
                values: dict[str, Any] = {"books": list(books), "migrator": None}
                found: Mapping[str, Digest] = {}
                wanted: Mapping[str, Digest] = {}
                if digests is not None and not ledger.refused:
                    wanted = digests(ledger)
                    values["migrator"], found = await _digests(connection, values, ledger, wanted)
                same = frozenset(kind for kind, digest in found.items() if wanted[kind] == digest)
                objects, unreadable = await _everything(connection, values, same, last=readings == 1)
                snapshot = Snapshot(connection.info.server_version, objects, unreadable, same)
                return Reading(snapshot, ledger, maintenance, settings, found)
        except _KindFailed:
            # pg_get_* look at the newest catalog: what was dropped meanwhile fails, and is gone then.
            continue
    raise AssertionError("the last reading takes what it gets")


READINGS = 3  # in each but the last, what only a change in the meantime explains is a reason to begin again
LOCKED = "55P03"
SURE = frozenset({"42501", LOCKED, "57014"})  # refused, locked, too slow: no second reading is the wiser


async def _digests(
    connection: AsyncConnection[Any], values: Mapping[str, Any], ledger: Ledger, kinds: Iterable[str]
) -> tuple[int | None, Mapping[str, Digest]]:
    """Return the oid of the role that migrates, and the digests of these kinds, none when one of them fails.

    One statement, of which two numbers a kind come back.
    """
    version = connection.info.server_version
    try:
        with _failing(connection):
            async with connection.transaction(force_rollback=True):
                roles = "SELECT r.oid FROM pg_catalog.pg_roles AS r WHERE r.rolname = %s"
                rows = await _rows(connection, roles, [ledger.owner])
                migrator = rows[0][0] if rows else None
                rows = await (await connection.execute(f"SELECT {', '.join(PRESENT.values())}".encode())).fetchall()
                absent = {name for name, present in zip(PRESENT, rows[0], strict=True) if not present}
                parts = [digested(name, KINDS[name].sql(version)) for name in kinds if name not in absent]
                whole = (SHARED + " UNION ALL ".join(parts)).encode()
                rows = await (await connection.execute(whole, {**values, "migrator": migrator})).fetchall()
    except _KindFailed:  # which one it was is found when each is read
        return None, {}
    found = {name: (count, int(number or 0) % MODULUS) for name, count, number in rows}
    return migrator, dict.fromkeys(absent.intersection(kinds), NONE) | found


# Which kinds there is anything of: planning the queries of all the others would take longer than running them.
PRESENT = {kind.name: f"EXISTS ({kind.some})" for kind in KINDS.values() if kind.some}


async def _everything(
    connection: AsyncConnection[Any], values: Mapping[str, Any], omitted: Collection[str], *, last: bool
) -> tuple[dict[Key, Any], dict[str, str]]:
    """Return the objects of all kinds but the omitted, and why those that could not be read could not.

    What pg_get_viewdef locks stays locked to the end of the transaction, if not of a subtransaction.
    """
    objects: dict[Key, Any] = {}
    unreadable: dict[str, str] = {}
    locked = False
    for kind in KINDS.values():
        if kind.name in omitted:
            continue
        try:
            async with connection.transaction(force_rollback=True):
                if locked:  # somebody holds a table for long: the kinds together wait no longer than one
                    await connection.execute("SET LOCAL lock_timeout = '20ms'")
                objects |= await _objects(connection, kind, values)
        except _KindFailed as failed:
            if not last and failed.state not in SURE:
                raise
            unreadable[kind.name] = str(failed)
            locked = locked or failed.state == LOCKED
    return objects, unreadable


# The types of columns that come with the server, and the column that was made with each of them first.
TYPES = f"""{SHARED}
        SELECT c.nspname, c.relname, a.attname, pg_catalog.format_type(t.atttypid, t.atttypmod)
          FROM (SELECT a.atttypid, a.atttypmod, min((a.attrelid::bigint << 16) + a.attnum) AS number
                  FROM pg_catalog.pg_attribute AS a
                  JOIN relations AS c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'f')
                 WHERE a.attnum > 0
                   AND NOT a.attisdropped
                   AND a.atttypid < 16384
                 GROUP BY 1, 2) AS t
          JOIN relations AS c ON c.oid = (t.number >> 16)::oid
          JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = (t.number & 65535)
         ORDER BY t.number"""  # noqa: S608 # nothing in it is anybody else's


async def read_beside(connection: AsyncConnection[Any]) -> Beside:
    """Return how far sequences have counted, and what is sorted otherwise than it was, in a transaction of its own."""
    async with read_only(connection, {**SESSION, **LIMITS}):
        return Beside(
            await _beside(connection, counters.QUERY, counters.counter),
            await _beside(connection, libraries.query(connection.info.server_version), libraries.sorted_by),
        )


async def _beside(
    connection: AsyncConnection[Any], statement: str, record: Callable[..., Any]
) -> tuple[Any, ...] | None:
    """Return a record for each row; None when the server refuses, which leaves the rest of the round as it is."""
    try:
        async with connection.transaction():
            whole = f"{SHARED} {statement}".encode()
            rows = await (await connection.execute(whole, {"books": list(BOOKS)})).fetchall()
    except (errors.InternalError, errors.LockNotAvailable, errors.NotSupportedError, errors.ProgrammingError):
        if connection.closed:
            raise
        return None
    return tuple(record(*row) for row in rows)


class _KindFailed(Exception):
    def __init__(self, state: str, reason: str) -> None:
        super().__init__(f"{state}: {reason}")
        self.state = state


@contextmanager
def _failing(connection: AsyncConnection[Any]) -> Iterator[None]:
    """Tell a statement that the server refuses, on a connection that goes on, as the failure of one kind."""
    try:
        yield
    except psycopg.Error as error:
        if connection.closed or error.sqlstate is None or error.sqlstate[:3] in ("25P", "57P"):
            raise
        raise _KindFailed(error.sqlstate, _first_line(error)) from error


async def _objects(connection: AsyncConnection[Any], kind: Kind, values: Mapping[str, Any]) -> dict[Key, Any]:
    """Return the objects of one kind."""
    query = kind.sql(connection.info.server_version)
    statement = f"{shared(query)} SELECT q.* FROM ({query}) AS q".encode()  # noqa: S608 # texts of our own
    with _failing(connection):
        rows = await (await connection.execute(statement, values)).fetchall()
    if name := lacking(kind, rows):
        raise _KindFailed("no text", f"the server said nothing of an object's {name}")
    depth, record, name = kind.depth, kind.record, kind.name
    lists = [i for i, one in enumerate(dataclasses.fields(record), depth) if "tuple[" in str(one.type)]
    if depth == 0:
        lists = [i + 1 for i in lists]
    objects = {}
    for row in rows:
        if lists:
            row = [tuple(value) if i in lists else value for i, value in enumerate(row)]
        if depth == 0:
            objects[Key(name, tuple(row[0]))] = record(*row[1:])
        else:
            objects[Key(name, tuple(row[:depth]))] = record(*row[depth:])
    if len(objects) < len(rows):  # a role called PUBLIC, a catalog with a row too many
        raise _KindFailed("no names", "two objects have the same name")
    return objects


async def _books(connection: AsyncConnection[Any], table: str) -> tuple[Ledger, str | None, str]:
    """Return the ledger, who is migrating, and the settings of new sessions.

    When a catalog is refused, it is a ledger that says so.
    """
    try:
        async with connection.transaction():
            settings = "SELECT s::text FROM pg_catalog.pg_db_role_setting AS s ORDER BY 1"
            rows = await _rows(connection, settings)
            texts = "".join(text for (text,) in rows)
            return await _ledger(connection, table), await _maintenance(connection), texts
    except errors.InsufficientPrivilege as error:
        return Ledger(refused=_first_line(error)), None, ""


async def _ledger(connection: AsyncConnection[Any], table: str) -> Ledger:
    """Return what yoyo's table says, with the digests that our runner wrote beside it."""
    # By name and oid, not to_regclass: that raises where we may not use the schema.
    rows = await _rows(
        connection,
        """SELECT n.nspname, c.relname,
                  pg_catalog.has_schema_privilege(n.oid, 'USAGE')
                      AND pg_catalog.has_table_privilege(c.oid, 'SELECT'),
                  pg_catalog.pg_get_userbyid(c.relowner)
             FROM pg_catalog.pg_class AS c
             JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
            WHERE c.relname IN (%(table)s, %(digests)s)
              AND c.relkind = 'r'
              AND n.nspname !~ '^pg_'
            ORDER BY 1, 2 DESC""",
        {"table": table, "digests": DIGESTS},
    )
    owners = {schema: owner for schema, name, _, owner in rows if name == table}
    schemas = tuple(owners)
    if len(schemas) != 1:
        return Ledger(schemas=schemas, owner=await _owner(connection))
    schema, owner = next(iter(owners.items()))
    readable = {name: held for where, name, held, _ in rows if where == schema}
    if not all(readable.values()):
        role, where = identifier(connection.info.user), identifier(schema)
        tables = ", ".join(f"{where}.{identifier(name)}" for name in readable)
        grant = f"GRANT USAGE ON SCHEMA {where} TO {role}; GRANT SELECT ON {tables} TO {role};"
        return Ledger(schemas=schemas, grant=grant, owner=owner)
    digests = DIGESTS in readable
    query = sql.SQL(
        "SELECT y.migration_id, y.applied_at_utc, h.digest, h.rollback_digest "
        "FROM {} AS y LEFT JOIN {} AS h USING (migration_hash)"
        if digests
        else "SELECT y.migration_id, y.applied_at_utc, NULL, NULL FROM {} AS y"
    ).format(sql.Identifier(schema, table), *([sql.Identifier(schema, DIGESTS)] if digests else []))
    cursor = await connection.execute(query + sql.SQL(" ORDER BY y.migration_id"))
    return Ledger(
        tuple(Applied(i, at.replace(tzinfo=UTC), one, two) for i, at, one, two in await cursor.fetchall()),
        schemas,
        owner=owner,
        reader=connection.info.user,
    )


async def _owner(connection: AsyncConnection[Any]) -> str | None:
    """Return who owns the database."""
    rows = await _rows(
        connection,
        """SELECT pg_catalog.pg_get_userbyid(d.datdba)
             FROM pg_catalog.pg_database AS d
            WHERE d.datname = current_database()""",
    )
    return rows[0][0] if rows else None


async def _maintenance(connection: AsyncConnection[Any]) -> str | None:
    """Return who holds the migration lock, in words; None when nobody does."""
    rows = await _rows(
        connection,
        """SELECT l.pid, a.application_name
             FROM pg_catalog.pg_locks AS l
             LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
            WHERE l.locktype = 'advisory'
              AND l.granted
              AND l.objsubid = 2
              AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = current_database())
              AND (l.classid, l.objid) = (%s::bigint::oid, %s::bigint::oid)""",
        MIGRATION_LOCK,
    )
    return f"{rows[0][1] or 'somebody'} (server process {rows[0][0]}) is migrating" if rows else None


async def probe_values(connection: AsyncConnection[Any], snapshot: Snapshot) -> tuple[RoundTrip, ...]:
    """Send every label of these enums and the edge values of every column type to the server and back.

    Nothing is written. The session keeps the settings that the database gives to its applications: they are part
    of the way.
    """
    unicode = connection.info.parameter_status("server_encoding") == "UTF8"
    async with read_only(connection, {**SESSION, **LIMITS}):
        rows = await (await connection.execute(TYPES.encode(), {"books": list(BOOKS)})).fetchall()
    types = {Key("column", tuple(path)): type_ for *path, type_ in rows}
    tries = (*_labels(snapshot), *_edges(types, unicode=unicode))
    found: list[RoundTrip] = []
    async with read_only(connection, LIMITS):
        for start in range(0, len(tries), BATCH):
            batch = tries[start : start + BATCH]
            if await _trouble(connection, batch) is None:
                found += [RoundTrip(one.key, one.case, None) for one in batch]
            else:
                found += [RoundTrip(one.key, one.case, await _trouble(connection, (one,))) for one in batch]
    return tuple(found)


BATCH = 200  # tries in one statement; only when one of them fails is each asked alone


@dataclass(frozen=True, slots=True)
class _Try:
    """One value to send: the expression that casts it, what is sent, what must come back."""

    key: Key
    case: str
    expression: sql.Composable
    sent: tuple[Any, ...]
    wanted: tuple[Any, ...]


def _labels(snapshot: Snapshot) -> Iterator[_Try]:
    """Yield every enum label, as text and as JSON."""
    for key, record in sorted(snapshot.objects.items()):
        if key.kind == "enum":
            expression = sql.SQL("%s::{0}, to_jsonb(%s::{0})").format(_verbatim(key.sql))
            for label in record.labels:
                yield _Try(key, f"label {label!r}", expression, (label, label), (label, label))


def _edges(types: Mapping[Key, str], *, unicode: bool) -> Iterator[_Try]:
    """Yield the edge values of each column type."""
    for key, type_ in types.items():
        # The catalog's own spelling of a built-in type: edge_values knows no other.
        expression = sql.SQL("%s::{0}").format(_verbatim(type_))
        for case, value in edge_values(type_, unicode=unicode):
            sent = json.dumps(value) if isinstance(value, dict) else value
            yield _Try(key, case, expression, (sent,), (value,))


def _verbatim(text: Any) -> sql.Composable:
    """Return SQL text for a statement with parameters, where a % sign in a name must not look like one."""
    return sql.SQL(text.replace("%", "%%"))


async def _trouble(connection: AsyncConnection[Any], tries: Sequence[_Try]) -> str | None:
    """Return what happened to these values on their way, None when they all came back as they were sent."""
    query = sql.SQL("SELECT ") + sql.SQL(", ").join(one.expression for one in tries)
    sent = [value for one in tries for value in one.sent]
    wanted = tuple(value for one in tries for value in one.wanted)
    try:
        async with connection.transaction():
            row = await (await connection.execute(query, sent)).fetchone()
    except (
        psycopg.DataError,
        psycopg.NotSupportedError,
        psycopg.ProgrammingError,
        psycopg.InternalError,
    ) as error:
        return f"{error.sqlstate or type(error).__name__}: {_first_line(error)}"
    except UnicodeError:
        return "the connection's encoding cannot carry it"
    except (NotImplementedError, ValueError, OverflowError) as error:
        return f"the driver cannot load it: {_first_line(error)}"
    return None if row == wanted else "came back as another value"


async def probe_access(connection: AsyncConnection[Any], contracts: Iterable[Contract]) -> tuple[Access, ...]:
    """Ask, for each privilege that a contract needs, whether its role holds it (its own role: None = ours)."""
    asked = [
        (contract.name, contract.role or connection.info.user, privilege, Key.parse(f"table:{table}"))
        for contract in contracts
        for table, privileges in contract.privileges.items()
        for privilege in privileges
    ]
    if not asked:
        return ()
    async with read_only(connection, {**SESSION, **LIMITS}):
        rows = await _rows(
            connection,
            """SELECT CASE WHEN r.oid IS NULL THEN NULL
                           WHEN c.oid IS NULL THEN true -- a lost table is another finding
                           ELSE pg_catalog.has_schema_privilege(r.oid, n.oid, 'USAGE')
                                AND pg_catalog.has_table_privilege(r.oid, c.oid, w.privilege)
                      END
                 FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[])
                      WITH ORDINALITY AS w(role, privilege, schema, name, position)
                 LEFT JOIN pg_catalog.pg_roles AS r ON r.rolname = w.role
                 LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = w.schema
                 LEFT JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = w.name
                ORDER BY w.position""",
            [list(column) for column in zip(*((role, word, *key.path) for _, role, word, key in asked), strict=True)],
        )
    return tuple(Access(*one, held) for one, (held,) in zip(asked, rows, strict=True))


@asynccontextmanager
async def connect(dsn: str, *, timeout_s: float = 5.0) -> AsyncIterator[AsyncConnection[Any]]:
    """Open a connection for the length of a block; raise our errors for the driver's.

    `dsn` is any URL or key=value text that libpq takes. No statement is prepared: a prepared one fails for
    ever after the table under it changed.
    """
    with translated(dsn):
        connection = await dial(dsn, timeout_s=timeout_s)
        try:
            yield connection
        finally:
            await connection.close()


async def dial(dsn: str, *, timeout_s: float = 5.0) -> AsyncConnection[Any]:
    """Return a connection that is the caller's to close; see `connect`."""
    with translated(dsn):
        return await AsyncConnection.connect(
            complete(dsn, timeout_s=timeout_s), autocommit=True, prepare_threshold=None
        )


async def answer(connection: AsyncConnection[Any], statements: str) -> list[str]:
    """Return the only row that these statements bring, sent as one message; raise our errors for the driver's."""
    with translated():
        try:
            cursor = await connection.execute(statements.encode())
            while cursor.description is None and cursor.nextset():
                pass
            return [str(value) for value in await cursor.fetchone() or ()]
        finally:
            if not connection.closed:
                await connection.rollback()  # they, or the driver, may have begun a transaction


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


def parameters(dsn: str) -> dict[str, Any]:
    """Return a connection string's parameters; `+driver`, as yoyo writes it, is left out."""
    text = re.sub(r"^(postgresql|postgres|psql)(\+\w+)?:", "postgresql:", dsn)
    # libpq would take what follows the first / or the last @ of such a password for a name, and print it.
    if re.match(r"postgresql://[^?]*([/@][^?]*)@", text):
        raise ConfigError("not a database URL: it has a / or an @ before its last @", hint="write %2F and %40 for them")
    try:
        return {name: value for name, value in conninfo_to_dict(text).items() if value is not None}
    except psycopg.ProgrammingError as error:
        # What libpq quotes may be a part of the password; names of options cannot be.
        words = re.sub(r'(?<!option )(?<!parameter: )"[^"]*"|"(?![a-z_]+"$).*"', '"…"', _first_line(error))
        raise ConfigError(
            f"not a database URL or key=value text: {words}",
            hint="write postgresql://user@host:5432/name, or host=… dbname=…",
        ) from None


SECRETS = ("password", "sslpassword", "oauth_client_secret")


def url_of(dsn: str) -> str:
    """Return a connection string as a URL that psql and psycopg take, without its password."""
    known = {name: str(value) for name, value in parameters(dsn).items() if name not in SECRETS}
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
    state, text = error.sqlstate, _first_line(error)
    if state == "42501":
        return PermissionDenied(f"the server refused{where or ' us'}: {text}", hint="ask for the privilege it names")
    if "permission denied for database" in text:  # while connecting the server's code does not reach us
        known = parameters(dsn) if dsn else {}
        role, name = known.get("user", "…"), known.get("dbname", "…")
        grant = f"GRANT CONNECT ON DATABASE {identifier(name)} TO {identifier(role)};"
        return PermissionDenied(f"the server refused{where or ' us'}: {text}", grant=grant)
    lost = state is None and isinstance(error, psycopg.OperationalError)
    cut = isinstance(error, (errors.ConnectionTimeout, errors.IdleInTransactionSessionTimeout))
    if lost or cut or (state or "")[:2] in ("08", "28", "3D", "53", "57"):
        return DatabaseUnreachable(
            f"cannot reach database{where}: {text}",
            hint="is the server up, the address right, the password known?",
        )
    hint = error.diag.message_hint or ""
    return DatabaseFailed(f"the server failed{where}: {text}", hint=hint, sqlstate=state)


def _first_line(error: BaseException) -> str:
    """Return the driver's message in one line: libpq adds advice, and a line for each address it tried."""
    lines = [line.strip(" -") for line in str(error).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    text = "; ".join(lines[1:]) if lines[0].startswith("Multiple") else lines[0]
    return text.removeprefix("connection failed: ").removeprefix("connection is bad: ")


async def _rows(connection: AsyncConnection[Any], query: LiteralString, values: Any = None) -> list[Any]:
    return await (await connection.execute(query, values)).fetchall()
