"""The state file: replaced whole, and nothing that is wrong with it or its disk stops the daemon."""

import asyncio
import errno
import json
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from healthd.daemon import state_file
from healthd.daemon.state import Memory
from healthd.report.board import Board
from healthd.report.memory import event_row
from unit.report.test_board import LOST, START, board, report

STATE = "state.json"


@contextmanager
def kept(folder: Path, *posted: Any) -> Iterator[Memory]:
    """Run a memory of a board for a block; it is written at the end."""
    memory = Memory(board(), folder)
    memory.restore(START + timedelta(seconds=60))
    try:
        for one in posted:
            memory.posted(memory.board.post(one))
        yield memory
    finally:
        memory.finish(10)


def since(folder: Path) -> object:
    """Return since when a drift stands for a daemon that starts now."""
    with kept(folder) as memory:
        return memory.board.entries["app"].drift_since


def test_the_next_daemon_knows_what_the_last_one_knew(tmp_path: Path) -> None:
    with kept(tmp_path / "new" / "folder", report(LOST)):
        pass

    assert START + timedelta(seconds=0.5) == since(tmp_path / "new" / "folder")
    assert 0o600 == (tmp_path / "new" / "folder" / STATE).stat().st_mode & 0o777


def test_without_a_folder_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    memory = Memory(board())
    memory.restore(START)
    memory.finish(1)

    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "state.json.corrupt"),
        (b"\0" * 4096, "state.json.corrupt"),
        (b"{}", "state.json.corrupt"),
        (b"[" * 100_000, "state.json.corrupt"),
        (b'{"format": "healthd state", "version": 2}\nwhatever', "state.json.version-2"),
        (b'{"format": "healthd state", "version": 1, "sha256": "0"}\n{"app": {}}\n', "state.json.corrupt"),
    ],
)
def test_a_file_that_cannot_be_used_is_set_aside(content: bytes, name: str, tmp_path: Path) -> None:
    (tmp_path / STATE).write_bytes(content)
    with capture_logs() as logs, kept(tmp_path, report(LOST)):
        pass

    assert [("state.rejected", "error")] == [(line["event"], line["log_level"]) for line in logs]
    assert str(tmp_path / name) == logs[0]["kept_as"]
    assert content == (tmp_path / name).read_bytes()
    assert START + timedelta(seconds=0.5) == since(tmp_path)


def test_a_truncated_or_changed_file_is_corrupt(tmp_path: Path) -> None:
    with kept(tmp_path, report(LOST)):
        pass
    whole = (tmp_path / STATE).read_bytes()
    for content in (whole[:-20], whole.replace(b"critical", b"warning ")):
        (tmp_path / STATE).write_bytes(content)
        with pytest.raises(state_file.StateRejected, match="corrupt"):
            state_file.read(tmp_path)


def test_a_document_of_another_form_is_set_aside(tmp_path: Path) -> None:
    state_file.write(tmp_path, {"app": {"severity": "worse"}})
    with capture_logs() as logs, kept(tmp_path):
        pass

    assert ["state.rejected"] == [line["event"] for line in logs]
    assert (tmp_path / "state.json.corrupt").exists()


def test_a_full_disk_is_reported_once_and_the_old_state_stays(tmp_path: Path) -> None:
    with kept(tmp_path, report(LOST)):
        pass
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with capture_logs() as logs, kept(tmp_path) as memory:
        assert memory.writer is not None
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
        try:
            failure = ""
            for _ in range(3):
                failure = memory.writer._written({"app": "x" * 1000}, failure)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert START + timedelta(seconds=0.5) == since_in(tmp_path)
        memory.writer._written({}, failure)

    assert ["state.failed", "state.kept"] == [line["event"] for line in logs]
    assert f"cannot write {tmp_path / STATE}: File too large" == logs[0]["error"]


def since_in(folder: Path) -> object:
    memory = Memory(board())
    memory._read(folder, START + timedelta(seconds=60), {})
    return memory.board.entries["app"].drift_since


def test_a_disk_that_cannot_be_written_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_only(*_arguments: object, **_words: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    with kept(tmp_path, report(LOST)):
        pass
    monkeypatch.setattr(os, "replace", read_only)
    with capture_logs() as logs, kept(tmp_path, report(LOST, at_s=60)) as memory:
        assert START + timedelta(seconds=0.5) == memory.board.entries["app"].drift_since

    assert ["state.failed"] == [line["event"] for line in logs]


def test_a_file_that_cannot_be_set_aside_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / STATE).write_bytes(newer := b'{"format": "healthd state", "version": 9}\n')
    (tmp_path / "state.json.version-9").mkdir()
    (tmp_path / "state.json.version-9" / "full").touch()
    with capture_logs() as logs, kept(tmp_path, report(LOST)):
        pass

    assert ["state.failed"] == [line["event"] for line in logs]
    assert newer == (tmp_path / STATE).read_bytes()


@pytest.mark.parametrize("what", ["file", "loop"])
def test_a_folder_that_cannot_be_made_is_reported(what: str, tmp_path: Path) -> None:
    place = tmp_path / "state"
    if what == "file":
        place.touch()
    else:
        place.symlink_to(place)
    with capture_logs() as logs, kept(place, report(LOST)):
        pass

    assert ["state.failed"] == [line["event"] for line in logs]


def test_two_daemons_do_not_share_a_folder(tmp_path: Path) -> None:
    with capture_logs() as logs, kept(tmp_path, report(LOST)), kept(tmp_path):
        pass

    assert [(f"{tmp_path} is in use by another process", "give each daemon a state_dir of its own")] == [
        (line["error"], line["hint"]) for line in logs
    ]
    assert START + timedelta(seconds=0.5) == since(tmp_path)


async def test_a_change_is_written_at_once_and_a_round_without_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents: list[Any] = []
    memory = Memory(board(), tmp_path)
    memory.restore(START)
    assert memory.writer is not None
    monkeypatch.setattr(memory.writer, "put", documents.append)
    task = asyncio.ensure_future(memory.keep())
    memory.posted(memory.board.post(report(LOST)))
    for _ in range(3):
        await asyncio.sleep(0)
    memory.posted(memory.board.post(report(LOST, at_s=10)))
    task.cancel()

    assert 1 == len(documents)
    assert "critical" in json.dumps(documents, default=event_row)
    assert not memory.changed.is_set()


def watching(*names: str) -> Board:
    made = Board()
    made.watch([(name, 10.0) for name in names])
    return made


def test_what_is_known_of_a_database_waits_until_its_server_has_listed_it(tmp_path: Path) -> None:
    before = Memory(watching("one", "eu/a", "eu/gone", "us/b", "old"), tmp_path)
    before.restore(START)
    for name in before.board.entries:
        before.board.post(report(LOST, target=name))
    before.finish(10)
    for _ in range(2):  # what waits is kept, too
        memory = Memory(watching("one"), tmp_path)
        memory.restore(START + timedelta(seconds=60), {"eu": 7.0, "us": 7.0})
        memory.finish(10)
    assert {"eu/a", "eu/gone", "us/b"} == memory.waiting.keys()
    memory.board.watch([("one", 1.0), ("eu/a", 3.0)])
    memory.follow({"us"})

    entry = memory.board.entries["eu/a"]
    assert (START + timedelta(seconds=0.5), 3.0) == (entry.drift_since, entry.interval_s)
    assert {"us/b"} == memory.waiting.keys()
