"""Targets come and go in a folder of files, while the daemon runs; every verb reads it too."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import MakeDatabase
from servers import wait_for

from acceptance.test_cli import healthd
from acceptance.test_daemon import (  # noqa: F401 # fixtures
    PATIENCE_S,
    Daemon,
    Start,
    configure,
    folder,
    migrated,
    start,
)

FINE = "healthd_config_last_reload_successful"


@pytest.fixture
def targets(folder: Path, migrated: str) -> Path:  # noqa: F811
    """An empty folder of target files, which the project's yoyo.ini names."""
    (folder / "targets.d").mkdir()
    configure(folder)
    ini = folder / "yoyo.ini"
    ini.write_text(ini.read_text().replace("[healthd]\n", "[healthd]\ntargets_dir = targets.d\n"))
    return folder / "targets.d"


def write(targets: Path, file: str, more: str = "", **urls: str) -> None:
    text = "".join(f"[target {name}]\ndatabase = {url.replace('%', '%%')}\n{more}" for name, url in urls.items())
    new = targets / f".{file}"
    new.write_text(text)
    new.rename(targets / file)


def watched(daemon: Daemon) -> set[str]:
    """Return the targets that have been examined."""
    found = daemon.get("/api/v1/targets").json()["targets"]
    return {one["target"] for one in found if one["severity"] != "unknown"}


def until(daemon: Daemon, *names: str) -> None:
    wait_for(lambda: watched(daemon) == set(names), timeout_s=PATIENCE_S)


def test_targets_come_and_go_while_the_daemon_runs(
    targets: Path,
    migrated: str,  # noqa: F811
    start: Start,  # noqa: F811
) -> None:
    daemon = start()
    until(daemon)
    write(targets, "a.ini", one=migrated)
    until(daemon, "one")
    write(targets, "b.ini", two=migrated, three=migrated)
    until(daemon, "one", "two", "three")
    runs = daemon.metric('healthd_check_runs_total{target="one"}')
    (targets / "b.ini").unlink()
    until(daemon, "one")

    assert 'target="two"' not in daemon.get("/metrics").text
    assert runs is not None
    assert runs <= (daemon.metric('healthd_check_runs_total{target="one"}') or 0)  # the others go on as they were
    assert 1 == daemon.metric(FINE)
    assert [0, 1, 3, 1] == [
        one["targets"] for one in daemon.log() if one["event"] in ("daemon.started", "settings.reloaded")
    ]


def test_a_wrong_file_is_reported_once_and_keeps_its_targets(
    targets: Path,
    migrated: str,  # noqa: F811
    start: Start,  # noqa: F811
) -> None:
    write(targets, "a.ini", one=migrated)
    (targets / "z.ini").write_text("[target half]\ndatab")  # wrong when the daemon starts
    daemon = start()
    until(daemon, "one")
    (targets / "a.ini").write_text("[target one]\ndatabase = postgresql://me:hunter2@h:hunter2/x\n")
    wait_for(lambda: len(daemon.log("target_file.rejected")) == 2, timeout_s=PATIENCE_S)
    write(targets, "b.ini", two=migrated)
    until(daemon, "one", "two")
    write(targets, "c.ini", three=migrated, ONE=migrated)
    wait_for(lambda: len(daemon.log("target_file.rejected")) == 3, timeout_s=PATIENCE_S)
    write(targets, "d.ini", "lock = nosuch.lock\n", four=migrated)
    wait_for(lambda: len(daemon.log("target_file.rejected")) == 4, timeout_s=PATIENCE_S)
    reloaded = daemon.get("/-/reload", "POST")

    assert 200 == reloaded.status_code
    assert {"one", "two"} == watched(daemon)
    lines = [f"{line['error']} {line['hint']}" for line in daemon.log("target_file.rejected")]
    assert 4 == len(lines)
    assert "z.ini, line 2: neither a [section]" in lines[0]
    assert "a.ini, line 2: [target one] database: port is not a number" in lines[1]
    assert "c.ini, line 3: [target ONE]: the name is taken by" in lines[2]
    assert "a.ini, line 1: [target one]" in lines[2]
    assert "d.ini, line 1: [target four]: no such lock file" in lines[3]
    assert 0 == daemon.metric(FINE)
    page = daemon.get("/").text
    assert "4 target files are wrong:" in page
    assert [
        name for name in ("a.ini", "c.ini", "d.ini", "z.ini") if f'<span class="name">{name}</span>' not in page
    ] == []
    for name in ("a.ini", "c.ini", "d.ini", "z.ini"):
        (targets / name).unlink()
    until(daemon, "two")
    wait_for(lambda: daemon.metric(FINE) == 1, timeout_s=PATIENCE_S)
    assert 4 == len(daemon.log("target_file.accepted"))
    assert "target files" not in daemon.get("/").text
    assert "hunter2" not in daemon.stderr.read_text()


def test_a_lock_file_that_comes_later_makes_a_file_right(
    folder: Path,  # noqa: F811
    targets: Path,
    migrated: str,  # noqa: F811
    start: Start,  # noqa: F811
) -> None:
    write(targets, "a.ini", "lock = later.lock\n", one=migrated)
    daemon = start()
    wait_for(lambda: daemon.log("target_file.rejected"), timeout_s=PATIENCE_S)
    (folder / "later.lock").write_bytes((folder / "sql" / "schema.lock").read_bytes())
    until(daemon, "one")

    assert 1 == len(daemon.log("target_file.rejected"))


def test_a_thousand_wrong_files_are_a_few_lines(targets: Path, migrated: str, start: Start) -> None:  # noqa: F811
    for number in range(1000):
        (targets / f"wrong{number}.ini").write_text("[target\n")
    write(targets, "a.ini", one=migrated)
    daemon = start()
    until(daemon, "one")

    assert 10 == len(daemon.log("target_file.rejected"))
    assert [990] == [line["further"] for line in daemon.log("target_files.rejected")]
    assert "1,000 target files are wrong:" in daemon.get("/").text
    assert "and 980 more" in daemon.get("/").text


def test_every_verb_reads_the_folder(
    folder: Path,  # noqa: F811
    targets: Path,
    migrated: str,  # noqa: F811
    make_database: MakeDatabase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(folder)
    empty = healthd("check")
    write(targets, "a.ini", one=migrated)
    write(targets, "b.ini", two=make_database())

    assert (3, True) == (empty.code, f"nor in {targets}" in empty.err)
    assert 0 == healthd("migrate", "--all").code
    checked = healthd("check")
    assert (0, "2 of 2 ok\n") == (checked.code, checked.err)
    assert (0, 0) == (healthd("status", "--target", "two").code, healthd("check", "--target", "o*").code)
    (targets / "c.ini").write_text("[target half]\ndatab")
    for verb in ("check", "status", "plan", "migrate", "snapshot", "up"):
        refused = healthd(verb, "--target", "one") if verb != "up" else healthd(verb)
        assert 3 == refused.code
        assert "c.ini, line 2: neither a [section] nor KEY = VALUE" in refused.err
