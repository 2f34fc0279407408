"""What runs in a transaction and what does not is said in one place, and the server says the same."""

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from healthd.postgres import embedded
from healthd.sqltext.classify import Outside, outside
from healthd.sqltext.statements import statements
from healthd.sqltext.steps import steps

DEBIANS = Path("/usr/lib/postgresql/15/bin")
HERE = Path(os.environ["HEALTHD_PG_BIN"]) if os.environ.get("HEALTHD_PG_BIN") else None
SUBSCRIPTION = "CREATE SUBSCRIPTION s CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false);"
ENABLED = SUBSCRIPTION + "ALTER SUBSCRIPTION s ENABLE;"
SETUP = """CREATE TABLE t (a int); CREATE INDEX i ON t (a);
           CREATE TABLE p (a int) PARTITION BY RANGE (a); CREATE INDEX pi ON p (a);
           CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9);
           CREATE TYPE e AS ENUM ('x'); CREATE TABLE "x concurrently" (a int); CREATE TABLE "detach partition" (a int);
           CREATE MATERIALIZED VIEW m AS SELECT 1 AS a; CREATE UNIQUE INDEX mi ON m (a);"""
# Statement, what comes before it in its transaction.
REFUSED = [
    ("CREATE INDEX CONCURRENTLY ON t (a)", ""),
    ("create /* x */ unique\n index concurrently -- x\n if not exists j on t (a)", ""),
    ("DROP INDEX CONCURRENTLY IF EXISTS i", ""),
    ("REINDEX TABLE CONCURRENTLY t", ""),
    ("REINDEX (VERBOSE, CONCURRENTLY) INDEX i", ""),
    ("REINDEX (CONCURRENTLY true) TABLE t", ""),
    ("REINDEX SCHEMA public", ""),
    ("REINDEX (VERBOSE) SCHEMA public", ""),
    ("REINDEX DATABASE template1", ""),
    ("REINDEX SYSTEM template1", ""),
    ("REINDEX TABLE p", ""),
    ("REINDEX INDEX pi", ""),
    ("ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY", ""),
    ("ALTER TABLE IF EXISTS ONLY public.p DETACH PARTITION public.p1 CONCURRENTLY", ""),
    ("VACUUM", ""),
    ("VACUUM (ANALYZE) t", ""),
    ("VACUUM FULL t", ""),
    ("CLUSTER", ""),
    ("CLUSTER VERBOSE", ""),
    ("CLUSTER (VERBOSE)", ""),
    ("CLUSTER p USING pi", ""),
    ("CREATE DATABASE d", ""),
    ("DROP DATABASE IF EXISTS d", ""),
    ("ALTER DATABASE postgres SET TABLESPACE pg_default", ""),
    ("CREATE TABLESPACE x LOCATION '/nowhere'", ""),
    ("DROP TABLESPACE IF EXISTS x", ""),
    ("ALTER SYSTEM SET work_mem = '1MB'", ""),
    ("ALTER SYSTEM RESET ALL", ""),
    ("CREATE SUBSCRIPTION s CONNECTION 'dbname=nowhere' PUBLICATION p", ""),
    ("CREATE SUBSCRIPTION s CONNECTION 'connect=false' PUBLICATION p WITH (enabled = false)", ""),
    ("CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (create_slot = true)", ""),
    ("DROP SUBSCRIPTION s", SUBSCRIPTION),
    ("ALTER SUBSCRIPTION s REFRESH PUBLICATION", ENABLED),
    ("ALTER SUBSCRIPTION s REFRESH PUBLICATION WITH (copy_data = false)", ENABLED),
    ("ALTER SUBSCRIPTION s SET PUBLICATION q", ENABLED),
    ("ALTER SUBSCRIPTION s ADD PUBLICATION q WITH (copy_data = false)", ENABLED),
    (
        "ALTER SUBSCRIPTION s DROP PUBLICATION p",
        ENABLED + "ALTER SUBSCRIPTION s ADD PUBLICATION q WITH (refresh = false);",
    ),
    ("COMMIT PREPARED 'x'", ""),
    ("ROLLBACK PREPARED 'x'", ""),
    ("DISCARD ALL", ""),
]
ALLOWED = [
    ("CHECKPOINT", ""),
    ("CLUSTER t USING i", ""),
    ("REINDEX TABLE t", ""),
    ("REINDEX (VERBOSE) INDEX i", ""),
    ("REINDEX (CONCURRENTLY false) TABLE t", ""),
    ("ANALYZE", ""),
    ("CREATE INDEX concurrently_made ON t (a)", ""),
    ("DROP INDEX i", ""),
    ("REFRESH MATERIALIZED VIEW CONCURRENTLY m", ""),
    ("ALTER TABLE p DETACH PARTITION p1", ""),
    ('ALTER TABLE "detach partition" RENAME TO "x2 concurrently"', ""),
    ("COMMENT ON TABLE t IS 'vacuum'", ""),
    ("ALTER DATABASE postgres SET work_mem = '1MB'", ""),
    ("ALTER DATABASE postgres SET work_mem TO '2MB' /* SET TABLESPACE x */", ""),
    ("ALTER DATABASE postgres CONNECTION LIMIT 5", ""),
    ("ALTER TABLESPACE pg_default SET (random_page_cost = 4)", ""),
    ("ALTER TABLE t SET TABLESPACE pg_default", ""),
    ("ALTER TYPE e ADD VALUE 'y'", ""),
    (SUBSCRIPTION.rstrip(";"), ""),
    (
        "CREATE SUBSCRIPTION s CONNECTION 'dbname=x' PUBLICATION p WITH (create_slot = off, connect = false)",
        "",
    ),
    ("DROP SUBSCRIPTION s", SUBSCRIPTION + "ALTER SUBSCRIPTION s SET (slot_name = NONE);"),
    ("DROP SUBSCRIPTION IF EXISTS nobody", ""),
    ("ALTER SUBSCRIPTION s SET PUBLICATION q WITH (refresh = false)", ENABLED),
    ("ALTER SUBSCRIPTION s ADD PUBLICATION q WITH (copy_data = false, refresh = off)", ENABLED),
    ("ALTER SUBSCRIPTION s DISABLE", ENABLED),
    ("ALTER SUBSCRIPTION s CONNECTION 'dbname=elsewhere'", SUBSCRIPTION),
    ("ALTER SUBSCRIPTION s RENAME TO refresh_publication", SUBSCRIPTION),
    ("DISCARD TEMP", ""),
    ("DISCARD PLANS", ""),
]


