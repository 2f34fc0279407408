"""What no database should hold and some do: names that break out, catalogs that refuse or lie, things of any size."""

import asyncio
import json
import re
from dataclasses import replace
from importlib import import_module
from typing import Any

import httpx
import psycopg
import pytest
import structlog
from conftest import MakeDatabase
from pg_dump import run_psql
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from psycopg import sql as compose

from healthd.catalog import KINDS
from healthd.config.settings import Target
from healthd.database.connection import connect
from healthd.database.probes.round_trips import probe_values
from healthd.database.snapshot.reading import read, take_snapshot
from healthd.errors import DatabaseFailed
from healthd.expected.codec import decode_objects, encode_objects
from healthd.expected.lockfile import LockFile
from healthd.expected.lockfile_lines import load
from healthd.expected.lockfile_text import dump
from healthd.expected.store import Files
from healthd.model.findings import Report
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.model.snapshots import Snapshot, diff
from healthd.postgres.embedded import Server
from healthd.report.board import Board
from healthd.report.documents import document, text
from healthd.report.repair_text import script
from healthd.report.web import application
from healthd.report.web_context import WebContext
from healthd.rounds.examination import examine_again

daemon: Any = import_module("healthd.daemon.round_log")
log: Any = import_module("healthd.report.log")


@pytest.fixture(autouse=True)
def _no_pause_before_confirming(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("healthd.rounds.complete_reading.AGAIN_S", 0.0)


NAMES = (
    'quo"te""s',
    "it's ''",
    "new\nline",
    "\r\n\t",
    "a\nDROP TABLE i.plain; --",
    "100%",
    "%s",
    "%(books)s",
    "{} {0} {books}",
    "back\\slash\\",
    "a.b..c.",
    "f(x, y)",
    "((",
    "🛠️ Größe",
    " lead and trail ",
    "select",
    "x" * 63,
    "ß" * 31,
    "-- /* */ $$ ; :x",
    "a/b?c&d#e%2F",
    "\u202eevil\u202c \u2028 \u2029 \u0085",
    "\x01\x1b[31m\x7f",
    "<script>alert(1)</script>&amp;",
    '{"json": [null]}',
    "CamelCase",
    "PUBLIC",
    "*",
    # What psql would do: stop, go elsewhere, run the buffer, put variables in, end a quote, a comment or a body.
    "a\n\\q",
    "\\connect template1",
    "x'; \\c template1 \\g",
    ":USER :'HOST' :\"DBNAME\" :{?PORT} $1",
    "$check$ $function$; DROP SCHEMA i; --",
    "*/ \\; --\n\\r",
)

# One of every kind, all of the same name; {0} is the name as an identifier, {1} as a constant.
EVERY_KIND = """
CREATE SCHEMA {0}; CREATE SCHEMA e; CREATE SCHEMA d; CREATE SCHEMA c; CREATE SCHEMA r; CREATE SCHEMA s; CREATE SCHEMA i;
CREATE SCHEMA f; CREATE SCHEMA v; CREATE SCHEMA m;
CREATE TYPE e.{0} AS ENUM ({1}, 'other');
CREATE DOMAIN d.{0} AS text DEFAULT {1} CONSTRAINT {0} CHECK (VALUE <> '');
CREATE TYPE c.{0} AS ({0} integer, "another one" e.{0});
CREATE TYPE r.{0} AS RANGE (subtype = integer);
CREATE COLLATION c.{0} (locale = 'C');
CREATE SEQUENCE s.{0};
CREATE FOREIGN DATA WRAPPER {0};
CREATE SERVER {0} TYPE {1} FOREIGN DATA WRAPPER {0} OPTIONS ({0} {1});
CREATE USER MAPPING FOR PUBLIC SERVER {0} OPTIONS ({0} {1});
CREATE USER MAPPING FOR {0} SERVER {0};
CREATE FOREIGN TABLE f.{0} ({0} integer OPTIONS ({0} {1})) SERVER {0} OPTIONS ({0} {1});
CREATE TABLE {0}.{0} ({0} e.{0} DEFAULT {1} CONSTRAINT {0} CHECK ({0} IS NOT NULL), d d.{0}, n integer);
CREATE TABLE i.plain (a text DEFAULT {1});
CREATE INDEX {0} ON i.plain (a) WHERE a <> {1};
CREATE VIEW v.{0} AS SELECT {0} FROM {0}.{0} WHERE {0}::text <> {1};
CREATE MATERIALIZED VIEW m.{0} AS SELECT {0} FROM {0}.{0};
CREATE STATISTICS {0}.{0} ON {0}, n FROM {0}.{0};
CREATE FUNCTION {0}.{0}({0} e.{0} DEFAULT {1}) RETURNS d.{0} LANGUAGE sql AS {1};
CREATE PROCEDURE {0}.p({0} c.{0}[]) LANGUAGE sql AS {1};
CREATE FUNCTION f.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION f.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION f.both(integer, integer) RETURNS integer IMMUTABLE LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION f.cast(c.{0}) RETURNS e.{0} LANGUAGE sql AS $body$SELECT NULL::e.{0}$body$;
CREATE AGGREGATE {0}.a({0} integer) (sfunc = f.both, stype = integer, initcond = '1');
CREATE LANGUAGE {0} HANDLER plpgsql_call_handler;
CREATE ACCESS METHOD {0} TYPE INDEX HANDLER bthandler;
CREATE CAST (c.{0} AS e.{0}) WITH FUNCTION f.cast(c.{0});
CREATE OPERATOR {0}.+* (leftarg = integer, rightarg = integer, function = f.both);
CREATE OPERATOR FAMILY {0}.{0} USING btree;
CREATE OPERATOR CLASS {0}.{0} FOR TYPE integer USING btree FAMILY {0}.{0} AS STORAGE integer;
CREATE CONVERSION {0}.{0} FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE TEXT SEARCH PARSER {0}.{0} (
    START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype);
CREATE TEXT SEARCH TEMPLATE {0}.{0} (INIT = dsimple_init, LEXIZE = dsimple_lexize);
CREATE TEXT SEARCH DICTIONARY {0}.{0} (TEMPLATE = {0}.{0});
CREATE TEXT SEARCH CONFIGURATION {0}.{0} (COPY = pg_catalog.simple);
CREATE RULE {0} AS ON DELETE TO i.plain WHERE OLD.a = {1} DO ALSO SELECT {1};
CREATE TRIGGER {0} BEFORE UPDATE ON i.plain FOR EACH ROW WHEN (OLD.a = {1}) EXECUTE FUNCTION f.touch({1});
CREATE POLICY {0} ON i.plain TO {0} USING (a = {1});
CREATE EVENT TRIGGER {0} ON ddl_command_end EXECUTE FUNCTION f.watch();
CREATE PUBLICATION {0} FOR TABLE {0}.{0};
CREATE SUBSCRIPTION {0} CONNECTION 'dbname=nowhere' PUBLICATION {0} WITH (connect = false, slot_name = NONE);
COMMENT ON TABLE {0}.{0} IS {1};
COMMENT ON COLUMN {0}.{0}.{0} IS {1};
COMMENT ON CONSTRAINT {0} ON {0}.{0} IS {1};
COMMENT ON FUNCTION {0}.{0}(e.{0}) IS {1};
COMMENT ON CAST (c.{0} AS e.{0}) IS {1};
GRANT SELECT ({0}), INSERT ON {0}.{0} TO {0} WITH GRANT OPTION;
GRANT USAGE ON TYPE e.{0} TO {0};
GRANT SELECT ON v.{0} TO {0}, PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA {0} GRANT SELECT ON TABLES TO {0};
ALTER TABLE f.{0} OWNER TO {0};
"""
# What these names cannot be: made by nobody but C code, or by an extension; or half detached by one session alone.
ABSENT = {"extension", "base_type", "transform", "security_label", "detachment"}

# What somebody did to it, and the repair must undo: each statement runs, and all is as it was.
DAMAGE = """
DROP VIEW v.{0};
DROP INDEX i.{0};
DROP TRIGGER {0} ON i.plain;
DROP POLICY {0} ON i.plain;
DROP RULE {0} ON i.plain;
DROP STATISTICS {0}.{0};
DROP PROCEDURE {0}.p;
DROP SEQUENCE s.{0};
DROP USER MAPPING FOR {0} SERVER {0};
DROP TYPE r.{0};
DROP COLLATION c.{0};
ALTER TABLE {0}.{0} DROP CONSTRAINT {0};
ALTER TABLE {0}.{0} ALTER COLUMN {0} DROP DEFAULT;
ALTER TABLE i.plain ALTER COLUMN a DROP DEFAULT;
ALTER TYPE e.{0} RENAME VALUE {1} TO 'renamed';
COMMENT ON COLUMN {0}.{0}.{0} IS 'another';
REVOKE INSERT ON {0}.{0} FROM {0};
ALTER TABLE f.{0} OWNER TO CURRENT_USER;
"""


def spelled(template: str, name: str) -> bytes:
    """Return SQL with a name in it: as an identifier, and as a constant."""
    word, constant = '"' + name.replace('"', '""') + '"', "'" + name.replace("'", "''") + "'"
    if len(name.encode()) > 63:
        raise ValueError("the server would cut this name")
    values = {"{0}": word, "{1}": constant}
    return re.sub(r"\{[01]\}", lambda match: values[match[0]], template).encode()


def make_role(url: str, name: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone()
        if not known:
            connection.execute(compose.SQL("CREATE ROLE {}").format(compose.Identifier(name)))


def run(url: str, statements: bytes) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET check_function_bodies = off")
        connection.execute(statements)


async def snapshot_of(url: str) -> Snapshot:
    async with connect(url) as connection:
        return await take_snapshot(connection)


async def report_on(url: str, expected: Snapshot) -> Report:
    """Return what a round says of a database that shall be as another snapshot."""
    lock = load(dump(LockFile(expected.server_version, expected.objects, ())))
    only = await examine_again(Target("app", url, deadline_s=60.0), Files(lock, ()), None)
    await only.close()
    return only.report


@pytest.mark.parametrize("name", NAMES, ids=ascii)
async def test_a_name_goes_all_the_way(name: str, make_database: Any, capfd: pytest.CaptureFixture[str]) -> None:
    url, empty = make_database(), make_database()
    make_role(url, name)
    run(url, spelled(EVERY_KIND, name))
    async with connect(url) as connection:
        snapshot = (await read(connection)).snapshot
        trips = await probe_values(connection, snapshot)

    assert {} == snapshot.unreadable
    assert ABSENT == KINDS.keys() - {key.kind for key in snapshot.objects}
    assert list(snapshot.objects) == [Key.parse(str(key)) for key in snapshot.objects]
    assert len(snapshot.objects) == len({str(key) for key in snapshot.objects})
    decoded = decode_objects(json.loads(json.dumps(encode_objects(snapshot.objects))))
    assert decoded == load(dump(LockFile(snapshot.server_version, snapshot.objects, ()))).base
    assert decoded.keys() == snapshot.objects.keys()
    assert () == diff(snapshot, replace(snapshot, objects=decoded))  # but for secrets, which no file has
    assert {None} == {trip.trouble for trip in trips}
    report = await report_on(empty, snapshot)
    assert len(report.findings) >= 10
    await show_in_every_way(report, capfd)
    assert "" == await asyncio.to_thread(run_psql, script(report), empty)

    run(url, spelled(DAMAGE, name))
    report = await report_on(url, snapshot)
    assert len(report.findings) >= 15
    await show_in_every_way(report, capfd)
    assert "" == await asyncio.to_thread(run_psql, script(report), url)
    left = [one for one in diff(snapshot, await snapshot_of(url)) if not shown_only(one)]
    assert [] == left


def shown_only(difference: Any) -> bool:
    return KINDS[difference.key.kind].severity(difference) is None


async def show_in_every_way(report: Report, capfd: pytest.CaptureFixture[str]) -> None:
    """Tell a report in every way that there is; nothing in it may break out of its place."""
    board = Board()
    board.watch([("app", 10.0)])
    change = board.post(report)
    lines = text(report).split("\n")
    assert all(line.replace("\t", " ").isprintable() for line in lines)
    shown = script(report, shown=True).split("\n")
    assert all(line.replace("\t", " ").isprintable() for line in shown)
    assert sum(line.startswith("app  ") and not line.startswith("app  note: ") for line in lines) == len(
        report.findings
    )
    assert json.loads(json.dumps(document(report)))["findings"]
    capfd.readouterr()
    log.configure(style="json")
    try:
        daemon.log_round(change, report)
    finally:
        structlog.reset_defaults()
    logged = capfd.readouterr().err.splitlines()
    assert len(change.appeared) == len([json.loads(line) for line in logged])
    assert max(map(len, logged)) < 4000
    door = WebContext(board, lambda: report.started_at, lambda: asyncio.sleep(0), "/runbook")
    transport = httpx.ASGITransport(app=application(door))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as web:
        page = await web.get("/targets/app")
        api = await web.get("/api/v1/targets/app")
        repair = await web.get("/api/v1/targets/app/repair")
        plain = await web.get("/metrics")
        opened = await web.get("/metrics", headers={"Accept": "application/openmetrics-text;version=1.0.0"})
    assert (200, 200, 200, 200) == (page.status_code, repair.status_code, plain.status_code, opened.status_code)
    assert 1 == page.text.count("<script"), "the page's own"
    assert len(report.findings) == len(api.json()["findings"])
    assert script(report) == repair.text
    for parse, answer in ((parse_text, plain), (parse_openmetrics, opened)):
        families = {one.name: one for one in parse(answer.text)}
        labels = [sample.labels for sample in families["healthd_finding_info"].samples]
        assert {str(one.key) for one in report.findings} >= {one["object"] for one in labels} != set()
        assert max(len(value) for one in labels for value in one.values()) < 500


SMALL = """
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE DOMAIN size AS integer DEFAULT 1 CHECK (VALUE > 0);
CREATE TABLE t (id serial PRIMARY KEY, a integer DEFAULT 1 CHECK (a > 0), m mood DEFAULT 'good', s size);
CREATE TABLE u (id integer REFERENCES t);
CREATE INDEX t_idx ON t (a) WHERE a > 1;
CREATE STATISTICS t_statistics ON a, (a + 1) FROM t;
CREATE VIEW v AS SELECT a FROM t;
CREATE RULE r AS ON DELETE TO t DO ALSO SELECT 1;
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION g(size) RETURNS mood LANGUAGE sql AS 'SELECT NULL::mood';
CREATE TRIGGER tr BEFORE UPDATE ON t FOR EACH ROW WHEN (OLD.a = 1) EXECUTE FUNCTION f();
CREATE TRIGGER tr2 BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f();
CREATE POLICY p ON t USING (a > 1);
CREATE TABLE pt (a integer) PARTITION BY RANGE (a);
CREATE TABLE p1 PARTITION OF pt FOR VALUES FROM (1) TO (2);
CREATE AGGREGATE total(integer) (sfunc = int4pl, stype = integer);
CREATE FOREIGN DATA WRAPPER far;
CREATE SERVER far FOREIGN DATA WRAPPER far;
COMMENT ON TABLE t IS 'a comment';
CREATE TYPE pair AS (one integer, two text);
ALTER DEFAULT PRIVILEGES REVOKE USAGE ON TYPES FROM PUBLIC;
"""


@pytest.fixture(scope="module")
def whole(server: Server, _administrator: psycopg.Connection) -> Snapshot:
    """The snapshot of the template database `small`, before anything is done to it."""
    _administrator.execute("CREATE DATABASE small TEMPLATE template0")
    run(server.url("small"), SMALL.encode())
    return asyncio.run(snapshot_of(server.url("small")))


@pytest.fixture
def small(whole: Snapshot, make_database: MakeDatabase) -> str:
    """A database as `whole` is."""
    return make_database("small")


REFUSALS = {
    "SELECT ON pg_catalog.pg_proc": {"function", "aggregate", "owner", "grant", "comment"},
    "SELECT ON pg_catalog.pg_class": {"table", "column", "index", "view", "trigger", "owner"},
    "SELECT ON pg_catalog.pg_namespace": {"schema", "table", "enum", "function"},
    "SELECT ON pg_catalog.pg_attribute": {"column", "table", "composite"},
    "SELECT ON pg_catalog.pg_attrdef": {"column"},
    "SELECT ON pg_catalog.pg_constraint": {"constraint", "index", "domain"},
    "SELECT ON pg_catalog.pg_roles": {"user_mapping"},
    "SELECT ON pg_catalog.pg_depend": {"table", "function", "sequence"},
    "SELECT ON pg_catalog.pg_type": {"enum", "domain", "column"},
    "SELECT ON pg_catalog.pg_enum": {"enum"},
    "SELECT ON pg_catalog.pg_language": {"language", "function", "grant"},
    "SELECT ON pg_catalog.pg_user_mappings": {"user_mapping"},
    "SELECT ON pg_catalog.pg_locks": set(),
    "EXECUTE ON FUNCTION pg_catalog.pg_get_indexdef(oid)": {"index"},
    "EXECUTE ON FUNCTION pg_catalog.pg_get_viewdef(oid)": {"view"},
    "EXECUTE ON FUNCTION pg_catalog.pg_get_constraintdef(oid)": {"constraint"},
    "EXECUTE ON FUNCTION pg_catalog.pg_get_triggerdef(oid)": {"trigger"},
    "EXECUTE ON FUNCTION pg_catalog.pg_get_expr(pg_node_tree, oid)": {"column", "policy", "table"},
    "EXECUTE ON FUNCTION pg_catalog.aclexplode(aclitem[])": {"grant", "default_privileges"},
    "EXECUTE ON FUNCTION pg_catalog.pg_get_userbyid(oid)": {"owner", "policy", "grant"},
    'EXECUTE ON FUNCTION pg_catalog.jsonb_build_array("any")': set(),
}


@pytest.mark.parametrize("refused", REFUSALS)
async def test_what_a_role_is_refused_is_unknown_and_the_rest_is_compared(
    small: str, whole: Snapshot, refused: str
) -> None:
    make_role(small, "hostile_reader")
    run(small, b"ALTER ROLE hostile_reader LOGIN")
    reader = psycopg.conninfo.make_conninfo(small, user="hostile_reader")
    run(small, f"REVOKE {refused} FROM PUBLIC".encode())
    seen = await snapshot_of(reader)
    report = await report_on(reader, whole)

    assert REFUSALS[refused] <= seen.unreadable.keys()
    assert len(seen.unreadable) < len(KINDS)
    assert all(reason.startswith("42501: permission denied for ") for reason in seen.unreadable.values())
    kinds = {key.kind for key in whole.objects} - seen.unreadable.keys() - {"grant"}  # the refusal is one
    assert [] == [one for one in diff(whole, seen) if one.key.kind in kinds]
    if seen.unreadable:
        assert Severity.UNKNOWN == report.severity
        problems = {one.problem for one in report.findings if one.severity is Severity.UNKNOWN}
        assert problems <= {"cannot_compare", "permission_denied"}


# What a superuser or a broken disk does to the catalogs; and the kind that is unknown, or a key that is told.
BROKEN = {
    "DELETE FROM pg_type WHERE typname = 'mood'": "enum:public.mood",
    "DELETE FROM pg_proc WHERE proname = 'f'": "trigger",
    "DELETE FROM pg_namespace WHERE nspname = 'public'": "schema:public",
    "DELETE FROM pg_class WHERE relname = 't'": "table:public.t",
    "DELETE FROM pg_class WHERE relname = 't_idx'": "index:public.t.t_idx",
    "DELETE FROM pg_index WHERE indexrelid = 't_idx'::regclass": "index:public.t.t_idx",
    "DELETE FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'a'": "column:public.t.a",
    "DELETE FROM pg_rewrite WHERE ev_class = 'v'::regclass": "view",
    "DELETE FROM pg_sequence": "sequence:public.t_id_seq",
    "DELETE FROM pg_inherits": "table:public.p1",
    "DELETE FROM pg_partitioned_table": "table:public.pt",
    "DELETE FROM pg_language WHERE lanname = 'plpgsql'": "function:public.f()",
    "UPDATE pg_constraint SET conbin = NULL WHERE conname = 't_a_check'": "constraint",
    "UPDATE pg_constraint SET conkey = NULL WHERE conname = 'u_id_fkey'": "constraint",
    "UPDATE pg_constraint SET confkey = '{77}' WHERE conname = 'u_id_fkey'": "constraint",
    """UPDATE pg_attrdef SET adbin = (SELECT ev_action FROM pg_rewrite WHERE ev_class = 'v'::regclass)
        WHERE adrelid = 't'::regclass AND adnum = 2""": "column",
    "UPDATE pg_attribute SET atttypid = 0 WHERE attrelid = 't'::regclass AND attname = 'a'": "column:public.t.a",
    "UPDATE pg_attribute SET atttypid = 99999 WHERE attrelid = 't'::regclass AND attname = 'a'": "column:public.t.a",
    "UPDATE pg_enum SET enumsortorder = 'NaN' WHERE enumlabel = 'good'": "enum:public.mood",
    "UPDATE pg_type SET typtype = 'x' WHERE typname = 'mood'": "enum:public.mood",
    "UPDATE pg_type SET typbasetype = oid WHERE typname = 'size'": "domain:public.size",
    "UPDATE pg_class SET relowner = 99999 WHERE relname = 't'": "owner:table.public.t",
    "UPDATE pg_class SET relkind = 'x' WHERE relname = 'u'": "table:public.u",
    "UPDATE pg_class SET reloptions = '{nonsense}' WHERE relname = 't'": "table:public.t",
    "UPDATE pg_trigger SET tgtype = 32767 WHERE tgname = 'tr'": "trigger",
    "UPDATE pg_proc SET prokind = 'x' WHERE proname = 'g'": "function:public.g(public.size)",
    "UPDATE pg_proc SET proargtypes = '99999' WHERE proname = 'g'": "function",
    "UPDATE pg_statistic_ext SET stxkeys = '99'": "statistics",
    """UPDATE pg_trigger SET tgparentid = (SELECT oid FROM pg_trigger WHERE tgname = 'tr'),
              tgenabled = CASE tgname WHEN 'tr' THEN 'O' ELSE 'D' END::"char"
        WHERE tgname IN ('tr', 'tr2')""": "trigger:public.t.tr",
}


@pytest.mark.parametrize("damage", BROKEN)
async def test_a_broken_catalog_is_told_or_unknown(small: str, whole: Snapshot, damage: str) -> None:
    run(small, f"SET allow_system_table_mods = on; {damage}".encode())
    report = await asyncio.wait_for(report_on(small, whole), timeout=60)

    wanted = BROKEN[damage]
    kind = wanted.partition(":")[0]
    assert None is report.failure
    assert {wanted, f"{kind}:*", f'{kind}:"*"'} & {str(one.key) for one in report.findings}, report.findings
    assert report.severity >= Severity.WARNING


@pytest.mark.parametrize("version", [190000, 200001, 260000])
async def test_a_server_of_the_future_is_read_or_unknown(
    small: str, whole: Snapshot, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psycopg.ConnectionInfo, "server_version", version)
    later = await snapshot_of(small)
    report = await report_on(small, replace(whole, server_version=version))

    assert version == later.server_version
    assert all(re.match(r"\w{5}: ", reason) for reason in later.unreadable.values())
    assert [] == [one for one in diff(whole, later) if one.attribute != "unreadable"]
    assert None is report.failure


@pytest.mark.parametrize("version", [90600, 120022])
async def test_a_server_of_the_past_is_refused_in_a_line(
    small: str, whole: Snapshot, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psycopg.ConnectionInfo, "server_version", version)
    with pytest.raises(DatabaseFailed, match=rf"PostgreSQL {version // 10000} is not supported") as caught:
        await snapshot_of(small)
    report = await report_on(small, whole)

    assert "13 or newer" in caught.value.hint
    assert (Severity.UNKNOWN, 1) == (report.severity, len(report.findings))


@pytest.mark.parametrize(
    ("encoding", "raw"),
    [("SQL_ASCII", b"\xff\xfe"), ("LATIN1", b"Gr\xf6\xdfe"), ("EUC_JP", b"\xc6\xfc"), ("WIN1251", b"\xc4\xe0")],
)
async def test_names_in_another_encoding_are_read_or_unknown(
    encoding: str, raw: bytes, make_database: Any, sql: Any
) -> None:
    admin, name = make_database(), f"hostile_{encoding.lower()}"
    sql(admin, f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'")
    url = psycopg.conninfo.make_conninfo(admin, dbname=name)
    try:
        raw = {"SQL_ASCII": b"\xff\xfe", "LATIN1": b"Gr\xf6\xdfe", "EUC_JP": b"\xc6\xfc", "WIN1251": b"\xc4\xe0"}[
            encoding
        ]
        with psycopg.connect(url, autocommit=True, client_encoding="SQL_ASCII") as connection:
            connection.execute(f"SET client_encoding = '{encoding}'")
            connection.pgconn.exec_(b'CREATE TABLE "' + raw + b'" (id integer DEFAULT 1); CREATE TYPE mood AS ENUM ()')
        seen = await snapshot_of(url)
        report = await report_on(url, seen)

        assert Key("enum", ("public", "mood")) in seen.objects
        if encoding == "SQL_ASCII":
            assert {"table", "column"} <= seen.unreadable.keys()
            assert all(reason.startswith("22021: ") for reason in seen.unreadable.values())
            assert Severity.UNKNOWN == report.severity
        else:
            assert {} == seen.unreadable
            decoded = raw.decode(encoding.replace("WIN", "cp"))
            assert Key("table", ("public", decoded)) in seen.objects
            assert () == report.findings
    finally:
        sql(admin, f"DROP DATABASE {name} WITH (FORCE)")


# One thing of an unusual size each: what makes it, and what somebody then does to it.
SIZES = {
    "a function body of 2 MB": (
        (
            "DO $$ BEGIN EXECUTE format('CREATE FUNCTION big() RETURNS text LANGUAGE sql AS %L',"
            " 'SELECT ''' || repeat('x', 2000000) || ''''); END $$"
        ),
        (
            "DO $$ BEGIN EXECUTE format('CREATE OR REPLACE FUNCTION big() RETURNS text LANGUAGE sql AS %L',"
            " 'SELECT ''' || repeat('x', 1999999) || 'y'''); END $$"
        ),
        "function:public.big()",
    ),
    "a view of 1 MB": (
        "DO $$ BEGIN EXECUTE 'CREATE VIEW big AS SELECT ''' || repeat('x', 1000000) || '''::text AS a'; END $$",
        (
            "DO $$ BEGIN EXECUTE 'CREATE OR REPLACE VIEW big AS SELECT ''' || repeat('y', 1000000) || '''::text AS a';"
            " END $$"
        ),
        "view:public.big",
    ),
    "a comment of 1 MB, which is no finding": (
        "CREATE TABLE t (); DO $$ BEGIN EXECUTE format('COMMENT ON TABLE t IS %L', repeat('c', 1000000)); END $$",
        "COMMENT ON TABLE t IS NULL; ALTER TABLE t SET UNLOGGED",
        "table:public.t",
    ),
    "a table of 1,600 columns": (
        (
            "DO $$ BEGIN EXECUTE 'CREATE TABLE wide (' ||"
            " (SELECT string_agg('column_' || n || ' boolean', ', ') FROM generate_series(1, 1600) AS n) || ')'; END $$"
        ),
        "ALTER TABLE wide ALTER COLUMN column_1600 TYPE text USING NULL",
        "column:public.wide.column_1600",
    ),
    "a type of 1,000 labels": (
        (
            "DO $$ BEGIN EXECUTE 'CREATE TYPE many AS ENUM (' ||"
            " (SELECT string_agg(quote_literal('label ' || n), ', ') FROM generate_series(1, 1000) AS n) || ')'; END $$"
        ),
        "ALTER TYPE many RENAME VALUE 'label 500' TO 'another'",
        "enum:public.many",
    ),
    "150 partitions with an index each": (
        (
            "CREATE TABLE p (id integer, note text) PARTITION BY LIST (id); CREATE INDEX ON p (note);"
            " DO $$ BEGIN FOR n IN 1..150 LOOP"
            " EXECUTE format('CREATE TABLE p_%s PARTITION OF p FOR VALUES IN (%s)', n, n); END LOOP; END $$"
        ),
        "ALTER TABLE p ALTER COLUMN note SET NOT NULL",
        "column:public.p.note",
    ),
    "300 grants on one table": (
        (
            "CREATE TABLE t (id integer); DO $$ BEGIN FOR n IN 1..300 LOOP"
            " IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'size_' || n) THEN"
            " EXECUTE 'CREATE ROLE size_' || n; END IF;"
            " EXECUTE 'GRANT SELECT ON t TO size_' || n; END LOOP; END $$"
        ),
        "REVOKE SELECT ON t FROM size_200",
        "grant:table.public.t.size_200",
    ),
}


@pytest.mark.parametrize("size", SIZES)
async def test_a_thing_of_any_size_is_told_in_few_words(
    size: str, database: str, capfd: pytest.CaptureFixture[str]
) -> None:
    make, change, key = SIZES[size]
    run(database, make.encode())
    before = await snapshot_of(database)
    run(database, change.encode())
    report = await report_on(database, before)

    assert {} == before.unreadable
    assert key in {str(one.key) for one in report.findings}
    assert len(report.findings) < 10
    assert max(len(one.message) for one in report.findings) < 1500
    assert len("\n".join(line for line in text(report).split("\n") if not line.startswith(" "))) < 5000
    await show_in_every_way(report, capfd)
