"""Every address answers as promised: formats, statuses, problem documents, headers."""

import asyncio
import errno
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from healthd.errors import ConfigError
from healthd.expected.origins import Origin
from healthd.model.findings import Finding, Report, finding_id, identity
from healthd.model.names import Key
from healthd.model.scripts import Rehearsed, Statement, steps_of
from healthd.model.severity import Severity
from healthd.report.board import Board, Delivery
from healthd.report.log import is_ours
from healthd.report.web import application
from healthd.report.web_context import WebContext
from healthd.report.web_server import listening, server_for

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ENUM = Finding(
    "enum_mismatch",
    Key("enum", ("public", "status")),
    "enum:public.status: missing 'active'\nand more",
    Severity.CRITICAL,
    repair=("ALTER TYPE public.status RENAME VALUE 'ACTIVE' TO 'active';",),
    facts={"valid_values": ("active", "idle")},
)
GONE = Finding("database_unreachable", Key("database", ("app",)), "no answer", Severity.UNKNOWN)
SLASH = "eu/orders 1"


class Daemon:
    """What the web sees of one: a board, a clock and a reload that can fail."""

    def __init__(self) -> None:
        self.board, self.now, self.reloads = Board(), NOW, 0
        self.wrong: Exception | None = None
        self.board.watch([("app", 10.0), (SLASH, 10.0)])

    def clock(self) -> datetime:
        return self.now

    async def reload(self) -> None:
        self.reloads += 1
        if self.wrong:
            raise self.wrong

    async def origin(self, target: str, finding: Finding) -> Origin | None:
        return Origin("0003_status", "0003_status.sql", 7) if (target, finding.key) == (SLASH, ENUM.key) else None

    def post(self, *findings: Finding, target: str = "app", failure: str | None = None) -> None:
        self.board.post(
            Report(
                target=target,
                started_at=self.now,
                duration_s=0.1,
                findings=findings,
                next_round_s=10.0,
                failure=failure,
            )
        )


@pytest.fixture
def daemon() -> Daemon:
    return Daemon()


@pytest.fixture
async def web(daemon: Daemon) -> AsyncIterator[httpx.AsyncClient]:
    context = WebContext(daemon.board, daemon.clock, daemon.reload, "docs/runbook.md", origin=daemon.origin)
    app = application(context)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


def problem(answer: httpx.Response, status: int) -> Any:
    """Return the body of a problem document that has the seed's members."""
    assert (status, "application/problem+json") == (answer.status_code, answer.headers["content-type"])
    body = answer.json()
    assert {"type", "title", "status", "detail", "error_code", "request_id", "timestamp"} <= body.keys()
    assert (status, answer.headers["x-request-id"]) == (body["status"], body["request_id"])
    return body


async def test_healthy_answers_as_long_as_it_serves(web: httpx.AsyncClient) -> None:
    assert 200 == (await web.get("/-/healthy")).status_code


async def test_ready_waits_for_the_first_round_of_every_target(web: httpx.AsyncClient, daemon: Daemon) -> None:
    daemon.post()
    early = await web.get("/-/ready")
    daemon.post(GONE, target=SLASH, failure="unreachable")
    ready = await web.get("/-/ready")

    assert (503, "1") == (early.status_code, early.headers["retry-after"])
    assert "1 target" in early.text
    assert 200 == ready.status_code


async def test_reload_takes_post_alone(web: httpx.AsyncClient, daemon: Daemon) -> None:
    answer = await web.get("/-/reload")

    assert "POST" == answer.headers["allow"]
    assert "http_405" == problem(answer, 405)["error_code"]
    assert 0 == daemon.reloads
    assert (200, 1) == ((await web.post("/-/reload")).status_code, daemon.reloads)