@pytest.fixture(scope="module", params=["here", "Debian's 15"])
def table(request: pytest.FixtureRequest) -> Iterator[psycopg.Connection]:
    """A connection to a server with a few things on it; what is tried is rolled back."""
    if request.param != "here" and not DEBIANS.is_dir():
        pytest.skip(f"no PostgreSQL in {DEBIANS}")
    with (
        embedded.temporary(binaries=HERE if request.param == "here" else DEBIANS) as server,
        psycopg.connect(server.url(), autocommit=True) as connection,
    ):
        connection.execute(SETUP)
        yield connection


def refused(connection: psycopg.Connection, text: str, before: str) -> bool:
    """Return whether the server refuses a statement because it runs in a transaction."""
    connection.execute("BEGIN")
    try:
        if before:
            connection.execute(before.encode())
        connection.execute(text.encode())
    except psycopg.errors.ActiveSqlTransaction:
        return True
    finally:
        connection.execute("ROLLBACK")
    return False


def said(text: str) -> Outside:
    (one,) = statements(text)
    return outside(one.code)


@pytest.mark.parametrize(("text", "before"), REFUSED)
def test_what_the_server_refuses_in_a_transaction_is_known(table: psycopg.Connection, text: str, before: str) -> None:
    since = {"CLUSTER p USING pi": 150000, "CLUSTER (VERBOSE)": 170000}.get(text, 0)
    if table.info.server_version < since:
        pytest.skip(f"from PostgreSQL {since // 10000}")

    assert refused(table, text, before)
    assert said(text) in (Outside.ALWAYS, Outside.PERHAPS)


@pytest.mark.parametrize(("text", "before"), ALLOWED)
def test_what_the_server_takes_in_a_transaction_is_known(table: psycopg.Connection, text: str, before: str) -> None:
    assert not refused(table, text, before)
    assert said(text) in (Outside.NEVER, Outside.PERHAPS)


def test_perhaps_is_only_what_the_text_cannot_tell() -> None:
    forms = {" ".join(text.split()[:2]) for text, _ in REFUSED if said(text) is Outside.PERHAPS}

    assert {"REINDEX TABLE", "REINDEX INDEX", "CLUSTER p", "DROP SUBSCRIPTION", "CREATE SUBSCRIPTION"} == forms


def test_the_runner_asks_the_same_place() -> None:
    for text, _ in (*REFUSED, *ALLOWED):
        (step,) = steps(text)

        assert step.alone == (said(text) is Outside.ALWAYS)
