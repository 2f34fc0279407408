"""The DDL watch from the command to the metric: `healthd watch`, and a daemon that is notified."""

# ruff: noqa: F811 # a test asks for fixtures by the names that are imported
from __future__ import annotations

import re
from pathlib import Path

import pytest
from conftest import MakeDatabase, Sql
from servers import wait_for

from acceptance.test_cli import healthd, migrated, project  # noqa: F401 # fixtures
from acceptance.test_daemon import PATIENCE_S, Start, configure, folder, start  # noqa: F401 # fixtures
from acceptance.test_json import validated

GUIDE = (Path(__file__).parents[2] / "docs" / "how-to" / "ddl-watch.md").read_text()
FILES = ["sql/0004_ddl_watch.sql", "sql/0004_ddl_watch.rollback.sql"]


def test_the_migration_is_written_once_and_is_clean(project: Path) -> None:
    assert [str(project / one) for one in FILES] == validated("watch", "install", code=0, schema="watch-install")[
        "files"
    ]

    again = healthd("watch", "install")
    assert 3 == again.code
    assert "0004_ddl_watch.sql installs the DDL watch already" in again.err
    assert 0 == healthd("lint").code
    assert "0004_ddl_watch  rollback exact" in healthd("lock").out


def test_the_migration_has_the_name_that_is_asked_for(project: Path) -> None:
    assert 0 == healthd("watch", "install", "--name", "wake up").code

    assert (project / "sql" / "0004_wake_up.sql").exists()


def test_a_name_without_a_letter_is_refused(project: Path) -> None:
    refused = healthd("watch", "install", "--name", "..")

    assert (3, True) == (refused.code, "invalid migration name" in refused.err)
    assert not list(project.glob("sql/0004*"))


def test_the_state_is_shown_from_the_first_day(project: Path, migrated: str) -> None:
    assert "  not installed\n" in healthd("watch", "status").out
    assert "not_installed" == validated("watch", "status", code=1, schema="watch-status")["state"]

    healthd("watch", "install")
    healthd("lock")
    assert 0 == healthd("migrate").code
    assert "effective" == validated("watch", "status", code=0, schema="watch-status")["state"]
    assert 0 == healthd("check").code
    assert 0 == healthd("rollback").code
    assert "not_installed" == validated("watch", "status", code=1, schema="watch-status")["state"]


def test_the_guide_installs_it(project: Path, migrated: str) -> None:
    (block,) = re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL)
    commands = [line.split()[1:] for line in block.splitlines()]

    assert [0] * 5 == [healthd(*words).code for words in commands]


def test_a_database_that_does_not_answer_is_an_error(project: Path) -> None:
    words = ("watch", "status", "--database", "host=127.0.0.1 port=1 dbname=app")

    assert "database_unreachable" == validated(*words, code=3, error=True, schema="watch-status")["error"]["code"]


def test_without_a_command_the_usage_is_an_error(project: Path) -> None:
    missing = healthd("watch")

    assert (3, True) == (missing.code, "missing command: install or status" in missing.err)


def test_a_daemon_with_a_long_interval_sees_ddl_and_its_end(
    folder: Path,
    make_database: MakeDatabase,
    migrated_template: str,
    start: Start,
    sql: Sql,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(folder)
    url = make_database(migrated_template)
    configure(folder, app=url)
    for words in (["watch", "install"], ["lock"], ["migrate"]):
        assert 0 == healthd(*words).code
    text = (folder / "yoyo.ini").read_text()
    (folder / "yoyo.ini").write_text(text.replace("interval_s = 0.5", "interval_s = 600"))
    daemon = start()
    daemon.answers(200)
    wait_for(lambda: daemon.log("watch.listening"), timeout_s=PATIENCE_S)

    sql(url, "ALTER TABLE public.machines DROP COLUMN notes")
    daemon.answers(500)
    sql(url, "ALTER TABLE public.machines ADD COLUMN notes text")
    daemon.answers(200)

    assert 1 == len(daemon.log("watch.listening"))
    assert [] == daemon.log("watch.refused")