@pytest.mark.parametrize("sent", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
async def test_a_page_of_another_site_cannot_reload(
    sent: dict[str, str], web: httpx.AsyncClient, daemon: Daemon
) -> None:
    assert "cross-site request" in problem(await web.post("/-/reload", headers=sent), 403)["detail"]
    assert 0 == daemon.reloads


@pytest.mark.parametrize("path", ["/", "/metrics", "/api/v1/targets", "/-/healthy", "/nosuch"])
async def test_a_host_that_we_are_not_is_misdirected(path: str, web: httpx.AsyncClient, daemon: Daemon) -> None:
    body = problem(await web.get(path, headers={"Host": "evil.example"}), 421)

    assert "'evil.example'" in body["detail"]
    assert "allowed_hosts" in body["detail"]
    daemon.board.allowed_hosts = ("evil.example",)
    assert 421 != (await web.get(path, headers={"Host": "evil.example"})).status_code


@pytest.mark.parametrize("name", ["eu/orders%201", "eu%2Forders%201"])
async def test_a_finding_has_a_page_and_a_document_of_its_own(
    name: str, web: httpx.AsyncClient, daemon: Daemon
) -> None:
    daemon.post(ENUM, target=SLASH)
    wanted = finding_id(identity(ENUM))
    answer = await web.get(f"/targets/{name}/findings/{wanted}")
    found = (await web.get(f"/api/v1/targets/{name}/findings/{wanted}")).json()

    assert 200 == answer.status_code
    assert "script-src" in answer.headers["content-security-policy"]
    assert "line 7 of" in answer.text
    assert f"/targets/eu%2Forders%201/findings/{wanted}" in (await web.get(f"/targets/{name}")).text
    assert (SLASH, wanted, True) == (found["target"], found["id"], found["current"])
    assert {"migration": "0003_status", "file": "0003_status.sql", "line": 7} == found["origin"]
    assert (ENUM.message, ["appeared"]) == (found["finding"]["message"], [one["event"] for one in found["events"]])


async def test_a_finding_that_is_gone_says_since_when(web: httpx.AsyncClient, daemon: Daemon) -> None:
    daemon.post(ENUM)
    daemon.now += timedelta(hours=3)
    daemon.post()
    wanted = finding_id(identity(ENUM))
    answer = await web.get(f"/targets/app/findings/{wanted}")
    other = await web.get("/targets/app/findings/0123456789ab")

    assert (404, 404) == (answer.status_code, other.status_code)
    assert "This finding was resolved" in answer.text
    assert "it was reported for 3 h" in answer.text
    assert "This finding is not reported" in other.text
    assert "no recent round" not in answer.text
    assert (
        "resolved 2026-01-01T03:00:00.100000+00:00"
        in (problem(await web.get(f"/api/v1/targets/app/findings/{wanted}"), 404)["detail"])
    )
    assert "no such finding" in problem(await web.get("/api/v1/targets/app/findings/1"), 404)["detail"]
    assert 404 == (await web.get("/targets/nosuch/findings/1")).status_code
    daemon.now += timedelta(hours=1)
    assert "no recent round" in (await web.get(f"/targets/app/findings/{wanted}")).text


async def test_a_finding_is_never_called_current_if_it_is_not_known(web: httpx.AsyncClient, daemon: Daemon) -> None:
    daemon.post(replace(ENUM, check="enums"))
    blind = {"enums": Severity.UNKNOWN}
    daemon.board.post(Report(target="app", started_at=NOW, duration_s=6, findings=(GONE,), checks=blind, failure="x"))
    path = f"targets/app/findings/{finding_id(identity(ENUM))}"
    held = await web.get(f"/{path}")

    assert "<title>unknown: " in held.text
    assert "Not known at the moment" in held.text
    assert not (await web.get(f"/api/v1/{path}")).json()["current"]
    daemon.now += timedelta(hours=1)
    assert "Outdated:" in (await web.get(f"/{path}")).text


async def test_the_timeline_of_a_target_is_a_document(web: httpx.AsyncClient, daemon: Daemon) -> None:
    daemon.post(ENUM, target=SLASH)
    found = (await web.get("/api/v1/targets/eu%2Forders%201/timeline")).json()

    assert ["state", "appeared"] == [one["event"] for one in found["events"]]
    assert (SLASH, 10.0) == (found["target"], found["interval_s"])
    assert "unknown target 'nosuch'" in problem(await web.get("/api/v1/targets/nosuch/timeline"), 404)["detail"]


async def test_the_external_url_is_where_links_lead(web: httpx.AsyncClient, daemon: Daemon) -> None:
    daemon.board.external_url = "https://ops.example.com/healthd"
    daemon.post(ENUM)

    targets = (await web.get("/api/v1/targets")).json()["targets"]
    assert "https://ops.example.com/healthd/api/v1/targets/app" == targets[0]["url"]
    own = finding_id(identity(ENUM))
    findings = (f"/targets/app/findings/{own}", "/targets/app/findings/1")
    for path in ("/", "/targets/app", "/targets/nosuch", "/runbook", *findings):
        links = re.findall('href="([^"]*)"', (await web.get(path)).text)
        assert [link for link in links if link.startswith("/") and not link.startswith("/healthd/")] == []
        assert any(link.startswith("/healthd/") for link in links)


async def test_a_reload_that_is_refused_says_why(web: httpx.AsyncClient, daemon: Daemon) -> None:
    daemon.wrong = ConfigError("yoyo.ini, line 3: [healthd] intervall_s: no such key")

    body = problem(await web.post("/-/reload"), 500)
    assert "line 3: [healthd] intervall_s" in body["detail"]
    assert "the previous settings stay in use" in body["detail"]


@pytest.mark.parametrize("kind", ["text/plain", "application/openmetrics-text"])
@pytest.mark.parametrize("version", ["abc", "", "1", "1.0", "1.x.0", "99.0.0", "-1.0.0", "1.0.0;escaping=nosuch", "²"])
async def test_a_version_that_is_none_is_answered_in_one_that_is(
    kind: str, version: str, web: httpx.AsyncClient
) -> None:
    accept = f"{kind};version={version}".encode("latin-1")
    answer = await web.get("/metrics", headers={b"Accept": accept})
    both = await web.get("/metrics", headers={b"Accept": b"application/openmetrics-text;version=1.0.0," + accept})
    probe = await web.get("/probe?target=app", headers={b"Accept": accept})

    for one in (answer, both, probe):
        assert 200 == one.status_code
        assert re.search(r"version=[01]\.0\.[04];", one.headers["content-type"])
    assert both.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")


async def test_metrics_are_negotiated(web: httpx.AsyncClient) -> None:
    text = await web.get("/metrics")
    other = await web.get("/metrics", headers={"Accept": "application/openmetrics-text;version=1.0.0,*/*;q=0.1"})

    assert text.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert other.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert other.text.endswith("# EOF\n")


async def test_a_probe_shows_one_known_target_and_takes_no_other(web: httpx.AsyncClient, daemon: Daemon) -> None:
    daemon.post()
    answer = await web.get("/probe", params={"target": "app"})

    assert 200 == answer.status_code
    assert 'healthd_target_up{target="app"} 1.0' in answer.text
    assert SLASH not in answer.text
    problem(await web.get("/probe"), 400)
    problem(await web.get("/probe", params={"target": "postgresql://elsewhere/db"}), 400)


async def test_the_api_lists_every_target_with_its_address(web: httpx.AsyncClient, daemon: Daemon) -> None:
    daemon.post(ENUM)
    first, second = (await web.get("/api/v1/targets")).json()["targets"]

    assert ("app", "critical", 1, None) == (first["target"], first["severity"], first["findings"], first["last_good"])
    assert (SLASH, "waiting", 0) == (second["target"], second["severity"], second["findings"])
    assert 503 == (await web.get(second["url"])).status_code


async def test_a_target_answers_with_the_status_of_its_worst_problem(web: httpx.AsyncClient, daemon: Daemon) -> None:
    daemon.post()
    good = await web.get("/api/v1/targets/app")
    daemon.post(ENUM)
    bad = await web.get("/api/v1/targets/app")

    assert (200, "application/json") == (good.status_code, good.headers["content-type"])
    assert ["active", "idle"] == problem(bad, 422)["valid_values"]


async def test_a_target_out_of_reach_says_when_to_ask_again_and_when_it_was_good(
    web: httpx.AsyncClient, daemon: Daemon
) -> None:
    daemon.post()
    daemon.post(GONE, failure="unreachable")
    answer = await web.get("/api/v1/targets/app")

    assert (NOW + timedelta(seconds=0.1)).isoformat() == problem(answer, 503)["last_good"]
    assert 10 == int(answer.headers["retry-after"])


async def test_an_old_report_is_not_passed_off_as_the_present(web: httpx.AsyncClient, daemon: Daemon) -> None:
    daemon.post()
    daemon.now += timedelta(seconds=31)

    assert "round_overdue" == problem(await web.get("/api/v1/targets/app"), 503)["error_code"]
    assert "unknown" == (await web.get("/api/v1/targets")).json()["targets"][0]["severity"]


async def test_the_repair_is_sql_to_read_with_every_other_line_a_comment(
    web: httpx.AsyncClient, daemon: Daemon
) -> None:
    daemon.post(ENUM)
    answer = await web.get("/api/v1/targets/app/repair")

    assert answer.headers["content-type"].startswith("application/sql")
    assert list(ENUM.repair) == [line for line in answer.text.splitlines() if line and not line.startswith("-- ")]


async def test_the_second_line_of_the_repair_is_how_its_rehearsal_went(web: httpx.AsyncClient, daemon: Daemon) -> None:
    daemon.post(ENUM)
    daemon.board.entries["app"].rehearsal = Rehearsed("done", "Rehearsed on PostgreSQL 18.4, without rows: clean")
    lines = (await web.get("/api/v1/targets/app/repair")).text.splitlines()

    assert "-- Rehearsed on PostgreSQL 18.4, without rows: clean" == lines[1]
    assert "done" == (await web.get("/api/v1/targets/app")).json()["rehearsal"]["state"]
    assert "without rows: clean" in (await web.get("/targets/app")).text


async def test_a_rehearsal_of_another_script_is_not_shown(web: httpx.AsyncClient, daemon: Daemon) -> None:
    daemon.post(ENUM)
    other = steps_of((Statement("DROP TABLE public.t;", ((ENUM.key, None),)),))
    daemon.board.entries["app"].rehearsal = Rehearsed("done", "Rehearsed: clean", other)

    assert "Rehearsed" not in (await web.get("/api/v1/targets/app/repair")).text
    assert {"state": "none", "words": ""} == (await web.get("/api/v1/targets/app")).json()["rehearsal"]
    assert "Rehearsed" not in (await web.get("/targets/app")).text


async def test_there_is_no_repair_before_the_first_round(web: httpx.AsyncClient) -> None:
    problem(await web.get("/api/v1/targets/app/repair"), 404)


async def test_a_name_with_a_slash_and_a_space_has_its_own_page(web: httpx.AsyncClient, daemon: Daemon) -> None:
    daemon.post(ENUM, target=SLASH)
    path = "eu%2Forders%201"

    assert 422 == (await web.get(f"/api/v1/targets/{path}")).status_code
    assert 200 == (await web.get(f"/api/v1/targets/{path}/repair")).status_code
    assert "enum:public.status" in (await web.get(f"/targets/{path}")).text


async def test_the_pages_show_the_targets_and_what_is_wrong(web: httpx.AsyncClient, daemon: Daemon) -> None:
    daemon.post(ENUM)
    overview, target = await web.get("/"), await web.get("/targets/app")

    assert [200, 200] == [overview.status_code, target.status_code]
    assert "app" in overview.text
    assert "enum:public.status" in target.text
    assert 404 == (await web.get("/targets/nosuch")).status_code


@pytest.mark.parametrize("path", ["/nosuch", "/api/v1/targets/nosuch", "/api/v1/targets/nosuch/repair", "/api/v1"])
async def test_what_is_not_there_is_a_problem_document(path: str, web: httpx.AsyncClient) -> None:
    body = problem(await web.get(path), 404)

    assert "http_404" == body["error_code"]
    assert NOW.isoformat() == body["timestamp"]


async def test_a_person_who_mistyped_an_address_gets_a_page_and_a_program_a_document(web: httpx.AsyncClient) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    answer = await web.get("/target/app", headers=browser)

    assert (404, "text/html; charset=utf-8") == (answer.status_code, answer.headers["content-type"])
    assert "There is no such page" in answer.text
    assert 'href="/targets/app"' in answer.text
    problem(await web.get("/api/v1/nosuch", headers=browser), 404)


async def test_the_page_of_all_targets_names_an_alertmanager_that_gets_no_alert(
    web: httpx.AsyncClient, daemon: Daemon
) -> None:
    words = "No alert reaches Alertmanager"
    daemon.board.alertmanagers = {"one:9093": Delivery(reached=True), "other:9093": Delivery()}
    assert words not in (await web.get("/")).text
    daemon.board.alertmanagers["one:9093"].reached = False

    text = (await web.get("/")).text
    assert words in text
    assert "one:9093" in text
    assert "other:9093" not in text


async def test_a_fault_of_ours_is_a_problem_document_without_details(web: httpx.AsyncClient, daemon: Daemon) -> None:
    daemon.wrong = RuntimeError("postgresql://me:hunter2@h/db")

    answer = await web.post("/-/reload")
    assert "http_500" == problem(answer, 500)["error_code"]
    assert "hunter2" not in answer.text


@pytest.mark.parametrize(
    "path", ["/metrics", "/", "/targets/app", "/api/v1/targets", "/probe?target=app", "/-/healthy"]
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_nothing_but_reading_is_allowed(method: str, path: str, web: httpx.AsyncClient) -> None:
    problem(await web.request(method, path), 405)


async def test_a_sane_request_id_comes_back_and_another_is_replaced(web: httpx.AsyncClient) -> None:
    for sane in ("r-1", "0a1b2c.3_D", "x" * 64):
        assert sane == (await web.get("/-/healthy", headers={"X-Request-ID": sane})).headers["x-request-id"]
    for odd in ("", "x" * 65, "a b", "<script>", "é", 'a"b'):
        answer = await web.get("/-/healthy", headers={b"X-Request-ID": odd.encode()})
        assert 32 == len(answer.headers["x-request-id"])
        assert answer.headers["x-request-id"].isalnum()


@pytest.mark.parametrize("path", ["/", "/targets/app", "/targets/nosuch", "/metrics", "/api/v1/targets/app", "/nosuch"])
async def test_every_answer_keeps_a_browser_from_running_anything(path: str, web: httpx.AsyncClient) -> None:
    headers = (await web.get(path)).headers
    policy = dict(part.split(None, 1) for part in headers["content-security-policy"].split("; "))

    assert ("'none'", "'none'", "'none'") == tuple(
        policy[name] for name in ("default-src", "base-uri", "frame-ancestors")
    )
    if path in ("/", "/targets/app"):  # their own script keeps them up to date
        assert re.fullmatch("'sha256-[A-Za-z0-9+/=]{44}'", policy.pop("script-src"))
        assert ("'self'", "'self'") == (policy.pop("connect-src"), policy.pop("form-action"))
    assert {"script-src", "connect-src"}.isdisjoint(policy)
    assert "'none'" == policy.get("form-action", "'none'")
    assert ("nosniff", "no-referrer", "no-store") == tuple(
        headers[name] for name in ("x-content-type-options", "referrer-policy", "cache-control")
    )


async def test_hostile_words_are_escaped_on_the_page(web: httpx.AsyncClient, daemon: Daemon) -> None:
    bad = '<script>alert("1")</script>'
    daemon.post(Finding("schema_mismatch", Key("table", ("public", bad)), bad, Severity.CRITICAL, bad, bad))

    for path in ("/", "/targets/app", f"/targets/{bad}"):
        text = (await web.get(path)).text
        assert "<script>alert" not in text
        assert (0 if bad in path else 1) == text.count("<script")


async def test_the_address_of_a_page_chooses_what_it_shows(web: httpx.AsyncClient, daemon: Daemon) -> None:
    daemon.post(Finding("schema_mismatch", Key("table", ("public", "machines")), "gone", Severity.CRITICAL))

    assert "1 of 1 finding shown" in (await web.get("/targets/app?q=MACHINES&state=critical")).text
    assert "0 of 1 finding shown" in (await web.get("/targets/app?q=orders")).text
    assert "0 of 2 targets shown" in (await web.get("/?state=ok")).text
    assert " shown · " not in (await web.get("/?state=nonsense&q=%20")).text


def test_a_port_in_use_is_told_with_its_address() -> None:
    with listening("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(ConfigError, match=f"127.0.0.1:{port}: Address already in use"),
            listening("127.0.0.1", port),
        ):
            pass


def test_ipv6_is_listened_on() -> None:
    try:
        with listening("::1", 0) as listener:
            assert socket.AF_INET6 == listener.family
    except ConfigError as error:
        cause = error.__cause__
        assert isinstance(cause, OSError)
        if cause.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
            raise
        pytest.skip("this machine has no IPv6")


# ── peers that speak no HTTP ────────────────────────────────────────────────────────────────────────────

HOST = b"Host: 127.0.0.1\r\n"
RUDE = [
    b"garbage\r\n\r\n",
    b"\x16\x03\x01\x02\x00",
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + HOST,
    b"GET /\xff HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
    b"GET / HTTP/1.1\r\n" + HOST + b"Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + HOST + b"\r\nGET / HTT",
    b"GET /targets/%ff%fe HTTP/1.1\r\n" + HOST + b"\r\n",
    b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: x\r\n\r\n",
    b"POST /-/reload HTTP/1.1\r\n" + HOST + b"Content-Length: 10\r\n\r\nabc",
    b"POST /-/reload HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
]


@asynccontextmanager
async def served(daemon: Daemon) -> AsyncIterator[int]:
    """Serve the application, and return the port."""
    app = application(WebContext(daemon.board, daemon.clock, daemon.reload, "docs/runbook.md"))
    with listening("127.0.0.1", 0) as listener:
        server = server_for(app)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:  # noqa: ASYNC110 # uvicorn has a flag for it, no event
            await asyncio.sleep(0.01)
        yield listener.getsockname()[1]
        server.should_exit = True
        await serving


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("http://127.0.0.1/-/healthy", 200),
        ("HTTP://localhost:1/-/healthy?x=1", 200),
        ("http://127.0.0.1", 200),
        ("http://127.0.0.1/nosuch", 404),
        ("http://evil.example/-/healthy", 421),
        ("/http://127.0.0.1/-/healthy", 404),
    ],
)
async def test_a_request_may_name_the_entire_url(target: str, status: int, daemon: Daemon) -> None:
    async with served(daemon) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()

    assert answer.startswith(f"HTTP/1.1 {status} ".encode())


