"""Every verb, and the daemon, connects with the password that a command prints."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from conftest import BINARIES
from servers import asking_for_passwords, wait_for

from acceptance.test_cli import healthd, make_project
from acceptance.test_daemon import PATIENCE_S, Start, start  # noqa: F401 # a fixture
from healthd.postgres import embedded

WATCHER, OWNER = "watcher-token-1", "owner-token-2"


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[embedded.Server]:
    """A server that asks its roles for their passwords."""
    data = tmp_path_factory.mktemp("strict") / "data"
    roles = (
        f"CREATE ROLE watcher LOGIN PASSWORD '{WATCHER}' IN ROLE pg_read_all_data",
        f"CREATE ROLE owner LOGIN SUPERUSER PASSWORD '{OWNER}'",
        "CREATE DATABASE app OWNER owner",
    )
    hba = "local all postgres trust\nlocal all all scram-sha-256\n"
    with asking_for_passwords(data, *roles, hba=hba, binaries=BINARIES) as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path, strict: embedded.Server, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose targets have no password, and one command that knows those of both roles."""
    folder = make_project(tmp_path / "project")
    url = strict.url("app")
    passwords = {"watcher": WATCHER, "owner": OWNER}
    cases = "".join(f"{role}) echo {password};;\n" for role, password in passwords.items())
    (folder / "token.sh").write_text(f"case $PGUSER in\n{cases}esac\n")
    (folder / "yoyo.ini").write_text(
        f"[DEFAULT]\nsources = sql\n"
        f"[healthd]\npassword_command = sh token.sh\n"
        f"interval_s = 0.25\nrehearse = no\nlog_format = json\n{f'postgres_bin = {BINARIES}' if BINARIES else ''}\n"
        f"[target app]\ndatabase = {url.replace('postgres@', 'watcher@').replace('%', '%%')}\n"
        f"migrate_database = {url.replace('postgres@', 'owner@').replace('%', '%%')}\n"
    )
    monkeypatch.chdir(folder)
    return folder


def test_all_verbs_and_the_daemon_work(folder: Path, strict: embedded.Server, start: Start) -> None:  # noqa: F811
    for words, code in (
        (("status",), 1),
        (("plan",), 1),
        (("migrate",), 0),
        (("migrate", "--all"), 0),
        (("status",), 0),
        (("check",), 0),
        (("snapshot",), 0),
        (("repair",), 0),
        (("diff", "app", "sql/schema.lock"), 0),
        (("rollback", "--allow-data-loss"), 0),
        (("migrate",), 0),
        (("resume",), 0),
        (("check", "--database", strict.url("app").replace("postgres@", "watcher@")), 0),
    ):
        result = healthd(*words)

        assert (words, code) == (words, result.code), result.out + result.err
        assert "token" not in result.out + result.err
    daemon = start()
    daemon.answers(200)
    with psycopg.connect(strict.url("app"), autocommit=True) as connection:
        connection.execute("ALTER ROLE watcher PASSWORD 'changed-token-3'")
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'watcher'")
        # A round that was running reports that its session was ended.
        wait_for(lambda: "password authentication failed" in daemon.answers(503).text, timeout_s=PATIENCE_S)
        token = folder / "token.sh"
        token.write_text(token.read_text().replace(WATCHER, "changed-token-3"))
        wait_for(lambda: daemon.answers(200), timeout_s=PATIENCE_S)
        connection.execute(f"ALTER ROLE watcher PASSWORD '{WATCHER}'".encode())
    assert 0 == daemon.end()
    assert "token" not in daemon.stderr.read_text()
