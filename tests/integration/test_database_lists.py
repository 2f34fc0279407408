"""The databases of a server: which are listed, and what the round of a group says when they are not."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from healthd.config.settings import Settings, Target
from healthd.database import database_names as listing
from healthd.database.connection import connect
from healthd.database.database_names import database_names
from healthd.errors import DatabaseFailed
from healthd.model.severity import Severity
from healthd.postgres.embedded import Server
from healthd.rounds.database_lists import examine_group

NAMES = ("listed_a", "listed_template", "listed_closed", 'listed "ä"')


@pytest.fixture(scope="module")
def administrator(server: Server) -> Iterator[psycopg.Connection]:
    """A session on a server with a template, a database that allows no connection, and two others."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        for name in NAMES:
            quoted = name.replace('"', '""')
            connection.execute(f'CREATE DATABASE "{quoted}"'.encode())
        connection.execute("ALTER DATABASE listed_template IS_TEMPLATE true")
        connection.execute("ALTER DATABASE listed_closed ALLOW_CONNECTIONS false")
        yield connection
        connection.execute("ALTER DATABASE listed_template IS_TEMPLATE false")
        for name in NAMES:
            quoted = name.replace('"', '""')
            connection.execute(f'DROP DATABASE "{quoted}"'.encode())


def group(server: Server, *patterns: str, deadline_s: float = 10.0) -> tuple[Settings, Target]:
    made = Target("eu", server.url(), deadline_s=deadline_s, databases=patterns)
    return Settings(None, (Path("sql"),), Path("sql/schema.lock"), Path("data"), groups=(made,)), made


async def test_templates_and_databases_without_connections_are_not_listed(
    server: Server, administrator: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    async with connect(server.url()) as connection:
        found = await database_names(connection)

    assert {"listed_a", 'listed "ä"', "postgres"} == {
        name for name in found if name.startswith("listed") or name == "postgres"
    }
    assert not {"template0", "template1"} & set(found)


async def test_more_databases_than_one_process_watches_are_refused(
    server: Server, administrator: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "MOST", 1)
    async with connect(server.url()) as connection:
        with pytest.raises(DatabaseFailed, match="more than 1 databases"):
            await database_names(connection)


async def test_a_list_is_a_round_with_its_questions(server: Server, administrator: psycopg.Connection) -> None:
    report, names = await examine_group(*group(server, "listed*"))

    assert names is not None
    assert (Severity.OK, None, ["connect", "look"]) == (
        report.severity,
        report.failure,
        [word for word, _ in report.questions],
    )
    assert {"connection": Severity.OK, "databases": Severity.OK} == report.checks
    assert 2 == (report.listed.count if report.listed else None)


async def test_no_match_and_a_name_that_cannot_be_one_are_warnings(
    server: Server, administrator: psycopg.Connection
) -> None:
    nothing, _ = await examine_group(*group(server, "nosuch_*"))
    administrator.execute('CREATE DATABASE "listed//x"')
    try:
        odd, _ = await examine_group(*group(server, "listed/*", "listed_a"))
    finally:
        administrator.execute('DROP DATABASE "listed//x"')

    assert ["database:eu"] == [str(one.key) for one in nothing.findings]
    assert ['database:eu."listed//x"'] == [str(one.key) for one in odd.findings]
    for report in (nothing, odd):
        assert [("database_not_watched", Severity.WARNING)] == [(one.problem, one.severity) for one in report.findings]
        assert report.failure is None


async def test_a_server_that_does_not_answer_has_no_list(tmp_path: Path) -> None:
    down = Target("eu", f"host={tmp_path} dbname=postgres password=hunter2", databases=("*",))
    report, names = await examine_group(Settings(None, (tmp_path,), tmp_path, tmp_path, groups=(down,)), down)

    assert (None, "unreachable", Severity.UNKNOWN) == (names, report.failure, report.severity)
    assert {"connection": Severity.UNKNOWN, "databases": Severity.UNKNOWN} == report.checks
    assert "hunter2" not in repr(report)
