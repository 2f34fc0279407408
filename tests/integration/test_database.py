"""The door to PostgreSQL: what it reads, what it leaves behind, and what it says when it cannot read."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import MakeDatabase
from psycopg import sql as compose

from healthd.database.connection import LIMITS, connect, read_only
from healthd.database.dsn import Dsn
from healthd.database.probes.round_trips import probe_access, probe_values
from healthd.database.snapshot.reading import read, take_snapshot
from healthd.errors import ConfigError, DatabaseFailed, DatabaseUnreachable, HealthdError
from healthd.model.contracts import Contract
from healthd.model.ledger import MIGRATION_LOCK
from healthd.model.names import Key
from healthd.model.snapshots import Snapshot, diff

kind_reader: Any = import_module("healthd.database.snapshot.kind_reader")

RICH = """
CREATE SCHEMA app;
CREATE TYPE app.mood AS ENUM ('good', 'bad');
CREATE DOMAIN app.size AS integer DEFAULT 1 CHECK (VALUE > 0);
CREATE SEQUENCE app.numbers;
CREATE TABLE app.people (
    id    serial PRIMARY KEY,
    mood  app.mood DEFAULT 'good' CHECK (mood <> 'bad'),
    size  app.size,
    since timestamptz DEFAULT '2003-02-01 04:05:06+00',
    every interval DEFAULT '1 year 2 days 03:04:05',
    price double precision DEFAULT 0.1,
    file  bytea DEFAULT '\\x00ff',
    "on"  date DEFAULT '2003-02-01',
    paid  money DEFAULT 12.5
);
CREATE TABLE app.pets (owner integer REFERENCES app.people, PRIMARY KEY (owner));
CREATE INDEX people_idx ON app.people (id) WHERE mood = 'good'::app.mood AND since > '2003-02-01';
CREATE VIEW app.happy AS SELECT p.id, p.since + '1 day'::interval AS next FROM app.people AS p WHERE p.mood = 'good';
CREATE FUNCTION app.nothing(app.mood, text DEFAULT 'a\\b') RETURNS app.mood LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql SET search_path = app AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION public.machine_count() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM public.machines';
CREATE TRIGGER touch BEFORE UPDATE ON app.people FOR EACH ROW WHEN (OLD.mood = 'bad'::app.mood)
    EXECUTE FUNCTION app.touch();
