"""The daemon as a process: what it serves, logs and tells while databases change, vanish and return."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import httpx
import psycopg
import pytest
import structlog
from commands import HEALTHD
from conftest import BINARIES, MakeDatabase, Sql
from servers import free_port, lacking, left_in, tool, wait_for

from acceptance.test_cli import Result, healthd, make_project
from healthd.cli.verbs.up import _attempt
from healthd.config.reader import read_settings
from healthd.config.settings import Endpoint, Target
from healthd.daemon.alertmanager import Alertmanagers
from healthd.daemon.loop import BACKOFF_MAX_S, Watch, present_interval_s, rest
from healthd.daemon.rehearsals import Rehearsals
from healthd.daemon.state import Memory
from healthd.daemon.target_files import WrongFiles
from healthd.daemon.watchdog import Progress
from healthd.model.findings import Report
from healthd.model.ledger import MIGRATION_LOCK
from healthd.postgres import embedded, programs
from healthd.report.board import Board

INTERVAL_S = 0.5
PATIENCE_S = 60.0
RENAME = "ALTER TYPE machinestatus RENAME VALUE 'active' TO 'ACTIVE'"
RENAME_BACK = "ALTER TYPE machinestatus RENAME VALUE 'ACTIVE' TO 'active'"

Start = Callable[..., "Daemon"]


class Daemon:
    """A running `healthd serve` or `healthd up`."""

    def __init__(self, folder: Path, *words: str, **environment: str) -> None:
        self.stdout, self.stderr = folder / "stdout", folder / "stderr"
        with self.stdout.open("w") as out, self.stderr.open("w") as err:
            self.process = subprocess.Popen(
                [HEALTHD, *words, "--listen", "127.0.0.1:0"],
                cwd=folder,
                stdout=out,
                stderr=err,
                env=os.environ | environment,
            )
        wait_for(self.lines, timeout_s=PATIENCE_S)

    def lines(self) -> dict[str, str]:
        """Return what it printed about itself, once it did: a word and the rest of the line."""
        assert self.process.poll() is None, self.stderr.read_text()
        text = self.stdout.read_text()
        return dict(line.split(None, 1) for line in text.splitlines()) if "metrics" in text and text[-1] == "\n" else {}

    def get(self, path: str, method: str = "GET", **words: Any) -> httpx.Response:
        # Without certificates: to load them takes longer than to answer.
        return httpx.request(method, self.lines()["page"].rstrip("/") + path, timeout=PATIENCE_S, verify=False, **words)

    def metric(self, series: str) -> float | None:
        """Return the value of a series as /metrics writes it, None when it is not there."""
        found = [line for line in self.get("/metrics").text.splitlines() if line.startswith(f"{series} ")]
        return float(found[0].rpartition(" ")[2]) if found else None

    def answers(self, status: int, target: str = "app") -> httpx.Response:
        """Wait until the API answers for a target with this status, and return the answer."""
        found: httpx.Response = wait_for(
            lambda: answer if (answer := self.get(f"/api/v1/targets/{target}")).status_code == status else None,
            timeout_s=PATIENCE_S,
        )
        return found

    def log(self, event: str = "") -> list[Any]:
        """Return the log lines with this event, or all."""
        lines = [json.loads(line) for line in self.stderr.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == event or not event]

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project."""
    return make_project(tmp_path / "project")


