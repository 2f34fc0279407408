"""The seed's failures as alerts: real scrapes of the daemon and of the application, judged by the rules.

The database is broken for five minutes and well again for fourteen; a step of them is one round, one question to the
endpoint and a few calls, and what both then export goes to promtool as it is.
"""

import asyncio
import json
import socket
import uuid
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from conftest import Sql
from scrapes import Scrapes
from story import Scene, Story, play

from acceptance.test_prometheus import PROBLEMS
from examples.machines_api.app import create_app
from healthd.config.settings import Endpoint
from healthd.contracts import load
from healthd.contracts.json_shape import load as load_shape
from healthd.model.findings import Report
from healthd.postgres.embedded import Server
from healthd.report.board import Board
from healthd.report.web import application
from healthd.report.web_context import WebContext
from healthd.report.web_server import server_for
from healthd.rounds.endpoints import examine_endpoint
from healthd.rounds.examination import examine_again
from healthd.rounds.round import Round

from .conftest import CALLERS, NEW, ORGANIZATION, ROLE, TOKENS, authorization
from .test_failures import CONTRACT, FAILURES, GIVEN, LIST, STATUSES, repairs

WELL, BROKEN, REPAIRED = 3, 5, 14  # steps of a minute
CALLS = 2
SHAPE = load_shape(json.dumps({"fields": {"items[].status": {"values": STATUSES[:-1]}}}))  # not the decommissioned


