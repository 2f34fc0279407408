"""The files are read again exactly when they changed, and an error in one names the file."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from acceptance.test_cli import lock_text, make_project

from healthd.config.reader import read_settings
from healthd.config.settings import Settings, Target
from healthd.errors import ConfigError, LockFileError
from healthd.expected import store
from healthd.expected.store import keep, read_lock, read_snapshot


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of a project whose folder is looked at each time."""
    monkeypatch.setattr(store, "LOOK_S", 0.0)
    return read_settings(make_project(tmp_path) / "yoyo.ini")


def test_the_files_of_a_round_are_the_lock_and_each_migration_in_order(settings: Settings) -> None:
    files = keep(settings).files

    assert ["0001_status", "0002_machines", "0003_notes"] == [name for name, _ in files.migrations]
    assert [name for name, _ in files.migrations] == [one.id for one in files.lock.migrations]


def test_what_did_not_change_is_not_read_again(settings: Settings) -> None:
    kept = keep(settings)

    assert kept.files is keep(settings, kept).files


def test_many_targets_share_one_look_at_the_folder(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "LOOK_S", 1000.0)
    kept = keep(settings)
    (settings.sources[0] / "0004_more.sql").write_text("SELECT 1;\n")

    assert kept is keep(settings, kept)


def test_a_new_file_is_seen(settings: Settings) -> None:
    kept = keep(settings)
    (settings.sources[0] / "0004_more.sql").write_text("SELECT 1;\n")

    assert "0004_more" in dict(keep(settings, kept).files.migrations)


def test_what_is_no_migration_wakes_nobody(settings: Settings) -> None:
    kept = keep(settings)
    folder = settings.sources[0]
    (folder / "._0001_status.sql").write_bytes(b"\0\xff")
    (folder / ".#0001_status.sql").symlink_to("nowhere")
    (folder / "0004_folder.sql").mkdir()

    assert kept.marks == keep(settings, kept).marks
    assert kept.files is keep(settings, kept).files


def test_an_edit_is_seen_even_if_it_hides_behind_size_and_time(settings: Settings) -> None:
    kept = keep(settings)
    path = settings.sources[0] / "0003_notes.sql"
    before = path.stat()
    path.write_text(path.read_text().replace("notes", "hints"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert dict(kept.files.migrations) != dict(keep(settings, kept).files.migrations)


def test_bad_files_raise_and_what_was_kept_stays_good(settings: Settings) -> None:
    kept = keep(settings)
    settings.lock.write_text("{}\n")

    with pytest.raises(LockFileError):
        keep(settings, kept)
    settings.lock.write_text(lock_text())
    assert kept.files == keep(settings, kept).files


def test_a_folder_that_is_gone_is_told(settings: Settings) -> None:
    with pytest.raises(ConfigError, match="nosuch"):
        keep(replace(settings, sources=(settings.sources[0] / "nosuch",)))


def break_lock(path: Path, how: str) -> None:
    """Do to a lock file what happens to lock files."""
    text = path.read_text()
    path.unlink()
    if how == "a folder":
        path.mkdir()
    elif how == "not UTF-8":
        path.write_bytes(b"\xff\xfe")
    elif how != "missing":
        path.write_text(
            {"empty": "", "truncated": text[: len(text) // 2], "of another format": '{"healthd_lock": 9}'}[how]
        )


@pytest.mark.parametrize("how", ["missing", "empty", "truncated", "not UTF-8", "a folder", "of another format"])
def test_a_lock_file_that_is_unusable_is_told_by_name_with_what_to_do(how: str, settings: Settings) -> None:
    break_lock(settings.lock, how)

    with pytest.raises(LockFileError) as caught:
        read_lock(settings)
    assert str(settings.lock) in str(caught.value)
    assert caught.value.hint


def test_a_lock_file_is_a_snapshot_of_everything_applied(settings: Settings) -> None:
    assert (read_lock(settings).expected(), None) == read_snapshot(settings.lock)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "[]",
        "{}",
        json.dumps({"server_version": "new", "objects": {}, "unreadable": {}}),
        json.dumps({"server_version": 180000, "objects": [], "unreadable": {}}),
        json.dumps({"server_version": 180000, "objects": {"table": {}}, "unreadable": {}}),
        json.dumps({"server_version": 180000, "objects": {"table:a.b": {}}, "unreadable": {}}),
        json.dumps({"server_version": 180000, "objects": {}, "unreadable": 7}),
        b"\xff\xfe",
    ],
)
def test_a_file_that_is_no_snapshot_is_told_by_name(text: str | bytes, tmp_path: Path) -> None:
    path = tmp_path / "some.json"
    path.write_bytes(text.encode() if isinstance(text, str) else text)

    with pytest.raises(LockFileError) as caught:
        read_snapshot(path)
    assert str(path) in str(caught.value)
    assert caught.value.hint


WAIVER = """
[[waiver]]
key = "table:public.x"
reason = "it is here for a test"
owner = "somebody"
until = 2999-01-01
"""


def test_waivers_are_read_again_when_the_targets_are_other_ones(settings: Settings) -> None:
    (settings.sources[0] / "waivers.toml").write_text(WAIVER)
    group = Target("eu", "dbname=postgres", databases=("*",))
    one, two = (Target(f"eu/{name}", f"dbname={name}", group="eu") for name in "ab")
    unlisted = replace(settings, targets=(one, replace(two, group="")), groups=(group, replace(group, name="us")))
    first = keep(unlisted)
    second = keep(replace(unlisted, targets=(one, two), groups=(group,)), first)

    assert () == first.files.lock.waivers.targets  # those of us are not known
    assert ("eu/a", "eu/b") == second.files.lock.waivers.targets
    assert second.files is keep(replace(unlisted, targets=(one, two), groups=(group,)), second).files
