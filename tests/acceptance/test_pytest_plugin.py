"""The fixture of pytest, in projects of others: on an embedded server, and on a server of the user's."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import pytest
from conftest import BINARIES, Sql
from servers import left_in, wait_for

from healthd.postgres.embedded import Server

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "how-to" / "application-tests.md").read_text()
ORDERS = "CREATE TABLE public.orders (id integer PRIMARY KEY, status text NOT NULL);\n"
OURS = "SELECT datname FROM pg_database WHERE datname LIKE 'healthd_test%' ORDER BY datname"
EACH = """
import psycopg, pytest

@pytest.mark.parametrize("number", range(4))
def test_it(healthd_database, number):
    with psycopg.connect(healthd_database) as connection:
        assert connection.execute("SELECT count(*) FROM orders").fetchone() == (0,)
        connection.execute("INSERT INTO orders VALUES (1, 'new')")
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one migration, and with tests that each write a row."""
    folder = tmp_path / "shop"
    (folder / "sql").mkdir(parents=True)
    binaries = f"[healthd]\npostgres_bin = {BINARIES}\n" if BINARIES else ""
    (folder / "yoyo.ini").write_text(f"[DEFAULT]\nsources = %(here)s/sql\n{binaries}")
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "sql" / "0001_orders.sql").write_text(ORDERS)
    (folder / "test_each.py").write_text(EACH)
    return folder


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "pytest", "-q", "-p", "healthd.testing.plugin", "-p", "no:schemathesis", *words]


def run_tests(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in a folder."""
    own = os.environ | environment
    return subprocess.run(command(*words), cwd=folder, env=own, capture_output=True, text=True, check=False)


def test_each_test_has_a_database_of_its_own_on_a_server_that_is_gone_afterwards(project: Path) -> None:
    (project / "sql" / "0002_grant.sql").write_text("GRANT SELECT ON public.orders TO shop_api;\n")
    with tempfile.TemporaryDirectory(prefix="own-") as folder:  # a socket's path may have 107 bytes
        done = run_tests(project, TMPDIR=folder, HEALTHD_DATABASE="host=127.0.0.1 port=1 dbname=production")

        assert "4 passed" in done.stdout, done.stdout
        wait_for(lambda: [name for name in left_in(Path(folder)) if "pytest-of" not in name] == [])


def test_on_a_server_of_the_users_nothing_is_left_with_several_workers(project: Path, server: Server, sql: Sql) -> None:
    done = run_tests(project, "-n", "2", "--healthd-database", server.url())

    assert "4 passed" in done.stdout, done.stdout
    assert [] == sql(server.url(), OURS)


def test_the_server_can_be_set_in_the_configuration_of_pytest(project: Path, server: Server, sql: Sql) -> None:
    (project / "pytest.ini").write_text(f"[pytest]\nhealthd_database = {server.url()}\n")
    (project / "test_each.py").write_text(
        "def test_it(healthd_database):\n    assert '/healthd_test_' in healthd_database\n    assert 0\n"
    )

    done = run_tests(project)

    assert "1 failed" in done.stdout
    assert [] == sql(server.url(), OURS)


def test_what_a_killed_run_left_behind_is_dropped_but_not_what_another_run_uses(
    project: Path, server: Server, sql: Sql
) -> None:
    (project / "test_each.py").write_text(
        "import signal, time\n\ndef test_it(healthd_database):\n"
        "    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets its background jobs ignore it\n"
        "    open('ready', 'a').close()\n    time.sleep(600)\n"
    )
    words = command("--healthd-database", server.url())
    runs = []
    for _ in range(2):
        (project / "ready").unlink(missing_ok=True)
        runs.append(subprocess.Popen(words, cwd=project, stdout=subprocess.DEVNULL))
        wait_for((project / "ready").exists)
    killed, living = runs
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert 4 == len(sql(server.url(), OURS))

    (project / "test_each.py").write_text("def test_it(healthd_database): pass\n")
    assert "1 passed" in run_tests(project, "--healthd-database", server.url()).stdout

    assert 2 == len(sql(server.url(), OURS))
    living.send_signal(signal.SIGINT)
    living.wait()
    assert [] == sql(server.url(), OURS)


