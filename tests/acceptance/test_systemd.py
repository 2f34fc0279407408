"""The systemd units, judged by systemd-analyze."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from healthd.cli.unit_templates import BASES, template

FOLDER = Path(__file__).parents[2] / "systemd"
GUIDE = (FOLDER.parent / "docs" / "how-to" / "systemd.md").read_text()
UNITS = ["healthd.service", "healthd-migrate.service"]
TEMPLATES = ["healthd@.service", "healthd-migrate@.service"]


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run systemd-analyze, or skip."""
    return tool("systemd-analyze", *arguments)


def tool(name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a program of systemd, or skip; where CI runs, a missing one is a failure."""
    program = shutil.which(name)
    if program is None:
        reason = f"{name} is not installed"
        if "CI" in os.environ:
            pytest.fail(reason)
        pytest.skip(reason)
    return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60, check=False)


def settings(unit: str) -> dict[str, list[str]]:
    """Return the values of every key of a unit, in order."""
    found: dict[str, list[str]] = {}
    for key, value in re.findall(r"^(\w+)=(.*)$", (FOLDER / unit).read_text(), re.MULTILINE):
        found.setdefault(key, []).append(value)
    return found


def installed(unit: str, folder: Path, *, commented: bool = False) -> Path:
    """Return a copy of a unit with a program that exists here, and if asked with what its comments offer."""
    base = (FOLDER / BASES.get(unit, unit)).read_text()
    text = (template(unit, base) if unit in BASES else base).replace("/usr/bin/healthd", sys.executable)
    if commented:
        text = re.sub(r"^#(?=\w+=)", "", text, flags=re.MULTILINE)
    copy = folder / unit.replace("@", "@orders")
    copy.write_text(text)
    return copy


@pytest.mark.parametrize("commented", [False, True], ids=["shipped", "with a credential"])
@pytest.mark.parametrize("unit", [*UNITS, *TEMPLATES])
def test_systemd_finds_nothing_to_say_about_a_unit(unit: str, commented: bool, tmp_path: Path) -> None:
    result = analyze("verify", "--recursive-errors=no", installed(unit, tmp_path, commented=commented))

    assert (result.returncode, result.stderr) == (0, "")


def test_systemd_accepts_the_socket_with_its_service(tmp_path: Path) -> None:
    installed("healthd.service", tmp_path)
    result = analyze("verify", "--recursive-errors=no", installed("healthd.socket", tmp_path))

    assert (result.returncode, result.stderr) == (0, "")
    assert "ListenStream=127.0.0.1:9899\n" in (FOLDER / "healthd.socket").read_text()


def test_the_instances_of_a_template_share_no_file(tmp_path: Path) -> None:
    for unit in TEMPLATES:
        text = installed(unit, tmp_path, commented=True).read_text()
        lines = [line for line in text.splitlines() if not line.startswith("#")]
        of_the_first = re.compile(
            r"(?<![@\w-])healthd(-migrate)?\.service|/etc/healthd/(?!%i/)|StateDirectory=healthd$"
        )
        assert [] == [line for line in lines if of_the_first.search(line)]
        assert any("--config /etc/healthd/%i/yoyo.ini" in line for line in lines)
    assert "StateDirectory=healthd/%i" in template(TEMPLATES[0], (FOLDER / "healthd.service").read_text())


def test_systemd_does_say_when_a_key_is_unknown(tmp_path: Path) -> None:
    unit = installed("healthd.service", tmp_path)
    unit.write_text(unit.read_text().replace("WatchdogSec=", "WatchdogSecs="))

    assert "WatchdogSecs" in analyze("verify", "--recursive-errors=no", unit).stderr


@pytest.mark.parametrize("unit", [*UNITS, *TEMPLATES])
def test_a_unit_is_exposed_by_less_than_one(unit: str, tmp_path: Path) -> None:
    path = installed(unit, tmp_path)
    figure = re.search(
        r"exposure level for \S+ (\d+\.\d)", analyze("security", "--offline=yes", "--no-pager", path).stdout
    )

    assert figure is not None
    assert float(figure[1]) < 1.0
    assert f"reports an exposure level of {figure[1]} for all of these services" in GUIDE
    assert analyze("security", "--offline=yes", "--threshold=10", path).returncode == 0


def test_both_units_are_closed_in_the_same_way(tmp_path: Path) -> None:
    def verdict(unit: str) -> object:
        return json.loads(analyze("security", "--offline=yes", "--json=short", installed(unit, tmp_path)).stdout)

    assert verdict(UNITS[0]) == verdict(UNITS[1])


def test_the_units_run_the_commands_of_the_documentation() -> None:
    assert settings("healthd.service")["ExecStart"] == ["/usr/bin/healthd serve --config /etc/healthd/yoyo.ini"]
    assert settings("healthd-migrate.service")["ExecStart"] == [
        "/usr/bin/healthd migrate --config /etc/healthd/yoyo.ini"
    ]


def test_systemd_watches_the_daemon_and_starts_it_again_but_not_with_a_wrong_configuration() -> None:
    unit = settings("healthd.service")

    assert unit["Type"] == ["notify"]
    assert unit["WatchdogSec"] == ["30s"]
    assert unit["Restart"] == ["on-failure"]
    assert unit["RestartPreventExitStatus"] == ["3"]
    assert (["healthd"], ["0700"]) == (unit["StateDirectory"], unit["StateDirectoryMode"])
    assert unit["ExecReload"] == ["/bin/kill -HUP $MAINPID"]


def test_migrations_come_first_may_take_long_and_do_not_stop_the_watcher_when_they_fail() -> None:
    daemon, migrate = settings("healthd.service"), settings("healthd-migrate.service")

    assert migrate["Type"] == ["oneshot"]
    assert migrate["TimeoutStartSec"] == ["infinity"]
    assert migrate["Before"] == ["healthd.service"]
    assert "RemainAfterExit" not in migrate
    assert not {"Requires", "BindsTo", "Requisite"} & daemon.keys()


def test_a_migration_that_failed_is_not_tried_again_but_a_database_that_is_down_is() -> None:
    unit = settings("healthd-migrate.service")

    assert unit["Restart"] == ["on-failure"]
    assert unit["RestartPreventExitStatus"] == ["1 2"]


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_says_that_it_cuts_off_other_machines(unit: str) -> None:
    text = (FOLDER / unit).read_text()

    assert "A DATABASE ON ANOTHER HOST CANNOT BE REACHED" in text.partition("IPAddressDeny=any")[0]
    assert "IPAddressAllow=10.0.5.0/24" in GUIDE


def test_the_drop_in_of_the_readme_is_valid(tmp_path: Path) -> None:
    (drop_in,) = re.findall(r"<<'UNIT'\n(.*?)UNIT\n", GUIDE, re.DOTALL)
    unit = installed("healthd.service", tmp_path)
    unit.write_text(unit.read_text() + "\n" + drop_in)
    result = analyze("verify", "--recursive-errors=no", unit)

    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("unit", UNITS)
def test_no_password_stands_in_a_unit(unit: str) -> None:
    text = (FOLDER / unit).read_text()

    assert "PGPASSWORD" not in text
    assert not re.search(r"postgresql://[^/\s]*:[^/\s]*@", text)
    assert re.search(r"^#LoadCredential=(\S+):/etc/healthd/\1\n#Environment=PGPASSFILE=%d/\1$", text, re.MULTILINE)


def test_systemd_creates_the_account_that_the_units_use(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    result = tool("systemd-sysusers", "--dry-run", f"--root={tmp_path}", FOLDER / "healthd-sysusers.conf")

    assert 0 == result.returncode, result.stderr
    assert [["healthd"]] * 2 == [settings(unit)["User"] for unit in UNITS]
    assert "Creating user 'healthd' (Schema health daemon for PostgreSQL)" in result.stdout + result.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root creates accounts")
def test_nobody_can_log_in_to_the_account(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    result = tool("systemd-sysusers", f"--root={tmp_path}", FOLDER / "healthd-sysusers.conf")

    assert 0 == result.returncode, result.stderr
    (account,) = (tmp_path / "etc" / "passwd").read_text().splitlines()
    assert account.endswith(":/var/lib/healthd:/usr/sbin/nologin")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to root")
def test_only_root_reads_the_password_files_and_everybody_the_configuration(tmp_path: Path) -> None:
    orders = tmp_path / "etc" / "healthd" / "orders"
    orders.mkdir(parents=True)
    files = [orders.parent / "healthd.pgpass", orders / "migrate.pgpass", orders.parent / "yoyo.ini"]
    for path in files:
        path.touch()
        path.chmod(0o644)
        os.chown(path, 1, 1)
    orders.parent.chmod(0o700)
    result = tool("systemd-tmpfiles", "--create", f"--root={tmp_path}", FOLDER / "healthd-tmpfiles.conf")

    assert (0, "") == (result.returncode, result.stderr)
    assert [(0o600, 0), (0o600, 0), (0o644, 1)] == [(path.stat().st_mode & 0o777, path.stat().st_uid) for path in files]
    assert 0o755 == orders.parent.stat().st_mode & 0o777


def test_the_password_files_of_the_units_are_those_with_a_mode() -> None:
    text = (FOLDER / "healthd-tmpfiles.conf").read_text()
    named = [path for unit in UNITS for path in re.findall(r":(/etc/healthd/\S+)", (FOLDER / unit).read_text())]

    assert 2 == len(named)
    assert {"/etc/healthd/*.pgpass"} == {str(Path(path).parent / f"*{Path(path).suffix}") for path in named}
    assert "z /etc/healthd/*.pgpass 0600 root root -\n" in text
