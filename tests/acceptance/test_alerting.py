"""From a real database through the real Prometheus and Alertmanager to a webhook, and back to all clear."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from commands import HEALTHD
from conftest import MakeDatabase, Sql
from servers import alertmanager_command, call, free_port, running, stand_in, tool, wait_for

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "prometheus"


@contextmanager
def watched(url: str, folder: Path) -> Iterator[int]:
    """Run the daemon on a database, a round a second, and yield its port."""
    (folder / "yoyo.ini").write_text(
        f"[DEFAULT]\nsources = {ROOT / 'sql'}\n[healthd]\ninterval_s = 1\n"
        f"[target machines]\ndatabase = {url.replace('%', '%%')}\n"
    )
    port = free_port()
    command = (HEALTHD, "serve", "--config", folder / "yoyo.ini", "--listen", f"127.0.0.1:{port}")
    with running(port, folder / "healthd.log", *command):
        yield port


@contextmanager
def alerting(healthd_port: int, webhook_port: int, folder: Path) -> Iterator[str]:
    """Run Prometheus and Alertmanager as the examples say, only quicker; yield the URL of Prometheus."""
    program = tool("prometheus")
    prometheus_port, alertmanager_port = free_port(), free_port()
    rules = (PROMETHEUS / "healthd.rules.yml").read_text().replace("for: 1m", "for: 1s")
    (folder / "healthd.rules.yml").write_text(rules)
    scrape = (PROMETHEUS / "prometheus.yml").read_text().replace("15s", "1s")
    scrape = scrape.replace("127.0.0.1:9899", f"127.0.0.1:{healthd_port}").replace(":9093", f":{alertmanager_port}")
    (folder / "prometheus.yml").write_text(scrape)
    routes = (PROMETHEUS / "alertmanager.yml").read_text().replace("127.0.0.1:9095", f"127.0.0.1:{webhook_port}")
    routes = routes.replace("group_wait: 10s", "group_wait: 0s").replace("group_interval: 1m", "group_interval: 1s")
    with (
        running(
            alertmanager_port, folder / "alertmanager.log", *alertmanager_command(routes, alertmanager_port, folder)
        ),
        running(
            prometheus_port,
            folder / "prometheus.log",
            program,
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'prometheus'}",
            f"--web.listen-address=127.0.0.1:{prometheus_port}",
            "--rules.alert.resend-delay=1s",
        ) as url,
    ):
        yield url


def test_drift_in_a_real_database_becomes_a_page_and_repairing_it_resolves_the_page(
    make_database: MakeDatabase, shipped: str, sql: Sql, tmp_path: Path
) -> None:
    database = make_database(shipped)
    with (
        stand_in() as (webhook_port, _, received),
        watched(database, tmp_path) as port,
        alerting(port, webhook_port, tmp_path) as prometheus,
    ):
        up = f"{prometheus}/api/v1/query?query=healthd_target_up"
        wait_for(lambda: [one for one in call(up)["data"]["result"] if one["value"][1] == "1"])
        assert not [body for path, body in received if path == "/page"]

        sql(database, "ALTER TYPE machinestatus RENAME VALUE 'active' TO 'ACTIVE'")
        (page,) = wait_for(lambda: [body for path, body in received if path == "/page"][:1])
        sql(database, "ALTER TYPE machinestatus RENAME VALUE 'ACTIVE' TO 'active'")
        wait_for(lambda: [body for path, body in received if path == "/page" and body["status"] == "resolved"])

    (alert,) = page["alerts"]
    assert alert["labels"]["alertname"] == "HealthdEnumMismatch"
    assert alert["labels"]["target"] == "machines"
    description = alert["annotations"]["description"]
    assert "enum:public.machinestatus" in description
    assert "expected labels active, inactive, maintenance, decommissioned" in description
    assert "actual labels ACTIVE, inactive, maintenance, decommissioned" in description