"""
HOSTILE = (
    'quo"te',
    "it's",
    "new\nline",
    "100%",
    "%s",
    "%(books)s",
    "{}",
    "back\\slash",
    "a.b",
    "f(x)",
    "Größe",
    "🛠️",
    " ",
    "select",
    "x" * 63,
    "ß" * 31,
    "--",
    "/*",
    "$$",
    "CamelCase",
)


@pytest.fixture
def rich(make_database: MakeDatabase, template_of: Callable[..., str], shipped: str) -> str:
    """The URL of a database with sql/ applied and one of everything else."""
    return make_database(template_of(RICH, shipped))


@pytest.fixture(scope="module")
async def plain(server: Any, template_of: Callable[..., str], shipped: str, anyio_backend: str) -> tuple[str, Snapshot]:
    """The URL of such a database, which is only read, and what a reader without settings sees."""
    url = server.url(template_of(RICH, shipped, owner="only_read"))
    async with connect(url) as connection:
        return url, await take_snapshot(connection)


def role(url: str, sql: Any, name: str) -> str:
    """Make a role that may log in and nothing else, and return the URL for it."""
    if not sql(url, "SELECT 1 FROM pg_roles WHERE rolname = %s", name):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(compose.SQL("CREATE ROLE {} LOGIN").format(compose.Identifier(name)))
    return psycopg.conninfo.make_conninfo(url, user=name)


@pytest.mark.parametrize(
    "setting",
    [
        "search_path=app",
        "search_path=",
        "search_path=app,public,pg_catalog",
        "DateStyle=SQL,DMY",
        "IntervalStyle=iso_8601",
        "TimeZone=Asia/Kathmandu",
        "extra_float_digits=-5",
        "bytea_output=escape",
        "quote_all_identifiers=on",
        "standard_conforming_strings=off",
        "backslash_quote=on",
        "client_encoding=LATIN1",
        "client_encoding=SQL_ASCII",
        "lc_monetary=C",
        "default_transaction_isolation=serializable",
        "default_transaction_read_only=on",
        "default_transaction_deferrable=on",
        "array_nulls=off",
        "xmloption=document",
        "row_security=off",
        "enable_seqscan=off",
        "statement_timeout=20000",
    ],
)
async def test_a_snapshot_is_not_moved_by_the_readers_settings(plain: tuple[str, Snapshot], setting: str) -> None:
    url, before = plain
    async with connect(psycopg.conninfo.make_conninfo(url, options=f"-c {setting.replace(' ', '')}")) as connection:
        moved = await take_snapshot(connection)

    assert () == diff(before, moved)
    assert not moved.unreadable


async def test_a_role_that_may_only_connect_sees_everything(rich: str, sql: Any) -> None:
    for schema in ("app", "public"):
        sql(rich, f"REVOKE ALL ON SCHEMA {schema} FROM PUBLIC")
    async with connect(rich) as connection:
        whole = await take_snapshot(connection)
    async with connect(role(rich, sql, "door_reader")) as connection:
        seen = await take_snapshot(connection)

    assert () == diff(whole, seen)
    assert len(whole.objects) > 40


async def test_a_role_with_a_search_path_of_its_own_sees_the_same(rich: str, sql: Any) -> None:
    reader = role(rich, sql, "door_wanderer")
    sql(rich, "ALTER ROLE door_wanderer SET search_path = app; ALTER ROLE door_wanderer SET DateStyle = German")
    async with connect(rich) as one, connect(reader) as other:
        assert () == diff(await take_snapshot(one), await take_snapshot(other))


async def settings(connection: Any) -> dict[str, str]:
    cursor = await connection.execute("SELECT name, setting FROM pg_settings WHERE name NOT LIKE 'transaction%'")
    return dict(await cursor.fetchall())


async def test_a_connection_is_left_as_it_was(url: str) -> None:
    async with connect(url) as connection:
        await connection.execute("SET search_path = pg_temp; SET DateStyle = German; SET lock_timeout = 4711")
        await connection.set_isolation_level(psycopg.IsolationLevel.SERIALIZABLE)
        before = await settings(connection)

        await take_snapshot(connection)
        await probe_values(connection, await take_snapshot(connection))

        assert before == await settings(connection)
        assert psycopg.IsolationLevel.SERIALIZABLE == connection.isolation_level
        assert connection.read_only is None
        assert connection.autocommit
        assert psycopg.pq.TransactionStatus.IDLE == connection.info.transaction_status


async def test_a_connection_is_left_as_it_was_when_reading_fails(url: str) -> None:
    async with connect(url) as connection:
        before = await settings(connection)
        with pytest.raises(DatabaseFailed, match="division by zero"):
            async with read_only(connection, {"search_path": "pg_catalog"}):
                await connection.execute("SELECT 1 / 0")

        assert before == await settings(connection)
        assert (None, None) == (connection.isolation_level, connection.read_only)


async def test_a_connection_without_autocommit_is_read_too(url: str) -> None:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        snapshot = await take_snapshot(connection)

        assert snapshot.objects
        assert psycopg.pq.TransactionStatus.IDLE == connection.info.transaction_status


async def test_a_connection_in_a_transaction_is_refused(url: str) -> None:
    async with connect(url) as connection:
        await connection.execute("BEGIN")
        with pytest.raises(ConfigError, match="in a transaction"):
            await take_snapshot(connection)


def between(monkeypatch: pytest.MonkeyPatch, kind: str, act: Callable[[], object]) -> None:
    """Let something happen once, just before a kind is read."""
    original = kind_reader._objects
    happened: list[object] = []

    async def objects(connection: Any, read: Any, *rest: Any) -> Any:
        if read.name == kind and not happened:
            happened.append(act())
        return await original(connection, read, *rest)

    monkeypatch.setattr(kind_reader, "_objects", objects)


@pytest.mark.parametrize("kind", ["column", "function", "constraint", "index", "view", "trigger"])
async def test_what_is_dropped_while_we_read_makes_no_error(
    rich: str, sql: Any, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    # By the time triggers are read, what the views need is locked.
    drop = "DROP TRIGGER machines_set_updated_at ON machines" if kind == "trigger" else "DROP SCHEMA app CASCADE"
    between(monkeypatch, kind, lambda: sql(rich, f"SET lock_timeout = '2s'; {drop}; DROP FUNCTION machine_count()"))
    async with connect(rich) as connection:
        reading = await read(connection)
        after = await take_snapshot(connection)

    assert not reading.snapshot.unreadable
    assert Key("function", ("public", "machine_count", "()")) not in after.objects
    assert Key("schema", ("public",)) in reading.snapshot.objects


async def test_a_reading_that_is_cut_off_for_its_silence_is_unreachable(
    url: str, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LIMITS, "idle_in_transaction_session_timeout", "20ms")
    between(monkeypatch, "index", lambda: sql(url, "SELECT pg_sleep(0.2)"))
    async with connect(url) as connection:
        with pytest.raises(DatabaseUnreachable, match="idle-in-transaction timeout"):
            await read(connection)
        with pytest.raises(DatabaseUnreachable, match="closed"):
            await read(connection)


async def test_one_reading_is_one_instant_also_of_what_comes_in_between(
    url: str, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    between(monkeypatch, "column", lambda: sql(url, "CREATE TYPE late AS ENUM ('a'); CREATE TABLE late_ (late late)"))
    async with connect(url) as connection:
        reading = await take_snapshot(connection)

    assert ["enum:public.late", "table:public.late_", "column:public.late_.late"] == [
        str(key) for key in reading.objects if "late" in "".join(key.path) and key.kind not in ("owner", "grant")
    ]


async def test_a_kind_that_may_not_be_read_is_unreadable_and_the_others_are_read(url: str, sql: Any) -> None:
    reader = role(url, sql, "door_blind")
    # A kind that has no object is not read: there are comments, and a label of a provider that is not loaded.
    sql(url, "COMMENT ON TABLE machines IS 'of the plant'")
    sql(url, "INSERT INTO pg_seclabel VALUES ('machines'::regclass, 'pg_class'::regclass, 0, 'provider', 'label')")
    sql(url, "REVOKE SELECT ON pg_catalog.pg_enum, pg_catalog.pg_trigger FROM PUBLIC")
    async with connect(reader) as connection:
        snapshot = await take_snapshot(connection)

    assert {"enum", "trigger", "constraint", "comment", "security_label"} == snapshot.unreadable.keys()
    assert all(reason.startswith("42501: permission denied") for reason in snapshot.unreadable.values())
    assert Key("table", ("public", "machines")) in snapshot.objects


async def test_a_table_that_somebody_holds_is_no_reason_to_fail(url: str, sql: Any) -> None:
    sql(url, "CREATE VIEW v AS SELECT status FROM machines")
    with psycopg.connect(url) as other:
        other.execute("LOCK TABLE machines IN ACCESS EXCLUSIVE MODE")
        async with connect(url) as connection:
            snapshot = await take_snapshot(connection)

    assert Key("enum", ("public", "machinestatus")) in snapshot.objects
    assert {} == snapshot.unreadable
    assert Key("view", ("public", "v")) in snapshot.locked


async def test_any_name_is_read_and_printed_and_parsed(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        for name in HOSTILE:
            word = '"' + name.replace('"', '""') + '"'
            label = "'" + name.replace("'", "''") + "'"
            connection.execute(
                f"""CREATE SCHEMA {word};
                    CREATE TYPE {word}."e {word[1:]} AS ENUM ({label});
                    CREATE TABLE {word}.{word}
                        ({word} {word}."e {word[1:]} CONSTRAINT {word} CHECK ({word} IS NOT NULL));
                    CREATE FUNCTION {word}.f({word}.{word}) RETURNS integer LANGUAGE sql AS 'SELECT 1'""".encode()
                if len(name.encode()) < 60
                else f"CREATE SCHEMA {word}; CREATE TABLE {word}.{word} ({word} text)".encode()
            )
    async with connect(database) as connection:
        reading = await read(connection)
        trips = await probe_values(connection, reading.snapshot)

    assert [] == [name for name in HOSTILE if Key("column", (name, name, name)) not in reading.snapshot.objects]
    assert list(reading.snapshot.objects) == [Key.parse(str(key)) for key in reading.snapshot.objects]
    assert len(trips) >= len(HOSTILE) - 2
    assert {None} == {trip.trouble for trip in trips}


def spellings(url: str, folder: Path) -> dict[str, str]:
    """Return the ways to write where a database on a unix socket is."""
    known = psycopg.conninfo.conninfo_to_dict(url)
    socket, user, name = (str(known[word]) for word in ("host", "user", "dbname"))
    (folder / "services").write_text(f"[ours]\nhost={socket}\nuser={user}\ndbname={name}\n")
    (folder / "passfile").write_text("*:*:*:*:secret\n")
    (folder / "passfile").chmod(0o600)
    encoded = socket.replace("/", "%2F")
    return {
        "url": url,
        "driver": url.replace("postgresql:", "postgresql+healthd:"),
        "psycopg": url.replace("postgresql:", "postgresql+psycopg:"),
        "postgres": url.replace("postgresql:", "postgres:"),
        "host in the url": f"postgresql://{user}@{encoded}/{name}",
        "key=value": f"host={socket} user={user} dbname={name}",
        "quoted": f"host = '{socket}'  user='{user}' dbname = '{name}'",
        "service": "service=ours",
        "service url": "postgresql:///?service=ours",
        "passfile": f"host={socket} user={user} dbname={name} passfile={folder / 'passfile'}",
    }


@pytest.mark.parametrize(
    "spelling",
    [
        "url",
        "driver",
        "psycopg",
        "postgres",
        "host in the url",
        "key=value",
        "quoted",
        "service",
        "service url",
        "passfile",
    ],
)
async def test_a_connection_string_is_taken_as_libpq_takes_it(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spelling: str
) -> None:
    name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    dsn = spellings(database, tmp_path)[spelling]
    async with connect(dsn) as connection:
        cursor = await connection.execute("SELECT current_database(), current_setting('application_name')")
        found, application = await cursor.fetchone() or ("", "")

    assert name == found
    assert application.startswith("healthd/")


def test_what_a_connection_string_says_wins_over_our_defaults() -> None:
    known = psycopg.conninfo.conninfo_to_dict(
        Dsn.of("postgresql+healthd://u@h:1/d?connect_timeout=7&application_name=mine").complete(timeout_s=3)
    )

    assert ("7", "mine", "u", "h", "1", "d") == tuple(
        known[word] for word in ("connect_timeout", "application_name", "user", "host", "port", "dbname")
    )


@asynccontextmanager
async def listening(answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> Any:
    """Lend the port of somebody who is no PostgreSQL."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer as PostgreSQL does to a wrong password, and say the user's name back."""
    while True:
        (size,) = struct.unpack("!i", await reader.readexactly(4))
        content = await reader.readexactly(size - 4)
        if struct.unpack("!i", content[:4]) != (80877103,):  # SSLRequest
            break
        writer.write(b"N")
    fields = b'SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed for user "u"\0\0'
    writer.write(b"E" + struct.pack("!i", len(fields) + 4) + fields)
    await writer.drain()


SECRET = "Tr0ub4dor"
WITH_SECRET = (
    "postgresql://u:Tr0ub4dor@127.0.0.1:{port}/d",
    "postgresql+healthd://u:Tr0ub4dor@127.0.0.1:{port}/d",
    "postgresql://u:Tr%30ub4dor@127.0.0.1:{port}/d",
    "postgresql://u@127.0.0.1:{port}/d?password=Tr0ub4dor",
    "host=127.0.0.1 port={port} user=u dbname=d password=Tr0ub4dor",
    "host=127.0.0.1 port={port} user=u dbname=d password='Tr0ub4dor'",
    "host=127.0.0.1 port={port} user=u dbname=d password = 'Tr0ub4dor'",
)


async def said(dsn: str) -> HealthdError:
    with pytest.raises(HealthdError) as caught:
        async with connect(dsn, timeout_s=2):
            pass
    return caught.value


@pytest.mark.parametrize("dsn", WITH_SECRET)
async def test_a_wrong_password_is_told_and_not_printed(dsn: str) -> None:
    async with listening(refuse) as port:
        error = await said(dsn.format(port=port))

    assert isinstance(error, DatabaseUnreachable)
    assert "password authentication failed" in str(error)
    assert f"d at 127.0.0.1:{port}" in str(error)
    assert SECRET not in f"{error} {error.hint}"


@pytest.mark.parametrize("dsn", WITH_SECRET)
async def test_a_closed_port_is_told_and_no_password(dsn: str) -> None:
    error = await said(dsn.format(port=1))

    assert isinstance(error, DatabaseUnreachable)
    assert "refused" in str(error)
    assert SECRET not in f"{error} {error.hint}"


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://u:Tr0ub4dor@h:notaport/d",
        "postgresql://u:Tr0ub4dor@h:99999/d",
        "postgresql://u:Tr0ub4dor@[h/d",
        "postgresql://u:Tr0ub4dor@h/d?nonsense=1",
        "postgresql://u:Tr0ub4dor@h/d?password",
        "postgresql://u:Tr0ub4dor%zz@h/d",
        "postgresql://u:x#Tr0ub4dor@h/d",
        "postgresql://u:x/Tr0ub4dor@h/d",
        "postgresql://u:x?Tr0ub4dor@h/d",
        "postgresql://u:x@Tr0ub4dor@/d",
        "postgresql://u:x:Tr0ub4dor@h:y/d",
        "mysql://u:Tr0ub4dor@h/d",
        "//u:Tr0ub4dor@h/d",
        "u:Tr0ub4dor@h/d",
        "Tr0ub4dor",
        "host=h password='Tr0ub4dor",
        "host=h password=Tr0ub4dor nonsense=1",
        "host=h password=Tr0ub4dor dbname",
        "host=h password=x Tr0ub4dor",
        "password=x\\ Tr0ub4dor host",
        "host=h password=Tr0ub4dor port=x port",
        "host=h sslmode=Tr0ub4dor",
    ],
)
async def test_a_connection_string_that_is_none_is_told_and_not_printed(dsn: str) -> None:
    error = await said(dsn)

    assert error.hint
    assert SECRET not in f"{error} {error.hint}"


