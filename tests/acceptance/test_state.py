"""The daemon remembers: since when, and what it reported, whatever ended it."""

from __future__ import annotations

import os
import random
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import Sql
from servers import wait_for
from unit.report.test_board import LOST, report

from acceptance.test_daemon import (  # noqa: F401 # fixtures
    PATIENCE_S,
    RENAME,
    Daemon,
    Start,
    configure,
    folder,
    hanging,
    migrated,
    start,
)
from healthd.daemon import state_file
from healthd.model.ledger import BOOKS
from healthd.report.board import Board
from healthd.report.memory import recalled, remembered

# HEALTHD_KILLS=1000 takes about a minute.
KILLS = int(os.environ.get("HEALTHD_KILLS", "100"))
KEEPING = "[healthd]\nstate_dir = state\n"
DRIFT, SUCCESS = (f'healthd_{name}_timestamp_seconds{{target="app"}}' for name in ("drift_since", "check_last_success"))


def killed_at(step: str) -> None:
    """Let this process be killed when it calls a function of `os`, before the call does anything."""
    setattr(os, step, lambda *_arguments: os.kill(os.getpid(), signal.SIGKILL))


def write_for_ever(place: Path, number: int, begun: int) -> None:
    """Write what a daemon remembers, from a board that begins with what is in the folder; end only by being killed."""
    board = board_of(place)
    for name in board.entries:
        board.post(report(LOST, at_s=number, target=name))
    os.write(begun, b"!")
    while True:
        board.post(report(LOST, at_s=number, target=random.choice(list(board.entries))))
        state_file.write(place, remembered(board.entries))


def board_of(place: Path) -> Board:
    """Return the board of a daemon that starts now."""
    board = Board()
    board.watch([(f"target_{number}", 10.0) for number in range(50)])
    document = state_file.read(place)
    board.entries |= recalled(document or {}, board.entries, datetime.now(UTC))
    return board


def test_a_kill_at_any_moment_leaves_a_state_and_since_when_never_moves_forward(tmp_path: Path) -> None:
    seen: set[datetime | None] = set()
    chance = random.Random(7)
    reading, begun = os.pipe()
    for number in range(KILLS):
        step = ("", "", "fsync", "replace")[number % 4]
        if not (child := os.fork()):
            try:
                if step:
                    killed_at(step)
                write_for_ever(tmp_path, number, begun)
            finally:
                os._exit(1)
        assert os.read(reading, 1)
        if not step:
            time.sleep(chance.uniform(0.0, 0.006))
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if (tmp_path / "state.json").exists():
            seen |= {one.drift_since for one in board_of(tmp_path).entries.values()}

        assert signal.SIGKILL == os.WTERMSIG(status)
        assert (tmp_path / "state.json.new").exists() or not step  # it was in the middle of writing
    assert 1 == len(seen)


@pytest.fixture
def drifted(migrated: str, sql: Sql) -> str:  # noqa: F811
    """The URL of a database that has drifted."""
    sql(migrated, RENAME)
    return migrated


def test_a_daemon_that_was_killed_knows_since_when_a_drift_stands(folder: Path, drifted: str, start: Start) -> None:  # noqa: F811
    configure(folder, app=drifted)
    ini = folder / "yoyo.ini"
    ini.write_text(ini.read_text().replace("[healthd]\n", KEEPING))
    first = start()
    first.answers(422)
    since = wait_for(lambda: first.metric(DRIFT))
    wait_for(lambda: "critical" in str(kept(folder)))
    first.end(signal.SIGKILL)
    assert first.log("finding.appeared")
    second = start()
    second.answers(422)

    events = second.get("/api/v1/targets/app/timeline").json()["events"]
    assert ["restarted", "state", "appeared"] == [one["event"] for one in events]
    found = second.get(f"/api/v1/targets/app/findings/{events[-1]['finding']}").json()
    assert (True, "enum:public.machinestatus") == (found["current"], found["finding"]["key"])
    assert found["origin"]["file"] == f"{found['origin']['migration']}.sql"
    assert since == datetime.fromisoformat(found["since"]).timestamp()
    assert since == second.metric(DRIFT)
    assert since == datetime.fromisoformat(second.get("/api/v1/targets").json()["targets"][0]["since"]).timestamp()
    assert not second.log("finding.appeared")
    assert not second.log("state.failed")
    assert 0 == second.metric('healthd_incidents_total{problem="enum_mismatch",target="app"}')


