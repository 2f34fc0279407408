"""Statements end where psql ends them, and what a migration cannot hold is found before anything runs."""

import psycopg
import pytest

from healthd.migrations.statements import statements, trouble


def texts(text: str) -> list[str]:
    return [one.text.strip() for one in statements(text)]


ONE = {
    "a string": "SELECT ';' || 'it''s;'",
    "an escape string": r"SELECT E'it\';s' || e'\\;'",
    "a plain string that ends in a backslash": r"SELECT 'C:\'",
    "an identifier": 'SELECT 1 AS "a;""b"',
    "dollar quotes": "DO $$ BEGIN NULL; END $$",
    "dollar quotes with a tag": "SELECT $é$ ; $$ ; $é$",
    "a parameter is no quote": "PREPARE p AS SELECT $1::int + $2::int",
    "a name with a dollar": "SELECT 1 AS a$b$",
    "a comment": "SELECT 1 -- no; end\n + 1",
    "a block comment": "SELECT 1 /* no; end */ + 1",
    "nested block comments": "SELECT 1 /* a /* b; */ c; */ + 1",
    "quotes in comments": "SELECT 1 -- it's\n /* don't */ + 1",
    "comments in quotes": "SELECT '--' || '/*' || 'x'",
    "parentheses": "CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2)",
    "an SQL body": "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END",
    "a procedure's body": "create or replace procedure p() begin atomic select 1; select 2; end",
    "a column called begin": "CREATE TABLE t (begin int)",
    "added without parentheses": "ALTER TABLE t ADD COLUMN begin int",
}


@pytest.mark.parametrize("text", ONE.values(), ids=ONE.keys())
def test_one_statement_is_one(text: str) -> None:
    assert [text] == texts(text)
    assert [text, "SELECT 2"] == texts(f"{text};\nSELECT 2;\n")


@pytest.mark.parametrize(
    "text", ["", " \n", ";", ";;\n;", "-- nothing; here", "/* nothing; /* at */ all; */", "/* open"]
)
def test_nothing_is_no_statement(text: str) -> None:
    assert [] == texts(text)


def test_each_statement_knows_its_line() -> None:
    text = "-- header\n\n/* more\n*/ SELECT 1;\nSELECT\n  2; SELECT 3;\r\n\r\nSELECT 4"

    assert [(4, "SELECT 1"), (5, "SELECT\n  2"), (6, "SELECT 3"), (8, "SELECT 4")] == [
        (one.line, one.text) for one in statements(text)
    ]


@pytest.mark.parametrize("text", ["SELECT 'open; SELECT 2", "SELECT $$ open; SELECT 2", 'SELECT "open; SELECT 2'])
def test_a_quote_that_never_ends_swallows_the_rest(text: str) -> None:
    assert [text] == texts(text)


def test_the_server_counts_the_same_statements(database: str) -> None:
    fine = [text for name, text in ONE.items() if "parameter" not in name]
    script = "CREATE TABLE t (a int);\n" + ";\n".join(text for text in fine if "TABLE t (" not in text)
    with psycopg.connect(database, autocommit=True) as connection:
        cursor, results = connection.execute(script), 1
        while cursor.nextset():
            results += 1

    assert len(list(statements(script))) == results


ENDS = {
    "BEGIN": "BEGIN;",
    "START TRANSACTION": "start\n transaction;",
    "COMMIT": "Commit and chain;",
    "END": "END;",
    "ABORT": "ABORT;",
    "ROLLBACK": "ROLLBACK;",
    "PREPARE TRANSACTION": "PREPARE TRANSACTION 'x';",
}


@pytest.mark.parametrize(("word", "text"), ENDS.items(), ids=ENDS.keys())
def test_a_file_must_not_end_its_transaction(word: str, text: str) -> None:
    found = trouble(f"SELECT 1;\n{text}\nSELECT 2;", transactional=True)

    assert found is not None
    assert (2, f"{word} in a file that is one transaction already") == found[:2]
    assert trouble(f"SELECT 1;\n{text}\n", transactional=False) is None


@pytest.mark.parametrize(
    "text",
    [
        "SAVEPOINT s; ROLLBACK TO s; ROLLBACK WORK TO SAVEPOINT s; RELEASE s",
        "DO $$ BEGIN NULL; END $$",
        "SELECT 'COMMIT;'",
    ],
)
def test_savepoints_and_blocks_may_stay(text: str) -> None:
    assert trouble(text, transactional=True) is None


@pytest.mark.parametrize("transactional", [True, False])
@pytest.mark.parametrize(
    "text", ["COPY t FROM STDIN;\n1\n\\.\n", "copy t (a)\nfrom stdin with csv;", "\\i other.sql\n"]
)
def test_what_only_psql_can_do_is_refused(text: str, transactional: bool) -> None:
    found = trouble(f"SELECT 1;\n{text}", transactional=transactional)

    assert found is not None
    assert found[0] == 2


def test_copy_from_a_file_of_the_server_may_stay() -> None:
    assert trouble("COPY t FROM '/tmp/stdin';", transactional=True) is None