@pytest.fixture
def migrated(folder: Path, make_database: MakeDatabase, migrated_template: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a database with every migration applied."""
    monkeypatch.chdir(folder)
    return make_database(migrated_template)


def configure(folder: Path, more: str = "", **urls: str) -> None:
    """Write a yoyo.ini with these targets."""
    targets = "".join(f"[target {name}]\ndatabase = {url.replace('%', '%%')}\n" for name, url in urls.items())
    healthd_section = f"[healthd]\ninterval_s = {INTERVAL_S}\nlog_format = json\nrehearse = no\n"
    if BINARIES:
        healthd_section += f"postgres_bin = {BINARIES}\n"
    (folder / "yoyo.ini").write_text(f"[DEFAULT]\nsources = sql\n{healthd_section}{targets}{more}")


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """Return a function that starts a daemon, which ends with the test."""
    running: list[Daemon] = []

    def start(*words: str, **environment: str) -> Daemon:
        running.append(Daemon(folder, *(words or ("serve",)), **environment))
        return running[-1]

    yield start
    for daemon in running:
        daemon.process.kill()
        daemon.process.wait(PATIENCE_S)


@pytest.fixture
def daemon(folder: Path, migrated: str, start: Start) -> Daemon:
    """A daemon that has seen its one target, app, in good order."""
    configure(folder, app=migrated)
    made = start()
    made.answers(200)
    return made


# ── what a database does ────────────────────────────────────────────────────────────────────────────────


def test_a_renamed_value_is_told_everywhere_and_cleared_when_it_is_undone(
    daemon: Daemon, migrated: str, sql: Sql
) -> None:
    series = 'healthd_check_ok{check="enums",target="app"}'
    assert 1 == daemon.metric(series)

    sql(migrated, RENAME)
    body = daemon.answers(422).json()
    assert ["active", "inactive", "maintenance"] == body["valid_values"]
    assert (["active"], ["ACTIVE"]) == (body["missing"], body["extra"])
    assert 0 == daemon.metric(series)
    assert "enum:public.machinestatus" in daemon.get("/targets/app").text
    [line] = daemon.log("finding.appeared")
    assert ("app", "enum_mismatch", "critical") == (line["target"], line["problem"], line["severity"])
    assert 2 == healthd("check").code
    assert RENAME_BACK.replace("machinestatus", "public.machinestatus") in daemon.get("/api/v1/targets/app/repair").text

    sql(migrated, RENAME_BACK)
    assert [] == daemon.answers(200).json()["findings"]
    assert 1 == daemon.metric(series)
    assert ["enum_mismatch"] == [line["problem"] for line in daemon.log("finding.resolved")]
    assert 0 == healthd("check").code


def test_a_dropped_column_answers_500_with_what_brings_it_back(daemon: Daemon, migrated: str, sql: Sql) -> None:
    sql(migrated, "ALTER TABLE machines DROP COLUMN notes")

    body = daemon.answers(500).json()
    assert ("schema_mismatch", "column:public.machines.notes") == (body["error_code"], body["findings"][0]["key"])
    assert ["ALTER TABLE public.machines ADD COLUMN notes text;"] == body["findings"][0]["repair"]
    assert daemon.metric('healthd_drift_since_timestamp_seconds{target="app"}')


def test_a_revoked_privilege_that_an_application_needs_answers_403_with_the_grant(
    folder: Path, migrated: str, start: Start, sql: Sql
) -> None:
    contract = {"tables": {"public.machines": {"columns": {"id": None}, "privileges": ["SELECT"]}}}
    (folder / "shop.json").write_text(json.dumps(contract))
    configure(folder, "[contract shop]\nfile = shop.json\nrole = shop\n", app=migrated)
    sql(migrated, "CREATE ROLE shop")
    try:
        sql(migrated, "GRANT SELECT ON machines TO shop")
        daemon = start()
        daemon.answers(200)
        sql(migrated, "REVOKE SELECT ON machines FROM shop")

        body = daemon.answers(403).json()
        assert ("permission_denied", "SELECT") == (body["error_code"], body["privilege"])
        assert "GRANT SELECT ON public.machines TO shop;" == body["grant"]
        sql(migrated, body["grant"])
        daemon.answers(200)
    finally:
        sql(migrated, "DROP OWNED BY shop")
        sql(migrated, "DROP ROLE shop")


def test_a_file_edited_deleted_added_below_or_unknown_each_has_its_metric(
    folder: Path, migrated: str, daemon: Daemon, sql: Sql
) -> None:
    def counts() -> list[float | None]:
        words = ("applied", "pending", "edited", "missing", "out_of_order", "unknown")
        return [daemon.metric(f'healthd_migrations_{word}{{target="app"}}') for word in words]

    assert [3, 0, 0, 0, 0, 0] == counts()
    files = folder / "sql"
    (files / "0002_machines.sql").write_text("CREATE TABLE public.machines (id bigint);\n")
    wait_for(lambda: [2, 0, 1, 0, 0, 0] == counts())
    (files / "0003_notes.sql").unlink()
    wait_for(lambda: [1, 0, 1, 1, 0, 0] == counts())
    (files / "0001b_late.sql").write_text("CREATE TABLE late ();\n")
    wait_for(lambda: [1, 0, 1, 1, 1, 0] == counts())
    (files / "0009_next.sql").write_text("CREATE TABLE next ();\n")
    wait_for(lambda: [1, 1, 1, 1, 1, 0] == counts())
    sql(migrated, "UPDATE _yoyo_migration SET migration_id = '0004_ahead' WHERE migration_id = '0003_notes'")
    wait_for(lambda: [1, 1, 1, 0, 1, 1] == counts())


@contextmanager
def own_server(data: Path) -> Iterator[embedded.Server]:
    with embedded.start(data, binaries=BINARIES, durable=False) as server:
        yield server


def test_a_server_that_stops_is_told_and_forgotten_when_it_is_back(
    folder: Path, tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch, sql: Sql
) -> None:
    monkeypatch.chdir(folder)
    data = tmp_path / "data"
    with own_server(data) as server:
        url = server.url()
        assert 0 == healthd("migrate", "--database", url).code
        sql(url, "DROP TABLE machines")
        configure(folder, app=url)
        daemon = start()
        assert daemon.answers(500).json()["last_good"] is None
        sql(url, "CREATE TABLE machines (id integer PRIMARY KEY, name text,"
                 " status machinestatus NOT NULL DEFAULT 'active', notes text)")  # fmt: skip
        last_good = daemon.answers(200).json()["last_good"]
        sql(url, "DROP TABLE machines")
        daemon.answers(500)

    answer = daemon.answers(503)
    while answer.json()["error_code"] == "round_overdue":  # on a busy machine the round before may be late first
        answer = daemon.answers(503)
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.json()["last_good"] >= last_good
    assert "database_unreachable" == answer.json()["error_code"]
    assert 0 == daemon.metric('healthd_target_up{target="app"}')
    assert daemon.metric('healthd_check_failures_total{reason="unreachable",target="app"}')
    assert daemon.metric('healthd_check_ok{check="objects",target="app"}') is None
    assert 200 == daemon.get("/-/healthy").status_code
    assert 200 == daemon.get("/-/ready").status_code
    assert "database_unreachable" in daemon.get("/targets/app").text

    with own_server(data):
        daemon.answers(500)
        assert 1 == daemon.metric('healthd_target_up{target="app"}')
        reported = [(line["event"], line["problem"]) for line in daemon.log() if "problem" in line]
        assert [
            ("finding.appeared", "schema_mismatch"),
            ("finding.resolved", "schema_mismatch"),
            ("finding.appeared", "schema_mismatch"),
            ("finding.appeared", "database_unreachable"),
            ("finding.resolved", "database_unreachable"),
        ] == reported


# ── what the daemon is asked ────────────────────────────────────────────────────────────────────────────


def test_no_call_over_http_changes_a_database(daemon: Daemon, migrated: str, sql: Sql) -> None:
    def writes() -> Any:
        return sql(migrated, "SELECT pg_snapshot_xmax(pg_current_snapshot())::text")

    sql(migrated, RENAME)
    daemon.answers(422)
    quiet = [_calls_without_a_write(daemon, writes) for _ in range(3)]

    # The server's own autovacuum may write too, and a round may be late on a busy machine, but not each time.
    assert any(quiet)


def _calls_without_a_write(daemon: Daemon, writes: Callable[[], Any]) -> bool:
    """Make every call, and return whether each was answered in time, and nothing was written meanwhile."""
    before, statuses = writes(), set[int]()
    for path in ("/", "/metrics", "/probe?target=app", "/-/healthy", "/-/ready", "/-/reload", "/targets/app",
                 "/api/v1/targets", "/api/v1/targets/app", "/api/v1/targets/app/repair"):  # fmt: skip
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            statuses.add(daemon.get(path, method).status_code)
    assert statuses <= {200, 405, 422, 503}
    return 503 not in statuses and bool(before == writes())


def test_metrics_are_served_in_both_formats_and_promtool_is_content(daemon: Daemon) -> None:
    accept = {"Accept": "application/openmetrics-text;version=1.0.0"}
    assert daemon.get("/metrics", headers=accept).text.endswith("# EOF\n")
    assert daemon.get("/metrics").headers["content-type"].startswith("text/plain; version=0.0.4")
    done = subprocess.run(
        [tool("promtool"), "check", "metrics"],
        input=daemon.get("/metrics").text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)


def test_a_reload_takes_new_targets_and_lets_old_ones_vanish(
    folder: Path, daemon: Daemon, migrated: str, make_database: MakeDatabase
) -> None:
    configure(folder, other=make_database())
    assert 200 == daemon.get("/-/reload", "POST").status_code

    daemon.answers(200, "other")
    assert 404 == daemon.get("/api/v1/targets/app").status_code
    assert 'target="app"' not in daemon.get("/metrics").text
    assert [1] == [line["targets"] for line in daemon.log("settings.reloaded")]


def test_a_daemon_answers_under_its_own_names_and_takes_new_ones_with_a_reload(folder: Path, daemon: Daemon) -> None:
    evil = {"Host": "evil.example"}
    assert 421 == daemon.get("/", headers=evil).status_code
    assert 403 == daemon.get("/-/reload", "POST", headers={"Origin": "http://evil.example"}).status_code
    assert [] == daemon.log("settings.reloaded")
    text = (folder / "yoyo.ini").read_text()
    (folder / "yoyo.ini").write_text(text.replace("[healthd]", "[healthd]\nexternal_url = http://evil.example"))
    assert 200 == daemon.get("/-/reload", "POST").status_code
    assert 200 == daemon.get("/", headers=evil).status_code
    assert "http://evil.example/api/v1/targets/app" in daemon.get("/api/v1/targets").text


def test_a_reload_names_the_settings_that_need_a_restart(folder: Path, daemon: Daemon) -> None:
    text = (folder / "yoyo.ini").read_text()
    changed = text.replace("[healthd]", "[healthd]\nlisten = 127.0.0.1:1\nlog_level = debug\nstate_dir = state")
    assert "reloaded\n" == daemon.get("/-/reload", "POST").text
    (folder / "yoyo.ini").write_text(changed)
    for _ in range(2):
        answer = daemon.get("/-/reload", "POST")
        assert (200, "reloaded\nrestart healthd to apply: state_dir, log_level\n") == (answer.status_code, answer.text)
    assert [["state_dir", "log_level"]] * 2 == [line["settings"] for line in daemon.log("settings.need_restart")]
    (folder / "yoyo.ini").write_text(text)
    assert "reloaded\n" == daemon.get("/-/reload", "POST").text


def test_a_hangup_reloads_and_bad_settings_leave_the_old_ones(folder: Path, daemon: Daemon, migrated: str) -> None:
    good = "healthd_config_last_reload_successful"
    assert 1 == daemon.metric(good)
    configure(folder, "[healthdd]\nx = 1\n", app=migrated)
    daemon.process.send_signal(signal.SIGHUP)

    wait_for(lambda: daemon.metric(good) == 0)
    [line] = daemon.log("settings.rejected")
    assert "[healthdd]" in line["error"]
    refused = daemon.get("/-/reload", "POST")
    assert 500 == refused.status_code
    assert "[healthdd]" in refused.json()["detail"]
    assert 200 == daemon.answers(200).status_code

    configure(folder, app=migrated)
    daemon.process.send_signal(signal.SIGHUP)
    wait_for(lambda: daemon.metric(good) == 1)
    assert 405 == daemon.get("/-/reload").status_code


def test_files_that_go_bad_are_told_once_and_the_last_good_ones_stay_in_use(folder: Path, daemon: Daemon) -> None:
    good, runs = "healthd_config_last_reload_successful", 'healthd_check_runs_total{target="app"}'
    lock = folder / "sql" / "schema.lock"
    text = lock.read_text()
    lock.write_text(text[:300])
    wait_for(lambda: daemon.metric(good) == 0)
    seen = daemon.metric(runs) or 0
    wait_for(lambda: (daemon.metric(runs) or 0) >= seen + 3)

    assert [str(lock)] == [line["error"].partition(",")[0] for line in daemon.log("files.rejected")]
    daemon.answers(200)
    lock.write_text(text)
    wait_for(lambda: daemon.metric(good) == 1)
    assert 1 == len(daemon.log("files.accepted"))


# ── what it says and to whom ────────────────────────────────────────────────────────────────────────────


def test_a_quiet_daemon_logs_its_start_and_its_end_and_no_rounds(daemon: Daemon) -> None:
    wait_for(lambda: (daemon.metric('healthd_check_runs_total{target="app"}') or 0) >= 3)

    assert 0 == daemon.end()
    assert ["daemon.started", "daemon.stopped"] == [line["event"] for line in daemon.log()]
    assert len(daemon.log()) == len(daemon.stderr.read_text().splitlines())


def test_rounds_are_logged_for_who_asks(folder: Path, migrated: str, start: Start) -> None:
    configure(folder, app=migrated)
    ini = folder / "yoyo.ini"
    ini.write_text(ini.read_text().replace("[healthd]\n", "[healthd]\nlog_level = debug\n"))
    daemon = start()

    wait_for(lambda: len(daemon.log("round.finished")) >= 2)
    line = daemon.log("round.finished")[0]
    assert ("app", "ok", 0) == (line["target"], line["severity"], line["findings"])


def test_no_password_is_in_the_log_the_metrics_the_pages_or_the_api(
    folder: Path, server: embedded.Server, migrated: str, start: Start
) -> None:
    name = migrated.partition("@/")[2].partition("?")[0]
    host = f"host={server.socket} port=5432"
    query = migrated.partition("?")[2]
    urls = {
        "url": f"postgresql://postgres:hunter2@/{name}?{query}",
        "escaped": f"postgresql://postgres:hunter2%40%2F%20@/{name}?{query}",
        "quoted": f"{host} user=postgres password='hunter2 \\' and more' dbname={name}",
        "parameter": f"postgresql:///{name}?{query}&user=postgres&password=hunter2",
        "refused": "postgresql://postgres:hunter2@127.0.0.1:1/app",
        "nowhere": "host=nosuch.invalid user=postgres password='hunter2 x' dbname=app",
        "nobase": f"postgresql://postgres:hunter2@/nosuch?{query}",
        "norole": f"{host} user=nosuch password=hunter2 dbname={name}",
    }
    configure(folder, **urls)
    daemon = start()
    for target in urls:
        daemon.answers(200 if target in ("url", "escaped", "quoted", "parameter") else 503, target)
    shown = [daemon.get(path).text for path in ("/", "/metrics", "/api/v1/targets")]
    for target in urls:
        paths = (f"/targets/{target}", f"/api/v1/targets/{target}", f"/api/v1/targets/{target}/repair")
        shown += [daemon.get(path).text for path in paths]
    checked = healthd("check")
    daemon.end()

    assert 4 == len(daemon.log("finding.appeared"))
    for text in (*shown, checked.out, checked.err, daemon.stdout.read_text(), daemon.stderr.read_text()):
        assert "hunter2" not in text
        assert "and more" not in text


def test_systemd_hears_of_start_life_state_reload_and_end(
    folder: Path, migrated: str, start: Start, tmp_path: Path, sql: Sql
) -> None:
    configure(folder, app=migrated)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(PATIENCE_S)

        def hear(word: str) -> list[str]:
            while word not in (lines := listener.recv(4096).decode().split("\n")):
                pass
            return lines

        daemon = start("serve", NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="400000")
        assert ["READY=1", "STATUS=watching 1 target"] == listener.recv(4096).decode().split("\n")  # first of all
        hear("WATCHDOG=1")
        hear("STATUS=1 target: 1 ok")
        sql(migrated, "ALTER TABLE machines DROP COLUMN notes")
        hear("STATUS=1 target: 1 critical")
        daemon.process.send_signal(signal.SIGHUP)
        assert hear("RELOADING=1")[1].startswith("MONOTONIC_USEC=")
        hear("READY=1")
        hear("WATCHDOG=1")
        daemon.process.terminate()
        hear("STOPPING=1")
        assert 0 == daemon.process.wait(PATIENCE_S)


def test_a_daemon_listens_on_the_socket_that_systemd_passes(folder: Path, migrated: str) -> None:
    activate = shutil.which("systemd-socket-activate")
    if activate is None:
        raise lacking("systemd-socket-activate is not installed")
    configure(folder, app=migrated)
    port = free_port()
    command = [activate, "--listen", f"127.0.0.1:{port}", HEALTHD, "serve", "--listen", "127.0.0.1:1"]
    with (folder / "out").open("w") as out:
        process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=subprocess.DEVNULL)
    try:
        # The first request is accepted before the daemon exists, and answered by it.
        wait_for(lambda: asked(port, "/-/healthy") == 200, timeout_s=PATIENCE_S)
        wait_for(lambda: f"http://127.0.0.1:{port}/" in (folder / "out").read_text(), timeout_s=PATIENCE_S)
        process.terminate()
        assert 0 == process.wait(PATIENCE_S)
    finally:
        process.kill()
        process.wait(PATIENCE_S)


@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-", ">/dev/full", "2>/dev/full"])
def test_a_daemon_serves_whatever_becomes_of_its_output(closed: str, folder: Path, migrated: str) -> None:
    configure(folder, app=migrated)
    port = free_port()
    command = f"exec {shlex.quote(HEALTHD)} serve --listen 127.0.0.1:{port} {closed}"
    process = subprocess.Popen(["sh", "-c", command], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: asked(port, "/api/v1/targets/app") == 200, timeout_s=PATIENCE_S)
        process.terminate()
        assert 0 == process.wait(PATIENCE_S)
    finally:
        process.kill()
        process.wait(PATIENCE_S)


def asked(port: int, path: str) -> int | None:
    try:
        return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE_S, verify=False).status_code
    except httpx.TransportError:
        return None


@pytest.mark.parametrize("words", [["check"], ["status"], ["migrate"], ["snapshot"], ["explain"], ["lint"], ["plan"]])
@pytest.mark.parametrize("closed", ["1>&-", "2>&-", "0<&- 1>&- 2>&-", ">/dev/full"])
def test_a_verb_ends_in_good_order_whatever_becomes_of_its_output(
    words: list[str], closed: str, folder: Path, migrated: str
) -> None:
    configure(folder, app=migrated)
    ended = subprocess.run(
        ["sh", "-c", f"{shlex.quote(HEALTHD)} {' '.join(words)} {closed}"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )

    assert "Traceback" not in ended.stderr
    if closed == ">/dev/full":
        assert 3 == ended.returncode
        assert "cannot write the result: No space left on device" in ended.stderr
    else:
        assert ended.returncode in (0, 1)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
@pytest.mark.parametrize("after_s", [0.15, 0.3, 0.5, 0.8])
def test_a_signal_in_the_first_moments_is_taken_in_good_order(
    number: signal.Signals, after_s: float, folder: Path, migrated: str
) -> None:
    configure(folder, app=migrated)
    with subprocess.Popen(
        [HEALTHD, "serve", "--listen", f"127.0.0.1:{(port := free_port())}"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        wait_for(lambda: "SigBlk:\t0000000000000001" in Path(f"/proc/{process.pid}/status").read_text())
        time.sleep(after_s)  # not a limit: at every moment the same must come of it
        process.send_signal(number)
        try:
            if number == signal.SIGHUP:
                wait_for(lambda: asked(port, "/-/healthy") == 200, timeout_s=PATIENCE_S)
                process.terminate()
            _, err = process.communicate(timeout=PATIENCE_S)
        finally:
            process.kill()

    assert 0 == process.returncode
    assert "Traceback" not in err


# Python drops an exception that is raised while it calls a finalizer or the callback of a weak reference.
DROPPED = """
import os, signal
from healthd import __main__

class Ending:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)

