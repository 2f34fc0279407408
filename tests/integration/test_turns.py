"""Targets on a server that admits few connections take turns; where no place comes free, the error says why."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from acceptance.test_cli import healthd, make_project
from conftest import MakeDatabase

from healthd.config.reader import read_settings
from healthd.database.connection import dial
from healthd.database.idle_connections import Places
from healthd.errors import DatabaseUnreachable
from healthd.expected.store import read_files
from healthd.rounds.examination import Round, examine_again

ROLE = "few_connections"


@dataclass(frozen=True)
class Fleet:
    """Seven databases, seen by a role that may have three connections to all of them together."""

    folder: Path
    urls: tuple[str, ...]


@pytest.fixture
def fleet(
    tmp_path: Path, make_database: MakeDatabase, migrated_template: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Fleet]:
    monkeypatch.chdir(folder := make_project(tmp_path / "project"))
    owners = [make_database(migrated_template) for _ in range(7)]
    with psycopg.connect(owners[0], autocommit=True) as connection:
        connection.execute(f"DROP ROLE IF EXISTS {ROLE}")
        connection.execute(f"CREATE ROLE {ROLE} LOGIN CONNECTION LIMIT 3")
    for url in owners:
        with psycopg.connect(url) as connection:
            connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {ROLE}")
    urls = tuple(url.replace("postgres@", f"{ROLE}@") for url in owners)
    sections = (f"[target t{number}]\ndatabase = {url.replace('%', '%%')}\n" for number, url in enumerate(urls))
    (folder / "yoyo.ini").write_text("[DEFAULT]\nsources = sql\n[healthd]\ndeadline_s = 60\n" + "".join(sections))
    yield Fleet(folder, urls)
    with psycopg.connect(owners[0], autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [ROLE])
    for url in owners:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"DROP OWNED BY {ROLE}")
    with psycopg.connect(owners[0], autocommit=True) as connection:
        connection.execute(f"DROP ROLE {ROLE}")


async def test_rounds_take_turns_where_a_role_may_have_few_connections(fleet: Fleet) -> None:
    settings = read_settings()
    files, places = read_files(settings), Places()
    last: dict[str, Round | None] = dict.fromkeys((target.name for target in settings.targets), None)
    failures = []
    for _ in range(3):
        made = await asyncio.gather(
            *(examine_again(target, files, last[target.name], places=places) for target in settings.targets)
        )
        last = {one.report.target: one for one in made}
        failures += [one.report.findings for one in made if one.report.failure]
    for one in last.values():
        assert one is not None
        await one.close()

    assert [] == failures
    assert len(places.resting) <= 3


def test_check_looks_at_all_of_them_too(fleet: Fleet) -> None:
    reports = json.loads(healthd("check", "--format", "json").out)

    assert 7 == len(reports)
    problems = {finding["problem"] for report in reports for finding in report["findings"]}
    assert "unknown" not in {report["severity"] for report in reports}
    assert problems  # the privileges that the fixture grants: all of the databases were seen


async def test_where_no_place_comes_free_the_error_names_the_limit_and_its_cure(fleet: Fleet) -> None:
    held = [await dial(url) for url in fleet.urls[:3]]
    try:
        with pytest.raises(DatabaseUnreachable, match=f'too many connections for role "{ROLE}"') as caught:
            await dial(fleet.urls[3], timeout_s=1.0)
        assert "CONNECTION LIMIT N" in caught.value.hint
        assert "one for each target" in caught.value.hint
    finally:
        for connection in held:
            await connection.close()


async def test_a_connection_that_rests_is_given_up_for_who_has_none(fleet: Fleet) -> None:
    places, held = Places(), [await dial(url) for url in fleet.urls[:3]]
    for connection, url in zip(held, fleet.urls, strict=False):
        places.leave(connection, psycopg.conninfo.conninfo_to_dict(url))  # type: ignore[arg-type] # no integers in it
    new = await dial(fleet.urls[3], places=places)

    assert [True, False, False] == [connection.closed for connection in held]
    for connection in (new, *held):
        await connection.close()
