"""The server checks an application's statements, and runs none of them."""

from typing import Any

import pytest
from evidence import evidence

from healthd.checks import contracts
from healthd.contracts.statements import place, refused
from healthd.database.connection import connect
from healthd.database.probes.statements import prepare_statements
from healthd.model.contracts import Contract, Statement
from healthd.model.observations import Prepared
from healthd.model.severity import Severity


@pytest.fixture
def migrated(database: str, sql: Any) -> str:
    sql(database, "CREATE TYPE machinestatus AS ENUM ('active', 'inactive')")
    sql(database, "CREATE TABLE machines (id uuid, name text, status machinestatus)")
    return database


async def tried(url: str, text: str, parameters: int | None = None, search_path: str | None = None) -> Prepared:
    """Return the server's verdict on a statement; the connection is left unchanged."""
    contract = Contract("api", statements={"one": Statement(text, parameters)}, search_path=search_path)
    async with connect(url) as connection:
        (found,) = await prepare_statements(connection, [contract])
        cursor = await connection.execute("SELECT count(*) FROM pg_prepared_statements")
        assert (0,) == await cursor.fetchone()
    return found


@pytest.mark.parametrize(
    "text",
    [
        "SELECT m.id FROM machines AS m WHERE m.status = $1 AND m.name = $2",
        "INSERT INTO machines (name, status) VALUES ($1, 'active') RETURNING id, $2::text",
        "UPDATE machines SET name = $1 WHERE id = $2",
        "DELETE FROM machines WHERE id = $1 AND name LIKE '%s' || $2",
        "WITH m AS (SELECT $1::int) SELECT $2::int FROM m",
        "VALUES ($1::int, $2::int)",
        "-- why\n/* what */ (SELECT $1::int) UNION (SELECT $2::int)",
    ],
)
async def test_a_statement_that_the_server_accepts_is_not_reported(migrated: str, sql: Any, text: str) -> None:
    assert Prepared("api", "one", parameters=2) == await tried(migrated, text, 2)
    assert [(0,)] == sql(migrated, "SELECT count(*) FROM machines")


async def test_a_missing_object_is_reported_with_the_servers_message_and_the_position(migrated: str) -> None:
    found = await tried(migrated, "SELECT m.id,\n       m.colour\n  FROM machines AS m")

    assert ("42703", 2, 8) == (found.sqlstate, found.line, found.column)
    assert "column m.colour does not exist" == found.trouble


async def test_a_missing_label_is_reported(migrated: str) -> None:
    assert "22P02" == (await tried(migrated, "SELECT FROM machines WHERE status = 'ACTIVE'")).sqlstate


async def test_another_number_of_parameters_is_reported(migrated: str) -> None:
    found = await tried(migrated, "SELECT FROM machines WHERE name = $1", 2)

    assert "the application sends 2 values, but the statement expects 1" == found.trouble


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("DROP TABLE machines", "it begins with DROP"),
        ("PREPARE x AS SELECT 1", "it begins with PREPARE"),
        ("EXPLAIN ANALYZE DELETE FROM machines", "it begins with EXPLAIN"),
        ("COMMIT", "it begins with COMMIT"),
        ("SELECT 1; DROP TABLE machines", "cannot insert multiple commands into a prepared statement"),
        ("", "it is empty"),
        ("-- nothing", "it is empty"),
        ("/* /* */ */ SELECT 1", "it is not SQL"),
        ("$$", "it is not SQL"),
        ("SELECT '\0'", "it contains a zero byte"),
    ],
)
async def test_only_a_single_statement_on_rows_is_sent(migrated: str, sql: Any, text: str, words: str) -> None:
    found = await tried(migrated, text)

    assert found.trouble is not None
    assert words in found.trouble
    assert [(0,)] == sql(migrated, "SELECT count(*) FROM machines")


async def test_statements_use_the_search_path_of_their_contract(database: str, sql: Any) -> None:
    sql(database, "CREATE SCHEMA app; CREATE TABLE app.orders (id int)")

    assert "42P01" == (await tried(database, "SELECT id FROM orders")).sqlstate
    assert (await tried(database, "SELECT id FROM orders", search_path="app, public")).trouble is None


async def test_only_usage_on_the_schema_is_needed(database: str, sql: Any, server: Any) -> None:
    sql(database, "CREATE SCHEMA app; CREATE TABLE app.orders (id int); CREATE ROLE prepares LOGIN")
    try:
        url = database.replace(f"{database.split('//')[1].split('@')[0]}@", "prepares@")
        found = await tried(url, "SELECT id FROM app.orders")
        assert "42501" == found.sqlstate
        (finding,) = contracts.check(evidence(prepared=(found,)))
        assert ("permission_denied", Severity.UNKNOWN) == (finding.problem, finding.severity)
        sql(database, "GRANT USAGE ON SCHEMA app TO prepares")
        assert (await tried(url, "DELETE FROM app.orders")).trouble is None
    finally:
        sql(database, "DROP OWNED BY prepares; DROP ROLE prepares")


def test_a_statement_that_fails_is_a_finding_that_names_it() -> None:
    prepared = Prepared("api@41", "list", "no such column", "42703", 2, 8)
    (finding,) = contracts.check(evidence(prepared=(prepared, Prepared("api@41", "fine"))))

    assert 'statement:"api@41".list: no such column [42703] at line 2, column 8' == finding.message
    assert ("contract_broken", Severity.CRITICAL) == (finding.problem, finding.severity)


def test_a_locked_table_is_not_a_broken_contract() -> None:
    (finding,) = contracts.check(evidence(prepared=(Prepared("api", "list", "lock timeout", "55P03"),)))

    assert Severity.UNKNOWN == finding.severity


@pytest.mark.parametrize(
    ("text", "position", "expected"), [("ab", 1, (1, 1)), ("a\nbß c", 5, (2, 3)), ("\n\nx", 3, (3, 1))]
)
def test_a_position_is_a_line_and_a_column(text: str, position: int, expected: tuple[int, int]) -> None:
    assert expected == place(text, position)


def test_words_in_comments_are_not_a_statement() -> None:
    assert "it begins with DROP" in str(refused("-- SELECT\nDROP TABLE x"))
