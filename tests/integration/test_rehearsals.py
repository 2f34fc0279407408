"""The daemon rehearses the scripts of its rounds: once for each script, one at a time, and it leaves nothing behind."""

import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from conftest import BINARIES
from servers import left_in, wait_for

from healthd.config.settings import Settings, Target
from healthd.daemon.rehearsals import WAITING, Rehearsals
from healthd.expected.store import Files
from healthd.replay import rehearsal_process
from healthd.replay.rehearsal import Rehearsal
from healthd.report.board import Board
from healthd.rounds.round import Round

rounds: Any = import_module("healthd.rounds.examination")
door: Any = import_module("healthd.daemon.rehearsals")
DRIFT = "ALTER TABLE machines DROP COLUMN notes"
MORE_DRIFT = "CREATE TABLE more (id bigint)"
PATIENCE_S = 60.0


@pytest.fixture
def url(url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a database with sql/ applied; rounds do not pause before they confirm."""
    monkeypatch.setattr("healthd.rounds.complete_reading.AGAIN_S", 0.0)
    return url


@pytest.fixture
def scratch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder in which scratch servers have their folders."""
    folder = Path(tempfile.mkdtemp(prefix="healthd-rehearsals-"))
    folder.chmod(0o755)
    monkeypatch.setenv("TMPDIR", str(folder))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


class Watched:
    """A target as the daemon watches it: its rounds are posted, and their scripts are rehearsed."""

    def __init__(self, url: str, known: Files, **changes: Any) -> None:
        self.target, self.known = Target("app", url), known
        nowhere = Path("/nowhere")
        self.settings = Settings(None, (nowhere,), nowhere, nowhere, (self.target,), postgres_bin=BINARIES)
        self.settings = replace(self.settings, **changes)
        self.board = Board()
        self.board.watch([("app", 30.0)])
        self.rehearsals = Rehearsals(self.board)
        self.last: Round | None = None

    async def round(self) -> Round:
        """Make the next round."""
        found: Round = await rounds.examine_again(self.target, self.known, self.last)
        self.board.post(found.report)
        self.last = self.rehearsals.consider(found, self.settings)
        return found

    async def finished(self) -> tuple[str, str]:
        """Return state and words of the rehearsal, once it has ended."""
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*self.rehearsals.running.values())
        return self.standing

    @property
    def standing(self) -> tuple[str, str]:
        return self.board.entries["app"].rehearsed.state, self.board.entries["app"].rehearsed.words


@pytest.fixture
async def watch(url: str, known: Files) -> AsyncIterator[Callable[..., Watched]]:
    """A function that watches the database."""
    made: list[Watched] = []

    def begin(**changes: Any) -> Watched:
        made.append(Watched(url, known, **changes))
        return made[-1]

    yield begin
    for one in made:
        await asyncio.gather(*one.rehearsals.stop(), return_exceptions=True)
        if one.last is not None:
            await one.last.close()


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The jobs that were begun; each takes until it is cancelled, or a moment if the next one is the test's subject."""
    jobs: list[bytes] = []

    async def rehearsed_apart(packed: bytes, *, limit_s: float) -> Rehearsal:
        jobs.append(packed)
        await asyncio.sleep(limit_s)
        return Rehearsal("18.4")

    monkeypatch.setattr(door, "rehearsed_apart", rehearsed_apart)
    return jobs


async def test_a_script_is_rehearsed_and_the_result_is_on_the_board(
    watch: Callable[..., Watched], url: str, sql: Any, scratch: Path
) -> None:
    sql(url, DRIFT)
    watched = watch()
    found = await watched.round()

    assert ("running", WAITING) == watched.standing
    assert found.reading is not None
    assert watched.last is not None
    assert watched.last.reading is None
    state, words = await watched.finished()
    assert "done" == state
    assert words.startswith("Rehearsed on PostgreSQL ")
    assert words.endswith(", with rows in 1 table: clean")
    assert [] == left_in(scratch)


async def test_a_target_without_a_script_has_no_rehearsal(watch: Callable[..., Watched], played: list[bytes]) -> None:
    watched = watch()
    await watched.round()

    assert ("none", "") == await watched.finished()
    assert [] == played


async def test_the_same_script_is_rehearsed_once(
    watch: Callable[..., Watched], url: str, sql: Any, played: list[bytes]
) -> None:
    sql(url, DRIFT)
    watched = watch(rehearse_limit_s=0.0)
    reports = []
    for statement in ("SELECT 1", "SELECT 1", "ALTER TABLE machines SET (fillfactor = 90)"):
        sql(url, f"{statement}; ALTER TABLE machines RESET (fillfactor)")
        reports.append((await watched.round()).report)
        assert "done" == (await watched.finished())[0]

    assert 1 == len(played)
    assert reports[0].checks is not reports[2].checks, "the last round read everything again"