@pytest.mark.parametrize("request_", RUDE)
async def test_a_peer_that_speaks_no_http_leaves_no_traceback(
    request_: bytes, daemon: Daemon, caplog: pytest.LogCaptureFixture
) -> None:
    async with served(daemon) as port:
        for half in (False, True):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request_)
            if half:
                writer.write_eof()
            with suppress(TimeoutError, ConnectionError):
                await asyncio.wait_for(reader.read(100), 0.3)
            writer.transport.abort()
        async with httpx.AsyncClient(verify=False) as client:
            assert 200 == (await client.get(f"http://127.0.0.1:{port}/-/healthy")).status_code

    assert [record.exc_info for record in caplog.records if record.exc_info and is_ours(record)] == []


# ── contracts ───────────────────────────────────────────────────────────────────────────────────────────


def _break(daemon: Daemon, target: str, severity: Severity = Severity.CRITICAL) -> None:
    """Post a round in which the contract shop@7 has a finding."""
    key = Key("column", ("public", "machines", "name"))
    facts = {"contract": "shop@7"}
    daemon.post(Finding("contract_broken", key, f"{key}: missing", severity, facts=facts), target=target)


@pytest.fixture
def contracts(daemon: Daemon) -> None:
    """Two releases of an application, on two databases that were examined."""
    daemon.board.contracts = {"app": ("shop@6", "shop@7"), SLASH: ("shop@7",)}
    for target in ("app", SLASH):
        daemon.board.post(
            Report(
                target=target,
                started_at=daemon.now,
                duration_s=0.1,
                findings=(),
                checks={"contracts": Severity.OK},
                next_round_s=10.0,
            )
        )


