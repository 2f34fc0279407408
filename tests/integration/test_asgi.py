"""The middleware for any ASGI application: real errors of a real server, and what the caller gets to see."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx
import psycopg
import pytest
import structlog
from conftest import Sql
from prometheus_client import CollectorRegistry
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from healthd.asgi import Answers, time_queries
from healthd.asgi.measures import ERROR
from healthd.asgi.trouble import TITLES

SECRET = "swordfish"
SCHEMA = """
    CREATE TYPE machinestatus AS ENUM ('active', 'inactive');
    CREATE TABLE machines (
        id integer CONSTRAINT machines_pkey PRIMARY KEY,
        name text NOT NULL CONSTRAINT name_is_short CHECK (length(name) < 20),
        status machinestatus
    );
    CREATE TABLE parts (machine_id integer CONSTRAINT parts_machine REFERENCES machines);
    INSERT INTO machines VALUES (1, 'one', 'active');
    CREATE SCHEMA closed; CREATE TABLE closed.papers (id integer);
    DROP ROLE IF EXISTS asgi_reader; CREATE ROLE asgi_reader;
"""


def fails_with(url: str, *statements: str) -> Callable[[Request], Awaitable[Response]]:
    """Return a handler that runs these statements, as an application would."""

    async def handler(_request: Request) -> Response:
        async with await psycopg.AsyncConnection.connect(url) as connection:
            for statement in statements:
                await connection.execute(cast("Any", statement))
        return PlainTextResponse("done")

    return handler


def application(*routes: Route, **options: Any) -> Starlette:
    registry = options.pop("registry", None) or CollectorRegistry()
    return Starlette(routes=list(routes), middleware=[Middleware(Answers, registry=registry, **options)])


async def get(app: Any, path: str = "/", **headers: str) -> httpx.Response:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://app.example") as client:
        return await client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.fixture
def machines(database: str, sql: Sql) -> str:
    sql(database, SCHEMA)
    return database


AS_READER = "SET ROLE asgi_reader"


@pytest.mark.parametrize(
    ("statements", "status", "code", "members"),
    [
        (
            ["SELECT machines.location FROM machines WHERE name = 'swordfish'"],
            500,
            "schema_mismatch",
            {"object": "column:public.machines.location", "actual": "missing"},
        ),
        (
            ["INSERT INTO machines (id, location) VALUES (2, 'swordfish')"],
            500,
            "schema_mismatch",
            {"object": "column:public.machines.location"},
        ),
        (["SELECT 'swordfish' FROM robots"], 500, "schema_mismatch", {"object": "table:public.robots"}),
        (["SELECT 'swordfish'::robotstatus"], 500, "schema_mismatch", {"object": "type:public.robotstatus"}),
        (["SELECT FROM machines WHERE status = 1"], 500, "schema_mismatch", {}),
        (["SELECT 'swordfish'::machinestatus"], 422, "enum_mismatch", {"object": "enum:public.machinestatus"}),
        (["SELECT 'swordfish'::integer"], 422, "invalid_input", {}),
        (["SELECT 1 / 0"], 422, "invalid_input", {}),
        (
            ["INSERT INTO machines VALUES (2, 'swordfishswordfishswordfish')"],
            422,
            "invalid_input",
            {"object": "constraint:public.machines.name_is_short"},
        ),
        (["INSERT INTO machines VALUES (2, NULL)"], 422, "invalid_input", {"object": "column:public.machines.name"}),
        (
            ["INSERT INTO machines VALUES (1, 'swordfish')"],
            409,
            "conflict",
            {"object": "constraint:public.machines.machines_pkey"},
        ),
        (["INSERT INTO parts VALUES (7)"], 409, "conflict", {"object": "constraint:public.parts.parts_machine"}),
        ([AS_READER, "SELECT name FROM machines"], 403, "permission_denied", {"object": "table:public.machines"}),
        (
            [AS_READER, "SELECT id FROM closed.papers"],
            403,
            "permission_denied",
            {"object": "schema:closed", "privilege": "USAGE", "grant": "GRANT USAGE ON SCHEMA closed TO …;"},
        ),
        (["SET statement_timeout = 1", "SELECT pg_sleep(9)"], 503, "database_busy", {"retry_after_s": 2}),
        (["SELECT pg_terminate_backend(pg_backend_pid())"], 503, "database_unreachable", {"retry_after_s": 2}),
        (["DO $$ BEGIN RAISE 'swordfish'; END $$"], 500, "internal_error", {}),
    ],
)
async def test_an_error_of_the_server_is_answered_by_its_sqlstate_and_leaks_nothing(
    machines: str, statements: list[str], status: int, code: str, members: dict[str, Any]
) -> None:
    with structlog.testing.capture_logs() as logged:
        answer = await get(application(Route("/", fails_with(machines, *statements))))
    body = answer.json()

    assert (status, "application/problem+json") == (answer.status_code, answer.headers["content-type"])
    assert (code, status) == (body["error_code"], body["status"])
    assert members == {name: body.get(name) for name in members}
    assert {"detail", "error_code", "request_id", "timestamp", "type", "title"} <= body.keys()
    assert (status == 503) == ("retry-after" in answer.headers)
    for words in (answer.text, str(logged)):
        assert SECRET not in words
        assert "SELECT " not in words.replace("GRANT SELECT", "")


async def test_a_server_that_cannot_be_reached_is_answered_503_without_its_address() -> None:
    app = application(Route("/", fails_with("host=127.0.0.1 port=1 user=u password=swordfish", "SELECT 1")))
    with structlog.testing.capture_logs() as logged:
        answer = await get(app)

    assert (503, "database_unreachable") == (answer.status_code, answer.json()["error_code"])
    assert "2" == answer.headers["retry-after"]
    assert "127.0.0.1" not in answer.text
    assert '"127.0.0.1", port 1 failed: Connection refused' in logged[0]["message"]
    assert SECRET not in str(logged)


@asynccontextmanager
async def through_sqlalchemy(url: str, statement: str) -> AsyncIterator[Callable[[Request], Awaitable[Response]]]:
    """Lend a handler that runs a statement as an application with an async engine does."""
    engine = create_async_engine(url.replace("postgresql://", "postgresql+psycopg://"), hide_parameters=True)
    time_queries(engine)

    async def handler(_request: Request) -> Response:
        async with engine.connect() as connection:
            await connection.execute(text(statement))
        return PlainTextResponse("done")

    yield handler
    await engine.dispose()


async def test_the_frames_are_the_applications_own_also_behind_an_async_engine(machines: str) -> None:
    with structlog.testing.capture_logs() as logged:
        async with through_sqlalchemy(machines, "SELECT * FROM robots") as handler:
            await get(application(Route("/", handler)))
    *own, raised = logged[0]["frames"]

    assert own[-1].startswith(f"{__file__}:")
    assert own[-1].endswith(" handler")
    assert "/sqlalchemy/" not in " ".join(own)
    assert "/psycopg/" in raised


async def test_a_lost_server_is_named_in_the_log_and_not_in_the_answer(machines: str) -> None:
    with structlog.testing.capture_logs() as logged:
        async with through_sqlalchemy(machines, "SELECT pg_terminate_backend(pg_backend_pid())") as handler:
            answer = await get(application(Route("/", handler)))
    line, database = logged[0], machines.rpartition("/")[2].partition("?")[0]

    assert 503 == answer.status_code
    assert line["server"].endswith(f"/{database}")
    assert "terminating connection due to administrator command" == line["message"]
    assert database not in answer.text


async def test_a_refusal_names_the_role_that_needs_the_privilege(machines: str, sql: Sql) -> None:
    sql(machines, 'DROP ROLE IF EXISTS "asgi caller"; CREATE ROLE "asgi caller" LOGIN')
    with structlog.testing.capture_logs() as logged:
        url = machines.replace("postgres@", "asgi%20caller@")
        async with through_sqlalchemy(url, "SELECT id FROM machines") as handler:
            answer = await get(application(Route("/", handler)))

    assert "asgi caller" == answer.json()["role"] == logged[0]["role"]
    assert 'GRANT SELECT ON public.machines TO "asgi caller";' == answer.json()["grant"]


async def test_a_role_can_be_told_to_the_middleware(machines: str) -> None:
    handler = fails_with(machines, AS_READER, "SELECT name FROM closed.papers")
    answer = await get(application(Route("/", handler), role="asgi_reader"))

    assert "GRANT USAGE ON SCHEMA closed TO asgi_reader;" == answer.json()["grant"]


@pytest.mark.parametrize(("runbook", "expected"), [(None, "about:blank"), ("/help", "/help#schema_mismatch")])
async def test_the_type_of_an_answer_leads_to_the_runbook_or_nowhere(
    machines: str, runbook: str | None, expected: str
) -> None:
    answer = await get(application(Route("/", fails_with(machines, "TABLE robots")), runbook=runbook))

    assert expected == answer.json()["type"]


async def labels(_enum: str) -> Sequence[str]:
    return ["active", "inactive"]


async def broken_labels(_enum: str) -> Sequence[str]:
    raise OSError(SECRET)


async def test_a_refused_value_is_answered_with_the_valid_ones_in_order(machines: str) -> None:
    handler = fails_with(machines, "SELECT 'ACTIVE'::machinestatus")
    body = (await get(application(Route("/", handler), labels=labels))).json()

    assert ["active", "inactive"] == body["valid_values"]


async def test_an_answer_goes_out_also_when_the_valid_values_cannot_be_had(machines: str) -> None:
    handler = fails_with(machines, "SELECT 'ACTIVE'::machinestatus")
    answer = await get(application(Route("/", handler), labels=broken_labels))

    assert 422 == answer.status_code
    assert SECRET not in answer.text


async def test_an_error_that_is_not_the_databases_is_answered_without_its_words() -> None:
    async def handler(_request: Request) -> Response:
        raise RuntimeError(SECRET)

    with structlog.testing.capture_logs() as logged:
        answer = await get(application(Route("/", handler)))
    line = logged[0]

    assert (500, "internal_error") == (answer.status_code, answer.json()["error_code"])
    assert SECRET not in answer.text
    assert ("request.failed", f"RuntimeError: {SECRET}") == (line["event"], line["message"])
    assert line["frames"][-1].endswith(" handler")
    assert all("/starlette/" not in frame for frame in line["frames"])


async def test_what_caused_an_error_of_the_application_is_logged_with_it() -> None:
    sizes: dict[str, str] = {}

    async def handler(_request: Request) -> Response:
        try:
            return PlainTextResponse(sizes["size"])
        except KeyError as error:
            raise RuntimeError("no size is known") from error

    with structlog.testing.capture_logs() as logged:
        await get(application(Route("/", handler)))

    assert "RuntimeError: no size is known <- KeyError: 'size'" == logged[0]["message"]


@pytest.mark.parametrize("wrap", [lambda error: ExceptionGroup(SECRET, [ValueError(), error]), lambda error: error])
async def test_an_error_is_found_behind_others(machines: str, wrap: Callable[[Exception], Exception]) -> None:
    run = fails_with(machines, "SELECT * FROM robots")

    async def handler(request: Request) -> Response:
        try:
            return await run(request)
        except psycopg.Error as error:
            raise RuntimeError(SECRET) from wrap(error)

    assert "schema_mismatch" == (await get(application(Route("/", handler)))).json()["error_code"]


async def done(request: Request) -> Response:
    return PlainTextResponse(request.state.request_id, headers={"X-Request-ID": "of the application"})


TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"x_request_id": "order-7.a_b"}, "order-7.a_b"),
        ({"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}, TRACE),
        ({"x_request_id": "mine", "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}, "mine"),
        ({"x_request_id": "a" * 65}, None),
        ({"x_request_id": "a b"}, None),
        ({"x_request_id": 'a"<script>'}, None),
        ({"traceparent": f"00-{'0' * 32}-00f067aa0ba902b7-01"}, None),
        ({"traceparent": f"00-{TRACE}-{'0' * 16}-01"}, None),
        ({}, None),
    ],
)
async def test_a_request_keeps_its_id_if_that_is_fit_to_be_repeated(
    headers: dict[str, str], expected: str | None
) -> None:
    answer = await get(application(Route("/", done)), **headers)
    name = answer.headers["x-request-id"]

    assert [name] == answer.headers.get_list("x-request-id")
    assert name == answer.text
    assert (expected or name) == name
    assert expected is not None or len(name) == 32


async def test_requests_are_counted_by_template_method_and_status_and_never_by_path() -> None:
    registry = CollectorRegistry()
    app = application(Route("/machines/{name}", done, methods=["GET"]), registry=registry)
    for path in ("/machines/1", "/machines/2", "/nowhere/swordfish"):
        await get(app, path)
    count = {
        tuple(sample.labels.values()): sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name == "healthd_asgi_requests_total"
    }

    assert {("GET", "unmatched", "404"): 1.0} == {labels: n for labels, n in count.items() if labels[2] == "404"}
    assert 3.0 == sum(count.values())
    assert SECRET not in str(count)


async def test_errors_are_counted_from_nought_on() -> None:
    registry = CollectorRegistry()
    await get(application(Route("/", done), registry=registry), "/")
    of = {"method": "GET", "route": "/"}

    assert [0, 0] == [registry.get_sample_value("healthd_asgi_requests_total", of | {"status": s}) for s in ERROR]
    assert [0] * len(TITLES) == [
        registry.get_sample_value("healthd_asgi_errors_total", {"error_code": code}) for code in TITLES
    ]


async def test_the_time_in_the_database_is_told_apart(machines: str) -> None:
    engine = create_async_engine(machines.replace("postgresql://", "postgresql+psycopg://"))
    time_queries(engine)

    async def handler(_request: Request) -> Response:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT pg_sleep(0.05)"))
            await asyncio.sleep(0.05)
        return PlainTextResponse("done")

    with structlog.testing.capture_logs() as logged:
        await get(application(Route("/", handler)))
    await engine.dispose()
    (line,) = [one for one in logged if one["event"] == "request.finished"]

    assert 1 == line["statements"]
    assert 0 < line["database_s"] < line["duration_s"]


async def test_an_answer_that_has_begun_is_not_followed_by_another_and_is_told(machines: str) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"the first half"
        raise RuntimeError(SECRET)

    async def handler(_request: Request) -> Response:
        return StreamingResponse(body())

    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        await asyncio.Event().wait()

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b"", "root_path": ""}
    with structlog.testing.capture_logs() as logged:
        await application(Route("/", handler))(scope, receive, send)

    assert ["http.response.start", "http.response.body"] == [message["type"] for message in sent]
    assert True is sent[-1]["more_body"]  # the server sees it unfinished, and closes the connection
    assert ["request.aborted", "request.finished"] == [one["event"] for one in logged]
    assert f"RuntimeError: {SECRET}" == logged[0]["message"]


async def test_a_stream_is_passed_on_piece_by_piece() -> None:
    async def body() -> AsyncIterator[bytes]:
        for piece in (b"a", b"b"):
            yield piece

    async def handler(_request: Request) -> Response:
        return StreamingResponse(body())

    assert "ab" == (await get(application(Route("/", handler)))).text


@pytest.mark.parametrize("kind", ["websocket", "lifespan"])
async def test_websockets_and_lifespan_pass_untouched(kind: str) -> None:
    got: list[Any] = []

    async def app(*arguments: Any) -> None:
        got.extend(arguments)
        raise RuntimeError("theirs to handle")

    given: list[Any] = [{"type": kind, "headers": []}, object(), object()]
    with pytest.raises(RuntimeError):
        await Answers(app, registry=CollectorRegistry())(*given)

    assert all(one is other for one, other in zip(given, got, strict=True))
    assert {"type": kind, "headers": []} == given[0]


async def test_two_applications_share_the_metrics_of_one_registry() -> None:
    registry = CollectorRegistry()
    for _ in range(2):
        await get(application(Route("/", done), registry=registry))


def test_the_middleware_needs_no_driver() -> None:
    code = "import sys, healthd.asgi; print({'psycopg', 'sqlalchemy', 'yoyo', 'starlette'} & sys.modules.keys())"
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "set()" == seen.stdout.strip()