async def test_other_differences_end_a_rehearsal_and_begin_another(
    watch: Callable[..., Watched], url: str, sql: Any, played: list[bytes]
) -> None:
    sql(url, DRIFT)
    watched = watch(rehearse_limit_s=PATIENCE_S)
    await watched.round()
    first = watched.rehearsals.running["app"]
    await asyncio.to_thread(wait_for, lambda: played, timeout_s=PATIENCE_S)
    sql(url, MORE_DRIFT)
    await watched.round()

    assert watched.rehearsals.running["app"] is not first
    await asyncio.wait([first])
    assert first.cancelled()
    assert ("running", WAITING) == watched.standing


async def test_a_result_counts_only_for_the_script_it_is_about(
    watch: Callable[..., Watched], url: str, sql: Any, played: list[bytes]
) -> None:
    sql(url, DRIFT)
    watched = watch(rehearse_limit_s=0.0)
    await watched.round()
    await watched.finished()
    sql(url, MORE_DRIFT)
    watched.board.post((await rounds.examine_again(watched.target, watched.known, watched.last)).report)

    assert ("none", "") == watched.standing


async def test_a_repaired_target_ends_its_rehearsal(
    watch: Callable[..., Watched], url: str, sql: Any, played: list[bytes]
) -> None:
    sql(url, MORE_DRIFT)
    watched = watch(rehearse_limit_s=PATIENCE_S)
    await watched.round()
    task = watched.rehearsals.running["app"]
    sql(url, "DROP TABLE more")
    await watched.round()

    await asyncio.wait([task])
    assert task.cancelled()
    assert {} == watched.rehearsals.running
    assert ("none", "") == watched.standing


async def test_one_rehearsal_runs_at_a_time(
    watch: Callable[..., Watched], url: str, sql: Any, played: list[bytes]
) -> None:
    sql(url, DRIFT)
    watched = watch(rehearse_limit_s=PATIENCE_S)
    watched.board.watch([("app", 30.0), ("other", 30.0)])
    found = await watched.round()
    watched.rehearsals.consider(replace(found, report=replace(found.report, target="other")), watched.settings)
    await asyncio.to_thread(wait_for, lambda: played, timeout_s=PATIENCE_S)
    await asyncio.sleep(0.1)

    assert {"app", "other"} == watched.rehearsals.running.keys()
    assert 1 == len(played)


async def test_without_a_scratch_server_the_reason_is_shown_and_nothing_is_started(
    watch: Callable[..., Watched], url: str, sql: Any, played: list[bytes], tmp_path: Path
) -> None:
    sql(url, DRIFT)
    watched = watch(postgres_bin=tmp_path)
    await watched.round()

    assert "none" == watched.standing[0]
    assert watched.standing[1].startswith(f"Not rehearsed: {tmp_path} does not contain initdb and postgres")
    assert ([], {}) == (played, watched.rehearsals.running)


async def test_rehearsals_can_be_turned_off(
    watch: Callable[..., Watched], url: str, sql: Any, played: list[bytes]
) -> None:
    sql(url, DRIFT)
    watched = watch(rehearse_limit_s=PATIENCE_S)
    await watched.round()
    (task,) = watched.rehearsals.running.values()
    watched.rehearsals.follow(replace(watched.settings, rehearse=False))

    await asyncio.wait([task])
    assert task.cancelled()
    watched.settings = replace(watched.settings, rehearse=False)
    await watched.round()
    assert ("none", "") == watched.standing


async def test_a_rehearsal_that_takes_too_long_is_ended(
    watch: Callable[..., Watched], url: str, sql: Any, scratch: Path
) -> None:
    sql(url, DRIFT)
    watched = watch(rehearse_limit_s=0.05)
    await watched.round()

    assert ("failed", "Not rehearsed: it took longer than 0.05 s") == await watched.finished()
    assert [] == left_in(scratch)


@pytest.mark.parametrize("begun", ["*", "postmaster.pid"])
async def test_a_rehearsal_that_is_ended_leaves_no_server_and_no_folder(
    watch: Callable[..., Watched], url: str, sql: Any, scratch: Path, begun: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEALTHD_CLUSTERS", "")
    sql(url, DRIFT)
    watched = watch()
    await watched.round()
    await asyncio.to_thread(wait_for, lambda: list(scratch.glob(f"*/{begun}")), timeout_s=PATIENCE_S)
    tasks = watched.rehearsals.stop()
    await asyncio.gather(*tasks, return_exceptions=True)

    assert [True] == [task.cancelled() for task in tasks]
    await asyncio.to_thread(wait_for, lambda: not left_in(scratch), timeout_s=PATIENCE_S)


async def test_a_process_that_is_killed_is_a_rehearsal_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))

    found = await rehearsal_process.rehearsed_apart(b"", limit_s=PATIENCE_S)

    assert "Not rehearsed: its process was ended" == found.words


async def test_a_process_that_has_answered_ends_by_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """To terminate one that has just ended makes asyncio log a warning about an unknown process."""
    program = tmp_path / "answers"
    answer = json.dumps(asdict(Rehearsal(problem="it was a test")))
    program.write_text(f"#!/bin/sh\necho '{answer}'\nexec >&-\nsleep 0.1\ntouch {tmp_path}/ended\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))

    found = await rehearsal_process.rehearsed_apart(b"", limit_s=PATIENCE_S)

    assert "it was a test" == found.problem
    assert (tmp_path / "ended").exists()
