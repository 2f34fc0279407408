"""The name of a runner: what it shows to others, and what others read in it."""

from __future__ import annotations

import pytest

from healthd.model.names import NAME_BYTES
from healthd.model.running import Runner, RunningMigration, name_while

OURS = "healthd/1.2.3"


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize("file", ["0042_index", "0042_index.rollback", "42 with blanks", "(waits)"])
def test_what_a_runner_shows_is_what_others_read(file: str, waits: bool) -> None:
    runner = Runner(7, name_while(OURS, file, waits=waits))

    assert (OURS, file, waits) == (runner.application, runner.file, runner.pauses)
    assert f"{OURS} (server process 7) is running migrations" == runner.words


@pytest.mark.parametrize("file", ["ü'; DROP TABLE t; --", "x" * 99, "日本語" * 30, 'a"b\\c\n'])
def test_a_name_is_what_every_server_takes_unchanged_and_cannot_leave_its_quotes(file: str) -> None:
    name = name_while(OURS, file)

    assert len(name.encode()) <= NAME_BYTES
    assert name.isascii()
    assert name.isprintable()
    assert not set("';\\\"") & set(name)


@pytest.mark.parametrize("name", [None, "", "psql", "deploy-7 0042", OURS, "healthd"])
def test_a_name_without_a_file_is_that_of_an_application(name: str | None) -> None:
    runner = Runner(7, name)

    assert (name or "", None, False) == (runner.application, runner.file, runner.pauses)
    assert runner.words.startswith(f"{name or 'a session'} (server process 7)")


def test_a_password_in_a_name_is_not_shown() -> None:
    assert "hunter22" not in Runner(7, "postgresql://me:hunter22@host/app").words


def test_nothing_is_said_of_what_is_not_known() -> None:
    assert () == RunningMigration(7, "").details