__main__.begin_daemon()
Ending()
print("dropped", flush=True)
__main__.main()
"""


def test_a_signal_whose_exception_is_dropped_stops_the_daemon(folder: Path, migrated: str) -> None:
    configure(folder, app=migrated)
    command = [sys.executable, "-c", DROPPED, "serve", "--listen", f"127.0.0.1:{free_port()}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False)

    assert 0 == done.returncode, done.stderr
    assert "dropped" in done.stdout
    assert "SystemExit" not in done.stderr


def test_a_database_that_is_down_does_not_starve_the_watchdog(folder: Path, start: Start, tmp_path: Path) -> None:
    configure(folder, app="host=127.0.0.1 port=1 dbname=app")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(PATIENCE_S)
        daemon = start("serve", NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="400000")
        daemon.answers(503)
        for _ in range(3):
            while listener.recv(4096) != b"WATCHDOG=1":
                pass


# ── how it ends, and who hangs ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_good_order(number: signal.Signals, daemon: Daemon) -> None:
    assert 0 == daemon.end(number)
    assert 1 == len(daemon.log("daemon.stopped"))


@pytest.fixture
def rehearsing(folder: Path, migrated: str, start: Start, sql: Sql, tmp_path: Path) -> Iterator[tuple[Daemon, Path]]:
    """A daemon that rehearses the repair of a column, and the folder for the folders of its scratch servers."""
    configure(folder, app=migrated)
    settings = folder / "yoyo.ini"
    settings.write_text(settings.read_text().replace("rehearse = no", "rehearse = yes"))
    sql(migrated, "ALTER TABLE machines DROP COLUMN notes")
    scratch = Path(tempfile.mkdtemp(prefix="healthd-scratch-"))
    scratch.chmod(0o755)  # PostgreSQL may have another account
    yield start(TMPDIR=str(scratch)), scratch
    shutil.rmtree(scratch, ignore_errors=True)


def test_the_repair_is_rehearsed_and_the_result_is_shown_everywhere(rehearsing: tuple[Daemon, Path]) -> None:
    daemon, scratch = rehearsing
    wait_for(lambda: daemon.answers(500).json()["rehearsal"]["state"] == "done", timeout_s=PATIENCE_S)

    words = daemon.answers(500).json()["rehearsal"]["words"]
    assert re.fullmatch(r"Rehearsed on PostgreSQL [\d.]+, with rows in 1 table: clean", words)
    assert f"-- {words}" == daemon.get("/api/v1/targets/app/repair").text.splitlines()[1]
    assert words in daemon.get("/targets/app").text
    assert [words] == [line["result"] for line in daemon.log("rehearsal.finished")]
    assert [] == left_in(scratch)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_daemon_that_ends_during_a_rehearsal_leaves_no_server(
    number: signal.Signals, rehearsing: tuple[Daemon, Path]
) -> None:
    daemon, scratch = rehearsing
    wait_for(lambda: list(scratch.glob("*/postmaster.pid")), timeout_s=PATIENCE_S)

    assert {signal.SIGTERM: 0, signal.SIGKILL: -signal.SIGKILL}[number] == daemon.end(number)
    wait_for(lambda: not left_in(scratch), timeout_s=PATIENCE_S)


@contextmanager
def hanging(*, welcome: bool) -> Iterator[int]:
    """A port that takes connections and never answers; with `welcome`, only queries stay without an answer."""

    def greet(client: socket.socket) -> None:
        while len(head := client.recv(8, socket.MSG_WAITALL)) == 8:
            length, code = struct.unpack("!ii", head)
            client.recv(length - 8, socket.MSG_WAITALL)
            if code not in (80877103, 80877104):  # may we talk TLS, or GSSAPI?
                client.sendall(b"R" + struct.pack("!ii", 8, 0) + b"Z" + struct.pack("!i", 5) + b"I")
                return
            client.sendall(b"N")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        clients: list[socket.socket] = []

        def take() -> None:
            while True:
                try:
                    clients.append(listener.accept()[0])
                    if welcome:
                        greet(clients[-1])
                except OSError:
                    return

        thread = threading.Thread(target=take)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for client in clients:
                client.close()
            thread.join()


@pytest.mark.parametrize("welcome", [False, True], ids=["no greeting", "no answer to a query"])
def test_a_server_that_hangs_keeps_nobody_from_ending(welcome: bool, folder: Path, start: Start) -> None:
    with hanging(welcome=welcome) as port:
        configure(folder, app=f"host=127.0.0.1 port={port} dbname=app user=me")
        daemon = start()
        wait_for(lambda: 0 == daemon.metric('healthd_target_examined{target="app"}'))

        assert 503 == daemon.get("/-/ready").status_code
        assert 0 == daemon.end()


def test_one_target_that_hangs_does_not_hold_up_the_others(folder: Path, migrated: str, start: Start) -> None:
    with hanging(welcome=False) as port:
        configure(folder, slow=f"host=127.0.0.1 port={port} dbname=app user=me", app=migrated)
        daemon = start()

        daemon.answers(200)
        assert 503 == daemon.get("/api/v1/targets/slow").status_code
        assert daemon.metric('healthd_target_up{target="slow"}') in (None, 0)


def test_a_target_is_left_alone_for_longer_after_each_failure_but_never_for_more_than_half_a_minute() -> None:
    assert [30.0, 30.0, 30.0] == [rest(30.0, failures) for failures in range(3)]
    assert [5.0, 10.0, 20.0, BACKOFF_MAX_S, BACKOFF_MAX_S] == [rest(5.0, failures) for failures in range(5)]
    assert 300.0 == rest(300.0, 3)


def test_rounds_follow_each_other_sooner_while_a_migration_runs_and_take_a_tenth_of_the_time() -> None:
    quiet = Report(target="app", started_at=datetime.now(UTC), duration_s=0.1, findings=())
    busy = replace(quiet, maintenance="somebody is migrating")

    assert 30.0 == present_interval_s(Target("app", "", interval_s=30.0), quiet)
    assert 5.0 == present_interval_s(Target("app", "", interval_s=30.0), busy)
    assert 1.0 == present_interval_s(Target("app", "", interval_s=1.0), busy)
    assert 20.0 == present_interval_s(Target("app", "", interval_s=30.0), replace(busy, duration_s=2.0))
    assert 30.0 == present_interval_s(Target("app", "", interval_s=30.0), replace(busy, duration_s=9.0))


def test_a_migration_that_waits_is_shown_until_it_ends(daemon: Daemon, migrated: str) -> None:
    waiting = 'healthd_migration_waiting{target="app"}'
    assert daemon.metric(waiting) is None
    with (
        psycopg.connect(migrated, autocommit=True) as busy,
        psycopg.connect(migrated, autocommit=True, application_name="healthd/9 0004_next") as runner,
    ):
        busy.execute("SELECT pg_advisory_lock(7)")
        runner.execute("SELECT pg_advisory_lock(%s, %s)", MIGRATION_LOCK)
        wait_for(lambda: daemon.metric(waiting) == 0, timeout_s=PATIENCE_S)
        thread = threading.Thread(target=runner.execute, args=["SELECT pg_advisory_lock(7)"])
        thread.start()
        wait_for(lambda: daemon.metric(waiting) == 1, timeout_s=PATIENCE_S)
        known = daemon.get("/api/v1/targets/app").json()["running"]
        page = daemon.get("/targets/app").text
        busy.execute("SELECT pg_advisory_unlock(7)")
        thread.join(PATIENCE_S)
    wait_for(lambda: daemon.metric(waiting) is None, timeout_s=PATIENCE_S)

    assert ("0004_next", "healthd/9", "a lock (advisory)", 1) == tuple(
        known[name] for name in ("file", "application", "waits_for", "blocker_count")
    )
    assert "waits for a lock (advisory), blocked by process " in page
    assert 0 == daemon.metric('healthd_maintenance_active{target="app"}')


async def test_a_round_that_should_long_have_ended_starves_the_watchdog(folder: Path) -> None:
    configure(folder, app="host=127.0.0.1")
    settings = read_settings(folder / "yoyo.ini")
    [target] = settings.targets
    board = Board()
    board.watch([(target.name, target.interval_s)])
    task = asyncio.create_task(asyncio.sleep(0))
    watched: dict[str, tuple[Target | Endpoint, asyncio.Task[None]]] = {target.name: (target, task)}
    memory, wrong = Memory(board), WrongFiles(board)
    alerts = Alertmanagers(board)
    watch = Watch(board, lambda: settings, settings, Rehearsals(board), memory, wrong, alerts, rounds=watched)
    await task

    entry, progress = board.entries[target.name], Progress()
    assert not progress.is_stuck(watch, 0.0)
    entry.begin(datetime.now(UTC), 10.0)
    assert [False, False, True] == [progress.is_stuck(watch, 60.0 * minutes) for minutes in (1, 2.5, 7)]
    entry.begin(datetime.now(UTC) - timedelta(hours=1), 10.0)  # the clock was set back before the next round
    assert [False, True] == [progress.is_stuck(watch, 60.0 * minutes) for minutes in (7.5, 14)]


async def test_a_reload_that_fails_for_whatever_reason_is_counted_and_logged(folder: Path) -> None:
    configure(folder, app="host=127.0.0.1")
    settings, board = read_settings(folder / "yoyo.ini"), Board()

    def load() -> NoReturn:
        raise RecursionError("whatever")

    alerts = Alertmanagers(board)
    watch = Watch(board, load, settings, Rehearsals(board), Memory(board), WrongFiles(board), alerts)
    watch.reloaded()
    with structlog.testing.capture_logs() as lines:
        await watch.reload_and_say()

    assert not board.reload_ok
    assert [("settings.rejected", "RecursionError")] == [(line["event"], line["error"]) for line in lines]


# ── up ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def up(folder: Path, start: Start) -> Daemon:
    """`healthd up` without a database, on the PostgreSQL that comes along."""
    configure(folder)
    daemon = start("up")
    daemon.answers(200, embedded.DATABASE)
    return daemon


def at_the_same_time(folder: Path, *words: str, **environment: str) -> Result:
    """Run healthd in a second terminal."""
    done = subprocess.run(
        [HEALTHD, *words], cwd=folder, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    return Result(done.returncode, done.stdout, done.stderr)


def test_up_applies_serves_and_says_where_everything_is(folder: Path, up: Daemon, sql: Sql) -> None:
    lines = up.lines()

    assert ["page", "metrics", "database", "try", "stop"] == list(lines)
    assert 200 == httpx.get(lines["page"], verify=False).status_code
    assert 200 == httpx.get(lines["metrics"], verify=False).status_code
    assert [(3,)] == sql(lines["database"], "SELECT count(*) FROM _yoyo_migration")
    assert "applied 0003_notes" in up.stderr.read_text()
    assert (0, "app  ok\n", "") == at_the_same_time(folder, "check")
    assert 0 == at_the_same_time(folder, "status").code
    assert 0 == at_the_same_time(folder, "diff", "sql/schema.lock", "app").code

    psql = subprocess.run(["sh", "-c", lines["try"]], capture_output=True, text=True, check=False)
    assert (0, "") == (psql.returncode, psql.stderr)
    up.answers(422, "app")
    assert 2 == at_the_same_time(folder, "check").code

    second = at_the_same_time(folder, "up", "--listen", "127.0.0.1:0")
    assert (3, "") == second[:2]
    assert "another healthd" in second.err

    assert 200 == up.get("/-/reload", "POST").status_code
    up.answers(422, "app")
    assert 0 == up.end(signal.SIGINT)
    assert not (folder / ".healthd" / "data" / "postmaster.pid").exists()
    gone = at_the_same_time(folder, "check")
    assert (3, "") == gone[:2]
    assert "healthd up" in gone.err.splitlines()[1]


def test_up_on_a_configured_database_offers_no_command_that_breaks_it(
    folder: Path, database: str, start: Start
) -> None:
    configure(folder, app=database)
    daemon = start("up")

    assert "healthd check" == daemon.lines()["try"]
    assert not (folder / ".healthd").exists()
    assert 200 == daemon.answers(200).status_code


def test_the_command_to_try_names_the_psql_that_came_along_where_there_is_no_other(
    folder: Path, server: embedded.Server, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(folder)
    monkeypatch.setenv("PATH", "/nowhere")
    command = _attempt(read_settings(folder / "yoyo.ini", database=database))

    psql = shlex.split(command, comments=True)[0]
    assert programs.find_binaries(BINARIES) / "psql" == Path(psql)
    assert "\n" not in command


def test_an_endpoint_is_watched_with_the_targets_and_reported_by_check(
    folder: Path, migrated: str, start: Start
) -> None:
    port = free_port()
    configure(folder, f"[endpoint api]\nurl = http://127.0.0.1:{port}/\n", app=migrated)
    daemon = start()
    wait_for(lambda: daemon.metric('healthd_endpoint_up{endpoint="api"}') == 0.0, timeout_s=PATIENCE_S)

    assert "endpoint_unavailable" == daemon.answers(503, "endpoint:api").json()["error_code"]
    assert 200 == daemon.answers(200).status_code
    assert ["endpoint_unavailable"] == [line["problem"] for line in daemon.log("finding.appeared")]

    checked = healthd("check")

    assert 2 == checked.code
    assert "endpoint:api  CRITICAL  endpoint_unavailable" in checked.out
