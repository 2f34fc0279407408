"""What the server refuses is told with its cure: for a file that is one transaction, and for one that is none."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Sql
from psycopg.errors import lookup

from healthd.errors import MigrationFailed
from healthd.expected.files import read_migrations
from healthd.migrations.engine.cures import CURES
from healthd.migrations.engine.yoyo_backend import opened, yoyo_migration
from healthd.migrations.standing import standing

STEPS = "-- transactional: false\nCREATE TABLE public.a ();\n"
CUT = "SELECT pg_terminate_backend(own.pid) FROM (SELECT pg_backend_pid() AS pid) AS own;"
FUNCTION = "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$;"
LABEL = "ALTER TYPE public.e ADD VALUE 'b';\nSELECT ('b' || '')::public.e"
CASES = {
    "25001 whole": ("SELECT 1;\nVACUUM;", "add `-- transactional: false` at the top of the file"),
    "25001 step": (f"{STEPS}BEGIN;\nVACUUM;\nCOMMIT;", "out of the file's BEGIN … COMMIT, then: healthd resume"),
    "25001 first": (
        "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;",
        "BEGIN ISOLATION LEVEL … COMMIT around its statements",
    ),
    "25001 later": (
        f"{STEPS}BEGIN;\nSELECT 1;\nSET TRANSACTION ISOLATION LEVEL SERIALIZABLE;\nCOMMIT;",
        "write BEGIN ISOLATION LEVEL …, or move it directly after the BEGIN, then: healthd resume",
    ),
    "2D000 whole": (f"{FUNCTION}\nSELECT f();", "add `-- transactional: false` at the top of the file"),
    "2D000 step": (f"{STEPS}{FUNCTION}\nSELECT f();", "make it a procedure, and CALL it outside BEGIN … COMMIT"),
    "55P04 whole": (f"{LABEL};", "cannot be used in the transaction that adds it: use it in the next file"),
    "55P04 step": (f"{STEPS}BEGIN;\n{LABEL};\nCOMMIT;", "use it after the COMMIT, then: healthd resume"),
    "57P01 whole": (f"SELECT 1;\n{CUT}", "a user terminated the session: check the server, then run it again"),
    "57P01 step": (f"{STEPS}{CUT}", "a user terminated the session: check the server, then: healthd resume"),
    "57014 whole": ("SET statement_timeout = 1;\nSELECT pg_sleep(9);", "statement_timeout canceled the statement"),
    "25006 whole": ("SET TRANSACTION READ ONLY;\nCREATE TABLE b ();", "makes this session read-only"),
}


@pytest.mark.parametrize("case", list(CASES))
def test_a_refusal_of_the_server_comes_with_its_cure(case: str, database: str, tmp_path: Path, sql: Sql) -> None:
    text, cure = CASES[case]
    sql(database, "CREATE TYPE public.e AS ENUM ('a')")
    (tmp_path / "1.sql").write_text(text)
    with opened(database, wait_s=1.0) as backend, pytest.raises(MigrationFailed) as caught:
        backend.apply_one(yoyo_migration(read_migrations([tmp_path])[0]))

    assert f"({case.split()[0]})" in str(caught.value)
    assert cure in caught.value.hint
    assert 2 == caught.value.exit_code
    assert () == asyncio.run(standing(database, (), None)).ledger.applied


def test_a_session_that_ends_at_a_statement_without_a_transaction_does_not_say_more_than_is_known(
    database: str, tmp_path: Path
) -> None:
    (tmp_path / "1.sql").write_text(
        f"{STEPS}CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN COMMIT; PERFORM 1 FROM (SELECT {CUT[7:-1]}) AS x; "
        "END $$;\nCALL p();"
    )
    with opened(database, wait_s=1.0) as backend, pytest.raises(MigrationFailed) as caught:
        backend.apply_one(yoyo_migration(read_migrations([tmp_path])[0]))

    assert str(caught.value).endswith("not recorded as complete; it is unknown whether statement 3 was applied")


# What is there, what the file says, and what helps: one for each kind of refusal that a migration commonly meets.
T = "CREATE TABLE t (id int PRIMARY KEY, v varchar(3), n int); INSERT INTO t VALUES (1, 'a', NULL), (2, 'a', 7);"
OTHER = f"{T} CREATE TABLE o (id int PRIMARY KEY, t int); INSERT INTO o VALUES (1, 99);"
DEFERRED = """CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1);
    CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p DEFERRABLE INITIALLY DEFERRED); INSERT INTO c VALUES (1);"""
VIEW = f"{T} CREATE VIEW w AS SELECT id, v FROM t;"
PARTS = """CREATE TABLE p (d int) PARTITION BY RANGE (d); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (5);
    CREATE TABLE q (d int); INSERT INTO q VALUES (99);"""
MET = {
    "22001": (T, "INSERT INTO t VALUES (3, 'four')", "widen the column, or shorten the values first"),
    "22003": (T, "INSERT INTO t VALUES (3000000000::bigint)", "use a wider type"),
    "22007": (T, "SELECT v::date FROM t", "correct the values first"),
    "22P02": (T, "ALTER TABLE t ALTER v TYPE int USING v::int", "a value is invalid for that type"),
    "22P02 enum": ("CREATE TYPE x AS ENUM ('a')", "SELECT ('b' || '')::x", "add the label to the enum"),
    "23502": (T, "ALTER TABLE t ALTER n SET NOT NULL", "fill in the missing values first"),
    "23503": (
        OTHER,
        "ALTER TABLE o ADD FOREIGN KEY (t) REFERENCES t",
        "correct the rows that refer to missing rows first",
    ),
    "23503 delete": (
        f"{OTHER} UPDATE o SET t = 1; ALTER TABLE o ADD FOREIGN KEY (t) REFERENCES t;",
        "DELETE FROM t",
        "delete or change the rows that refer to it first",
    ),
    "23505": (T, "INSERT INTO t VALUES (1)", "INSERT … ON CONFLICT, or omit the row"),
    "23505 index": (T, "CREATE UNIQUE INDEX ON t (v)", "merge or delete the duplicate rows first"),
    "23514": (T, "ALTER TABLE t ADD CHECK (id > 1)", "or add it NOT VALID, and VALIDATE it when the rows are correct"),
    "23514 row": (
        f"{T} ALTER TABLE t ADD CHECK (id > 0);",
        "INSERT INTO t VALUES (0)",
        "write rows that",
    ),
    "23514 partition": (PARTS, "INSERT INTO p VALUES (7)", "create the partition for these rows first"),
    "23514 attach": (
        PARTS,
        "ALTER TABLE p ATTACH PARTITION q FOR VALUES FROM (5) TO (9)",
        "move the rows that are outside the partition's bounds first",
    ),
    "23P01": (
        "CREATE TABLE t (r int4range); INSERT INTO t VALUES ('[1,3)'), ('[2,4)');",
        "ALTER TABLE t ADD EXCLUDE USING gist (r WITH &&)",
        "correct the conflicting rows first",
    ),
    "26000": ("", "EXECUTE asked", "PREPARE it in this file: each file starts in a session like new"),
    "34000": ("", "FETCH held", "DECLARE the cursor in this file"),
    "3F000": ("", "CREATE TABLE nowhere.t ()", "CREATE SCHEMA in an earlier file"),
    "42601": ("", "CREATE TABEL t ()", "correct the statement at the position in the message"),
    "42701": (T, "ALTER TABLE t ADD n int", "the column already exists"),
    "42703": (T, "SELECT zz FROM t", "add the column in an earlier file"),
    "42704": (T, "ALTER TABLE t ADD x nowhere_type", "CREATE EXTENSION"),
    "42704 role": (T, "GRANT SELECT ON t TO nobody_here", "a role with CREATEROLE must create it first"),
    "42710": (f"{T} CREATE POLICY y ON t;", "CREATE POLICY y ON t", "it already exists"),
    "42723": ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';",) * 2 + ("use CREATE OR REPLACE",),
    "42P01": ("", "SELECT FROM nowhere", "write its schema before its name"),
    "42P05": ("", "PREPARE x AS SELECT 1;\nPREPARE x AS SELECT 1", "DEALLOCATE it first"),
    "42P06": ("CREATE SCHEMA app", "CREATE SCHEMA app", "the schema already exists"),
    "42P07": (T, "CREATE TABLE t ()", "if this file was run by hand, `healthd baseline` adopts it"),
    "2BP01": (VIEW, "DROP TABLE t", "drop or change the dependent objects first, in this file"),
    "0A000": (VIEW, "ALTER TABLE t ALTER v TYPE text", "drop the view first, and create it again after the change"),
    "42804": (
        f"{T} ALTER TABLE t ALTER v SET DEFAULT 'x'; UPDATE t SET v = '1';",
        "ALTER TABLE t ALTER v TYPE int USING v::int",
        "drop the default first, and set it again after the change",
    ),
    "42804 key": (
        "CREATE TABLE a (i int PRIMARY KEY); CREATE TABLE b (t text);",
        "ALTER TABLE b ADD FOREIGN KEY (t) REFERENCES a",
        "give both columns the same type first",
    ),
    "42830": (
        OTHER,
        "ALTER TABLE o ADD FOREIGN KEY (t) REFERENCES t (n)",
        "a unique constraint first",
    ),
    "42846": (T, "SELECT id::point FROM t", "how the values are converted"),
    "428C9": (
        "CREATE TABLE g (a int, b int GENERATED ALWAYS AS (a) STORED)",
        "INSERT INTO g VALUES (1, 2)",
        "the server computes it",
    ),
    "42P10": (T, "INSERT INTO t VALUES (1) ON CONFLICT (v) DO NOTHING", "add a unique constraint on these columns"),
    "42P16": (T, "ALTER TABLE t ADD PRIMARY KEY (n)", "drop the old primary key first"),
    "42P16 view": (VIEW, "CREATE OR REPLACE VIEW w AS SELECT v FROM t", "REPLACE can only add columns at the end"),
    "42P16 null": (T, "ALTER TABLE t ALTER id DROP NOT NULL", "drop the primary key first"),
    "42P17": (T, "CREATE INDEX ON t ((now()))", "use IMMUTABLE functions"),
    "42P17 bounds": (
        PARTS,
        "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (4) TO (9)",
        "choose bounds that do not overlap",
    ),
    "55006": (DEFERRED, "UPDATE c SET p = 1;\nALTER TABLE c ALTER p SET NOT NULL", "SET CONSTRAINTS ALL IMMEDIATE;"),
    "55006 loop": (
        T,
        "DO $$ BEGIN FOR n IN 1..2 LOOP FOR n IN SELECT FROM t LOOP DROP TABLE t; END LOOP; END LOOP; END $$",
        "end the loop, that still reads it first",
    ),
    "42501": (
        f"{T} REVOKE ALL ON t FROM PUBLIC; CREATE ROLE cured_nobody;",
        "SET LOCAL ROLE cured_nobody; SELECT FROM t",
        "grant the privilege in the message",
    ),
    "42501 owner": (f"{T} CREATE ROLE cured_other;", "SET LOCAL ROLE cured_other; DROP TABLE t", "must own it"),
    "58P01": ("", "CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'nowhere', 'f'", "install the package"),
    "58P01 directory": (
        "",
        "-- transactional: false\nCREATE TABLESPACE cured LOCATION '/nowhere/at/all'",
        "create the directory on the server",
    ),
}


@pytest.fixture
def roles(database: str, sql: Sql) -> Iterator[None]:
    yield
    for role in ("cured_nobody", "cured_other"):
        sql(database, f"DROP ROLE IF EXISTS {role}")


@pytest.mark.usefixtures("roles")
@pytest.mark.parametrize("case", list(MET))
def test_what_a_migration_commonly_meets_comes_with_its_cure(
    case: str, database: str, tmp_path: Path, sql: Sql
) -> None:
    given, text, cure = MET[case]
    if given:
        sql(database, given)
    (tmp_path / "1.sql").write_text(f"{text};")
    with opened(database, wait_s=1.0) as backend, pytest.raises(MigrationFailed) as caught:
        backend.apply_one(yoyo_migration(read_migrations([tmp_path])[0]))

    assert f"({case.split()[0]})" in str(caught.value)
    assert cure in caught.value.hint


def test_what_wants_the_deferred_triggers_first_succeeds_with_its_cure(database: str, tmp_path: Path, sql: Sql) -> None:
    sql(database, DEFERRED)
    text = "UPDATE c SET p = 1;\nSET CONSTRAINTS ALL IMMEDIATE;\nALTER TABLE c ALTER p SET NOT NULL;"
    (tmp_path / "1.sql").write_text(text)
    with opened(database, wait_s=1.0) as backend:
        backend.apply_one(yoyo_migration(read_migrations([tmp_path])[0]))

    assert [(1,)] == sql(database, "SELECT p FROM c")


def test_a_transaction_that_lasts_too_long_says_which_setting_ended_it(database: str, tmp_path: Path, sql: Sql) -> None:
    if sql(database, "SELECT 1 FROM pg_settings WHERE name = 'transaction_timeout'") == []:
        pytest.skip("transaction_timeout came with PostgreSQL 17")
    (tmp_path / "1.sql").write_text("SET transaction_timeout = '50ms';\nSELECT pg_sleep(30);")
    with opened(database, wait_s=1.0) as backend, pytest.raises(MigrationFailed) as caught:
        backend.apply_one(yoyo_migration(read_migrations([tmp_path])[0]))

    assert "(25P04)" in str(caught.value)
    assert caught.value.hint.startswith("transaction_timeout ended the session: increase it")


def test_a_cure_is_for_a_code_of_the_server_and_each_has_one_that_fits_all() -> None:
    codes = {one.code for one in CURES}

    assert {"Error"} & {lookup(code).__name__ for code in codes} == set()  # KeyError for one that is none
    for code in codes - {"42P10", "25P03"}:
        last = [one for one in CURES if one.code == code][-1]
        assert not last.when or code in ("42P16", "42P17"), code


COMMON = """22001 22P02 23502 23503 23505 23514 25001 25006 25P02 25P04 2BP01 2D000 0A000 3F000 40001 40P01 42501 42701
42703 42704 42710 42723 42804 42830 42883 428C9 42P01 42P07 42P16 42P17 53100 53200 53300 54000 55000 55006 55P03 55P04
57014 57P01 57P03 58P01 XX000""".split()


@pytest.mark.parametrize("code", COMMON)
def test_every_code_that_a_migration_commonly_ends_with_has_a_cure(code: str) -> None:
    assert code in {one.code for one in CURES}