@pytest.fixture(autouse=True)
def _no_pause_before_confirming(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("healthd.rounds.complete_reading", "healthd.rounds.endpoints"):
        monkeypatch.setattr(import_module(name), "AGAIN_S", 0.0)


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    """Serve an application on a port of its own, and yield its address."""
    server = server_for(app)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


@dataclass(slots=True)
class Watching:
    """A daemon and an application on one database, and what they have exported step by step."""

    scene: Scene
    client: httpx.AsyncClient
    daemon: httpx.AsyncClient
    endpoint: Endpoint
    board: Board
    call: tuple[str, Any]
    scrapes: Scrapes = field(default_factory=Scrapes)
    last: Round | None = None

    async def go(self, steps: int) -> Report:
        """Take so many steps; return the report of the last round on the database."""
        for _ in range(steps):
            for _ in range(CALLS):
                method, body = self.call
                fresh = body and {**body, "serial_number": uuid.uuid4().hex}
                await self.client.request(method, "/machines", json=fresh)
            self.last = await examine_again(self.scene.target, self.scene.files, self.last)
            self.board.post(self.last.report)
            self.board.post(await examine_endpoint(self.endpoint))
            healthd, api = await self.daemon.get("/metrics"), await self.client.get("/metrics/")
            self.scrapes.add(datetime.now(UTC).timestamp(), healthd=healthd.text, machines_api=api.text)
        assert self.last is not None
        return self.last.report


async def _refuse() -> None:
    raise AssertionError("nobody reloads here")


@asynccontextmanager
async def watching(
    url: str, folder: Path, call: tuple[str, Any], *, path: str = "/machines"
) -> AsyncIterator[Watching]:
    """Run all of it on a migrated database."""
    contract = load(CONTRACT.read_text(), "machines-api@1")
    story = Story("machines", "", frozenset(), GIVEN, "", "yes", (ROLE,), (), (contract,), 0, {}, slow=True)
    with psycopg.connect(url, autocommit=True) as connection:
        scene = await play(story, url, folder, connection)
    board = Board()
    board.watch([("machines", 60.0), ("endpoint:machines-api", 60.0)])
    door = WebContext(board, lambda: datetime.now(UTC), _refuse, "/runbook")
    app = create_app(url.replace("postgres@", f"{ROLE}@"), CALLERS)
    async with (
        app.router.lifespan_context(app),
        served(app) as address,
        httpx.AsyncClient(base_url=address, timeout=10, headers=authorization(ORGANIZATION), verify=False) as client,
        httpx.AsyncClient(transport=httpx.ASGITransport(application(door)), base_url="http://127.0.0.1") as daemon,
    ):
        token = folder / "token"
        token.write_text(TOKENS[ORGANIZATION])
        shape = SHAPE if path == "/machines" else ()
        endpoint = Endpoint("machines-api", address + path, max_latency_s=10.0, shape=shape, token_file=token)
        made = Watching(scene, client, daemon, endpoint, board, call)
        try:
            yield made
        finally:
            if made.last is not None:
                await made.last.close()


def expected_of(report: Report, status: int, code: str, *, endpoint: bool) -> Collection[str]:
    """Return the alerts that a broken database, and an application that answers so, must raise."""
    alerts = {PROBLEMS[one.problem] for one in report.findings}
    if status >= 500 or endpoint:
        alerts.add("HealthdApplicationErrors")
    if code in ("enum_mismatch", "serialization_failed"):
        alerts.add("HealthdApplicationConversionFailed")
    return alerts | ({"HealthdEndpointUnavailable"} if endpoint else set())


@pytest.mark.parametrize("name", FAILURES)
async def test_a_failure_raises_its_alerts_and_no_others_and_repairing_it_ends_them(
    name: str, url: str, sql: Sql, tmp_path: Path
) -> None:
    failure = FAILURES[name]
    async with watching(url, tmp_path, failure.call) as watched:
        await watched.client.post("/machines", json=NEW)
        assert () == (await watched.go(WELL)).findings

        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(failure.drift.encode())
        broken = await watched.go(BROKEN)
        endpoint = (await watched.client.get("/machines")).status_code >= 500

        with psycopg.connect(url, autocommit=True) as connection:
            for statement in filter(None, [failure.before_repair, *repairs(broken)]):
                connection.execute(statement.encode())
        assert () == (await watched.go(REPAIRED)).findings

    raised = expected_of(broken, failure.status, failure.code, endpoint=endpoint)
    scrapes = watched.scrapes
    assert raised
    assert endpoint or failure.call != LIST
    assert "" == scrapes.alert(tmp_path, {WELL: [], WELL + BROKEN: raised, WELL + BROKEN + REPAIRED: []})
    for problem in {one.problem for one in broken.findings}:
        assert [1.0] == scrapes.last("healthd_incidents_total", target="machines", problem=problem)


async def test_a_lost_connection_raises_its_alerts_and_they_end_when_it_is_back(
    url: str, sql: Sql, server: Server, tmp_path: Path
) -> None:
    with psycopg.connect(url) as connection:
        name = connection.info.dbname
    async with watching(url, tmp_path, LIST, path="/healthz") as watched:
        await watched.go(WELL)

        sql(server.url(), f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        sql(server.url(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", name)
        await watched.go(BROKEN)
        sql(server.url(), f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        await watched.go(REPAIRED)

    raised = ["HealthdTargetDown", "HealthdApplicationErrors", "HealthdEndpointUnavailable"]
    expected = {WELL: [], WELL + BROKEN: raised, WELL + BROKEN + REPAIRED: []}
    assert "" == watched.scrapes.alert(tmp_path, expected)


async def test_invalid_input_raises_no_alert(url: str, tmp_path: Path) -> None:
    async with watching(url, tmp_path, ("POST", NEW | {"status": "ACTIVE"})) as watched:
        await watched.go(WELL + BROKEN)

    assert "" == watched.scrapes.alert(tmp_path, {WELL + BROKEN: []})


async def test_json_that_breaks_the_contract_of_an_endpoint_raises_its_alert_alone(
    url: str, sql: Sql, tmp_path: Path
) -> None:
    async with watching(url, tmp_path, LIST) as watched:
        (await watched.client.post("/machines", json=NEW)).raise_for_status()
        await watched.go(WELL)
        sql(url, "UPDATE machines SET status = 'decommissioned'")
        await watched.go(BROKEN)
        sql(url, "UPDATE machines SET status = 'active'")
        await watched.go(REPAIRED)

    expected = {WELL: [], WELL + BROKEN: ["HealthdEndpointMismatch"], WELL + BROKEN + REPAIRED: []}
    assert "" == watched.scrapes.alert(tmp_path, expected)
