"""Spans of migrations: what a collector receives, and that none of it can harm a run."""

# ruff: noqa: F811 # a test asks for fixtures by the names that are imported
from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import MakeDatabase, Sql
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from acceptance.test_cli import Result, healthd, project, several  # noqa: F401 # fixtures

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@dataclass
class Collector:
    """A collector in this process, and the spans that it has received."""

    url: str = ""
    status: int = 200
    spans: list[Any] = field(default_factory=list)
    resources: list[Any] = field(default_factory=list)
    headers: list[Any] = field(default_factory=list)

    def take(self, body: bytes) -> None:
        for group in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.resources.append(attributes(group.resource))
            self.spans += [span for scope in group.scope_spans for span in scope.spans]

    def named(self, name: str) -> Any:
        """Return the only span of this name."""
        (found,) = [span for span in self.spans if span.name == name]
        return found


def attributes(holder: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in holder.attributes}


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """A collector, to which the variables lead."""
    made = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            made.headers.append(self.headers)
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/v1/traces" and made.status == 200:
                made.take(body)
            self.send_response(made.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None: ...  # noqa: A002 # the name of the base

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        made.url = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setenv(ENDPOINT, made.url)
        yield made
        server.shutdown()
        thread.join()


def apart(*words: str, **environment: str) -> Result:
    """Run the command line in a process of its own, which takes threads that wait with it."""
    done = subprocess.run(
        [sys.executable, "-m", "healthd", *words],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


# ── what a collector receives ───────────────────────────────────────────────────────────────────────────


def test_a_run_and_its_migrations_are_spans_of_one_trace(
    project: Path, database: str, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACEPARENT", f"00-{TRACE}-{PARENT}-01")
    result = healthd("migrate", "--database", database)

    assert (0, False) == (result.code, "span" in result.err)
    run, names = collector.named("healthd migrate"), [f"apply {name}" for name in ("0001_status", "0002_machines")]
    assert {"healthd migrate", *names, "apply 0003_notes"} == {span.name for span in collector.spans}
    assert {TRACE} == {span.trace_id.hex() for span in collector.spans}
    assert PARENT == run.parent_span_id.hex()
    where = {
        "db.system.name": "postgresql",
        "db.namespace": psycopg.conninfo.conninfo_to_dict(database)["dbname"],
        "server.address": psycopg.conninfo.conninfo_to_dict(database)["host"],
    }
    assert where.items() <= attributes(run).items()
    first = collector.named("apply 0001_status")
    assert run.span_id == first.parent_span_id
    assert run.start_time_unix_nano <= first.start_time_unix_nano < first.end_time_unix_nano <= run.end_time_unix_nano
    expected = {
        **where,
        "healthd.target": attributes(run)["healthd.target"],
        "healthd.migration.id": "0001_status",
        "healthd.migration.direction": "apply",
        "healthd.migration.transactional": True,
        "healthd.migration.statements": 1,
        "healthd.migration.attempts": 1,
        "healthd.migration.waited_s": 0.0,
        "healthd.migration.result": "applied",
    }
    assert expected == attributes(first)
    assert {"healthd"} == {one["service.name"] for one in collector.resources}


def test_a_rollback_is_a_run_and_each_target_is_one(
    project: Path, database: str, make_database: MakeDatabase, collector: Collector
) -> None:
    several(project, east=database, west=make_database())
    assert 0 == healthd("migrate", "--all").code
    runs = [span for span in collector.spans if span.name == "healthd migrate"]
    assert {"east", "west"} == {attributes(span)["healthd.target"] for span in runs}
    assert {"east", "west"} == {
        attributes(span)["healthd.target"] for span in collector.spans if span.name == "apply 0003_notes"
    }

    assert 0 == healthd("rollback", "--target", "west").code
    undone = attributes(collector.named("rollback 0003_notes"))
    assert ("rollback", "rolled back") == (
        undone["healthd.migration.direction"],
        undone["healthd.migration.result"],
    )
    assert "west" == attributes(collector.named("healthd rollback"))["healthd.target"]


def test_a_failing_migration_is_an_error_with_its_sqlstate_and_no_value(
    project: Path, database: str, collector: Collector
) -> None:
    (project / "sql" / "0004_fails.sql").write_text("INSERT INTO machines (id) VALUES (4711), (4711);\n")

    assert 2 == healthd("migrate", "--database", database, "--allow-unlocked").code
    for name in ("apply 0004_fails", "healthd migrate"):
        span = collector.named(name)
        assert (2, "SQLSTATE 23505") == (span.status.code, span.status.message)
        assert "23505" == attributes(span)["db.response.status_code"]
        assert "4711" not in str(span)
    assert "failed" == attributes(collector.named("apply 0004_fails"))["healthd.migration.result"]
    assert 0 == collector.named("apply 0003_notes").status.code


def test_a_refused_run_is_an_error_without_migrations(
    project: Path, database: str, collector: Collector, sql: Sql
) -> None:
    assert 0 == healthd("migrate", "--database", database, "--to", "0002_machines").code
    sql(database, "ALTER TABLE machines DROP COLUMN name")
    collector.spans.clear()

    assert 2 == healthd("migrate", "--database", database).code
    assert "migration_failed" == attributes(collector.named("healthd migrate"))["error.type"]
    assert 1 == len(collector.spans)


def test_a_blocked_migration_has_its_attempts_and_how_long_it_waited(
    project: Path, database: str, collector: Collector
) -> None:
    assert 0 == healthd("migrate", "--database", database, "--to", "0002_machines").code
    with psycopg.connect(database) as blocking:
        blocking.execute("LOCK TABLE machines IN ACCESS SHARE MODE")
        blocked = healthd("migrate", "--database", database, "--lock-timeout", "0.1", "--max-wait", "2")
        assert 2 == blocked.code
    failed = attributes(collector.named("apply 0003_notes"))
    tries = blocked.err.count("lock not available, attempt")
    assert ("failed", "55P03") == (failed["healthd.migration.result"], failed["db.response.status_code"])
    assert tries + 1 == failed["healthd.migration.attempts"] >= 2
    assert 0 < failed["healthd.migration.waited_s"] <= 2 + 0.1 * tries


def test_an_interrupted_file_that_is_completed_is_a_run(
    project: Path, database: str, collector: Collector, sql: Sql
) -> None:
    assert 0 == healthd("migrate", "--database", database).code
    file = project / "sql" / "0004_steps.sql"
    file.write_text("-- transactional: false\nCREATE TABLE one ();\nCREATE TABLE two ();\n")
    sql(database, "CREATE TABLE two ()")
    assert 2 == healthd("migrate", "--database", database, "--allow-unlocked", "--allow-drift").code
    sql(database, "DROP TABLE two")
    collector.spans.clear()

    assert 0 == healthd("resume", "--database", database, "--dry-run").code
    assert [] == collector.spans
    healthd("resume", "--database", database)
    found = attributes(collector.named("apply 0004_steps"))
    assert (False, 2, "applied") == tuple(
        found[f"healthd.migration.{name}"] for name in ("transactional", "statements", "result")
    )
    assert collector.named("healthd resume").span_id == collector.named("apply 0004_steps").parent_span_id


def test_the_standard_variables_apply(
    project: Path, database: str, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop-deploy")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20hunter22")
    assert 0 == healthd("migrate", "--database", database).code
    assert {"shop-deploy"} == {one["service.name"] for one in collector.resources}
    assert {"Bearer hunter22"} == {one["authorization"] for one in collector.headers}

    collector.spans.clear()
    for name, value in (("OTEL_TRACES_EXPORTER", "none"), ("OTEL_SDK_DISABLED", "true")):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            assert 0 == healthd("migrate", "--database", database).code
    monkeypatch.setenv("TRACEPARENT", f"00-{TRACE}-{PARENT}-00")  # the caller has decided against it
    assert 0 == healthd("migrate", "--database", database).code
    assert [] == collector.spans


# ── what must not harm a run ────────────────────────────────────────────────────────────────────────────


@contextmanager
def silent() -> Iterator[str]:
    """Yield the URL of a server that accepts connections, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://me:hunter22@127.0.0.1:{server.getsockname()[1]}"


def about_spans(result: Result) -> list[str]:
    return [line for line in result.err.splitlines() if "span" in line or "opentelemetry" in line.lower()]


def test_a_collector_that_never_answers_fails_nothing(project: Path, database: str) -> None:
    with silent() as url:
        result = apart("migrate", "--database", database, **{ENDPOINT: url})

    place = url.replace("me:hunter22@", "")
    assert 0 == result.code
    assert [f"not all spans were sent: the collector at {place} did not answer within 1 s"] == about_spans(result)
    assert "hunter22" not in result.err


def test_a_collector_that_is_down_fails_nothing(project: Path, database: str) -> None:
    result = apart("migrate", "--database", database, **{ENDPOINT: "http://127.0.0.1:1"})

    warning = "not all spans were sent: the collector at http://127.0.0.1:1 did not answer within 1 s"
    assert (0, [warning]) == (result.code, about_spans(result))
    assert result.err.endswith(f"{warning}\n")


def test_a_collector_that_refuses_is_one_warning(project: Path, database: str, collector: Collector) -> None:
    collector.status = 401
    result = healthd("migrate", "--database", database)

    assert 0 == result.code
    assert [f"4 spans were not sent: the collector at {collector.url} did not take them"] == about_spans(result)


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "no spans are sent: healthd speaks http/protobuf, and not grpc"),
        ({"OTEL_BSP_MAX_QUEUE_SIZE": "0"}, "no spans are sent: ValueError: max_queue_size must be a positive integer."),
        ({"OTEL_EXPORTER_OTLP_TIMEOUT": "soon"}, "spans were"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_variable_that_is_wrong_is_one_notice(
    variables: dict[str, str], words: str, project: Path, database: str, collector: Collector
) -> None:
    result = apart("migrate", "--database", database, **{ENDPOINT: "https://127.0.0.1:1", **variables})

    assert 0 == result.code
    (line,) = about_spans(result)
    assert words in line
    assert not {"Traceback", "ERROR", "Error while"} & set(result.err.split())


def test_without_the_extra_there_is_one_notice(project: Path, database: str, tmp_path: Path) -> None:
    lacking = tmp_path / "lacking"
    (lacking / "opentelemetry").mkdir(parents=True)
    (lacking / "opentelemetry" / "__init__.py").touch()  # the other packages are hidden by one that has none of them
    path = os.pathsep.join((str(lacking), os.environ.get("PYTHONPATH", "")))
    result = apart("migrate", "--database", database, PYTHONPATH=path, **{ENDPOINT: "http://127.0.0.1:1"})

    assert 0 == result.code
    assert [f"{ENDPOINT} is set, but no spans are sent: pip install 'healthd[otlp]'"] == about_spans(result)


def test_the_libraries_of_extras_are_loaded_only_when_they_are_used() -> None:
    used = "import sys, healthd.cli.main, healthd.cli.verbs.migrate, healthd.cli.verbs.mcp, healthd"
    shown = f"{used}; print(sorted({{'mcp', 'opentelemetry', 'requests', 'pydantic'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True)

    assert "[]\n" == done.stdout


def test_the_page_names_every_attribute_and_no_other(project: Path, database: str, collector: Collector) -> None:
    (project / "sql" / "0004_fails.sql").write_text("SELECT 1/0;\n")
    assert 2 == healthd("migrate", "--database", database, "--allow-unlocked").code
    sent = {name for span in collector.spans for name in attributes(span)}
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "tracing.md").read_text()

    assert sent == set(re.findall(r"`((?:db|server|healthd|error)\.[\w.]+)`", page))
