"""Generated requests to every route of the daemon, with TLS and without: every response is in its OpenAPI document.

HEALTHD_FUZZ_EXAMPLES says how many requests each operation gets: 600 are 10,000 with TLS, and as many without.
"""

import os
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from certificates import Certificate, authority, signed
from fuzz import CHECKS, api_of, operations
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from healthd.config.settings import Target
from healthd.config.web_config import Tls, WebConfig
from healthd.errors import DatabaseUnreachable, PermissionDenied
from healthd.model.findings import Finding, Report, finding_id
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.report.board import Board
from healthd.report.connections import Clients
from healthd.report.logins import Logins
from healthd.report.problems import PROBLEMS
from healthd.report.web import application
from healthd.report.web_context import WebContext
from healthd.report.web_security import Protection, WebSecurity, protection_in
from healthd.report.web_server import listening, server_for
from healthd.rounds.failed_round import blind

EXAMPLES = int(os.environ.get("HEALTHD_FUZZ_EXAMPLES", "15"))


def report(target: str, *findings: Finding, ago_s: float = 1.0) -> Report:
    return Report(
        target=target,
        started_at=datetime.now(UTC) - timedelta(seconds=ago_s),
        duration_s=0.01,
        findings=findings,
        checks={"columns": Severity.OK, **{one.check: one.severity for one in findings}},
        next_round_s=600.0,
        server_version=180004,
    )


def finding(problem: str) -> Finding:
    severity = PROBLEMS[problem].severity
    facts = {"valid_values": ("a", "b"), "missing": ("a",), "extra": ("A",)} if problem == "enum_mismatch" else {}
    key = Key("enum", ("public", "m/s?#&=% ü"))
    return Finding(problem, key, f"{problem} of <b>{key}</b>", severity, "a, b", "A, b", facts=facts, check="enums")


def board() -> Board:
    """Return a board with a target in each state, some with names that URLs must quote."""
    found = Board(external_url="https://healthd.example/below")
    reports = {f"a/{problem}": report(f"a/{problem}", finding(problem)) for problem in PROBLEMS}
    reports["clean"] = report("clean")
    reports["late"] = report("late", ago_s=100_000)
    broken = replace(finding("contract_broken"), facts={"contract": "broken"}, check="contracts")
    reports["a b?#ü"] = report("a b?#ü", broken, finding("schema_mismatch"), finding("enum_mismatch"))
    reports["gone"] = blind(Target("gone", ""), DatabaseUnreachable("no answer"))
    reports["denied"] = blind(Target("denied", ""), PermissionDenied("denied", grant="GRANT SELECT ON t TO r;"))
    found.watch([(name, 600.0) for name in (*reports, "waiting")])
    found.post(report("clean", finding("schema_mismatch"), ago_s=60.0))
    for one in reports.values():
        found.post(one)
    found.contracts = {"clean": ("fits",), "a b?#ü": ("broken", "fits"), "waiting": ("unknown",)}
    return found


@dataclass
class Daemon:
    """A daemon's web server, how a client reaches it, and the statuses that it answered with."""

    url: str
    board: Board
    trusted: Path | None = None  # with TLS: the certificate of the authority
    seen: Counter[int] = field(default_factory=Counter)

    def get(self, path: str) -> httpx.Response:
        context = ssl.create_default_context(cafile=self.trusted) if self.trusted is not None else False
        return httpx.get(f"{self.url}{path}", verify=context, timeout=30)

    def validate(self, case: Any) -> None:
        """Send a generated request, and validate its response."""
        verify = str(self.trusted) if self.trusted is not None else False
        answer = case.call(base_url=self.url, timeout=30, verify=verify)
        self.seen[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)


@contextmanager
def serving(security: WebSecurity | None = None, trusted: Path | None = None) -> Iterator[Daemon]:
    shown = board()

    async def reload() -> None: ...

    context = WebContext(shown, lambda: datetime.now(UTC), reload, "/runbook", security=security)
    with listening("127.0.0.1", 0) as listener:
        clients = Clients(500, shown.disconnected, lambda: context.headers)
        server = server_for(application(context), clients, security)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        scheme = "http" if security is None else "https"
        try:
            yield Daemon(f"{scheme}://127.0.0.1:{listener.getsockname()[1]}", shown, trusted)
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Certificate, Certificate]:
    """The certificate of an authority, and that of a server."""
    known = authority(tmp_path_factory.mktemp("papers"))
    return known, signed(known, "server")


@pytest.fixture(params=["plain", "TLS"])
def daemon(request: pytest.FixtureRequest, certificate: tuple[Certificate, Certificate]) -> Iterator[Daemon]:
    if request.param == "plain":
        with serving() as found:
            yield found
        return
    known, own = certificate

    def read() -> Protection:
        return protection_in(Path("web.yml"), lambda path: WebConfig(path, Tls(own.file, own.key)))

    with serving(WebSecurity(read, Logins(), read()), known.file) as found:
        yield found


@pytest.mark.filterwarnings("ignore")
def test_every_response_is_in_the_openapi_document(daemon: Daemon) -> None:
    schema = api_of(daemon.get("/api/v1/openapi.json").json())
    names = st.sampled_from([*daemon.board.entries, *("fits", "broken", "unknown"), "unheard of"])

    ids = sorted(finding_id(one) for entry in daemon.board.entries.values() for one in entry.first_seen)

    def try_all(operation: Any) -> None:
        @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy(), name=names, known=st.booleans(), chosen=st.sampled_from(ids))
        def requests(case: Any, name: str, known: bool, chosen: str) -> None:
            if known and "name" in (case.path_parameters or {}):
                case.path_parameters["name"] = name
            if known and "finding" in (case.path_parameters or {}):
                case.path_parameters["finding"] = chosen
            if known and "target" in (case.query or {}):
                case.query["target"] = name
            daemon.validate(case)

        requests()

    for operation in operations(schema):
        try_all(operation)
    # Each target and contract by its name, so that every state is answered for.
    for kind, known in (("targets", daemon.board.entries), ("contracts", ("fits", "broken", "unknown"))):
        get = schema[f"/api/v1/{kind}/{{name}}"]["GET"]
        for name in known:
            daemon.validate(get.Case(path_parameters={"name": name}))
    # Each target's findings and timeline, too: one of them is resolved.
    for name, entry in daemon.board.entries.items():
        daemon.validate(schema["/api/v1/targets/{name}/timeline"]["GET"].Case(path_parameters={"name": name}))
        found = [finding_id(one) for one in entry.first_seen] + [event.finding for event in entry.timeline]
        for one in filter(None, dict.fromkeys(found)):
            for path in ("/targets/{name}/findings/{finding}", "/api/v1/targets/{name}/findings/{finding}"):
                daemon.validate(schema[path]["GET"].Case(path_parameters={"name": name, "finding": one}))

    assert daemon.seen.keys() >= {200, 400, 403, 404, 409, 422, 500, 503}, daemon.seen
    assert 200 == daemon.get("/-/healthy").status_code


def test_the_document_describes_itself(daemon: Daemon) -> None:
    found = daemon.get("/api/v1/openapi.json").json()

    assert "3.1.0" == found["openapi"]
    assert {"get"} == found["paths"]["/api/v1/openapi.json"].keys()