async def test_a_host_that_nobody_knows_is_unreachable() -> None:
    error = await said("postgresql://u:Tr0ub4dor@healthd.invalid/d")

    assert isinstance(error, DatabaseUnreachable)
    assert SECRET not in f"{error} {error.hint}"


async def test_a_server_that_does_not_answer_is_unreachable_in_time() -> None:
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        start = loop.time()
        error = await said(f"host=127.0.0.1 port={port} user=u dbname=d sslmode=disable gssencmode=disable")

    assert isinstance(error, DatabaseUnreachable)
    assert loop.time() - start < 5


async def test_a_database_that_is_not_there_is_unreachable(server: Any) -> None:
    error = await said(server.url("not_there"))

    assert isinstance(error, DatabaseUnreachable)
    assert 'database "not_there" does not exist' in str(error)


async def test_a_statement_that_takes_too_long_is_unreachable(database: str) -> None:
    async with connect(database) as connection:
        with pytest.raises(DatabaseUnreachable, match="statement timeout"):
            async with read_only(connection, {"statement_timeout": "50ms"}):
                await connection.execute("SELECT pg_sleep(5)")


async def test_a_connection_that_is_cut_is_unreachable(database: str, sql: Any) -> None:
    async with connect(database) as connection:
        sql(database, "SELECT pg_terminate_backend(%s)", connection.info.backend_pid)
        with pytest.raises(DatabaseUnreachable):
            await take_snapshot(connection)


