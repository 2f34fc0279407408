"""The seed's failures, each from end to end: broken, answered, found, repaired, all clear."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from conftest import Sql
from story import Story, play

from examples.machines_api.schemas import Problem
from healthd.contracts import load
from healthd.model.findings import Report
from healthd.postgres.embedded import Server

from .conftest import NEW, ORGANIZATION, ROLE, calling

CONTRACT = Path(__file__).parents[3] / "examples" / "machines_api" / "contract.json"
GIVEN = "GRANT SELECT, INSERT, UPDATE, DELETE ON machines TO machines_api;"
STATUSES = ["active", "inactive", "maintenance", "decommissioned"]


@dataclass(frozen=True, slots=True)
class Failure:
    """A change to the database, a call and its response, healthd's findings, and what the repair needs first."""

    drift: str
    call: tuple[str, Mapping[str, Any] | None]
    status: int
    code: str
    members: Mapping[str, Any]
    findings: Sequence[tuple[str, str]]
    before_repair: str = ""
    rows: Mapping[str, Any] = field(default_factory=dict)


def repairs(report: Report) -> Iterable[str]:
    """Return the SQL that repairs everything, with that which is held back until something was done first."""
    others = (sql for finding in report.findings for sql in finding.repair if not sql.startswith("--"))
    return dict.fromkeys([*(one.sql for one in report.script), *others])


LIST = ("GET", None)
LOCATION = "column:public.machines.location"
STATUS = "column:public.machines.status"
ENUM = "enum:public.machinestatus"
TABLE = "table:public.machines"

FAILURES = {
    "a missing column": Failure(
        "ALTER TABLE machines DROP COLUMN location;",
        LIST,
        500,
        "schema_mismatch",
        {"object": LOCATION, "actual": "missing"},
        [("schema_mismatch", LOCATION), ("contract_broken", LOCATION)],
    ),
    "a missing table": Failure(
        "ALTER TABLE machines RENAME TO robots;",
        LIST,
        500,
        "schema_mismatch",
        {"object": TABLE},
        [("schema_mismatch", TABLE)],
    ),
    "names for values, read": Failure(
        "".join(f"ALTER TYPE machinestatus RENAME VALUE '{one}' TO '{one.upper()}';" for one in STATUSES),
        LIST,
        500,
        "serialization_failed",
        {"object": ENUM},
        [("enum_mismatch", ENUM)],
    ),
    "names for values, written": Failure(
        "".join(f"ALTER TYPE machinestatus RENAME VALUE '{one}' TO '{one.upper()}';" for one in STATUSES),
        ("POST", NEW),
        422,
        "enum_mismatch",
        {"object": ENUM, "valid_values": [one.upper() for one in STATUSES]},
        [("enum_mismatch", ENUM)],
    ),
    "a missing label": Failure(
        "ALTER TYPE machinestatus RENAME VALUE 'maintenance' TO 'repair';",
        ("POST", NEW | {"status": "maintenance"}),
        422,
        "enum_mismatch",
        {"object": ENUM, "valid_values": ["active", "inactive", "repair", "decommissioned"]},
        [("enum_mismatch", ENUM)],
    ),
    "a label that only the database has": Failure(
        "ALTER TYPE machinestatus RENAME VALUE 'active' TO 'retired';",
        LIST,
        500,
        "serialization_failed",
        {"object": ENUM},
        [("enum_mismatch", ENUM)],
    ),
    "a NULL status": Failure(
        "ALTER TABLE machines ALTER COLUMN status DROP NOT NULL; UPDATE machines SET status = NULL;",
        LIST,
        500,
        "serialization_failed",
        {"fields": ["items.status"]},
        [("schema_mismatch", STATUS)],
        before_repair="UPDATE machines SET status = 'active' WHERE status IS NULL;",
    ),
    "a column of another type": Failure(
        "ALTER TABLE machines ALTER COLUMN location TYPE integer USING 7;",
        LIST,
        500,
        "serialization_failed",
        {"fields": ["items.location"]},
        [("schema_mismatch", LOCATION), ("contract_broken", LOCATION)],
    ),
    "a permission refused": Failure(
        "REVOKE INSERT ON machines FROM machines_api;",
        ("POST", NEW),
        403,
        "permission_denied",
        {"object": TABLE, "privilege": "INSERT", "grant": "GRANT INSERT ON public.machines TO machines_api;"},
        [("permission_denied", TABLE)],
    ),
}


