"""Statements end where psql ends them, and what a migration cannot hold is found before anything runs."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from psql import Recorder

from healthd.sqltext.statements import blanked, past_blanks, statements, trouble


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
    "an escape string that goes on in the next line": "SELECT E'a' -- more\n 'it\\'s; '",
    "a comment in the head of a routine": "CREATE /* ; */ FUNCTION g() RETURNS int BEGIN -- ;\n ATOMIC SELECT 1; END",
    "names like those of a body": (
        'CREATE FUNCTION h() RETURNS int BEGIN ATOMIC SELECT x.end AS case FROM (SELECT 1 AS "end") AS x; SELECT 2; END'
    ),
    "deep parentheses": "CREATE RULE s AS ON INSERT TO t DO ALSO (SELECT (((((1))))); SELECT $$;$$, (';'))",
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


def test_a_routine_called_begin_is_one_statement() -> None:
    assert ["CREATE FUNCTION app.begin() RETURNS int RETURN 1", "SELECT 2"] == texts(
        "CREATE FUNCTION app.begin() RETURNS int RETURN 1; SELECT 2;"
    )


def test_backslashes_count_where_a_file_switches_the_standard_off() -> None:
    off, on = (
        r"SET standard_conforming_strings = off; SELECT 'it\';s';",
        r"SET standard_conforming_strings TO on; SELECT '\'",
    )

    assert [r"SELECT 'it\';s'", r"SELECT '\'"] == texts(off + on)[1::2]


def test_the_column_counts_from_the_line_of_a_statement() -> None:
    assert [(1, 1), (1, 11), (2, 3)] == [
        (one.line, one.column) for one in statements("SELECT 1; SELECT 2;\n  SELECT 3")
    ]


# ── psql ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="session")
def psql() -> Iterator[Recorder]:
    recorder = Recorder()
    yield recorder
    recorder.close()


def bare(text: str) -> str:
    """Return a statement without what psql leaves out, or puts at its end."""
    return "".join(text[past_blanks(text, 0) :].split()).rstrip(";")


def as_psql_splits(psql: Recorder, path: Path, text: str) -> list[str]:
    path.write_bytes(text.encode())
    return [one for one in map(bare, psql.sent(path)) if one]


def as_we_split(text: str) -> list[str]:
    return [one for one in (bare(one.text) for one in statements(text)) if one]


PIECES = st.sampled_from(
    """ ; ( ) ' '' " "" $$ $a$ $a_1$ $1 $ E' e' U&' U&" N' \\' \\\\ -- /* */ / * - + 1 1e5 a _b é a$b E a.b , = ::int
    select create function procedure or replace case end rule begin\u00a0atomic table""".replace(" ", "\0")
    .replace("\n", "\0").replace("\u00a0", " ").strip("\0").split("\0")
)  # fmt: skip
GAPS = st.sampled_from(["", " ", " ", "\n", "\r\n", "\t", " /**/ ", "--x\n"])


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(PIECES, GAPS), max_size=40))
def test_statements_end_where_psql_ends_them(psql: Recorder, tmp_path: Path, made: list[tuple[str, str]]) -> None:
    text = "".join(piece + gap for piece, gap in made)
    assume("\\" not in blanked(text))  # psql would do what it says

    assert as_psql_splits(psql, tmp_path / "a.sql", text) == as_we_split(text)


@pytest.mark.parametrize("text", ONE.values(), ids=ONE.keys())
def test_psql_sends_one_statement_too(psql: Recorder, tmp_path: Path, text: str) -> None:
    if "AS case" in text or "-- more" in text:
        pytest.skip("the server takes it as one, and psql does not")

    assert [bare(text)] == as_psql_splits(psql, tmp_path / "a.sql", text)


@pytest.mark.parametrize("path", sorted(Path("sql").glob("*.sql")), ids=lambda path: path.name)
def test_our_own_files_are_split_as_psql_splits_them(psql: Recorder, tmp_path: Path, path: Path) -> None:
    text = path.read_text()

    assert as_psql_splits(psql, tmp_path / "a.sql", text) == as_we_split(text)


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
    assert (2, f"{word} in a file that runs in a transaction") == found[:2]
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


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SELECT 1 \\gexec\n", "\\gexec, a psql meta-command"),
        ("SELECT 1\n  AS a \\g", "\\g, a psql meta-command"),
        ("\\restrict x1y2\nSELECT 1;", "\\restrict, a psql meta-command"),
    ],
)
def test_a_command_of_psql_is_found_anywhere_and_named(text: str, words: str) -> None:
    found = trouble(f"SELECT '\\d', E'\\\\', $$ \\d $$; -- \\d\n{text}", transactional=True)

    assert found is not None
    assert found[0] == 2 + text.split("\\")[0].count("\n")
    assert found[1].startswith(words)


BACKSLASHES = [
    r'CREATE TABLE "a\b" (i int);',
    r'CREATE TABLE "a""\gexec" (i int);',
    r'CREATE TABLE U&"d\0061t" (i int);',
    r"""CREATE TABLE u&"d!0061t\" UESCAPE '!' (i int);""",
    r"""SELECT U&'d\0061t', u&'d!0061t\' UESCAPE '!';""",
    r"""SELECT E'\\', e'it\'s \n \x41', 'C:\', N'\', B'1' AS "\";""",
    "SELECT E'a'\n  '\\'b';",
    r"""SET standard_conforming_strings = off; SELECT 'it\'s \ one';""",
    r"""SELECT set_config('standard_conforming_strings', 'off', true); SELECT 'it\'s \ one';""",
    r"""SET standard_conforming_strings = off; SELECT 'it\'s'; RESET ALL; SELECT '\'; SELECT 1 AS "\";""",
    r"""SELECT $$ \d $$, $a$ \d $$ \i $a$;""",
    "SELECT 1 -- \\d\n; /* \\d /* \\i */ \\x */ SELECT 2 /* \\g */; -- \\q",
    r"""COMMENT ON TABLE t IS 'see \\server\share';""",
    r"""COPY "from stdin" ("to stdout") FROM PROGRAM 'echo \\\\.';""",
]