def test_what_libpq_says_is_kept_where_it_is_no_secret() -> None:
    for dsn, words in {
        "host=h nonsense=1": 'invalid connection option "nonsense"',
        "postgresql://h/d?nonsense=1": 'invalid URI query parameter: "nonsense"',
    }.items():
        with pytest.raises(ConfigError, match=words):
            Dsn.of(dsn)


def test_a_url_for_people_has_no_password() -> None:
    assert "postgresql://u@h:1/d" == Dsn.of("postgresql+healthd://u:Tr0ub4dor@h:1/d?sslpassword=Tr0ub4dor").url
    assert "postgresql:///d?host=%2Frun" == Dsn.of("host=/run dbname=d password=Tr0ub4dor").url


def test_a_place_is_named_without_its_password() -> None:
    assert "d at h:1" == Dsn.of("postgresql://u:Tr0ub4dor@h:1/d").place
    assert "d at local socket" == Dsn.of("dbname=d password=Tr0ub4dor").place
    assert "default database at a service that is in no service file" == Dsn.of("service=Tr0ub4dor").place
    assert SECRET == Dsn.of("postgresql+healthd://u:Tr0ub4dor@h/d").parameters["password"]


def test_a_connection_string_is_parsed_once_and_printed_without_its_password() -> None:
    text = "postgresql://u:Tr0ub4dor@h:1/d"
    dsn = Dsn.of(text)

    assert Dsn.of(dsn) is Dsn.of(text) is dsn
    assert text == dsn.text
    assert "d at h:1" == f"{dsn}"
    assert SECRET not in repr(dsn)