def test_a_ledger_that_vanishes_while_the_daemon_is_down_is_missed_by_the_next_one(
    folder: Path,  # noqa: F811
    migrated: str,  # noqa: F811
    start: Start,  # noqa: F811
    sql: Sql,
) -> None:
    configure(folder, app=migrated)
    ini = folder / "yoyo.ini"
    ini.write_text(ini.read_text().replace("[healthd]\n", KEEPING))
    first = start()
    first.answers(200)
    wait_for(lambda: f"'adopted': '{migrated.partition('@/')[2].partition('?')[0]} at " in str(kept(folder)))
    first.end(signal.SIGKILL)
    for table in BOOKS:
        sql(migrated, f"DROP TABLE IF EXISTS {table} CASCADE")

    second = start()
    wait_for(lambda: second.metric('healthd_target_examined{target="app"}'))
    problem = second.answers(503).json()

    assert ("round_failed", True) == (problem["error_code"], "existed in an earlier round" in problem["detail"])


def kept(folder: Path) -> object:  # noqa: F811
    """Return what is in the state file of a project."""
    return state_file.read(folder / "state")


def test_until_its_first_round_a_target_is_not_examined_and_what_was_known_is_shown_as_such(
    folder: Path,  # noqa: F811
    start: Start,  # noqa: F811
) -> None:
    seen_at = datetime.now(UTC) - timedelta(hours=2)
    since, good = seen_at - timedelta(days=1), seen_at - timedelta(days=2)
    (folder / "own").mkdir()
    times = {"since": since, "drift_since": since, "last_success": seen_at, "last_good": good}
    text = {name: time.isoformat() for name, time in times.items()}
    state_file.write(folder / "own", {"app": {"severity": "critical", **text, "findings": []}})
    with hanging(welcome=False) as port:  # its first round does not finish
        configure(folder, app=f"host=127.0.0.1 port={port} dbname=app user=me")
        ini = folder / "yoyo.ini"
        ini.write_text(ini.read_text().replace("[healthd]\n", "[healthd]\ndeadline_s = 3600\n"))
        daemon = start(STATE_DIRECTORY=f"{folder / 'own'}:/elsewhere")
        answer = daemon.get("/api/v1/targets/app")
        (app,) = daemon.get("/api/v1/targets").json()["targets"]
        page = daemon.get("/targets/app").text

        assert (503, "no_round_yet") == (answer.status_code, answer.json()["error_code"])
        expected = {"severity": "critical", **{name: text[name] for name in ("since", "drift_since", "last_success")}}
        assert expected == answer.json()["remembered"] == app["remembered"]
        assert (text["last_good"], text["last_good"]) == (answer.json()["last_good"], app["last_good"])
        assert ("waiting", None, 0) == (app["severity"], app["since"], app["findings"])
        assert [since.timestamp(), seen_at.timestamp()] == [daemon.metric(DRIFT), daemon.metric(SUCCESS)]
        assert 0 == daemon.metric('healthd_target_examined{target="app"}')
        assert daemon.metric('healthd_target_up{target="app"}') is None
        assert daemon.metric('healthd_check_ok{target="app",check="enums"}') is None
        assert "has not finished: nothing is known yet" in page
        assert (
            f'Before the restart</dt><dd>critical since <time datetime="{since.isoformat(timespec="seconds")}"' in page
        )
        assert f'<dt>Last healthy</dt><dd><time datetime="{good.isoformat(timespec="seconds")}"' in page
        assert "before the restart critical since" in daemon.get("/").text


def test_a_state_that_cannot_be_kept_is_reported_once_and_rounds_go_on(
    folder: Path,  # noqa: F811
    drifted: str,
    start: Start,  # noqa: F811
) -> None:
    (folder / "state").mkdir()
    (folder / "state" / "state.json.new").mkdir()  # as a disk that takes nothing
    configure(folder, app=drifted)
    ini = folder / "yoyo.ini"
    ini.write_text(ini.read_text().replace("[healthd]\n", KEEPING))
    daemon = start()
    daemon.answers(422)
    wait_for(lambda: daemon.log("state.failed"), timeout_s=PATIENCE_S)
    runs = 'healthd_check_runs_total{target="app"}'
    before = daemon.metric(runs) or 0
    wait_for(lambda: (daemon.metric(runs) or 0) > before + 2, timeout_s=PATIENCE_S)

    assert 0 == daemon.end()
    assert ["cannot write"] == [line["error"][:12] for line in daemon.log("state.failed")]