@pytest.mark.parametrize("text", BACKSLASHES)
def test_a_backslash_in_quotes_or_comments_is_no_command_of_psql(text: str, database: str) -> None:
    assert trouble(text, transactional=True) is None
    with psycopg.connect(database) as connection:
        connection.execute('CREATE TABLE t (i int); CREATE TABLE "from stdin" ("to stdout" text)')
        for one in statements(text):
            connection.execute(one.text.encode())


@pytest.mark.parametrize("text", BACKSLASHES)
def test_a_command_of_psql_is_found_behind_any_of_them(text: str) -> None:
    reset = "RESET standard_conforming_strings;"
    for command in ("\\d", "SELECT 1 \\gexec", "SELECT 1\n\\g", '\\copy "t" from x'):
        found = trouble(f"{text}\n;{reset}\n{command}\n", transactional=True)

        assert found is not None
        assert found[1].endswith("a psql meta-command, is not SQL")
        assert found[0] == text.count("\n") + 3 + command.count("\n")


def test_words_in_quotes_and_comments_are_no_copy_from_the_client() -> None:
    assert trouble("COPY t FROM '/tmp/from stdin'; COPY t /* from stdin */ FROM '/tmp/x'", transactional=True) is None


def test_a_commit_behind_a_comment_is_found() -> None:
    found = trouble("/* all done */ cOmMiT /* really */ ;", transactional=True)

    assert found is not None
    assert found[1].startswith("COMMIT in a file")


# ── blanked ─────────────────────────────────────────────────────────────────────────────────────────────


def test_blanks_stand_for_comments_and_for_what_is_quoted() -> None:
    text = "SELECT 'a;', \"b;\" /* c\n; /* d */ */ , $q$ e; $q$ -- f\n, E'\\'' FROM t"

    code = "SELECT '  ', \"b;\"     \n             , '        '     \n, '   ' FROM t"

    assert code == blanked(text)


@given(st.lists(st.tuples(PIECES, GAPS), max_size=30))
def test_a_blanked_text_keeps_its_shape(made: list[tuple[str, str]]) -> None:
    text = "".join(piece + gap for piece, gap in made)

    assert len(text) == len(blanked(text))
