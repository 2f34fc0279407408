"""A target for each database of a server that matches a pattern: while databases come and go, and for every verb."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from conftest import BINARIES
from psycopg import sql as compose
from servers import free_port, wait_for

from acceptance.test_cli import healthd
from acceptance.test_daemon import PATIENCE_S, Daemon, Start, configure, folder, start  # noqa: F401 # fixtures
from acceptance.test_target_files import until, watched
from healthd.postgres import embedded

RULES = "databases = group_* !group_test*\n"
Create = Callable[..., None]


@pytest.fixture
def create(server: embedded.Server, migrated_template: str) -> Iterator[Create]:
    """Return a function that creates databases with all migrations; they are dropped after the test."""
    made: set[str] = set()

    def create(*names: str, template: str = migrated_template) -> None:
        made.update(names)
        words = compose.SQL("CREATE DATABASE {} TEMPLATE {}")
        with psycopg.connect(server.url(), autocommit=True) as connection:
            for name in names:
                connection.execute(words.format(compose.Identifier(name), compose.Identifier(template)))

    yield create
    for name in made:
        drop(server, name, force=True)


def drop(server: embedded.Server, name: str, *, force: bool = False) -> None:
    words = compose.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)" if force else "DROP DATABASE {}")
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(words.format(compose.Identifier(name)))


@pytest.fixture
def group(folder: Path, server: embedded.Server, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: F811
    """A project with one group of databases, eu."""
    configure(folder, RULES, eu=server.url())
    monkeypatch.chdir(folder)
    return folder


def test_databases_come_and_go_while_the_daemon_runs(
    group: Path,
    create: Create,
    start: Start,  # noqa: F811
    server: embedded.Server,
) -> None:
    create("group_a", "group_test", "other_group")
    daemon = start()
    until(daemon, "eu", "eu/group_a")
    create("group_b")
    until(daemon, "eu", "eu/group_a", "eu/group_b")
    info = daemon.metric('healthd_target_info{database="group_b",target="eu/group_b"}')
    page, list_page = daemon.get("/targets/eu/group_b"), daemon.get("/targets/eu")
    runs = daemon.metric('healthd_check_runs_total{target="eu/group_a"}')
    drop(server, "group_b")  # no session of the daemon prevents it
    until(daemon, "eu", "eu/group_a")

    assert (1, 200, True) == (info, page.status_code, " lists 2 databases" in list_page.text)
    assert "eu lists 1 database" in daemon.get("/targets/eu").text.replace("</span>", "").replace(
        '<span class="name">', ""
    )
    assert 'target="eu/group_b"' not in daemon.get("/metrics").text
    assert runs is not None
    assert runs <= (daemon.metric('healthd_check_runs_total{target="eu/group_a"}') or 0)
    assert [] == daemon.log("finding.appeared")
    changes = [(one["target"], one["appeared"], one["gone"]) for one in daemon.log("databases.changed")]
    assert [("eu", 1, 0), ("eu", 1, 0), ("eu", 0, 1)] == changes
    assert [] == [one for one in daemon.log() if one["level"] in ("warning", "error")]


def test_a_database_that_is_dropped_by_force_is_no_finding(
    group: Path,
    create: Create,
    start: Start,  # noqa: F811
    server: embedded.Server,
) -> None:
    ini = group / "yoyo.ini"
    ini.write_text(ini.read_text().replace(RULES, f"{RULES}interval_s = 2\n"))
    create("group_a", "group_b", "group_c")
    daemon = start()
    until(daemon, "eu", "eu/group_a", "eu/group_b", "eu/group_c")
    for name in ("group_b", "group_c"):
        drop(server, name, force=True)
    until(daemon, "eu", "eu/group_a")

    assert [] == [one["message"] for one in daemon.log("finding.appeared")]


def test_a_group_without_a_database_is_a_finding_and_a_reload_applies_new_patterns(
    group: Path,
    create: Create,
    start: Start,  # noqa: F811
) -> None:
    daemon = start()
    until(daemon, "eu")
    create("elsewhere_a")
    appeared = wait_for(lambda: daemon.log("finding.appeared"), timeout_s=PATIENCE_S)
    ini = group / "yoyo.ini"
    ini.write_text(ini.read_text().replace(RULES, "databases = elsewhere_*\n"))
    assert 200 == daemon.get("/-/reload", "POST").status_code
    until(daemon, "eu", "eu/elsewhere_a")

    assert [("eu", "database_not_watched", "warning")] == [
        (one["target"], one["problem"], one["severity"]) for one in appeared
    ]
    assert "no database matches group_* !group_test*" in appeared[0]["message"]
    assert 1 == len(daemon.log("finding.resolved"))


def test_a_reload_lists_the_databases_at_once(
    group: Path,
    create: Create,
    start: Start,  # noqa: F811
) -> None:
    ini = group / "yoyo.ini"
    ini.write_text(ini.read_text().replace(RULES, f"{RULES}interval_s = 3600\n"))
    create("group_a")
    daemon = start()
    until(daemon, "eu", "eu/group_a")
    wait_for(lambda: daemon.metric('healthd_target_examined{target="eu"}'), timeout_s=PATIENCE_S)
    create("group_b")
    assert 200 == daemon.get("/-/reload", "POST").status_code

    wait_for(lambda: watched(daemon) == {"eu", "eu/group_a", "eu/group_b"}, timeout_s=PATIENCE_S / 3)


def test_a_server_that_is_down_at_the_start_is_unknown_and_watched_when_it_is_up(
    folder: Path,  # noqa: F811
    tmp_path: Path,
    start: Start,  # noqa: F811
) -> None:
    configure(folder, "databases = app_*\n", eu=f"host={tmp_path / 'data'} user=postgres dbname=postgres")
    daemon = start()
    unreachable(daemon, "eu")
    up = daemon.metric('healthd_target_up{target="eu"}')
    with embedded.start(tmp_path / "data", binaries=BINARIES, durable=False) as server:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE app_1")
        until(daemon, "eu", "eu/app_1")
    unreachable(daemon, "eu")
    unreachable(daemon, "eu/app_1")

    assert 0 == up
    listed = {one["target"] for one in daemon.get("/api/v1/targets").json()["targets"]}
    assert {"eu", "eu/app_1"} == listed  # the last known list


def unreachable(daemon: Daemon, target: str) -> None:
    path = f"/api/v1/targets/{target}"
    wait_for(lambda: daemon.get(path).json().get("error_code") == "database_unreachable", timeout_s=PATIENCE_S)


def test_every_verb_has_the_databases_of_a_group(group: Path, create: Create, server: embedded.Server) -> None:
    create("group_a", "group_b")
    create("group_new", template="template0")

    status = healthd("status", "--all")
    assert (1, "2 of 3 ok") == (status.code, status.err.splitlines()[-1])
    assert ["eu/group_a:", "eu/group_b:", "eu/group_new:"] == [one for one in status.out.splitlines() if one[0] != " "]
    plan = healthd("plan", "--target", "eu/*new", "--format", "json")
    assert "eu/group_new" == json.loads(plan.out)["target"]
    assert 0 == healthd("migrate", "--target", "eu").code
    assert (0, "3 of 3 ok\n") == (healthd("check").code, healthd("check").err)
    assert (0, "3 of 3 ok\n") == (healthd("check", "--target", "eu").code, healthd("check", "--target", "e*").err)
    assert 0 == healthd("migrate", "--all").code
    assert 0 == healthd("baseline", "--all").code
    assert 0 == healthd("repair", "--all").code
    assert 0 == healthd("wait", "--all").code
    assert 0 == healthd("snapshot", "--target", "eu/group_a").code
    with psycopg.connect(server.url("group_new")) as connection:
        assert connection.execute("SELECT count(*) FROM machines").fetchone() == (0,)


def test_no_match_is_one_line_and_exit_code_3(group: Path) -> None:
    for words in (("check",), ("status",), ("status", "--all"), ("plan",), ("migrate", "--all"), ("snapshot",)):
        refused = healthd(*words)
        shown = refused.out + refused.err

        assert 3 == refused.code
        assert 1 == shown.count("no database at")
        assert "matches group_* !group_test*" in shown
        assert "Traceback" not in shown


def test_what_cannot_be_listed_is_a_failure_among_the_results(
    group: Path, create: Create, server: embedded.Server
) -> None:
    create("group_a")
    down = f"postgresql://postgres:hunter2@127.0.0.1:{free_port()}/postgres?sslmode=disable"
    configure(group, "databases = group_*\n", eu=server.url(), us=down)
    ini = group / "yoyo.ini"
    ini.write_text(ini.read_text().replace("[target us]", f"{RULES}[target us]"))

    for words in (("status", "--all"), ("plan", "--all"), ("check",), ("status", "--target", "*/group_a")):
        refused = healthd(*words)
        assert (3, "1 of 2 ok") == (refused.code, refused.err.splitlines()[-1])
        assert "cannot reach database postgres at 127.0.0.1" in refused.out
        assert "hunter2" not in refused.out + refused.err
    migrated = healthd("migrate", "--all", "--keep-going")
    assert 3 == migrated.code
    assert ["nothing to do", "failed"] == [line[12:].split("  ")[0].strip() for line in migrated.out.splitlines()[1:3]]
    assert 0 == healthd("status", "--target", "eu/*").code  # no other server is asked
    one = healthd("status", "--target", "us/group_a")
    assert (3, True) == (one.code, "cannot reach database postgres at 127.0.0.1" in one.err)


def test_a_role_that_may_not_connect_is_denied_on_that_database_only(
    group: Path, create: Create, server: embedded.Server
) -> None:
    create("group_a", "group_closed")
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS group_reader")
        connection.execute("CREATE ROLE group_reader LOGIN; GRANT pg_read_all_data TO group_reader")
        connection.execute("REVOKE CONNECT ON DATABASE group_closed FROM PUBLIC")
    configure(group, RULES, eu=server.url().replace("postgres@", "group_reader@"))
    checked = healthd("check", "--format", "json")
    reports = {one["target"]: one for one in json.loads(checked.out)}

    assert 3 == checked.code
    assert ["permission_denied"] == [one["problem"] for one in reports["eu/group_closed"]["findings"]]
    assert (
        "GRANT CONNECT ON DATABASE group_closed TO group_reader;" in reports["eu/group_closed"]["findings"][0]["repair"]
    )
    assert "ok" == reports["eu/group_a"]["severity"]