async def test_nothing_can_be_written_while_reading(url: str, sql: Any) -> None:
    sql(url, "CREATE SEQUENCE counter")
    async with connect(url) as connection:
        for statement in (b"CREATE TABLE t ()", b"DELETE FROM machines", b"SELECT nextval('counter')"):
            with pytest.raises(DatabaseFailed) as caught:
                async with read_only(connection, {"search_path": "public"}):
                    await connection.execute(statement)
            assert "25006" == caught.value.sqlstate


async def test_every_reading_happens_in_one_read_only_transaction(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = set()
    original = psycopg.AsyncCursor.execute
    # The questions whether anything moved begin and end a transaction themselves, or need none.
    asking = (b"BEGIN READ ONLY; ", b"SELECT CASE WHEN pg_catalog.pg_is_in_recovery()")

    async def execute(self: Any, query: Any, *values: Any, **options: Any) -> Any:
        cursor = await original(self, query, *values, **options)
        status = self.connection.info.transaction_status
        if not (isinstance(query, bytes) and query.startswith(asking)):
            assert status == psycopg.pq.TransactionStatus.INTRANS, query
            result = self.connection.pgconn.exec_(
                b"SELECT current_setting('transaction_read_only'), current_setting('transaction_isolation')"
            )
            seen.add((result.get_value(0, 0), result.get_value(0, 1)))
        return cursor

    async with connect(url) as connection:
        monkeypatch.setattr(psycopg.AsyncCursor, "execute", execute)
        reading = await read(connection)
        await probe_values(connection, reading.snapshot)
        await probe_access(connection, [Contract("c", {}, {}, "nobody_here", {"public.machines": ("SELECT",)})])

    assert {(b"on", b"repeatable read")} == seen


@pytest.mark.parametrize("digests", [True, False])
@pytest.mark.parametrize("schema", ["public", 'My "books"'])
async def test_books_that_may_not_be_read_come_with_a_grant_that_works(
    url: str, sql: Any, schema: str, digests: bool
) -> None:
    reader = role(url, sql, "Door-Reader 2")
    place = '"' + schema.replace('"', '""') + '"'
    if schema != "public":
        sql(url, f"CREATE SCHEMA {place}")
        for table in ("_yoyo_migration", "_healthd_migration", "yoyo_lock"):
            sql(url, f"ALTER TABLE {table} SET SCHEMA {place}")
    sql(url, f"REVOKE ALL ON SCHEMA {place} FROM PUBLIC")
    if not digests:
        sql(url, f"DROP TABLE {place}._healthd_migration")

    async with connect(reader) as connection:
        before = await read(connection)
        assert before.ledger.grant
        assert () == before.ledger.applied
        with psycopg.connect(url, autocommit=True) as owner:
            owner.execute(before.ledger.grant.encode())
        after = await read(connection)

    assert after.ledger.grant is None
    assert 10 == len(after.ledger.applied)
    assert schema == after.ledger.schemas[0]
    assert digests == all(one.digest for one in after.ledger.applied)


async def test_books_in_two_places_are_not_read(url: str, sql: Any) -> None:
    sql(url, "CREATE SCHEMA other; CREATE TABLE other._yoyo_migration (LIKE public._yoyo_migration)")
    async with connect(url) as connection:
        ledger = (await read(connection)).ledger

    assert ("other", "public") == ledger.schemas
    with pytest.raises(ConfigError, match="other, public"):
        ledger.readable()


async def test_without_books_nothing_is_applied(database: str) -> None:
    async with connect(database) as connection:
        ledger = (await read(connection)).ledger

    assert (None, ()) == (ledger.grant, ledger.applied)


async def test_who_migrates_is_seen_by_anybody(url: str, sql: Any) -> None:
    reader = role(url, sql, "door_reader")
    sql(url, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO door_reader")
    with psycopg.connect(url, autocommit=True) as other:
        async with connect(reader) as connection:
            assert (await read(connection)).maintenance is None
            other.execute("SELECT pg_advisory_lock(%s, %s)", MIGRATION_LOCK)
            maintenance = (await read(connection)).maintenance

            assert maintenance
            assert f"server process {other.info.backend_pid}) is running migrations" in maintenance


async def test_the_lock_of_another_database_is_not_ours(url: str, server: Any) -> None:
    with psycopg.connect(server.url(), autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", MIGRATION_LOCK)
        async with connect(url) as connection:
            assert (await read(connection)).maintenance is None


async def test_access_is_known_without_having_any(url: str, sql: Any) -> None:
    reader = role(url, sql, "door_reader")
    role(url, sql, "door_writer")
    sql(
        url,
        """CREATE SCHEMA app;
           CREATE TABLE app."T" (id integer);
           GRANT USAGE ON SCHEMA app TO door_writer;
           GRANT SELECT ON app."T" TO door_writer;
           REVOKE ALL ON SCHEMA public FROM PUBLIC;
           GRANT SELECT ON machines TO door_writer""",
    )
    contracts = [
        Contract("one", role="door_writer", privileges={'app."T"': ("SELECT", "INSERT"), "app.lost": ("SELECT",)}),
        Contract("two", role="door_writer", privileges={"public.machines": ("SELECT",)}),
        Contract("three", role="nobody_here", privileges={"lost.lost": ("SELECT",)}),
        Contract("four", privileges={"public.machines": ("SELECT",)}),
    ]
    async with connect(reader) as connection:
        access = await probe_access(connection, contracts)

    assert [
        ("one", "door_writer", "SELECT", 'table:app."T"', True),
        ("one", "door_writer", "INSERT", 'table:app."T"', False),
        ("one", "door_writer", "SELECT", "table:app.lost", True),
        ("two", "door_writer", "SELECT", "table:public.machines", False),
        ("three", "nobody_here", "SELECT", "table:lost.lost", None),
        ("four", "door_reader", "SELECT", "table:public.machines", False),
    ] == [(one.contract, one.role, one.privilege, str(one.key), one.held) for one in access]
