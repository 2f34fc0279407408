"""How long it takes from a change by hand to the page, and from the repair to its end, part by part.

Usage: python bench/alert.py [TIMES] (default 3). healthd, Prometheus and Alertmanager run as the examples in
prometheus/ configure them, with all intervals as they are, and what pages is a webhook. An enum label is renamed, and
renamed back. Once Prometheus is asked to raise the alert, and once healthd pushes it, in a database with the DDL watch.
Prints the seconds from each moment to the next. The programs must be installed.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "support")]

from commands import HEALTHD  # noqa: E402 # the path was extended above
from servers import alertmanager_command, call, free_port, running, stand_in, tool  # noqa: E402
from story import migrate_shipped  # noqa: E402

from healthd.expected.ddl_watch import APPLY  # noqa: E402
from healthd.postgres import embedded  # noqa: E402

BREAK = "ALTER TYPE machinestatus RENAME VALUE 'active' TO 'ACTIVE'"
REPAIR = "ALTER TYPE machinestatus RENAME VALUE 'ACTIVE' TO 'active'"
FINDINGS = 'sum(healthd_findings{problem="enum_mismatch"}) > 0'
FIRING = 'ALERTS{alertname="HealthdEnumMismatch", alertstate="firing"}'
LONGEST_S = 600.0
PROMETHEUS = ROOT / "prometheus"


class Programs:
    """The running programs, and what each of them knows now."""

    def __init__(self, healthd: str, prometheus: str, alertmanager: str, received: list[tuple[str, Any]]) -> None:
        self.healthd, self.prometheus, self.alertmanager, self.received = healthd, prometheus, alertmanager, received

    def is_found(self) -> bool:
        """Return whether /metrics shows the finding."""
        lines = call(f"{self.healthd}/metrics").decode().splitlines()
        return any(line.startswith("healthd_findings{") and 'problem="enum_mismatch"' in line for line in lines)

    def is_scraped(self) -> bool:
        """Return whether Prometheus has the finding."""
        return bool(self._query(FINDINGS))

    def is_firing(self) -> bool:
        """Return whether the alert fires in Prometheus."""
        return bool(self._query(FIRING))

    def is_known(self) -> bool:
        """Return whether Alertmanager has the alert."""
        alerts = call(f"{self.alertmanager}/api/v2/alerts?active=true")
        return any(one["labels"]["alertname"] == "HealthdEnumMismatch" for one in alerts)

    def has_paged(self) -> bool:
        """Return whether the last notification about the enum is a page."""
        return self._last() == "firing"

    def has_ended(self) -> bool:
        """Return whether the last notification about the enum is that it is resolved."""
        return self._last() == "resolved"

    def _last(self) -> str:
        pages = [body for path, body in self.received if path == "/page" and "HealthdEnumMismatch" in str(body)]
        return str(pages[-1]["status"]) if pages else ""

    def _query(self, query: str) -> list[Any]:
        found: list[Any] = call(f"{self.prometheus}/api/v1/query?query={quote(query)}")["data"]["result"]
        return found


@contextmanager
def programs(url: str, *, pushed: bool) -> Iterator[Programs]:
    """Run everything on a database."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ports = [free_port() for _ in range(3)]
        webhook, _, received = stack.enter_context(stand_in())
        routes = (PROMETHEUS / "alertmanager.yml").read_text().replace("127.0.0.1:9095", f"127.0.0.1:{webhook}")
        command = alertmanager_command(routes, ports[2], folder)
        alertmanager = stack.enter_context(running(ports[2], folder / "alertmanager.log", *command))
        push = f"[alertmanager]\nurl = {alertmanager}\n" if pushed else ""
        settings = (
            f"[DEFAULT]\nsources = {ROOT / 'sql'}\n[target machines]\ndatabase = {url.replace('%', '%%')}\n{push}"
        )
        (folder / "yoyo.ini").write_text(settings)
        command = [HEALTHD, "serve", "--config", folder / "yoyo.ini", "--listen", f"127.0.0.1:{ports[0]}"]
        healthd = stack.enter_context(running(ports[0], folder / "healthd.log", *command))
        (folder / "healthd.rules.yml").write_text((PROMETHEUS / "healthd.rules.yml").read_text())
        scrape = (PROMETHEUS / "prometheus.yml").read_text().replace("127.0.0.1:9899", f"127.0.0.1:{ports[0]}")
        receiver = "127.0.0.1:1" if pushed else f"127.0.0.1:{ports[2]}"
        (folder / "prometheus.yml").write_text(scrape.replace("127.0.0.1:9093", receiver))
        listen = f"--web.listen-address=127.0.0.1:{ports[1]}"
        paths = (f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}")
        command = [tool("prometheus"), *paths, listen]
        prometheus = stack.enter_context(running(ports[1], folder / "prometheus.log", *command))
        yield Programs(healthd, prometheus, alertmanager, received)


def moments(steps: dict[str, Callable[[], bool]], began: float) -> dict[str, float]:
    """Return how many seconds each step took after the one before it."""
    taken, last = {}, began
    for name, is_reached in steps.items():
        while not is_reached():
            if time.monotonic() - began > LONGEST_S:
                raise SystemExit(f"not within {LONGEST_S:.0f} s: {name}")
            time.sleep(0.02)
        now = time.monotonic()
        taken[name], last = now - last, now
    return taken


def once(database: str, there: Programs, *, pushed: bool) -> tuple[dict[str, float], dict[str, float]]:
    """Break and repair the database; return the parts until the page, and until its end."""
    way: dict[str, Callable[[], bool]] = {"found, on /metrics": there.is_found}
    if not pushed:
        way |= {"scraped": there.is_scraped, "firing (for: 1m)": there.is_firing}
    way |= {"known to Alertmanager": there.is_known, "page sent (group_wait)": there.has_paged}
    with psycopg.connect(database, autocommit=True) as session:
        session.execute(BREAK)
        page = moments(way, time.monotonic())
        session.execute(REPAIR)
        end = moments(
            {"no longer found": lambda: not there.is_found(), "resolved (group_interval)": there.has_ended},
            time.monotonic(),
        )
    return page, end


def main(times: int) -> None:
    """Measure both ways."""
    with embedded.temporary() as server, psycopg.connect(server.url(), autocommit=True) as administrator:
        for pushed in (False, True):
            name = "pushed" if pushed else "scraped"
            administrator.execute(f"CREATE DATABASE {name}".encode())
            migrate_shipped(server.url(name))
            if pushed:
                with psycopg.connect(server.url(name), autocommit=True) as session:
                    session.execute(APPLY.encode())
            with programs(server.url(name), pushed=pushed) as there:
                time.sleep(60)  # until everything has looked at everything
                print(f"{'healthd pushes, with the DDL watch' if pushed else 'Prometheus scrapes'}", flush=True)
                for _ in range(times):
                    for parts in once(server.url(name), there, pushed=pushed):
                        words = ", ".join(f"{part} {seconds:.1f} s" for part, seconds in parts.items())
                        print(f"  {words}; in all {sum(parts.values()):.1f} s", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 3)
