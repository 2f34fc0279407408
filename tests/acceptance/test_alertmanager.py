"""Alerts go from the daemon to a real Alertmanager and on to a webhook, at once, and are those of Prometheus."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from conftest import Sql
from servers import alertmanager_command, call, free_port, running, stand_in, tool, wait_for

from acceptance.test_daemon import (  # noqa: F401 # fixtures
    RENAME,
    RENAME_BACK,
    Daemon,
    Start,
    configure,
    folder,
    hanging,
    migrated,
    start,
)
from healthd.daemon.alertmanager import ENDS_AFTER
from healthd.model.ledger import MIGRATION_LOCK

PROMETHEUS = Path(__file__).parents[2] / "prometheus"
IDENTITY = {
    "alertname": "HealthdEnumMismatch",
    "target": "app",
    "check": "enums",
    "problem": "enum_mismatch",
    "severity": "critical",
    "job": "healthd",
}
Received = list[tuple[str, dict[str, Any]]]
Pages = Callable[[str], list[dict[str, Any]]]


@pytest.fixture
def webhook() -> Iterator[tuple[int, Received]]:
    """The port of a webhook, and what it has received."""
    with stand_in() as (port, _, received):
        yield port, received


@pytest.fixture
def pages(webhook: tuple[int, Received]) -> Pages:
    """Return a function that returns the pages with this status."""
    return lambda status: [body for path, body in webhook[1] if path == "/page" and body["status"] == status]


@pytest.fixture
def alertmanager(webhook: tuple[int, Received], tmp_path: Path) -> Callable[[int], AbstractContextManager[str]]:
    """Return a function that runs Alertmanager on a port, as the example says, only quicker."""

    @contextmanager
    def alertmanager(port: int) -> Iterator[str]:
        routes = (PROMETHEUS / "alertmanager.yml").read_text().replace("127.0.0.1:9095", f"127.0.0.1:{webhook[0]}")
        routes = routes.replace("group_wait: 10s", "group_wait: 0s").replace("group_interval: 1m", "group_interval: 1s")
        with running(port, tmp_path / "alertmanager.log", *alertmanager_command(routes, port, tmp_path)) as url:
            yield url

    return alertmanager


def pushing(project: Path, *ports: int, resend_s: float = 1, more: str = "", **urls: str) -> None:
    """Write a yoyo.ini that sends alerts to these ports."""
    lines = "".join(f"  http://127.0.0.1:{port}\n" for port in ports)
    configure(project, f"[alertmanager]\nurl =\n{lines}resend_s = {resend_s:g}\n{more}", **urls)


def alerts(url: str) -> list[dict[str, Any]]:
    """Return the alerts that Alertmanager has; those that are resolved are not among them."""
    return list(call(f"{url}/api/v2/alerts"))


def up(port: int) -> str:
    return f'healthd_alertmanager_up{{alertmanager="127.0.0.1:{port}"}}'


def requests(port: int, result: str) -> str:
    return f'healthd_alertmanager_requests_total{{alertmanager="127.0.0.1:{port}",result="{result}"}}'


def failed(port: int) -> str:
    return requests(port, "failed")


def more_requests(daemon: Daemon, port: int, number: int) -> None:
    """Wait until so many more requests were made."""
    before = daemon.metric(requests(port, "sent")) or 0.0
    wait_for(lambda: (daemon.metric(requests(port, "sent")) or 0.0) >= before + number)


def more_than_a_lifetime(daemon: Daemon, port: int) -> None:
    """Wait until so many requests were made that an alert has ended that was in none of them."""
    more_requests(daemon, port, ENDS_AFTER + 2)


def test_drift_is_a_page_at_once_and_repairing_it_resolves_the_page(
    folder: Path, migrated: str, start: Start, sql: Sql, pages: Pages, alertmanager: Any  # noqa: F811
) -> None:  # fmt: skip
    with alertmanager(port := free_port()) as url:
        pushing(folder, port, more="labels = cluster=eu\n", app=migrated)
        daemon = start()
        daemon.answers(200)
        wait_for(lambda: daemon.metric(up(port)) == 1)
        assert [] == alerts(url)

        sql(migrated, RENAME)
        [page] = wait_for(lambda: pages("firing"))
        [alert] = page["alerts"]
        assert IDENTITY | {"cluster": "eu"} == alert["labels"]
        assert (
            "expected labels active, inactive, maintenance, actual labels ACTIVE" in alert["annotations"]["description"]
        )
        assert "app: The values of an enum differ from its migrations." == alert["annotations"]["summary"]

        sql(migrated, RENAME_BACK)
        wait_for(lambda: pages("resolved"))
        wait_for(lambda: alerts(url) == [])
        assert [] == daemon.log("alertmanager.failed")


def test_an_alert_outlives_a_database_that_cannot_be_read_and_a_restart(
    folder: Path, migrated: str, start: Start, sql: Sql, pages: Pages, alertmanager: Any  # noqa: F811
) -> None:  # fmt: skip
    with alertmanager(port := free_port()) as url:
        pushing(folder, port, resend_s=2, app=migrated)  # a restart may take five times as long
        sql(migrated, RENAME)
        daemon = start("serve", STATE_DIRECTORY=str(folder / "state"))
        wait_for(lambda: pages("firing"))
        pushing(folder, port, resend_s=2, app=migrated.replace("/test_", "/no_test_"))
        assert 200 == daemon.get("/-/reload", "POST").status_code
        daemon.answers(503)
        more_than_a_lifetime(daemon, port)
        [alert] = alerts(url)
        assert IDENTITY == alert["labels"]
        assert "This is the last known result" in alert["annotations"]["description"]

        assert 0 == daemon.end()
        with hanging(welcome=False) as silent:
            target = f"[target app]\ndatabase = postgresql://127.0.0.1:{silent}/app\ndeadline_s = 600\n"
            pushing(folder, port, resend_s=2, more=target)
            daemon = start("serve", STATE_DIRECTORY=str(folder / "state"))
            more_than_a_lifetime(daemon, port)
            assert 0 == daemon.metric('healthd_target_examined{target="app"}')
            assert [IDENTITY] == [alert["labels"] for alert in alerts(url)]
            assert [] == pages("resolved")
            daemon.end()


def test_an_alert_ends_by_itself_when_the_daemon_is_killed(
    folder: Path, migrated: str, start: Start, sql: Sql, pages: Pages, alertmanager: Any  # noqa: F811
) -> None:  # fmt: skip
    with alertmanager(port := free_port()):
        pushing(folder, port, app=migrated)
        sql(migrated, RENAME)
        daemon = start()
        wait_for(lambda: pages("firing"))
        more_than_a_lifetime(daemon, port)
        assert [] == pages("resolved")
        daemon.end(signal.SIGKILL)
        wait_for(lambda: pages("resolved"))


def test_a_running_migration_inhibits_the_page_about_drift(
    folder: Path, migrated: str, start: Start, sql: Sql, pages: Pages, alertmanager: Any  # noqa: F811
) -> None:  # fmt: skip
    with alertmanager(port := free_port()) as url:
        pushing(folder, port, app=migrated)
        daemon = start()
        daemon.answers(200)
        with psycopg.connect(migrated) as session:
            session.execute("SELECT pg_advisory_lock(%s, %s)", MIGRATION_LOCK)
            [alert] = wait_for(lambda: alerts(url))
            assert {"alertname": "HealthdMaintenance", "target": "app", "job": "healthd", "severity": "info"} == alert[
                "labels"
            ]
            sql(migrated, "ALTER TABLE machines DROP COLUMN notes")
            drift = wait_for(lambda: [one for one in alerts(url) if one["labels"]["alertname"] != "HealthdMaintenance"])
            assert "suppressed" == drift[0]["status"]["state"]
            assert [] == pages("firing")

        wait_for(lambda: pages("firing"))


def test_what_prometheus_scrapes_and_the_daemon_sends_is_one_alert(
    folder: Path, migrated: str, start: Start, sql: Sql, pages: Pages, alertmanager: Any, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    with alertmanager(port := free_port()) as url:
        pushing(folder, port, resend_s=4, more="labels = cluster=eu\n", app=migrated)  # longer than a scrape and a rule
        daemon = start()
        daemon.answers(200)
        with scraping(urlsplit(daemon.lines()["page"]).port or 0, port, tmp_path) as prometheus:
            sql(migrated, RENAME)
            wait_for(lambda: pages("firing"))
            wait_for(lambda: firing(prometheus))
            more_requests(daemon, port, 1)
            [alert] = [one for one in alerts(url) if one["labels"]["alertname"] != "Watchdog"]
            [scraped] = firing(prometheus)
            assert scraped | {"cluster": "eu"} == alert["labels"]

            sql(migrated, RENAME_BACK)
            wait_for(lambda: pages("resolved"))
            more_requests(daemon, port, 2)
    assert [1, 1] == [len(pages("firing")), len(pages("resolved"))]


@contextmanager
def scraping(port: int, alertmanager_port: int, folder: Path) -> Iterator[str]:  # noqa: F811
    """Run Prometheus as the example says, only quicker, on what a daemon exports, and yield its URL."""
    rules = (PROMETHEUS / "healthd.rules.yml").read_text().replace("for: 1m", "for: 1s")
    (folder / "healthd.rules.yml").write_text(rules)
    text = (
        (PROMETHEUS / "prometheus.yml").read_text().replace("15s", "1s").replace("127.0.0.1:9899", f"127.0.0.1:{port}")
    )
    text = text.replace(":9093", f":{alertmanager_port}").replace(
        "global:", "global:\n  external_labels: {cluster: eu}"
    )
    (folder / "prometheus.yml").write_text(text)
    own = free_port()
    command = (
        tool("prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'prometheus'}",
        f"--web.listen-address=127.0.0.1:{own}",
        "--rules.alert.resend-delay=1s",
    )
    with running(own, folder / "prometheus.log", *command) as url:
        yield url


def firing(prometheus: str) -> list[dict[str, str]]:
    """Return the labels of the alerts about targets that fire in Prometheus; its own labels are not among them."""
    found = call(f"{prometheus}/api/v1/alerts")["data"]["alerts"]
    return [one["labels"] for one in found if one["state"] == "firing" and "target" in one["labels"]]


def test_an_alertmanager_that_is_absent_delays_nothing_and_gets_the_alert_when_it_is_there(
    folder: Path, migrated: str, start: Start, sql: Sql, pages: Pages, alertmanager: Any  # noqa: F811
) -> None:  # fmt: skip
    pushing(folder, port := free_port(), app=migrated)
    sql(migrated, RENAME)
    daemon = start()
    daemon.answers(422)
    wait_for(lambda: (daemon.metric(failed(port)) or 0.0) > 2)
    assert 0 == daemon.metric(up(port))
    [line] = daemon.log("alertmanager.failed")
    assert (f"127.0.0.1:{port}", "error") == (line["alertmanager"], line["level"])
    assert "cannot connect" in line["error"]

    with alertmanager(port):
        wait_for(lambda: pages("firing"))
        wait_for(lambda: daemon.log("alertmanager.reached"))
        assert 1 == daemon.metric(up(port))
    assert 1 == len(daemon.log("alertmanager.failed"))
    wait_for(lambda: daemon.metric(up(port)) == 0)
    assert 2 == len(daemon.log("alertmanager.failed"))


def test_a_reload_adds_an_alertmanager_and_removes_one(
    folder: Path, migrated: str, start: Start, sql: Sql, pages: Pages, alertmanager: Any  # noqa: F811
) -> None:  # fmt: skip
    configure(folder, app=migrated)
    sql(migrated, RENAME)
    daemon = start()
    daemon.answers(422)
    absent, port = free_port(), free_port()
    with alertmanager(port) as url:
        assert daemon.metric(up(port)) is None
        pushing(folder, absent, port, app=migrated)
        daemon.process.send_signal(signal.SIGHUP)
        wait_for(lambda: pages("firing"))
        wait_for(lambda: daemon.metric(up(absent)) == 0)

        configure(folder, app=migrated)
        daemon.process.send_signal(signal.SIGHUP)
        wait_for(lambda: daemon.metric(up(port)) is None)
        wait_for(lambda: alerts(url) == [])


def test_a_password_in_the_address_is_sent_and_never_shown(
    folder: Path, migrated: str, start: Start, sql: Sql, webhook: tuple[int, Received]  # noqa: F811
) -> None:  # fmt: skip
    place = f"127.0.0.1:{webhook[0]}"
    more = f"[alertmanager]\nurl = http://me:hunter2@{place}/prefix http://me:hunter2@127.0.0.1:{free_port()}\n"
    configure(folder, more, app=migrated)
    sql(migrated, RENAME)
    daemon = start()
    daemon.answers(422)
    wait_for(lambda: [body for path, body in webhook[1] if path == "/prefix/api/v2/alerts" and body])
    wait_for(lambda: daemon.log("alertmanager.failed"))
    shown = [daemon.get(path).text for path in ("/metrics", "/", "/targets/app", "/api/v1/targets")]
    assert f'alertmanager="{place}/prefix"' in shown[0]
    assert not [text for text in (*shown, daemon.stderr.read_text(), daemon.stdout.read_text()) if "hunter2" in text]
