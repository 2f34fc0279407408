"""A round that is the only one of its process, or that takes long, takes a second connection, and can do without it."""

import socket
from typing import Any

import pytest
from pooler import pooled

from healthd.catalog import KINDS
from healthd.config.settings import Target
from healthd.database.connection import SESSION, connect, read_only, rows_of
from healthd.database.snapshot import change_token, digest_reader, reader, second_connection
from healthd.database.snapshot.second_connection import SERVER, Second
from healthd.expected.store import Files
from healthd.model.findings import Report
from healthd.model.severity import Severity
from healthd.rounds.examination import examine, examine_again

INDEX = "machines_serial_number_customer_organization_id_idx"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, frozenset[str]]]:
    """By which server process which kinds were digested."""
    kept: list[tuple[int, frozenset[str]]] = []

    def noting(asking: Any) -> Any:
        async def noted(connection: Any, *values: Any) -> list[Any]:
            rows: list[Any] = await asking(connection, *values)
            kept.append((connection.info.backend_pid, frozenset(row[0] for row in rows)))
            return rows

        return noted

    for module, name in (
        (digest_reader, "_once"),
        (digest_reader, "_planned_once"),
        (digest_reader, "digest_rows"),
        (second_connection, "digest_rows"),
    ):
        monkeypatch.setattr(module, name, noting(getattr(module, name)))
    return kept


def problems(report: Report) -> list[tuple[str, str]]:
    return [(one.problem, str(one.key)) for one in report.findings]


async def test_two_processes_share_the_work_and_each_kind_is_asked_once(
    url: str, known: Files, asked: list[tuple[int, frozenset[str]]]
) -> None:
    report = await examine(url, known)
    assert report.severity is Severity.OK
    (one, some), (other, rest) = asked
    assert one != other
    assert not some & rest
    assert {frozenset(second_connection.GIVEN_AWAY)} == {
        kinds for kinds in (some, rest) if kinds & set(second_connection.GIVEN_AWAY)
    }


@pytest.mark.parametrize(("long_s", "shares"), [(0.0, 2), (60.0, 1)])
async def test_a_daemon_shares_the_work_of_a_round_when_the_last_one_took_long(
    url: str,
    known: Files,
    sql: Any,
    asked: list[tuple[int, frozenset[str]]],
    monkeypatch: pytest.MonkeyPatch,
    long_s: float,
    shares: int,
) -> None:
    monkeypatch.setattr(reader, "LONG_S", long_s)
    target = Target("machines", url)
    first = await examine_again(target, known, None)
    ((_, all_kinds),) = asked
    asked.clear()
    sql(url, "ALTER TABLE machines SET (fillfactor = 90)")
    sql(url, "ALTER TABLE machines RESET (fillfactor)")
    second_round = await examine_again(target, known, first)
    sessions = sql(
        url,
        """SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()""",
    )
    await second_round.close()
    assert first.report.severity is second_round.report.severity is Severity.OK
    assert len({pid for pid, _ in asked}) == len(asked) == shares
    assert sorted(all_kinds) == sorted(kind for _, kinds in asked for kind in kinds)
    if shares == 2:
        assert second_connection.GIVEN_AWAY.keys() - {second_connection.FIRST} in [kinds for _, kinds in asked]
    assert sessions == [(1,)]


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ("ALTER TABLE machines DROP CONSTRAINT machines_pkey CASCADE", "constraint:public.machines.machines_pkey"),
        (
            "DROP INDEX machines_serial_number_customer_organization_id_idx",
            "index:public.machines.machines_serial_number_customer_organization_id_idx",
        ),
        ("ALTER TABLE machines DROP COLUMN location", "column:public.machines.location"),
    ],
)
async def test_drift_of_either_share_is_told(url: str, known: Files, sql: Any, change: str, key: str) -> None:
    sql(url, change)
    assert ("schema_mismatch", key) in problems(await examine(url, known))