async def call(api: httpx.AsyncClient, what: tuple[str, Mapping[str, Any] | None]) -> httpx.Response:
    return await api.request(what[0], "/machines", json=what[1])


def reported(report: Report) -> set[tuple[str, str]]:
    return {(one.problem, str(one.key)) for one in report.findings}


def leaks_nothing(answer: httpx.Response) -> bool:
    words = ("swordfish", "SELECT ", "INSERT INTO", "UPDATE ", "FROM ", "psycopg", "host=", "Traceback")
    return not any(word in answer.text for word in words)


@pytest.mark.parametrize("name", FAILURES)
async def test_a_failure_is_answered_found_and_repaired(name: str, url: str, sql: Sql, tmp_path: Path) -> None:
    failure = FAILURES[name]
    contract = load(CONTRACT.read_text(), "machines-api@1")
    story = Story(
        "machines", name, frozenset(), GIVEN, failure.drift, "yes", (ROLE,), (), (contract,), 0, {}, slow=True
    )
    sql(url, "INSERT INTO machines (customer_organization_id, model_type, name, serial_number)"
             " VALUES (%s, 'press', 'swordfish', 'S-0')", ORGANIZATION)  # fmt: skip
    with psycopg.connect(url, autocommit=True) as connection:
        scene = await play(story, url, tmp_path, connection)
    async with calling(url, role=ROLE) as api:
        answer = await call(api, failure.call)
        body, health = answer.json(), await api.get("/healthz")

        assert (failure.status, failure.code) == (answer.status_code, Problem.model_validate(body).error_code)
        assert "application/problem+json" == answer.headers["content-type"]
        assert failure.members == {member: body.get(member) for member in failure.members}
        assert leaks_nothing(answer)
        assert (500, "contract_broken") == (health.status_code, health.json()["error_code"])
        assert set(failure.findings) <= reported(scene.report)

        with psycopg.connect(url, autocommit=True) as connection:
            for statement in filter(None, [failure.before_repair, *repairs(scene.report)]):
                connection.execute(statement.encode())

        assert set() == reported(await scene.again())
        assert (await call(api, failure.call)).is_success
        assert (await api.get("/healthz")).is_success


async def test_a_lost_connection_is_answered_found_and_over_when_it_is_back(
    url: str, sql: Sql, server: Server, tmp_path: Path
) -> None:
    story = Story("machines", "", frozenset(), "", "", "yes", (), (), (), 0, {}, slow=True)
    with psycopg.connect(url, autocommit=True) as connection:
        scene = await play(story, url, tmp_path, connection)
        name = connection.info.dbname
    async with calling(url) as api:
        assert 200 == (await api.get("/healthz")).status_code

        sql(server.url(), f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        sql(server.url(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", name)
        answer = await api.get("/healthz")

        assert (503, "database_unreachable") == (answer.status_code, answer.json()["error_code"])
        assert int(answer.headers["retry-after"]) > 0
        assert leaks_nothing(answer)
        assert name not in answer.text
        assert {("database_unreachable", "database:machines")} == reported(await scene.again())

        sql(server.url(), f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')

        assert 200 == (await api.get("/healthz")).status_code
        assert set() == reported(await scene.again())


async def test_invalid_input_is_the_callers_and_no_finding(url: str, tmp_path: Path) -> None:
    story = Story("machines", "", frozenset(), "", "", "yes", (), (), (), 0, {}, slow=True)
    with psycopg.connect(url, autocommit=True) as connection:
        scene = await play(story, url, tmp_path, connection)
    async with calling(url) as api:
        answer = await api.post("/machines", json=NEW | {"status": "ACTIVE"})

    assert (422, STATUSES) == (answer.status_code, answer.json()["valid_values"])
    assert set() == reported(await scene.again())
