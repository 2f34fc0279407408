"""The units at work under a systemd that was booted for the test: as docs/how-to/systemd.md installs them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from booted_systemd import HEALTHD, PATIENCE_S, UNITS, Systemd, booted
from conftest import BINARIES
from servers import asking_for_passwords, free_port, wait_for

from acceptance.test_cli import make_project

PASSWORD = "hunter2 hunter2"
ROLES = (
    f"CREATE ROLE owner LOGIN SUPERUSER PASSWORD '{PASSWORD}'",
    f"CREATE ROLE healthd LOGIN PASSWORD '{PASSWORD}'",
    """DO $$BEGIN
           IF current_setting('server_version_num')::integer < 140000 THEN ALTER ROLE healthd SUPERUSER;
           ELSE GRANT pg_read_all_data TO healthd;
           END IF;
       END$$""",
)
HBA = "local all postgres trust\nlocal all all scram-sha-256\n"
CONFIG = """[DEFAULT]
sources = sql
[healthd]
interval_s = 1
[target machines]
database = postgresql://{role}@/postgres?host=/run/postgresql
"""


@pytest.fixture(scope="module")
def socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The socket of a server that asks both roles for their password."""
    with asking_for_passwords(tmp_path_factory.mktemp("server") / "data", *ROLES, hba=HBA, binaries=BINARIES) as server:
        yield server.socket / ".s.PGSQL.5432"


@pytest.fixture
def systemd(tmp_path: Path, socket: Path) -> Iterator[Systemd]:
    """A systemd on a host on which healthd is installed, beside a database with a socket in /run/postgresql."""
    project = make_project(tmp_path / "project")
    with booted(tmp_path) as found:
        found.bind(socket, "/run/postgresql/.s.PGSQL.5432")
        found.run("cp", "-r", project / "sql", "/opt/sql")
        yield found


def install(systemd: Systemd, port: int) -> None:
    """Install as the page says: units, modes of the password files, configuration, credentials, address."""
    systemd.run("sh", "-ec", f"mkdir -p /etc/tmpfiles.d; {HEALTHD} units healthd-tmpfiles.conf --to /etc/tmpfiles.d")
    systemd.run("systemd-tmpfiles", "--create", "healthd-tmpfiles.conf")
    systemd.run("cp", "-r", "/opt/sql", "/etc/healthd/sql")
    systemd.write("/etc/healthd/yoyo.ini", CONFIG.format(role="healthd"))
    systemd.run(HEALTHD, "units", "--to", UNITS)
    for unit, role in (("healthd", "healthd"), ("healthd-migrate", "owner")):
        credential = f"{unit.removeprefix('healthd-')}.pgpass"
        systemd.write(f"/etc/healthd/{credential}", f"*:*:*:{role}:{PASSWORD}\n")
        lines = ["[Service]", f"LoadCredential={credential}:/etc/healthd/{credential}"]
        lines += [f"Environment=PGPASSFILE=%d/{credential}", f"StandardError=append:/run/{unit}.log"]
        systemd.write(f"{UNITS}/{unit}.service.d/test.conf", "\n".join([*lines, ""]))
    fast = "[Service]\nWatchdogSec=10s\nTimeoutAbortSec=1s\nRestartSec=0\n"
    systemd.write(f"{UNITS}/healthd.service.d/watchdog.conf", fast)
    systemd.write(
        f"{UNITS}/healthd-migrate.service.d/role.conf",
        '[Service]\nEnvironment="HEALTHD_DATABASE=postgresql://owner@/postgres?host=/run/postgresql"\n',
    )
    systemd.write(f"{UNITS}/healthd.socket.d/test.conf", f"[Socket]\nListenStream=\nListenStream=127.0.0.1:{port}\n")
    systemd.run("systemd-tmpfiles", "--create", "healthd-tmpfiles.conf")
    systemd.run("systemctl", "daemon-reload")


def test_the_units_work_from_the_first_migration_to_the_end(systemd: Systemd) -> None:
    port = free_port()
    install(systemd, port)

    # The migrations, with the credential of their owner.
    systemd.run("systemctl", "start", "healthd-migrate.service")
    assert {"Result": "success", "ExecMainStatus": "0"} == systemd.properties(
        "healthd-migrate.service", "Result", "ExecMainStatus"
    )

    # systemd holds the address: the first request starts the daemon, and is answered by it.
    systemd.run("systemctl", "start", "healthd.socket")
    assert {"ActiveState": "inactive"} == systemd.properties("healthd.service", "ActiveState")
    url = f"http://127.0.0.1:{port}"
    with httpx.Client(base_url=url, timeout=PATIENCE_S, trust_env=False) as client:
        assert 200 == client.get("/-/healthy").status_code
        systemd.until("healthd.service", ActiveState="active", SubState="running")
        systemd.until("healthd.service", StatusText="1 target: 1 ok")
        first = systemd.properties("healthd.service", "MainPID", "NRestarts")
        assert "0" == first["NRestarts"]
        process = systemd.run("cat", f"/proc/{first['MainPID']}/status")
        (user,) = re.findall(r"^Uid:\s+(\d+)", process, re.MULTILINE)
        assert int(user) > 1000
        wait_for(lambda: "state.json" in systemd.run("ls", "/var/lib/private/healthd"), timeout_s=PATIENCE_S)
        assert [("600", "0")] * 2 == [
            tuple(systemd.run("stat", "--format=%a %u", f"/etc/healthd/{name}.pgpass").split())
            for name in ("healthd", "migrate")
        ]

        # A reload keeps the process, and a wrong configuration is not used.
        systemd.write("/etc/healthd/yoyo.ini", CONFIG.format(role="healthd").replace("machines", "renamed"))
        systemd.run("systemctl", "reload", "healthd.service")
        wait_for(lambda: "renamed" in client.get("/api/v1/targets").text, timeout_s=PATIENCE_S)
        systemd.write("/etc/healthd/yoyo.ini", "[healthd]\nintervall_s = 1\n")
        systemd.run("systemctl", "reload", "healthd.service")
        failed = "healthd_config_last_reload_successful 0.0"
        wait_for(lambda: failed in client.get("/metrics").text, timeout_s=PATIENCE_S)
        systemd.until("healthd.service", StatusText="1 target: 1 ok")
        assert first == systemd.properties("healthd.service", "MainPID", "NRestarts")

        # A daemon that makes no progress is killed and started again; a request waits meanwhile.
        systemd.write("/etc/healthd/yoyo.ini", CONFIG.format(role="healthd"))
        systemd.run("kill", "-STOP", first["MainPID"])
        assert 200 == httpx.get(f"{url}/-/healthy", timeout=PATIENCE_S, trust_env=False).status_code
        systemd.until("healthd.service", ActiveState="active", NRestarts="1", StatusText="1 target: 1 ok")
        assert first["MainPID"] != systemd.properties("healthd.service", "MainPID")["MainPID"]

    systemd.run("systemctl", "stop", "healthd.socket", "healthd.service")
    assert {"ActiveState": "inactive", "Result": "success", "ExecMainStatus": "0"} == systemd.properties(
        "healthd.service", "ActiveState", "Result", "ExecMainStatus"
    )
    assert PASSWORD not in systemd.log()

    # A wrong configuration is not tried again.
    systemd.write("/etc/healthd/yoyo.ini", "[healthd]\nintervall_s = 1\n")
    assert 0 != systemd.command("systemctl", "start", "healthd.service").returncode
    systemd.until("healthd.service", ActiveState="failed", ExecMainStatus="3", NRestarts="0")