def test_files_that_change_the_database_itself_are_applied_for_each_test(
    project: Path, server: Server, sql: Sql
) -> None:
    (project / "sql" / "0002_zone.sql").write_text(
        "DO $$BEGIN EXECUTE format('ALTER DATABASE %I SET timezone = ''Asia/Tokyo''', current_database()); END$$;\n"
    )
    (project / "test_each.py").write_text(
        EACH.replace("(0,)", "(0,)\n        assert shown(connection) == 'Asia/Tokyo'")
        + """
def shown(connection):
    return connection.execute("SHOW timezone").fetchone()[0]
"""
    )

    assert "4 passed" in (done := run_tests(project, "--healthd-database", server.url())).stdout, done.stdout


def test_a_target_with_its_own_files_can_be_named(project: Path, server: Server) -> None:
    (project / "stock").mkdir()
    (project / "stock" / "0001_parts.sql").write_text("CREATE TABLE public.parts (id integer);\n")
    (project / "ours.ini").write_text(
        "[DEFAULT]\nsources = %(here)s/sql\n[target stock]\nsources = %(here)s/stock\ndatabase = host=::1\n"
    )
    (project / "test_each.py").write_text(EACH.replace("orders", "parts").replace("(1, 'new')", "(1)"))
    words = ("--healthd-config", "ours.ini", "--healthd-target", "stock", "--healthd-database", server.url())

    assert "4 passed" in (done := run_tests(project, *words)).stdout, done.stdout


@pytest.mark.parametrize(
    ("broken", "words", "message"),
    [
        ("CREATE TABLE public.orders (id integr);", (), '0001_orders.sql, line 1, column 32: type "integr" does not'),
        (ORDERS, ("--healthd-config", "lost.ini"), "no such file"),
        (ORDERS, ("--healthd-database", "postgresql://x@127.0.0.1:1/x"), "x at 127.0.0.1:1"),
    ],
)
def test_what_is_wrong_is_said_without_a_traceback(
    project: Path, server: Server, sql: Sql, broken: str, words: tuple[str, ...], message: str
) -> None:
    (project / "sql" / "0001_orders.sql").write_text(broken)

    done = run_tests(project, "--healthd-database", server.url(), *words)

    assert "4 errors" in done.stdout
    assert message in done.stdout, done.stdout
    assert "healthd/testing" not in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert "exception" not in done.stdout
    assert [] == sql(server.url(), OURS)


def test_a_role_that_cannot_create_databases_is_told_what_it_needs(project: Path, server: Server, sql: Sql) -> None:
    sql(server.url(), "DROP ROLE IF EXISTS tester; CREATE ROLE tester LOGIN")

    done = run_tests(project, "--healthd-database", server.url().replace("postgres@", "tester@"))

    assert "the role of --healthd-database cannot create databases" in done.stdout
    assert "hint: ALTER ROLE … CREATEDB" in done.stdout


def test_pytest_finds_the_plugin_in_the_package_and_it_loads_nothing_until_a_test_asks() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["pytest11"]
    script = "import pytest, sys; known = {*sys.modules}; import healthd.testing.plugin; print(*{*sys.modules} - known)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert {"healthd.testing.plugin": "healthd.testing.plugin"} == declared
    assert {"healthd", "healthd._version", "healthd.testing", "healthd.testing.plugin"} == set(done.stdout.split())


def test_the_examples_of_the_guide_pass(project: Path, server: Server) -> None:
    (project / "test_each.py").unlink()
    blocks = re.findall(r"```python\n# (\w+\.py)\n(.*?)```", GUIDE, re.DOTALL)
    for name, text in blocks:
        (project / name).write_text(text)

    done = run_tests(project, "--healthd-database", server.url())

    assert 3 == len(blocks)
    assert "5 passed" in done.stdout, done.stdout