async def test_a_contract_that_fits_everywhere_opens_the_gate(web: httpx.AsyncClient, contracts: None) -> None:
    answer = await web.get("/api/v1/contracts/shop@7")

    assert (200, True) == (answer.status_code, answer.json()["fits"])
    assert [("app", True), (SLASH, True)] == [(one["target"], one["fits"]) for one in answer.json()["targets"]]


async def test_a_contract_that_is_broken_on_one_target_closes_it(
    web: httpx.AsyncClient, daemon: Daemon, contracts: None
) -> None:
    _break(daemon, SLASH)
    body = problem(await web.get("/api/v1/contracts/shop@7"), 409)

    assert ("contract_broken", False) == (body["error_code"], body["fits"])
    assert f"{SLASH}: column:public.machines.name: missing" == body["detail"]
    assert [True, False] == [one["fits"] for one in body["targets"]]
    assert 200 == (await web.get("/api/v1/contracts/shop@7", params={"target": "app"})).status_code
    assert 409 == (await web.get("/api/v1/contracts/shop@7", params={"target": SLASH})).status_code
    listed = (await web.get("/api/v1/contracts")).json()["contracts"]
    assert [("shop@6", True), ("shop@7", False)] == [(one["contract"], one["fits"]) for one in listed]


async def test_a_contract_that_cannot_be_checked_is_neither(
    web: httpx.AsyncClient, daemon: Daemon, contracts: None
) -> None:
    _break(daemon, SLASH, Severity.UNKNOWN)
    answer = await web.get("/api/v1/contracts/shop@7")
    assert ("contract_unchecked", None) == (problem(answer, 503)["error_code"], answer.json()["fits"])
    assert "10" == answer.headers["retry-after"]

    daemon.now += timedelta(hours=1)
    old = problem(await web.get("/api/v1/contracts/shop@6"), 503)
    assert "app: no recent round" == old["detail"]