async def test_a_role_that_may_have_one_connection_alone_sees_as_much(
    url: str, known: Files, sql: Any, asked: list[tuple[int, frozenset[str]]], server: Any
) -> None:
    role = "one_at_a_time"
    sql(server.url(), f"CREATE ROLE {role} LOGIN CONNECTION LIMIT 1")
    try:
        sql(url, f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
        alone = url.replace("postgres@", f"{role}@")
        assert alone != url
        report = await examine(alone, known)
        kinds = [kinds for _, kinds in asked]
    finally:
        sql(url, f"DROP OWNED BY {role}")
        sql(server.url(), f"DROP ROLE {role}")
    assert {one for one, _ in problems(report)} == {"unexpected_object"}  # a role that sql/ does not name
    assert all(key.startswith("grant:") for _, key in problems(report))  # what lets it read the books
    assert frozenset(second_connection.GIVEN_AWAY) in kinds


async def test_what_another_server_says_is_not_taken(url: str) -> None:
    async with connect(url) as first, read_only(first, SESSION):
        ((here,),) = await rows_of(first, SERVER)
    other = Second(url, 5.0, more=True)
    try:
        assert (None, None) == (await other.types(), await other.vitals())
        assert await other.digests("2001-01-01 00:00:00+00", patience_s=60.0) is None
        assert (None, None) == (await other.types(), await other.vitals())
        assert set(second_connection.GIVEN_AWAY) == {
            kind for kind, *_ in await other.digests(here, patience_s=60.0) or ()
        }
        assert None not in (await other.types(), await other.vitals())
    finally:
        await other.close()


async def test_nobody_waits_for_a_second_one_that_does_not_come_to_its_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        other = Second(f"postgresql://postgres@127.0.0.1:{port}/x", 60.0, more=True)
        assert await other.digests("any", patience_s=0.1) is None
        assert (None, None) == (await other.types(), await other.vitals())
        await other.close()


async def test_a_pooler_that_makes_the_second_one_wait_costs_time_and_nothing_else(
    url: str, known: Files, sql: Any, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "LONG_S", 0.0)
    with pooled(server, url, "transaction", size=1) as shared:
        target = Target("machines", shared, deadline_s=60.0)
        first = await examine_again(target, known, None)
        sql(url, "ALTER TABLE machines SET (fillfactor = 90)")
        second_round = await examine_again(target, known, first)
        sql(url, "ALTER TABLE machines RESET (fillfactor)")
        third = await examine_again(target, known, second_round)
        await third.close()
        only = await examine(target, known)
    found = [problems(one.report) for one in (first, second_round, third)]
    assert [[], [("schema_mismatch", "table:public.machines")], []] == found
    assert [] == problems(only)


async def test_a_plan_that_the_server_has_not_any_more_is_made_again(url: str) -> None:
    async with connect(url) as connection:
        mark = await change_token.take_mark(connection, busy=True)
        await connection.execute("DEALLOCATE ALL")
        assert (True, mark.sums) == ((again := await change_token.look(connection, mark))[0], again[1].sums)


async def test_what_goes_wrong_on_the_second_is_left_to_the_first(
    url: str, known: Files, asked: list[tuple[int, frozenset[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cut(connection: Any, _: object) -> list[Any]:
        cuts.append(connection)
        await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        raise AssertionError("it is cut")

    cuts: list[Any] = []
    monkeypatch.setattr(second_connection, "digest_rows", cut)
    report = await examine(url, known)
    assert report.severity is Severity.OK
    assert len(cuts) == 1
    assert len({pid for pid, _ in asked}) == 1
    assert [kinds for _, kinds in asked][-1] == frozenset(second_connection.GIVEN_AWAY)


async def test_the_kinds_that_are_given_away_can_be_asked_for_before_anything_is_known() -> None:
    for name, module in second_connection.GIVEN_AWAY.items():
        kind = KINDS[name]
        assert (module, False) == (kind.record.__module__, bool(kind.some))
        assert "%(migrator)s" not in kind.sql(180000)