async def test_a_contract_before_the_first_round_is_not_known(web: httpx.AsyncClient, daemon: Daemon) -> None:
    daemon.board.contracts = {"app": ("shop@7",)}

    assert "no round has finished yet" in problem(await web.get("/api/v1/contracts/shop@7"), 503)["detail"]


async def test_an_unknown_contract_is_404(web: httpx.AsyncClient, contracts: None) -> None:
    problem(await web.get("/api/v1/contracts/nosuch"), 404)
    assert "on target" in problem(await web.get("/api/v1/contracts/shop@6", params={"target": SLASH}), 404)["detail"]


async def test_the_page_of_a_target_lists_the_releases_that_can_run_on_it(
    web: httpx.AsyncClient, daemon: Daemon, contracts: None
) -> None:
    def shown(page: str) -> dict[str, str]:
        section = page.partition('<h2 id="contracts">')[2].partition("</section>")[0]
        return dict(re.findall(r"<li><span>(.*?)</span> .*?(fits|broken|unknown)</span></li>", section))

    assert {"shop@6": "fits", "shop@7": "fits"} == shown((await web.get("/targets/app")).text)
    _break(daemon, "app")
    assert "broken" == shown((await web.get("/targets/app")).text)["shop@7"]
    daemon.now += timedelta(hours=1)
    assert {"shop@6": "unknown", "shop@7": "unknown"} == shown((await web.get("/targets/app")).text)
    daemon.board.contracts = {}
    assert "Contracts" not in (await web.get("/targets/app")).text
